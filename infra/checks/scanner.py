"""Runs checkov on what main.bicep creates; checkov-skips.json lists the skipped rules with reasons.

It has no rule for the resource that events.bicep creates.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.checks import predicted, workflows
from infra.checks.unreadable import reported

if TYPE_CHECKING:
    from collections.abc import Iterator

Finding = tuple[str, str]
"""Rule and resource."""
SKIPS = "infra/checks/checkov-skips.json"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


@reported
def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    found: dict[Finding, str] = {}
    for variant in predicted.VARIANTS:
        failed, passed = _scanned(predicted.Sources.of(root), variant)
        if not failed and not passed:
            yield f"{variant}: checkov checked nothing; it did not read what Bicep predicts"
        found |= failed
    skips: dict[str, dict[str, str]] = json.loads((root / SKIPS).read_text(encoding="utf-8"))
    for (rule, resource), what in sorted(found.items()):
        if resource.rpartition(".")[0] not in skips.get(rule, {}):
            yield f"{rule} {resource}: {what}"
    there = {(rule, resource.rpartition(".")[0]) for rule, resource in found}
    for rule, kinds in skips.items():
        for kind, why in kinds.items():
            if (rule, kind) not in there:
                yield f"{rule} is skipped for {kind} and finds nothing there"
            if not why.strip():
                yield f"{rule} is skipped for {kind} without a reason"


@lru_cache(maxsize=16)
def _scanned(sources: predicted.Sources, variant: str) -> tuple[dict[Finding, str], int]:
    """Failed rules with what each asks for, and the number of those that passed."""
    resources = predicted.resources(sources.root, variant)
    template: dict[str, Any] = {"$schema": SCHEMA, "contentVersion": "1.0.0.0"}
    template["resources"] = [{name: value for name, value in each.items() if name != "id"} for each in resources]
    with tempfile.TemporaryDirectory(prefix="scanned-") as temporary:
        file = Path(temporary) / "template.json"
        file.write_text(json.dumps(template), encoding="utf-8")
        options = ["--framework", "arm", "--skip-download", "--quiet", "--compact", "--output", "json", "--soft-fail"]
        command = [workflows.tool("checkov"), "--file", str(file), *options]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a tool of our own environment
    report = json.loads(ended.stdout) if ended.stdout.strip().startswith("{") else {}
    failed = report.get("results", {}).get("failed_checks", [])
    passed: int = report.get("summary", {}).get("passed", 0)
    return {(each["check_id"], each["resource"]): each["check_name"] for each in failed}, passed
