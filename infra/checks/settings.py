"""Every setting that code or host reads is set by the template, the reverse too, to what it must be."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING

from infra.checks import app_code, predicted
from infra.checks.unreadable import reported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ_BY_OTHERS = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "host and app: sign in to Application Insights with Entra",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "host and app: where telemetry goes",
    "AZURE_CLIENT_ID": "azure-identity and the worker: which identity",
    "AzureWebJobsStorage__blobServiceUri": "host: its locks and keys",
    "AzureWebJobsStorage__clientId": "host",
    "AzureWebJobsStorage__credential": "host",
    "AzureWebJobsStorage__tableServiceUri": "host: its own events",
    "ResponderStorage__clientId": "host: the queue triggers",
    "ResponderStorage__credential": "host: the queue triggers",
}
"""Of both apps, and who reads it: not our code, or not only."""
OF_ONE = {
    "responder": {"PYTHON_ENABLE_OPENTELEMETRY": "the Python worker: the app sends its lines itself"},
    "console": {"PYTHON_ENABLE_OPENTELEMETRY": "the Python worker: the app sends its lines itself"},
    "exchange-worker": {
        "PSWorkerInProcConcurrencyUpperBound": "the PowerShell worker: one command at a time",
        "ResponderStorage__queueServiceUri": "host: the queue triggers and bindings",
        "ResponderStorage__blobServiceUri": "host: the blob binding",
    },
}
CONSOLE = {
    *("ALLOWLIST_APPROVAL", "ALLOWLIST_LONGEST_DAYS", "ALLOWLIST_REVIEW_DAYS", "AUTOMATIC_CONTROLS"),
    *("DECISIONS_CONSOLE_QUEUE", "SWEEP_OVERDUE_MINUTES", "TENANT_ID"),
}
"""What the console needs of the app's settings; the rest it reads from what the app has stored."""
OF_TRIGGERS = {"ResponderStorage__clientId", "ResponderStorage__credential"}
"""The console has no trigger on a queue."""
WEBHOOK = {"NOTIFICATION_WEBHOOK_URL", "NOTIFICATION_WEBHOOK_SECRET", "NOTIFICATION_RECEIVERS"}
"""Set only on request."""
IN_A_SHELL = {"cli", "doctor"}
"""Packages that only bypassctl runs, with the environment of a person's shell."""
ON_A_LAPTOP = {"ResponderStorage": "a connection string; in Azure no key works"}
STORAGE = {f"ResponderStorage__{kind}ServiceUri" for kind in ("table", "queue", "blob")}
MODULES = {"responder": "responder", "exchange-worker": "worker", "console": "console"}
"""What the modules of main.bicep that belong to an app are called after."""
CONSTANT = {
    "AzureWebJobsStorage__credential": "managedidentity",
    "ResponderStorage__credential": "managedidentity",
    "TENANT_ID": predicted.TENANT,
    "PYTHON_ENABLE_OPENTELEMETRY": "true",
    "PSWorkerInProcConcurrencyUpperBound": "1",
}
WITHOUT_PARAMETER = {
    *("tenant_id", "azure_client_id", "exchange_worker_ids"),
    *("notification_webhook_secret", "notification_receivers"),
}
"""Settings that the template knows better than the person who deploys; and the queues."""
MADE_BY = re.compile(r"uniqueString\('(\w+)'.*?\.outputs\.(\w+)\.value")
CASED = re.compile(r"([A-Z])")


@reported
def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    services = {"responder": _responder(root), "exchange-worker": _worker(root), "console": CONSOLE | STORAGE}
    for service, read in services.items():
        others = set(READ_BY_OTHERS) - (OF_TRIGGERS if service == "console" else set())
        expected = read | others | set(OF_ONE[service])
        is_set = predicted.app_settings(root, "everything", service)
        yield from (f"{service}: {name} is read and not set" for name in sorted(expected - set(is_set)))
        yield from (f"{service}: {name} is set but never read" for name in sorted(set(is_set) - expected))
        without = set() if service == "console" else set(is_set) - WEBHOOK
        without -= set(predicted.app_settings(root, "default", service))
        yield from (f"{service}: {name} is set only with everything switched on" for name in sorted(without))
        yield from (f"{service}: {problem}" for problem in _values(root, service, is_set))
    yield from _defaults(root)


def _responder(root: Path) -> set[str]:
    code = app_code.declared(root)
    fields = {name.upper() for name in code.settings}
    return fields | STORAGE | set(_looked_up(root)) | set(re.findall(r"%(\w+)%", json.dumps(code.functions)))


def _looked_up(root: Path) -> Iterator[str]:
    """Return the environment variables that code reads outside Settings, except bypassctl's and doctor's."""
    package = root / "src" / "bypass_responder"
    for path in sorted(package.rglob("*.py")):
        if IN_A_SHELL & set(path.relative_to(package).parts):
            continue
        for found in re.findall(r"\benviron(?:ment)?(?:\.get\(|\[)(\"\w+\")", path.read_text(encoding="utf-8")):
            if (name := ast.literal_eval(found)) not in ON_A_LAPTOP:
                yield name


def _worker(root: Path) -> set[str]:
    app = root / "src" / "exchange_worker"
    bindings = "".join(path.read_text(encoding="utf-8") for path in sorted(app.glob("*/function.json")))
    scripts = sorted(app.glob("Exchange*/**/*.ps1"))
    code = re.sub(r"<#.*?#>", "", "".join(path.read_text(encoding="utf-8") for path in scripts), flags=re.DOTALL)
    named = re.findall(r"\$env:(\w+)|GetEnvironmentVariable\('(\w+)'", code)
    in_table = (app / "ExchangeBypass" / "Private" / "Get-WorkerSetting.ps1").read_text(encoding="utf-8")
    in_table = re.sub(r"<#.*?#>", "", in_table, flags=re.DOTALL)
    words = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", in_table))
    return words | {name for pair in named for name in pair if name} | set(re.findall(r"%(\w+)%", bindings))


def _values(root: Path, service: str, is_set: dict[str, str]) -> Iterator[str]:
    """Checks the values that both sides must share: queues, addresses and identities."""
    own = MODULES[service]
    client = {(f"{own}Identity", "clientId")}
    from_module = {
        "AZURE_CLIENT_ID": client,
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": client,
        "AzureWebJobsStorage__clientId": client,
        "ResponderStorage__clientId": client,
        "EXCHANGE_WORKER_IDS": {("workerIdentity", "principalId"), ("workerIdentity", "clientId")},
        **{f"AzureWebJobsStorage__{kind}ServiceUri": {(f"{own}Host", f"{kind}Uri")} for kind in ("table", "blob")},
        **{f"ResponderStorage__{kind}ServiceUri": {("data", f"{kind}Uri")} for kind in ("table", "queue", "blob")},
    }
    for name, sources in from_module.items():
        if name in is_set and (found := set(MADE_BY.findall(is_set[name]))) != sources:
            yield f"{name} comes from {_words(found) or repr(is_set[name])}, must come from {_words(sources)}"
    queues = {name.upper(): str(value) for name, value in app_code.declared(root).settings.items() if "_queue" in name}
    for name, value in (CONSTANT | queues).items():
        if name in is_set and is_set[name] != value:
            yield f"{name} is {is_set[name]!r}, must be {value!r}"


def _words(sources: set[tuple[str, str]]) -> str:
    return " and ".join(sorted(".".join(source) for source in sources))


def _defaults(root: Path) -> Iterator[str]:
    """A choice has a parameter, with the default of the code."""
    parameters = predicted.compiled(root).get("parameters", {})
    by_setting = {CASED.sub(r"_\1", name).lower(): (name, value) for name, value in parameters.items()}
    for setting, ours in app_code.declared(root).settings.items():
        if setting in WITHOUT_PARAMETER or setting.endswith("_queue"):
            continue
        name, parameter = by_setting.get(setting, ("", {}))
        if not name:
            yield f"main.bicep: no parameter sets {setting.upper()}"
        elif parameter.get("defaultValue") != ours:
            yield f"main.bicep: {name} is {parameter.get('defaultValue')!r} by default, the app says {ours!r}"
