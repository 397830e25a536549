"""`make demo`: the command, its exit code, and the JSON object in its last line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.azurite import missing
from sandbox.child import leashed
from sandbox.exchange_online import missing as pwsh_missing
from tests.programs import report
from tests.sensing.builders import TARGET, a_bypass, another

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared/data/audit-records/det-eng-samples/dataset/t1562-Set-MailboxAuditBypassAssociation.json"
REAL_TARGET = "a88ae17c-f562-4c1f-a377-8910b6847d76"


@dataclass(frozen=True)
class Ended:
    """The exit code, the JSON object in the last line without its time, the time, and the output."""

    code: int
    said: dict[str, Any]
    seconds: float
    output: str


def begin(output: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A demo in the background that writes its output to a file."""
    command = [sys.executable, "-m", "sandbox", "demo", "--json", *arguments]
    with output.open("wb") as said:
        return subprocess.Popen(leashed(command), stdout=said, stderr=subprocess.STDOUT, cwd=ROOT)


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Ended]]:
    """Three demos, started together because each of them mostly waits."""
    folder = tmp_path_factory.mktemp("demos")
    arguments: dict[str, tuple[str | Path, ...]] = {
        "story": (),
        "story without PowerShell": ("--worker", "python"),
        "real": ("--records", REAL),
    }
    if not REAL.exists():
        del arguments["real"]
    started = {name: begin(folder / name, *map(str, given)) for name, given in arguments.items()}
    yield lambda name: result(started[name], folder / name)
    for process in started.values():
        process.wait(timeout=150)


def result(process: subprocess.Popen[bytes], written: Path) -> Ended:
    code = process.wait(timeout=150)
    output = written.read_text(encoding="utf-8")
    sys.stdout.write(output)  # pytest shows it when the test fails
    said = report(output)
    seconds = said.pop("seconds")
    return Ended(code, said, seconds, output)


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


@pytest.mark.slow
def test_the_built_in_story_holds(demos: Callable[[str], Ended]) -> None:
    ended = demos("story")
    counts = {name: ended.said[name] for name in ("detected", "contained", "stood_down", "attempts")}

    assert (ended.code, counts) == (0, {"detected": 2, "contained": 2, "stood_down": 1, "attempts": 1})
    assert len(ended.said["blocked"]) == 2
    assert ended.said["blocked"] == ended.said["revoked"] == ended.said["bypass_off"]
    assert (ended.said["untouched"], ended.said["log_verified"]) == (True, True)


@pytest.mark.slow
def test_the_built_in_story_ends_alike_with_each_exchange_worker(demos: Callable[[str], Ended]) -> None:
    assert demos("story").said == demos("story without PowerShell").said


@pytest.mark.slow
def test_one_incident_was_seen_by_all_three_sensors_and_one_by_the_sweep_only(demos: Callable[[str], Ended]) -> None:
    lines = demos("story").output.splitlines()
    seen = [set(re.findall("hint|sweep|feed", line)) for line in lines if line.strip().startswith("seen by: ")]

    assert sorted(seen, key=len) == [{"sweep"}, {"sweep", "feed"}, {"hint", "sweep", "feed"}]


@pytest.mark.slow
def test_it_says_who_answers_for_exchange(demos: Callable[[str], Ended]) -> None:
    outputs = [demos(name).output for name in ("story", "story without PowerShell")]
    said = [line for output in outputs for line in output.splitlines() if line.startswith("Exchange worker: ")]
    first = "a stand-in in Python (pwsh is not on PATH)" if pwsh_missing() else "PowerShell 7."

    assert said[0].startswith(f"Exchange worker: {first}")
    assert said[1] == "Exchange worker: a stand-in in Python (asked for)."


@pytest.mark.slow
def test_the_time_is_printed(demos: Callable[[str], Ended]) -> None:
    assert 0 < demos("story").seconds < 120


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason="the real records are not on this machine")
def test_the_real_record_is_contained(demos: Callable[[str], Ended]) -> None:
    ended = demos("real")

    assert (ended.code, ended.said) == (0, contained(REAL_TARGET))


def test_an_export_of_json_lines_is_contained(tmp_path: Path) -> None:
    export = tmp_path / "export.jsonl"
    export.write_text(f"{json.dumps(another())}\n{json.dumps(a_bypass())}\n", encoding="utf-8")
    ended = result(begin(tmp_path / "output", "--records", str(export)), tmp_path / "output")

    assert (ended.code, ended.said) == (0, contained(TARGET))


def test_an_export_that_is_not_there_is_one_line() -> None:
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
