"""Every setting that code or host reads is set by the template, the reverse too, and with the default of the code."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from bypass_responder.settings import Settings
from infra.checks import indexed, predicted
from infra.checks.predicted import UnreadableTemplateError, of_type

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
    "exchange-worker": {
        "PSWorkerInProcConcurrencyUpperBound": "the PowerShell worker: one command at a time",
        "ResponderStorage__queueServiceUri": "host: the queue triggers and bindings",
        "ResponderStorage__blobServiceUri": "host: the blob binding",
    },
}
CASED = re.compile(r"([A-Z])")
NAMES = re.compile(r"'([A-Z]+(?:_[A-Z]+)+|[A-Z]\w+__\w+)'")
"""Names of settings in an expression."""
STORAGE = {f"ResponderStorage__{kind}ServiceUri" for kind in ("table", "queue", "blob")}


def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    try:
        for service, read in {"responder": _responder(root), "exchange-worker": _worker(root)}.items():
            expected = read | set(READ_BY_OTHERS) | set(OF_ONE[service])
            is_set = _set(root, service)
            yield from (f"{service}: {name} is read and not set" for name in sorted(expected - is_set))
            yield from (f"{service}: {name} is set and read by nobody" for name in sorted(is_set - expected))
        yield from _defaults(root)
    except UnreadableTemplateError as error:
        yield str(error)
    except indexed.UnreadableAppError as error:
        yield f"function_app.py cannot be indexed: {error}"


def _responder(root: Path) -> set[str]:
    fields = {name.upper() for name in Settings.model_fields if name != "storage"}
    return fields | STORAGE | set(re.findall(r"%(\w+)%", json.dumps(indexed.functions(root))))


def _worker(root: Path) -> set[str]:
    app = root / "src" / "exchange_worker"
    bindings = "".join(path.read_text(encoding="utf-8") for path in sorted(app.glob("*/function.json")))
    code = (app / "ExchangeBypass" / "Private" / "Get-WorkerSetting.ps1").read_text(encoding="utf-8")
    code = re.sub(r"<#.*?#>", "", code, flags=re.DOTALL)
    return set(re.findall(r"%(\w+)%", bindings)) | set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", code))


def _set(root: Path, service: str) -> set[str]:
    """Names that the template sets for one app, optional ones included."""
    given = predicted.app(root, service)
    sites = of_type(tuple(predicted.made(predicted.compiled(root, "modules/app.bicep"))), "Microsoft.Web/sites")
    of_both = str(sites[0]["properties"]["siteConfig"]["appSettings"]) if sites else ""
    return set(given.get("settings") or {}) | set(NAMES.findall(f"{of_both} {given.get('optionalSettings')}"))


def _defaults(root: Path) -> Iterator[str]:
    parameters = predicted.compiled(root).get("parameters", {})
    by_setting = {CASED.sub(r"_\1", name).lower(): (name, value) for name, value in parameters.items()}
    for setting, field in Settings.model_fields.items():
        name, parameter = by_setting.get(setting, ("", {}))
        if not name or "defaultValue" not in parameter:
            continue
        ours = "" if field.default is None else getattr(field.default, "value", field.default)
        if parameter["defaultValue"] != ours:
            yield f"main.bicep: {name} is {parameter['defaultValue']!r} by default, the app says {ours!r}"
