"""checkov over what the templates make; what is skipped stands in checkov-skips.json, each with its reason."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.checks import predicted, workflows
from infra.checks.predicted import UnreadableTemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator

SKIPS = Path(__file__).with_name("checkov-skips.json")
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    try:
        found = {**_scanned(predicted.resources(root, "default")), **_scanned(predicted.resources(root, "everything"))}
    except UnreadableTemplateError as error:
        yield str(error)
        return
    skips: dict[str, dict[str, str]] = json.loads(
        (root / "infra/checks/checkov-skips.json").read_text(encoding="utf-8")
    )
    if not found:
        yield "checkov found nothing at all, not even what is skipped: it did not read the template"
        return
    for (rule, resource), what in sorted(found.items()):
        if resource.rpartition(".")[0] not in skips.get(rule, {}):
            yield f"{rule} {resource}: {what}"
    there = {(rule, resource.rpartition(".")[0]) for rule, resource in found}
    for rule, kinds in skips.items():
        yield from (
            f"{rule} is skipped for {kind} and finds nothing there" for kind in kinds if (rule, kind) not in there
        )


def _scanned(resources: tuple[predicted.Resource, ...]) -> dict[tuple[str, str], str]:
    """Failed rules by rule and resource, with what the rule asks for."""
    template: dict[str, Any] = {"$schema": SCHEMA, "contentVersion": "1.0.0.0"}
    template["resources"] = [{name: value for name, value in each.items() if name != "id"} for each in resources]
    with tempfile.TemporaryDirectory(prefix="scanned-") as temporary:
        file = Path(temporary) / "template.json"
        file.write_text(json.dumps(template), encoding="utf-8")
        options = ["--framework", "arm", "--skip-download", "--quiet", "--compact", "--output", "json", "--soft-fail"]
        command = [workflows.tool("checkov"), "--file", str(file), *options]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a tool of our own environment
    said = json.loads(ended.stdout) if ended.stdout.strip().startswith(("{", "[")) else {}
    failed = said.get("results", {}).get("failed_checks", []) if isinstance(said, dict) else []
    return {(each["check_id"], each["resource"]): each["check_name"] for each in failed}
