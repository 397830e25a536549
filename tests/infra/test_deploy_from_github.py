"""The steps of deploy.yml: the check of the permissions, and the role of the deploying identity."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from bypass_responder.rights import RESPONDER_ROLES, WORKER_ROLES

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "infra" / "check_rights.sh"
RESPONDER, WORKER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def run(folder: Path, held: dict[str, list[str]]) -> subprocess.CompletedProcess[str]:
    """The script with an Azure CLI that knows the roles of each identity."""
    for identity, roles in held.items():
        (folder / identity).write_text("\n".join(roles), encoding="utf-8")
    az = folder / "az"
    az.write_text('#!/bin/sh\nidentity=${5%/*}\nexec /bin/cat "${0%/*}/${identity##*/}"\n', encoding="utf-8")
    az.chmod(0o755)
    environment = {"PATH": str(folder), "RESPONDER_PRINCIPAL_ID": RESPONDER, "WORKER_PRINCIPAL_ID": WORKER}
    return subprocess.run(["/bin/sh", SCRIPT], capture_output=True, text=True, check=False, env=environment)


def roles() -> dict[str, list[str]]:
    return {RESPONDER: [role.id for role in RESPONDER_ROLES], WORKER: [role.id for role in WORKER_ROLES]}


def test_with_every_permission_it_goes_on(tmp_path: Path) -> None:
    ended = run(tmp_path, roles())

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("role", [*RESPONDER_ROLES, *WORKER_ROLES], ids=lambda role: role.value)
def test_a_missing_permission_is_named_and_stops_it(tmp_path: Path, role: object) -> None:
    held = {identity: [each for each in ids if each != role.id] for identity, ids in roles().items()}  # type: ignore[attr-defined]
    ended = run(tmp_path, held)

    assert ended.returncode == 1
    assert role.value in ended.stderr  # type: ignore[attr-defined]


def test_graph_that_does_not_answer_stops_it(tmp_path: Path) -> None:
    assert run(tmp_path, {}).returncode != 0


def test_the_document_lists_the_actions_of_the_role() -> None:
    actions = json.loads((ROOT / "infra" / "deployer-role.json").read_text(encoding="utf-8"))["Actions"]
    page = (ROOT / "docs" / "workflows.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `(Microsoft\.[^`]+)` \|", page, re.MULTILINE) == actions
