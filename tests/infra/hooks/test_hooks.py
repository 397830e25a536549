"""The hooks of azd, in sh and in PowerShell: which calls, in which order, and what stops them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.hooks.stand_ins import HOOKS, SETTINGS, Checkout
from tests.sampling import sampled

NO_PWSH = shutil.which("pwsh") is None
NAMES = ("TENANT_ID", "RESPONDER_PRINCIPAL_ID", "RESPONDER_CLIENT_ID", "WORKER_PRINCIPAL_ID", "WORKER_CLIENT_ID")
IDS = {name: SETTINGS[name] for name in NAMES}
CHECK = ["make setup", "bypassctl grant --check"]
MISSING = {"bypassctl grant --check": [(1, "missing: User.Read.All\n")]}
NOT_FOUND = "ERROR: (Invalid) Destination endpoint not found. Resource details: …"
SERVER_ERROR = "ERROR: (InternalServerError) The operation failed due to internal server error.\n"
VALIDATION = "ERROR: (Url validation) Webhook validation handshake failed.\n"


IN_POWERSHELL = [pytest.mark.skipif(NO_PWSH, reason="pwsh is not on PATH"), pytest.mark.slow]


@pytest.fixture(params=["sh", pytest.param("pwsh", marks=IN_POWERSHELL)])
def checkout(request: pytest.FixtureRequest, tmp_path: Path) -> Checkout:
    return Checkout(tmp_path, str(request.param))


def stopped(ended: subprocess.CompletedProcess[str], hook: str, code: int = 1) -> str:
    """The line that says why."""
    assert ended.returncode == code, ended.stderr
    line = ended.stderr.splitlines()[-1]
    assert line.startswith(f"{hook}: ")
    return line


# ---- in order --------------------------------------------------------------------------------------------------------


def test_everything_complete_it_checks_twice_and_subscribes(checkout: Checkout) -> None:
    hooks = ("prepackage", "package-responder", "package-exchange-worker", "postprovision", "predeploy", "postdeploy")

    codes = [checkout.run(hook).returncode for hook in hooks]

    assert codes == [0] * 6
    *calls, last = checkout.called()
    assert calls == ["make setup", "make package-responder", "make exchange-worker", *CHECK, *CHECK]
    assert last.startswith("az deployment group create")


def test_the_subscription_is_made_from_its_template_with_the_names_that_provisioning_gave(checkout: Checkout) -> None:
    ended = checkout.run("postdeploy", ALERTS_TO="queue")

    assert ended.returncode == 0, ended.stderr
    [call] = checkout.called()
    assert call == (
        f"az deployment group create --subscription {SETTINGS['AZURE_SUBSCRIPTION_ID']} --resource-group rg-bypass "
        "--name bypass-events --template-file infra/events.bicep --output none --only-show-errors --parameters "
        "topicName=topic responderAppName=responder-app dataAccountName=data alertsTo=queue"
    )


def test_a_console_is_packaged_and_deployed_before_the_subscription(checkout: Checkout) -> None:
    ended = checkout.run("postdeploy", CONSOLE_APP_NAME="console-app")

    assert ended.returncode == 0, ended.stderr
    made, deployed, subscribed = [call for call in checkout.called() if call != "make setup"]
    assert made == "make package-console"
    assert deployed == (
        f"az functionapp deployment source config-zip --subscription {SETTINGS['AZURE_SUBSCRIPTION_ID']} "
        "--resource-group rg-bypass --name console-app --src build/console.zip --build-remote false --output none "
        "--only-show-errors"
    )
    assert subscribed.startswith("az deployment group create")
    assert "https://console-app.azurewebsites.net" in ended.stderr


def test_a_console_that_is_not_deployed_stops_it(checkout: Checkout) -> None:
    checkout.answer({"az functionapp deployment": [(1, "ERROR: (Forbidden)\n")]})

    line = stopped(checkout.run("postdeploy", CONSOLE_APP_NAME="console-app"), "postdeploy")

    assert "run: azd deploy" in line


def test_a_single_service_can_be_deployed_on_a_fresh_checkout(checkout: Checkout) -> None:
    """`azd deploy responder` runs no hook of the project before it packages."""
    ended = checkout.run("package-responder")

    assert ended.returncode == 0, ended.stderr
    assert [call for call in checkout.called() if call != "make setup"] == ["make package-responder"]


def test_a_second_run_calls_the_same(checkout: Checkout) -> None:
    checkout.run("postprovision")
    first = checkout.called()

    checkout.run("postprovision")

    assert checkout.called() == first * 2


def test_it_runs_from_wherever_it_is_called(checkout: Checkout, tmp_path: Path) -> None:
    """Azd may run a hook in the folder of the script."""
    (tmp_path / "checkout" / "elsewhere").mkdir()
    script = Path("..") / "infra" / "hooks" / "prepackage"
    command = {"sh": ["sh", f"{script}.sh"], "pwsh": ["pwsh", "-NoProfile", "-File", f"{script}.ps1"]}[checkout.shell]

    subprocess.run(command, check=True, cwd=tmp_path / "checkout" / "elsewhere", env=checkout.environment())

    assert checkout.called() == ["make setup"]
    assert (tmp_path / "checkout" / ".venv").is_dir()


# ---- the rights ------------------------------------------------------------------------------------------------------


def test_missing_rights_stop_it_before_any_code_with_the_command_for_the_administrator(checkout: Checkout) -> None:
    checkout.answer(MISSING)

    line = stopped(checkout.run("postprovision"), "postprovision")

    assert checkout.called() == CHECK
    assert "Privileged Role Administrator" in line
    assert "Exchange administrator" in line
    command = {"sh": "{}={} ", "pwsh": "$env:{}='{}'; "}[checkout.shell]
    assert "".join(command.format(*each) for each in IDS.items()) + "bypassctl grant;" in line


def test_who_may_grant_does_so_by_asking_for_it(checkout: Checkout) -> None:
    checkout.answer(MISSING)

    ended = checkout.run("postprovision", BYPASS_GRANT="now")

    assert ended.returncode == 0, ended.stderr
    assert checkout.called() == [*CHECK, "bypassctl grant --yes"]


def test_a_grant_that_fails_stops_it(checkout: Checkout) -> None:
    checkout.answer(MISSING | {"bypassctl grant --yes": [(3, "no\n")]})

    assert "not all permissions were granted" in stopped(
        checkout.run("postprovision", BYPASS_GRANT="now"), "postprovision"
    )


@pytest.mark.parametrize("hook", ["postprovision", "predeploy"])
def test_rights_that_cannot_be_checked_stop_it_with_its_code(checkout: Checkout, hook: str) -> None:
    checkout.answer({"bypassctl grant --check": [(3, "Graph does not answer\n")]})

    assert "could not be checked" in stopped(checkout.run(hook, BYPASS_GRANT="now"), hook, 3)
    assert checkout.called() == CHECK


@pytest.mark.parametrize("asked", ["", "now"])
def test_nothing_is_deployed_while_rights_are_missing(checkout: Checkout, asked: str) -> None:
    checkout.answer(MISSING)

    line = stopped(checkout.run("predeploy", BYPASS_GRANT=asked), "predeploy")

    assert "azd env set BYPASS_GRANT skip" in line
    assert checkout.called() == CHECK


@pytest.mark.parametrize("hook", ["postprovision", "predeploy", "predown"])
def test_skipping_the_grant_continues_with_a_warning(checkout: Checkout, hook: str) -> None:
    checkout.answer(MISSING)

    ended = checkout.run(hook, BYPASS_GRANT="skip")

    assert (ended.returncode, checkout.called()) == (0, [])
    assert ended.stderr.endswith("BYPASS_GRANT=skip\n")


# ---- the event subscription ------------------------------------------------------------------------------------------


def test_it_waits_until_azure_knows_the_function(checkout: Checkout) -> None:
    checkout.answer({"az deployment": [(1, NOT_FOUND), (1, NOT_FOUND), (0, "")]})

    ended = checkout.run("postdeploy")

    assert (ended.returncode, len(checkout.calls())) == (0, 3)


def test_without_alerts_there_is_no_subscription(checkout: Checkout) -> None:
    ended = checkout.run("postdeploy", ALERTS_TO="none")

    assert (ended.returncode, checkout.calls()) == (0, [])


def test_it_does_not_wait_forever(checkout: Checkout) -> None:
    checkout.answer({"az deployment": [(1, NOT_FOUND)]})

    line = stopped(checkout.run("postdeploy"), "postdeploy")

    assert "not created in 10 attempts" in line
    assert len(checkout.calls()) == 10


@pytest.mark.parametrize("error", [SERVER_ERROR, VALIDATION])
def test_an_error_of_azure_is_tried_again(checkout: Checkout, error: str) -> None:
    checkout.answer({"az deployment": [(1, error), (0, "")]})

    ended = checkout.run("postdeploy")

    assert (ended.returncode, len(checkout.calls())) == (0, 2)
    assert "attempt 1 of 10 failed: ERROR" in ended.stderr


def test_a_release_is_deployed_from_its_compiled_template(checkout: Checkout) -> None:
    checkout.run("postdeploy", EVENTS_TEMPLATE="build/events.json")

    [call] = checkout.called()
    assert "--template-file build/events.json" in call


@pytest.mark.parametrize("hook", ["prepackage", "postdeploy"])
@pytest.mark.parametrize("version", ["2.90.1", "2.9.0", "1.100.0", ""])
def test_an_old_azure_cli_stops_it_before_anything_else(checkout: Checkout, hook: str, version: str) -> None:
    line = stopped(checkout.run(hook, AZ_VERSION=version), hook, 3)

    assert "2.91.0 or newer" in line
    assert checkout.calls() == []


@pytest.mark.parametrize("version", ["2.91.0", "2.100.0", "3.0.0"])
def test_a_newer_azure_cli_is_taken(checkout: Checkout, version: str) -> None:
    assert checkout.run("prepackage", AZ_VERSION=version).returncode == 0


@pytest.mark.parametrize(
    "error",
    [
        "(AuthorizationFailed) no\n",
        "The client does not have authorization to perform action\n",
        "(InvalidTemplate) no\n",
        "(RequestDisallowedByPolicy) no\n",
        "Please run 'az login' to setup account.\n",
        "events.bicep(3,1) : Error BCP007: no\n",
    ],
)
def test_an_error_that_cannot_pass_is_not_tried_again(checkout: Checkout, error: str) -> None:
    checkout.answer({"az deployment": [(1, error)]})

    ended = checkout.run("postdeploy")

    assert "fix the Azure error above" in stopped(ended, "postdeploy")
    assert len(checkout.calls()) == 1


def test_what_azure_says_is_shown(checkout: Checkout) -> None:
    checkout.answer({"az deployment": [(1, "AuthorizationFailed: no\n")]})

    ended = checkout.run("postdeploy")

    assert "fix the Azure error above" in stopped(ended, "postdeploy")
    assert "AuthorizationFailed: no" in ended.stderr
    assert len(checkout.calls()) == 1


# ---- taking it down --------------------------------------------------------------------------------------------------


def test_the_rights_are_taken_back_before_the_identities_go(checkout: Checkout) -> None:
    ended = checkout.run("predown")

    assert (ended.returncode, checkout.called()) == (0, ["make setup", "bypassctl grant --revoke --yes"])
    assert "grant them again: azd provision" in ended.stderr


def test_nothing_is_deleted_while_rights_are_left(checkout: Checkout) -> None:
    checkout.answer({"bypassctl grant --revoke": [(1, "")]})

    line = stopped(checkout.run("predown"), "predown")

    assert "bypassctl grant --revoke, or" in line
    assert "azd env set BYPASS_GRANT skip" in line


def test_what_was_never_provisioned_has_no_rights(checkout: Checkout) -> None:
    ended = checkout.run("predown", RESPONDER_PRINCIPAL_ID="")

    assert (ended.returncode, checkout.called()) == (0, [])


# ---- what is wrong before it begins ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hook", "name"),
    [
        ("postprovision", "TENANT_ID"),
        ("predeploy", "WORKER_CLIENT_ID"),
        ("postdeploy", "EVENT_TOPIC_NAME"),
        ("predown", "WORKER_PRINCIPAL_ID"),
    ],
)
def test_a_value_that_provisioning_sets_is_named_when_it_is_missing(checkout: Checkout, hook: str, name: str) -> None:
    line = stopped(checkout.run(hook, **{name: ""}), hook, 2)

    assert line == f"{hook}: {name} is not set: run azd provision first"
    assert checkout.calls() == []


@pytest.mark.parametrize("hook", ["prepackage", "postprovision", "predeploy", "predown"])
def test_an_environment_that_cannot_be_made_stops_it(checkout: Checkout, hook: str) -> None:
    checkout.answer({"make setup": [(2, "no disk\n")], "py ": [(2, "no disk\n")]})

    assert "environment was not created" in stopped(checkout.run(hook), hook, 3)


@pytest.mark.parametrize(
    ("hook", "begins"),
    [("package-responder", "infra.package_responder"), ("package-exchange-worker", "infra.package_exchange_worker")],
)
def test_a_package_that_is_not_made_stops_it(checkout: Checkout, hook: str, begins: str) -> None:
    checkout.run("prepackage")
    target = {"infra.package_responder": "package-responder", "infra.package_exchange_worker": "exchange-worker"}
    failing = {f"make {target[begins]}": [(2, "no\n")], f"python -m {begins}": [(2, "no\n")]}
    checkout.answer(failing | {f"py -3 -m {begins}": [(2, "no\n")]})

    assert "was not packaged" in stopped(checkout.run(hook), hook)


# ---- both languages --------------------------------------------------------------------------------------------------


def test_every_hook_is_there_in_both_languages() -> None:
    names = {path.suffix: {each.stem for each in HOOKS.glob(f"*{path.suffix}")} for path in HOOKS.iterdir()}

    assert names[".sh"] == names[".ps1"]


@pytest.mark.skipif(NO_PWSH, reason="pwsh is not on PATH")
@pytest.mark.parametrize(
    ("hook", "answers", "settings"),
    sampled(
        [
            ("postprovision", MISSING, {}),
            ("postprovision", MISSING | {"bypassctl grant --yes": [(1, "")]}, {"BYPASS_GRANT": "now"}),
            ("postprovision", {"bypassctl grant --check": [(2, "")]}, {}),
            ("postprovision", {}, {"BYPASS_GRANT": "skip"}),
            ("predeploy", MISSING, {}),
            ("predeploy", {}, {"BYPASS_GRANT": "skip"}),
            ("postdeploy", {"az deployment": [(1, NOT_FOUND)]}, {}),
            ("postdeploy", {"az deployment": [(1, "no")]}, {}),
            ("postdeploy", {"az deployment": [(1, "AuthorizationFailed")]}, {}),
            ("postdeploy", {}, {"AZ_VERSION": "2.90.9"}),
            ("prepackage", {}, {"AZ_VERSION": ""}),
            ("predown", {"bypassctl grant --revoke": [(1, "")]}, {}),
            ("predown", {}, {}),
            ("predown", {}, {"RESPONDER_PRINCIPAL_ID": ""}),
        ]
    ),
)
def test_both_languages_call_and_say_the_same(
    tmp_path: Path, hook: str, answers: dict[str, list[tuple[int, str]]], settings: dict[str, str]
) -> None:
    seen = []
    for shell in ("sh", "pwsh"):
        (tmp_path / shell).mkdir()
        checkout = Checkout(tmp_path / shell, shell)
        checkout.answer(answers)
        ended = checkout.run(hook, **settings)
        said = re.sub(
            r"(?:\$env:)?(\w+)=(')?([0-9a-f-]{36})(?(2)'; | )", r"\1=\3 ", ended.stderr
        )  # each in its own shell
        seen.append((ended.returncode, checkout.calls(), said.splitlines()))

    assert seen[0] == seen[1]
