"""`make demo`: the command, its exit code, and the JSON object in its last line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.azurite import missing
from tests.records.builders import TARGET, a_bypass, another

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"{missing()}"),
]

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared/data/audit-records/det-eng-samples/dataset/t1562-Set-MailboxAuditBypassAssociation.json"
REAL_TARGET = "a88ae17c-f562-4c1f-a377-8910b6847d76"


def demo(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """Exit code and last line."""
    command = [sys.executable, "-m", "sandbox", "demo", "--json", *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=150)
    print(ended.stdout, ended.stderr)
    return ended.returncode, json.loads(ended.stdout.splitlines()[-1])


def contained(target: str) -> dict[str, Any]:
    """What the last line says of an export with one bypass of one account."""
    return {
        "detected": 1,
        "contained": 1,
        "stood_down": 0,
        "attempts": 0,
        "blocked": [target],
        "revoked": [target],
        "bypass_off": [target],
        "untouched": True,
        "log_verified": True,
    }


def test_the_built_in_story_holds() -> None:
    code, said = demo()
    counts = {name: said[name] for name in ("detected", "contained", "stood_down", "attempts")}

    assert (code, counts) == (0, {"detected": 2, "contained": 1, "stood_down": 1, "attempts": 1})
    assert len(said["blocked"]) == 1
    assert said["blocked"] == said["revoked"] == said["bypass_off"]
    assert (said["untouched"], said["log_verified"]) == (True, True)
    assert said["seconds"] < 60


@pytest.mark.skipif(not REAL.exists(), reason="the real records are not on this machine")
def test_the_real_record_is_contained() -> None:
    code, said = demo("--records", REAL)
    del said["seconds"]

    assert (code, said) == (0, contained(REAL_TARGET))


def test_an_export_of_json_lines_is_contained(tmp_path: Path) -> None:
    export = tmp_path / "export.jsonl"
    export.write_text(f"{json.dumps(another())}\n{json.dumps(a_bypass())}\n", encoding="utf-8")
    code, said = demo("--records", export)
    del said["seconds"]

    assert (code, said) == (0, contained(TARGET))


def test_an_export_that_is_not_there_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "sandbox", "demo", "--records", "no-such-export.json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "no-such-export.json" in ended.stderr


def test_an_export_without_a_bypass_is_one_line(tmp_path: Path) -> None:
    export = tmp_path / "export.json"
    export.write_text(json.dumps([another()]), encoding="utf-8")
    command = [sys.executable, "-m", "sandbox", "demo", "--records", str(export)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
