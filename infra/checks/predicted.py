"""The resources that the templates create, as Bicep predicts them, without Azure.

Every loop, condition and name is resolved.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from infra.checks.unreadable import UnreadableError

Resource = dict[str, Any]
SUBSCRIPTION, TENANT = "66666666-6666-4666-8666-666666666666", "77777777-7777-4777-8777-777777777777"
OPERATORS, READERS = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
SENDER = "33333333-3333-4333-8333-333333333333"
REQUIRED = {
    "environmentName": "contoso",
    "location": "westeurope",
    "exchangeOrganization": "contoso.onmicrosoft.com",
    "alertEmail": "soc@contoso.com",
}
EVERYTHING = {
    "notificationWebhookUrl": "https://hooks.contoso.com/bypass",
    "notificationReceiversInVault": True,
    "operatorsGroupId": OPERATORS,
    "readersGroupId": READERS,
    "alertSenderPrincipalIds": SENDER,
    "authClientId": "44444444-4444-4444-8444-444444444444",
    "deployConsole": True,
    "consoleClientId": "55555555-5555-4555-8555-555555555555",
    "networkIsolation": True,
    "deployAddresses": "192.0.2.1,198.51.100.0/24",
    "purgeProtection": True,
    "locks": True,
    "activityAlerts": True,
    "nameSuffix": "b",
}
VARIANTS: dict[str, dict[str, Any]] = {"default": {}, "everything": EVERYTHING}
CLOSED = {"networkIsolation": True, "alertsByQueue": "never"}
"""Nothing public reaches the data account. Only the check of policies needs this variant."""
IN_A_MODULE = "BCP104"
"""Bicep's code for an error inside a module."""
EVENTS = {"topicName": "evgt", "responderAppName": "func", "dataAccountName": "stdata"}


def bicep(*arguments: str) -> str:
    """Run Bicep; what it prints. Raises UnreadableError with its first complaint."""
    command = ["bicep", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a developer's tool
    if ended.returncode:
        lines = [line.strip() for line in ended.stderr.splitlines() if "Error" in line] or [ended.stderr.strip()]
        lines.sort(key=lambda line: IN_A_MODULE in line)
        raise UnreadableError(re.sub(r"^.*?/infra/| \[https:.*", "", lines[0])[:300])
    return ended.stdout


def templates(root: Path) -> list[Path]:
    """Every file of Bicep."""
    return sorted((root / "infra").rglob("*.bicep"))


def copied(root: Path, to: Path) -> Path:
    """The folder infra without its programs: beside a template a prediction leaves files."""
    no_programs = shutil.ignore_patterns("*.py", "*.cjs", "__pycache__", "checks", "hooks")
    return Path(shutil.copytree(root / "infra", to / "infra", ignore=no_programs))


@dataclass(frozen=True)
class Sources:
    """The templates of a checkout; equal when everything that Bicep reads is equal.

    Comparing them saves a build, which takes seconds.
    """

    root: Path = field(compare=False)
    digest: str

    @classmethod
    def of(cls, root: Path) -> Sources:
        """What stands there now."""
        digest = hashlib.sha256()
        for path in sorted((root / "infra").rglob("*.*")):
            if path.suffix in {".bicep", ".json", ".kql"} and path.parent.name != "checks":
                digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
        return cls(root, digest.hexdigest())


def resources(root: Path, variant: str) -> tuple[Resource, ...]:
    """Everything that main.bicep makes with the parameters of a variant."""
    given = _lines("main.bicep", REQUIRED | (VARIANTS | {"closed": CLOSED})[variant])
    return _predicted(Sources.of(root), given, "--location", "westeurope")


def events(root: Path, *, alerts_to: str) -> tuple[Resource, ...]:
    """Everything that events.bicep makes, for alerts to the ``function`` or the ``queue``."""
    given = _lines("events.bicep", EVENTS | {"alertsTo": alerts_to})
    return _predicted(Sources.of(root), given, "--resource-group", "rg-contoso")


def _lines(template: str, parameters: dict[str, Any]) -> str:
    """A file of parameters."""
    lines = [f"using '{template}'", *(f"param {name} = {_literal(value)}" for name, value in parameters.items())]
    return "\n".join(lines) + "\n"


@lru_cache(maxsize=64)
def _predicted(sources: Sources, parameters: str, *place: str) -> tuple[Resource, ...]:
    with tempfile.TemporaryDirectory(prefix="predicted-") as temporary:
        file = copied(sources.root, Path(temporary)) / "predicted.bicepparam"
        file.write_text(parameters, encoding="utf-8")
        where = ("--subscription-id", SUBSCRIPTION, "--tenant-id", TENANT, *place)
        bicep("snapshot", str(file), "--mode", "overwrite", *where)
        found = json.loads(file.with_name("predicted.snapshot.json").read_text(encoding="utf-8"))
    return tuple(found["predictedResources"])


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"'{value}'"


def compiled(root: Path, template: str = "main.bicep") -> dict[str, Any]:
    """The JSON that Azure would get."""
    return _compiled(Sources.of(root), template)


@lru_cache(maxsize=64)
def _compiled(sources: Sources, template: str) -> dict[str, Any]:
    built: dict[str, Any] = json.loads(bicep("build", str(sources.root / "infra" / template), "--stdout"))
    return built


def made(template: dict[str, Any]) -> list[Resource]:
    """The resources of a compiled template; Bicep lists them by name or in order."""
    found = template.get("resources", [])
    return list(found.values() if isinstance(found, dict) else found)


def of_type(found: tuple[Resource, ...], *types: str) -> list[Resource]:
    """Resources of these types, exactly."""
    return [each for each in found if each["type"] in types]


def app(root: Path, service: str) -> dict[str, Any]:
    """Parameters of the module that makes one app, as main.bicep gives them; ``{}`` when there is none."""
    for each in made(compiled(root)):
        given: dict[str, Any] = each.get("properties", {}).get("parameters", {})
        if given.get("service", {}).get("value") == service:
            return {name: value["value"] if isinstance(value, dict) else value for name, value in given.items()}
    return {}


def app_settings(root: Path, variant: str, service: str) -> dict[str, str]:
    """Return the settings of one app, or none when there is no such app.

    They are resolved as far as is possible before a deployment.
    """
    for each in of_type(resources(root, variant), "Microsoft.Web/sites"):
        if each.get("tags", {}).get("azd-service-name") == service:
            return {it["name"]: str(it["value"]) for it in each["properties"]["siteConfig"]["appSettings"]}
    return {}
