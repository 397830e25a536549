"""One fault in a copy of the deployment, and exactly the check that holds it names the thing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.checks import (
    access,
    alerting,
    api_versions,
    dates,
    deployment,
    functions,
    hardening,
    permissions,
    policies,
    scanner,
    settings,
    storage_names,
    templates,
    workflows,
)
from infra.checks.__main__ import main
from tests.sampling import sampled

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("infra", "src", "function_app.py", "azure.yaml", "docs/infrastructure.md")
CHECKS = {
    check.__name__.rpartition(".")[2]: check.run
    for check in (
        access,
        alerting,
        api_versions,
        dates,
        deployment,
        functions,
        hardening,
        permissions,
        policies,
        settings,
        storage_names,
        templates,
    )
}
MODULES = "infra/modules"
APP, AUTH, DATA, HOST = (f"{MODULES}/{name}.bicep" for name in ("app", "auth", "storage-data", "storage-host"))
LOGS, NAMES, ROLES, TOPIC = (f"{MODULES}/{name}.bicep" for name in ("monitoring", "names", "roles", "topic"))
ACTIVITY = f"{MODULES}/activity.bicep"
VAULT, ALERTS = f"{MODULES}/vault.bicep", f"{MODULES}/alerts.bicep"
STRICT, VERSIONS = "infra/checks/bicepconfig.json", "infra/checks/api-versions.json"
MAIN, EVENTS, PARAMETERS = "infra/main.bicep", "infra/events.bicep", "infra/main.parameters.json"
AFTER = "infra/hooks/postdeploy.sh"
GRAPH = "src/bypass_responder/adapters/graph.py"
CLIENTS, TELEMETRY = (f"src/bypass_responder/adapters/{name}.py" for name in ("storage_clients", "telemetry"))
RIGHTS, PAGE = "src/bypass_responder/rights.py", "docs/infrastructure.md"
FIND = "src/exchange_worker/ExchangeBypass/Private/Resolve-ExchangeObject.ps1"
SWEEPS = "src/exchange_worker/ExchangeSweeps/function.json"
SENT, MAIL, ID = "RESUME_SCHEDULE: resumeSchedule", "param alertEmail string", "output id string = account.id"
SECRET_PARAMETER = "@secure()\n#disable-next-line no-unused-params\nparam pass string = ''"
KEY_OUTPUT = (
    "#disable-next-line outputs-should-not-contain-secrets\noutput key string = account.listKeys().keys[0].value"
)
WORKER_WRITES = (
    "  toApp(worker, roles.blobDataContributor, [containers.sweeps, containers.reads, containers.changes]),\n"
)
TIMEOUT = "COMMAND_TIMEOUT_SECONDS: string(commandTimeoutSeconds)"
HOSTS, WHOLE = "var onHosts given[] = concat(", "toApp(responder, roles.blobDataOwner, [name.dataAccount])"
ON_OWN = "DataContributor, [name.responder.hostAccount])"
OWNER, USER, READ = "roles.blobDataOwner", "roles.keyVaultSecretsUser", "roles.tableDataReader"
REVOKE = "Permission: User.RevokeSessions.All"
HEALTH = '@app.route(trigger_arg_name="request", route="health"'
OPEN = (
    '@app.route(trigger_arg_name="request", route="stop", auth_level=func.AuthLevel.ANONYMOUS)\n'
    "async def stop(request: func.HttpRequest) -> func.HttpResponse: ...\n\n\n"
)
DEAD = "    deadLetterWithResourceIdentity: deadLetters\n"
DESCRIBED = "@description('observe records decisions without changing the tenant; enforce also acts on them.')"

pytestmark = pytest.mark.skipif(shutil.which("bicep") is None, reason="bicep is not on PATH")


@dataclass(frozen=True)
class Fault:
    """In one file, one text replaced by another; and what the check says of it.

    Faults of one batch are seeded into the same copy, whatever check they are for: Bicep takes seconds to predict it.
    """

    check: str
    file: str
    old: str
    new: str
    said: str
    batch: int = 0


FAULTS = {
    "a vault that can be purged": Fault(
        "policies", MAIN, "purgeProtection: purgeProtection", "purgeProtection: false", "can be purged"
    ),
    "a lock unasked": Fault("policies", MAIN, "lock: locks\n  }", "lock: true\n  }", "locks is made unasked"),
    "a lock less": Fault("policies", MAIN, "lock: locks\n    allowed", "lock: false\n    allowed", "locks are on ["),
    "deployment from everywhere": Fault(
        "policies", APP, "empty(deployAddresses) ? 'Allow' : 'Deny'", "'Allow'", "open to other addresses"
    ),
    "an operation that is not watched": Fault(
        "policies", ACTIVITY, "sites/stop/action", "sites/restart/action", "activity alerts watch ["
    ),
    "a lock that stops the apps": Fault(
        "policies", DATA, "{ level: 'CanNotDelete'", "{ level: 'ReadOnly'", "a lock is ReadOnly", 1
    ),
    "a rule that is off": Fault("alerting", ALERTS, "      enabled: true", "      enabled: false", ": is off"),
    "a rule that nobody hears of": Fault(
        "alerting", ALERTS, "actionGroups: [actionGroupId]", "actionGroups: []", "bypass-contained: notifies nobody"
    ),
    "a rule for many rows": Fault(
        "alerting", ALERTS, "? 1 : 0", "? 1 : 1000", "fires on ('Count', 'GreaterThan', 1000)"
    ),
    "a rule that waits": Fault(
        "alerting", ALERTS, "numberOfEvaluationPeriods: 1", "numberOfEvaluationPeriods: 4", "waits for a second"
    ),
    "absence as presence": Fault("alerting", ALERTS, "'LessThan' :", "'GreaterThan' :", "0 rules fire when", 1),
    "an activity alert that is off": Fault(
        "alerting", ACTIVITY, "enabled: true", "enabled: false", "settings-changed: is off"
    ),
    "an activity alert for failures": Fault(
        "alerting", ACTIVITY, "equals: 'Succeeded'", "equals: 'Failed'", "must fire for {'category'"
    ),
    "an action group without a receiver": Fault(
        "alerting",
        LOGS,
        "    enabled: true\n    groupShort",
        "    enabled: false\n    groupShort",
        "notifies nobody",
        1,
    ),
    "a filter before the alerts": Fault(
        "functions",
        EVENTS,
        "  name: 'bypass-alerts'\n  properties: {\n    eventDeliverySchema: 'CloudEventSchemaV1_0'\n"
        "    retryPolicy: retryPolicy\n    deadLetterWithResourceIdentity: deadLetters\n    destination",
        "  name: 'bypass-alerts'\n  properties: {\n    eventDeliverySchema: 'EventGridSchema'\n"
        "    filter: { includedEventTypes: ['x'] }\n"
        "    retryPolicy: retryPolicy\n    deadLetterWithResourceIdentity: deadLetters\n    destination",
        "drops what its filter",
        1,
    ),
    "many alerts at once": Fault(
        "functions", EVENTS, "maxEventsPerBatch: 1,", "maxEventsPerBatch: 100,", "a delivery has 100 events", 1
    ),
    "a public endpoint for nothing": Fault(
        "policies", DATA, "? 'Disabled' : 'Enabled'", "? 'Enabled' : 'Enabled'", "a public endpoint that nothing"
    ),
    "a suffix that renames no plan": Fault(
        "policies", NAMES, "plan-bypass-responder${suffix}", "plan-bypass-responder", "serverfarms: nameSuffix", 1
    ),
    "a suffix past the host's id": Fault(
        "policies", NAMES, "resp${suffix}-${token}", "resp-${token}--${suffix}", "sites: nameSuffix leaves", 1
    ),
    "a suffix that renames data": Fault(
        "policies", NAMES, "'stbypass${token}'", "'stbypass${token}${suffix}'", "storageAccounts: nameSuffix", 1
    ),
    "a file that does not compile": Fault("templates", MAIN, "module data ", "modul data ", "main.bicep"),
    "a warning": Fault("templates", TOPIC, "param name string", "param name string\nparam more string = ''", "more", 1),
    "a registry module": Fault("templates", MAIN, "'modules/topic.bicep'", "'br/public:avm/topic:1'", "registry", 2),
    "a rule off without a reason": Fault(
        "templates",
        VAULT,
        "param name string",
        "#disable-next-line no-unused-params\nparam name string",
        "rule without",
        1,
    ),
    "an API version on no list": Fault(
        "api_versions", ALERTS, "Rules@2023-12-01", "Rules@2026-03-01", "scheduledQueryRules@2026-03-01, but"
    ),
    "an API version without evidence": Fault(
        "api_versions", VERSIONS, '"deployed by public templates since 2023"', '" "', "vaults has no evidence"
    ),
    "an API version of nothing": Fault(
        "api_versions",
        VERSIONS,
        '  "Microsoft.Web/sites"',
        '  "Microsoft.Web/none": ["2024-01-01", "x"],\n  "Microsoft.Web/sites"',
        "no template uses Microsoft.Web/none",
    ),
    "another indent": Fault("templates", HOST, "  location: location", "      location: location", "not formatted", 1),
    "shared keys": Fault(
        "hardening", DATA, "SharedKeyAccess: false", "SharedKeyAccess: true", "SharedKeyAccess is True"
    ),
    "keys of a host": Fault("hardening", HOST, "allowSharedKeyAccess: false", "", "allowSharedKeyAccess is None"),
    "public blobs": Fault(
        "hardening", DATA, "BlobPublicAccess: false", "BlobPublicAccess: true", "allowBlobPublicAccess"
    ),
    "a public container": Fault("hardening", DATA, "Access: 'None'", "Access: 'Blob'", "publicAccess is Blob"),
    "old TLS": Fault("hardening", DATA, "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_0'", "TLS1_0"),
    "http": Fault("hardening", APP, "httpsOnly: true", "httpsOnly: false", "httpsOnly is False"),
    "passwords for deployment": Fault("hardening", APP, "allow: false", "allow: true", "allow is True"),
    "keys of the topic": Fault("hardening", TOPIC, "Auth: !allowKeys", "Auth: allowKeys", "disableLocalAuth is False"),
    "keys of telemetry": Fault(
        "hardening", LOGS, "DisableLocalAuth: true", "DisableLocalAuth: false", "DisableLocalAuth"
    ),
    "appends refused": Fault(
        "hardening", DATA, "AppendWrites: true", "AppendWrites: false", "allowProtectedAppendWrites"
    ),
    "another container held": Fault(
        "hardening", DATA, "Names, containers.checkpoints)", "Names, containers.sweeps)", "sweeps", 1
    ),
    "a door beside the private one": Fault(
        "hardening", DATA, "? 'Deny' : 'Allow'", "? 'Allow' : 'Allow'", "everywhere"
    ),
    "a secret beside the vault": Fault(
        "hardening", MAIN, "MODE: mode\n", "MODE: mode\nA_SECRET: 'x'\n", "A_SECRET is not"
    ),
    "a setting that Flex refuses": Fault("hardening", MAIN, f"{SENT}\n", f"{SENT}\nTZ: 'x'\n", "TZ must not be set"),
    "a property that Flex refuses": Fault(
        "hardening",
        APP,
        "http20Enabled: true\n",
        "http20Enabled: true\n      alwaysOn: true\n",
        "alwaysOn must not be set",
    ),
    "a connection string with a key": Fault(
        "hardening", MAIN, "MODE: mode\n", "MODE: mode\n      PLACE: 'AccountKey=x'\n", "a key is read: AccountKey=", 1
    ),
    "no days held": Fault(
        "hardening", DATA, "InDays: checkpointDays", "InDays: checkpointDays * 0", "no days of retention"
    ),
    "a secret parameter": Fault(
        "hardening", MAIN, f"{MAIL}\n", f"{MAIL}\n{SECRET_PARAMETER}\n", "pass takes a secret", 1
    ),
    "a key in an output": Fault("hardening", DATA, f"{ID}\n", f"{ID}\n{KEY_OUTPUT}\n", "output key gives a secret", 1),
    "a role on no list": Fault("access", ROLES, "974c5e8b-45b9", "b24988ac-6180", "on no list"),
    "the whole data account": Fault(
        "access", ROLES, f"{HOSTS}\n", f"{HOSTS}\n{WHOLE},\n", "on all of Microsoft.Storage"
    ),
    "the other's host account": Fault(
        "access",
        ROLES,
        "toApp(responder, roles.table" + ON_OWN,
        "toApp(worker, roles.table" + ON_OWN,
        "Contributor on host account of the responder",
    ),
    "a role more on the host": Fault(
        "access", ROLES, f"worker, {OWNER}", "worker, roles.queueDataReader", "Reader on host account of the worker"
    ),
    "a role in the vault": Fault("access", ROLES, f"responder, {USER}", f"worker, {USER}", "worker has Key Vault"),
    "a role for everything": Fault(
        "access", ROLES, "    scope: insights\n", "", "Publisher on all of the resource group"
    ),
    "a role more": Fault(
        "access", ROLES, f"{READ}, ['A", "roles.tableDataContributor, ['A", "Contributor on tables/Allow"
    ),
    "a role less": Fault(
        "access", ROLES, WORKER_WRITES, "", "lacks Storage Blob Data Contributor on containers/sweeps"
    ),
    "a role not in the document": Fault(
        "access", PAGE, "`evidence` | write", "`evidence` | read", "lacks Storage Blob Data Reader on"
    ),
    "a role no docstring knows": Fault(
        "permissions", ROLES, "responder, roles.blobDataReader", f"responder, {OWNER}", "Blob Data Owner is"
    ),
    "a right that nobody gives": Fault(
        "permissions", GRAPH, f"{REVOKE}.", f"{REVOKE}, Mail.Read.", "Mail.Read is named"
    ),
    "a right that nobody names": Fault(
        "permissions", RIGHTS, 'value="ActivityFeed.Read"', 'value="ActivityFeed.ReadDlp"', "ReadDlp is given by rights"
    ),
    "another right of the worker": Fault(
        "permissions", RIGHTS, 'value="Exchange.ManageAsApp"', 'value="Exchange.ManageAll"', "needs nothing else"
    ),
    "a cmdlet more": Fault(
        "permissions", FIND, "-Name Get-User", "-Name Get-MailboxPlan", "Get-MailboxPlan is named in code"
    ),
    "a queue nobody reads": Fault(
        "storage_names", NAMES, "alerts: 'alerts'", "alerts: 'alarms'", "queue alarms is created"
    ),
    "no poison twin": Fault("storage_names", NAMES, "'${queue}-poison'", "'${queue}-dead'", "alerts-poison is used", 1),
    "no table for checkpoints": Fault(
        "storage_names", NAMES, "'Feed', 'Checkpoints'", "'Feed'", "table Checkpoints is used"
    ),
    "a table more in code": Fault(
        "storage_names", CLIENTS, '"Feed", ', '"Feed", "More", ', "table More is used by the"
    ),
    "another container": Fault("storage_names", NAMES, "'log-checkpoints'", "'checkpoints'", "log-checkpoints is used"),
    "a container bound": Fault("storage_names", SWEEPS, "sweeps/{id}", "lists/{id}", "container lists is used"),
    "a setting not set": Fault(
        "settings", MAIN, "MODE: mode\n", "MODES: mode\n", "responder: MODE is read and not set"
    ),
    "a setting nobody reads": Fault(
        "settings", MAIN, f"{SENT}\n", f"{SENT}\nMOOD: 'good'\n", "MOOD is set but never read"
    ),
    "a setting of the worker": Fault(
        "settings", MAIN, "READ_BACK_SECONDS:", "READ_BACK_SECOND:", "worker: READ_BACK_SECONDS"
    ),
    "a schedule nobody sets": Fault(
        "settings", "function_app.py", "%POLL_S", "%FEED_S", "FEED_SCHEDULE is read and not set"
    ),
    "a setting read beside": Fault(
        "settings", TELEMETRY, 'get("AZURE_CLIENT_ID")', 'get("AZURE_ID")', "AZURE_ID is read and not set"
    ),
    "a setting read in PowerShell": Fault(
        "settings", FIND, "$Identity,", "$Identity = $env:FIND_ALL,", "exchange-worker: FIND_ALL is read and not set"
    ),
    "a setting only sometimes": Fault(
        "settings", MAIN, f"{TIMEOUT}\n", f"...(hasVault ? {{ {TIMEOUT} }} : {{}})\n", "set only with everything"
    ),
    "another queue": Fault(
        "settings", MAIN, "ALERTS_QUEUE: queues.alerts", "ALERTS_QUEUE: queues.results", "QUEUE is 'exchange-r"
    ),
    "another address": Fault(
        "settings",
        MAIN,
        "tableServiceUri: data.outputs.t",
        "tableServiceUri: data.outputs.blobUri // ",
        "from data.blobUri",
    ),
    "another identity": Fault(
        "settings", MAIN, "ClientId: workerI", "ClientId: responderI", "AZURE_CLIENT_ID comes from responderIdentity"
    ),
    "a setting nobody can choose": Fault(
        "settings", MAIN, "feedSilenceHours", "silenceHours", "no parameter sets FEED_SILENCE_HOURS"
    ),
    "another default": Fault(
        "settings", MAIN, "LimitPerHour int = 5", "LimitPerHour int = 50", "containmentLimitPerHour is 50"
    ),
    "a function open to all": Fault("functions", "function_app.py", HEALTH, f"{OPEN}{HEALTH}", "['health', 'stop']"),
    "Event Grid shut out": Fault(
        "functions", MAIN, "'/runtime/webhooks/EventGrid', ", "", "goes ['/runtime/webhooks/eventgrid', '/api/health']"
    ),
    "callers without sign-in": Fault(
        "functions", AUTH, "requireAuthentication: true", "requireAuthentication: false", "did not sign in"
    ),
    "a function not there": Fault(
        "functions", EVENTS, "'receive_alert'", "'receive_alarm'", "delivers to receive_alarm"
    ),
    "a queue nobody reads for alerts": Fault(
        "functions", EVENTS, "queueName: queues.alerts", "queueName: queues.sweeps", "the queue exchange-sweeps"
    ),
    "sign-in without an application": Fault(
        "functions", MAIN, "if (!empty(authClientId))", "if (empty(authClientId))", "is there without authClientId", 1
    ),
    "no dead letters": Fault("functions", EVENTS, DEAD, "", "dropped"),
    "fewer tries": Fault(
        "functions", EVENTS, "maxDeliveryAttempts: 30", "maxDeliveryAttempts: 3", "the subscription tries"
    ),
    "fewer instances than functions": Fault(
        "functions", MAIN, "maximumInstances: 4", "maximumInstances: 1", "exchange-worker has 1 instances for 4 groups"
    ),
    "another Python": Fault("functions", MAIN, "version: '3.13'", "version: '3.12'", "runs on Python 3.12"),
    "a module too new": Fault(
        "functions", MAIN, "version: '7.6'", "version: '7.4'", "3.10.1 does not run on PowerShell 7.4"
    ),
    "a parameter nobody takes": Fault(
        "deployment", PARAMETERS, '"mode": {', '"mood": {', "gives mood, which main.bicep"
    ),
    "a parameter nobody gives": Fault(
        "deployment", PARAMETERS, '"alertEmail": {', '"alertMail": {', "has no alertEmail, so azd"
    ),
    "a variable of another name": Fault(
        "deployment", PARAMETERS, "${GRAPH_URL=", "${GRAPH=", "takes graphUrl from ${GRAPH="
    ),
    "a default beside the template's": Fault(
        "deployment", PARAMETERS, "POLL_SCHEDULE=0 ", "POLL_SCHEDULE=9 ", "POLL_SCHEDULE is '9 * * * * *' by default"
    ),
    "a parameter not described": Fault("deployment", MAIN, f"{DESCRIBED}\n", "", "parameter mode has no description"),
    "an output not there": Fault(
        "deployment", MAIN, "output EVENT_TOPIC_NAME", "output A_NAME", "reads EVENT_TOPIC_NAME"
    ),
    "a service renamed": Fault("deployment", "azure.yaml", "  responder:\n", "  response:\n", "azure.yaml deploys"),
    "a hook not there": Fault(
        "deployment", "azure.yaml", "hooks/predown.sh", "hooks/bye.sh", "hooks/bye.sh, which is not"
    ),
    "the responder first": Fault("deployment", "azure.yaml", "uses: [exchange-worker]", "uses: []", "deployed after"),
    "a parameter renamed": Fault("deployment", AFTER, '"topicName=', '"topic=', "postdeploy.sh gives events.bicep"),
}
QUICK = ["a warning"] + [
    name for name, fault in FAULTS.items() if fault.check in {"hardening", "settings"} and not fault.batch
]
"""One of the templates, and the faults of two other checks, which share a copy."""


def a_copy(folder: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.pyc")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def seed(root: Path, *faults: Fault) -> Path:
    for fault in faults:
        path = root / fault.file
        text = path.read_text(encoding="utf-8")
        assert fault.old in text, f"{fault.file} has no {fault.old!r} any more"
        path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Fault], list[str]]:
    """What the check reports about a copy with the faults of a batch.

    Each check runs once on each copy.
    """
    copies: dict[tuple[bool, int], Path] = {}
    seen: dict[tuple[str, int], list[str]] = {}

    def problems(fault: Fault) -> list[str]:
        if batch_of(fault) not in copies:
            batch = (each for each in FAULTS.values() if batch_of(each) == batch_of(fault))
            copies[batch_of(fault)] = seed(a_copy(tmp_path_factory.mktemp("batch")), *batch)
        key = (fault.check, fault.batch)
        if key not in seen:
            seen[key] = list(CHECKS[fault.check](copies[batch_of(fault)]))
        return seen[key]

    return problems


def batch_of(fault: Fault) -> tuple[bool, int]:
    """Only the check of the templates reads a copy that does not compile."""
    return (fault.check == "templates", fault.batch)


@pytest.mark.parametrize("name", sampled(FAULTS, quick=QUICK))
def test_a_fault_is_named(name: str, found: Callable[[Fault], list[str]]) -> None:
    problems = found(FAULTS[name])

    assert [line for line in problems if FAULTS[name].said in line] != [], problems


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy whose template makes nothing."""
    root = a_copy(tmp_path_factory.mktemp("nothing"))
    (root / MAIN).write_text(
        "targetScope = 'subscription'\nparam a string = 'b'\noutput c string = a\n", encoding="utf-8"
    )
    return root


@pytest.mark.parametrize("check", sampled(sorted(set(CHECKS) - {"templates", "dates"})))
def test_a_check_that_finds_nothing_to_look_at_says_so(check: str, nothing: Path) -> None:
    assert list(CHECKS[check](nothing)) != []


def test_a_document_without_its_table_of_roles_is_a_problem(tmp_path: Path) -> None:
    root = seed(a_copy(tmp_path), Fault("access", PAGE, "## Who may do what in", "## Who does what in", ""))

    assert list(access.run(root)) == [
        "docs/infrastructure.md has no table under '## Who may do what in the data account'"
    ]


@pytest.mark.slow
def test_code_that_does_not_load_is_a_problem(tmp_path: Path) -> None:
    root = seed(a_copy(tmp_path), Fault("names", CLIENTS, "TABLES = (", "TABLES = no_such_name(", ""))

    assert list(storage_names.run(root)) == [
        "function_app.py and its package cannot be loaded: NameError: name 'no_such_name' is not defined"
    ]


def test_rules_beside_the_templates_are_a_problem(tmp_path: Path) -> None:
    root = a_copy(tmp_path)
    (root / "infra" / "bicepconfig.json").write_text("{}", encoding="utf-8")

    assert "rules beside a template" in next(templates.run(root))


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not on PATH")
def test_a_rule_that_counts_days_is_a_problem(tmp_path: Path) -> None:
    """The rule of outdated versions refuses in two years what it accepts today."""
    root = a_copy(tmp_path)
    aged = {"level": "error", "maxAgeInDays": 1095}
    rules = {"analyzers": {"core": {"rules": {"use-recent-api-versions": aged}}}}
    (root / "infra" / "bicepconfig.json").write_text(json.dumps(rules), encoding="utf-8")

    assert "use-recent-api-versions" in next(dates.run(root), "")


def test_without_faketime_the_check_of_dates_is_skipped_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bicep").symlink_to(str(shutil.which("bicep")))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["infra", "--only", "dates"])
    code = main()

    assert code == 0
    assert capsys.readouterr().out.startswith("dates        skipped: faketime is not there; `apt-get install faketime`")


@pytest.mark.slow
def test_a_hook_for_one_system_only_is_a_problem(tmp_path: Path) -> None:
    root = a_copy(tmp_path)
    (root / "infra" / "hooks" / "predown.ps1").unlink()

    assert "infra/hooks: a hook is there for one system only" in list(deployment.run(root))


def scan(root: Path) -> list[str]:
    try:
        workflows.tool("checkov")
    except FileNotFoundError:
        pytest.skip("checkov is not there; `make infra` installs it")
    return list(scanner.run(root))


@pytest.mark.slow
def test_what_checkov_finds_anew_is_named(tmp_path: Path) -> None:
    fault = Fault("scanner", APP, "httpsOnly: true", "httpsOnly: false", "")
    problems = scan(seed(a_copy(tmp_path), fault))

    assert [line for line in problems if line.startswith("CKV_AZURE_14 ")] != [], problems


def test_a_skip_that_nothing_needs_any_more_is_named(tmp_path: Path) -> None:
    skips = '  "CKV_AZURE_109": {\n'
    unneeded = f'  "CKV_AZURE_999": {{"Microsoft.Web/sites": "was needed once"}},\n{skips}'
    root = seed(a_copy(tmp_path), Fault("scanner", "infra/checks/checkov-skips.json", skips, unneeded, ""))

    assert scan(root) == ["CKV_AZURE_999 is skipped for Microsoft.Web/sites and finds nothing there"]


def test_a_skip_without_a_reason_is_named(tmp_path: Path) -> None:
    why = Fault("scanner", "infra/checks/checkov-skips.json", '"as CKV_AZURE_109"', '" "', "")

    assert scan(seed(a_copy(tmp_path), why)) == [
        "CKV_AZURE_189 is skipped for Microsoft.KeyVault/vaults without a reason"
    ]


def test_without_bicep_it_ends_with_3_and_says_how_to_get_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.checks", "--only", "access"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env={"PATH": str(tmp_path)})

    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("infra: bicep is not there; install the Bicep CLI")


def test_a_problem_ends_with_1_and_is_printed_under_its_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = seed(a_copy(tmp_path), FAULTS["a role not in the document"])
    monkeypatch.setattr(sys, "argv", ["infra", "--only", "access", "--root", str(root)])
    code = main()
    lines = capsys.readouterr().out.splitlines()

    assert code == 1
    assert lines[0].startswith("access       wrong ")
    assert lines[1].startswith("  default: responder has Storage Blob Data Contributor on containers/evidence: ")
    assert lines[-1].startswith("1 check, ")


def test_nothing_wrong_ends_with_0(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["infra", "--only", "access"])
    code = main()
    lines = capsys.readouterr().out.splitlines()

    assert (code, lines[-1]) == (0, "1 check, 0 problems")
    assert lines[0].startswith("access       ok ")
