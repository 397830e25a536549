"""What the templates make, as Bicep itself predicts it: every loop, condition and name resolved, without Azure."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

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
    "operatorsGroupId": OPERATORS,
    "readersGroupId": READERS,
    "alertSenderPrincipalIds": SENDER,
    "authClientId": "44444444-4444-4444-8444-444444444444",
    "networkIsolation": True,
}
VARIANTS: dict[str, dict[str, Any]] = {"default": {}, "everything": EVERYTHING}
EVENTS = {"topicName": "evgt", "responderAppName": "func", "dataAccountName": "stdata"}


class UnreadableTemplateError(Exception):
    """Bicep refuses the template; the message is what it says, in one line."""


def bicep(*arguments: str) -> str:
    """Run Bicep; what it prints. Raises UnreadableTemplateError."""
    command = ["bicep", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a developer's tool
    if ended.returncode:
        said = [line.strip() for line in ended.stderr.splitlines() if "Error" in line] or [ended.stderr.strip()]
        raise UnreadableTemplateError(said[0].rpartition("/")[2][:300])
    return ended.stdout


def templates(root: Path) -> list[Path]:
    """Every file of Bicep."""
    return sorted((root / "infra").rglob("*.bicep"))


def copied(root: Path, to: Path) -> Path:
    """The folder infra without its programs: beside a template a prediction leaves files."""
    no_programs = shutil.ignore_patterns("*.py", "*.cjs", "__pycache__", "checks", "hooks")
    return Path(shutil.copytree(root / "infra", to / "infra", ignore=no_programs))


@lru_cache(maxsize=16)
def resources(root: Path, variant: str) -> tuple[Resource, ...]:
    """Everything that main.bicep makes with the parameters of a variant."""
    return _predicted(root, "main.bicep", REQUIRED | VARIANTS[variant], "--location", "westeurope")


@lru_cache(maxsize=16)
def events(root: Path, *, isolated: bool) -> tuple[Resource, ...]:
    """Everything that events.bicep makes."""
    return _predicted(root, "events.bicep", EVENTS | {"networkIsolation": isolated}, "--resource-group", "rg-contoso")


def _predicted(root: Path, template: str, parameters: dict[str, Any], *place: str) -> tuple[Resource, ...]:
    lines = [f"using '{template}'", *(f"param {name} = {_literal(value)}" for name, value in parameters.items())]
    with tempfile.TemporaryDirectory(prefix="predicted-") as temporary:
        file = copied(root, Path(temporary)) / "predicted.bicepparam"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        where = ("--subscription-id", SUBSCRIPTION, "--tenant-id", TENANT, *place)
        bicep("snapshot", str(file), "--mode", "overwrite", *where)
        found = json.loads(file.with_name("predicted.snapshot.json").read_text(encoding="utf-8"))
    return tuple(found["predictedResources"])


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"'{value}'"


@lru_cache(maxsize=16)
def compiled(root: Path, template: str = "main.bicep") -> dict[str, Any]:
    """The JSON that Azure would get."""
    built: dict[str, Any] = json.loads(bicep("build", str(root / "infra" / template), "--stdout"))
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
