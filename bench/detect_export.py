"""(d) ``bypassctl detect`` on 1 GB exports, beside grep and jq in the same run: ratios, and memory.

The exports are made on the fly.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.mixed_records import blob

LARGE, SMALL = 1_000_000_000, 100_000_000
_HITS = 1000
_ROUNDS = 5
_BYTECODE = str(Path(tempfile.gettempdir()) / "bench-detect-export")
"""Cached by the first round, as an installed bypassctl has it."""
_NAME = "Set-MailboxAuditBypassAssociation"
_GREP = ("grep", "-c", "-i", "-F", _NAME)
_JQ = ("jq", "-c", f'select(.Operation=="{_NAME}")')
_CHILD = """
import sys
import typer
from bypass_responder.cli.detect import detect
app = typer.Typer()
app.command()(detect)
try:
    app(["--output", "json", sys.argv[1]])
finally:
    status = open("/proc/self/status").read() if sys.platform == "linux" else "VmHWM: 0 kB"
    print(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1], file=sys.stderr)
"""


def measure() -> dict[str, Any]:
    """Return seconds as medians of rounds that take turns, and the peak resident memory (Linux).

    The start of the process is included in the seconds.
    """
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for form in ("lines", "array"):
            path = Path(folder) / f"{form}.json"
            _write(path, LARGE, form=form, hits=0)
            seconds = _in_turns({"detect": _detect_command(path), "grep": (*_GREP, str(path))}, found=0)
            figures |= {f"{form}_{name}_seconds": round(value, 3) for name, value in seconds.items()}
            figures[f"{form}_mb_per_second"] = round(path.stat().st_size / 1e6 / seconds["detect"])
            figures[f"{form}_times_grep"] = round(seconds["detect"] / seconds["grep"], 1)
            figures[f"{form}_1gb_peak_mb"] = _peak_mb(path)
            _write(path, SMALL, form=form, hits=1)
            figures[f"{form}_100mb_peak_mb"] = _peak_mb(path)
            path.unlink()
        path = Path(folder) / "hits.json"
        _write(path, LARGE, form="lines", hits=_HITS)
        seconds = _in_turns({"detect": _detect_command(path), "grep": (*_GREP, str(path))}, found=_HITS)
        figures |= {f"hits_{name}_seconds": round(value, 3) for name, value in seconds.items()}
        if shutil.which("jq"):
            jq = _in_turns({"jq": (*_JQ, str(path))}, found=_HITS, rounds=1)["jq"]
            figures |= {"hits_jq_seconds": round(jq, 1), "hits_times_jq": round(jq / seconds["detect"], 1)}
    return figures | {"target_times_grep": 3.0, "target_times_jq": 10.0}


def _write(path: Path, size: int, *, form: str, hits: int) -> None:
    """Records until ``size`` bytes, with bypasses spread evenly, each with its own id."""
    first, between, last = (b"[", b",", b"]\n") if form == "array" else (b"", b"\n", b"\n")
    parts = [between.join(_elements(blob(seed))) for seed in range(10)]
    bypass = _elements(blob(0, records=1, with_match=True))[0]
    with path.open("wb") as out:
        out.write(first)
        written = placed = 0
        while written < size:
            written += out.write(parts[written % len(parts)]) + out.write(between)
            while placed < hits * written // size and placed < hits:
                placed += 1
                out.write(bypass.replace(b'"Id":"', b'"Id":"%04d' % placed) + between)
        out.write(_elements(blob(1, records=1))[0] + last)


def _elements(content: bytes) -> list[bytes]:
    return [json.dumps(record, separators=(",", ":")).encode() for record in json.loads(content)]


def _detect_command(path: Path) -> tuple[str, ...]:
    return (sys.executable, "-c", _CHILD, str(path))


def _in_turns(commands: dict[str, tuple[str, ...]], *, found: int, rounds: int = _ROUNDS) -> dict[str, float]:
    """The median of each command's seconds. The first round only warms the file."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds + (rounds > 1)):
        for name, command in commands.items():
            began = time.perf_counter()
            done = _run(command)
            seconds[name].append(time.perf_counter() - began)
            count = int(done.stdout) if name == "grep" else done.stdout.count("\n")
            if count != found:
                raise AssertionError(f"{name} found {count}, not {found}: {done.stderr[-500:]}")
    return {name: statistics.median(values[rounds > 1 :]) for name, values in seconds.items()}


def _peak_mb(path: Path) -> int:
    return round(int(_run(_detect_command(path)).stderr.split()[-1]) / 1024)


def _run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONPYCACHEPREFIX": _BYTECODE, "PYTHONDONTWRITEBYTECODE": ""}
    environment = os.environ | {"LC_ALL": "C"} | paths
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
