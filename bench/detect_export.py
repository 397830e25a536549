"""(d) ``bypassctl detect`` on a 1 GB export made on the fly, beside a 100 MB one: speed, and peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.mixed_records import blob

LARGE, SMALL = 1_000_000_000, 100_000_000
_FOUND = 1
_CHILD = """
import sys
import typer
from bypass_responder.cli.detect import detect
app = typer.Typer()
app.command()(detect)
try:
    app(["--format", "json", sys.argv[1]])
finally:
    status = open("/proc/self/status").read() if sys.platform == "linux" else "VmHWM: 0 kB"
    print(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1], file=sys.stderr)
"""


def measure() -> dict[str, Any]:
    """MB/s, and the process's peak resident memory in MB (Linux), for a JSON array on one line and JSON lines."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for form, (first, between, last) in {"array": (b"[", b",", b"]\n"), "lines": (b"", b"\n", b"\n")}.items():
            for name, size in (("1gb", LARGE), ("100mb", SMALL)):
                path = Path(folder) / f"{form}-{name}.json"
                _write(path, size, first=first, between=between, last=last)
                seconds, peak = _detect(path)
                figures[f"{form}_{name}_mb_per_second"] = round(path.stat().st_size / 1e6 / seconds)
                figures[f"{form}_{name}_peak_mb"] = round(peak / 1024)
                path.unlink()
    return figures


def _write(path: Path, size: int, *, first: bytes, between: bytes, last: bytes) -> None:
    """Records until ``size`` bytes, and one bypass as the last of all."""
    parts = [between.join(_elements(blob(seed))) for seed in range(10)]
    end = _elements(blob(0, records=1, with_match=True))[0]
    with path.open("wb") as out:
        out.write(first)
        written = 0
        while written < size:
            part = parts[written % len(parts)]
            written += out.write(part) + out.write(between)
        out.write(end + last)


def _elements(content: bytes) -> list[bytes]:
    return [json.dumps(record, separators=(",", ":")).encode() for record in json.loads(content)]


def _detect(path: Path) -> tuple[float, int]:
    """Seconds, start of the process included, and peak memory in KiB."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    began = time.perf_counter()
    command = [sys.executable, "-c", _CHILD, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode != _FOUND or done.stdout.count("\n") != 1:
        raise AssertionError(done.stdout[-500:] + done.stderr[-500:])
    return seconds, int(done.stderr.split()[-1])


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
