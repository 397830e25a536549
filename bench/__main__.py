"""``python -m bench [names]``: run the benches one after the other and print one table.

The figures are also written to ``bench/results.json``. Exit code 0 when everything was measured, also where a target
was missed; 1 when something could not be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.figures import Bench, table

BENCHES = (
    "feed_filter",
    "contain",
    "cold_start",
    "bypassctl_start",
    "detect_export",
    "idle_poll",
    "sweep_compare",
    "posture_compare",
    "posture_memory",
    "posture_read",
    "mixed_events",
    "account_history",
    "off_flood",
    "graph_limit",
    "notifications",
    "evidence_run",
    "worker_beside",
    "idle_day",
    "log_verify",
    "incident_pages",
    "app_memory",
    "delay",
)
RESULTS = Path(__file__).with_name("results.json")
_LONGEST_SECONDS = 1200
_WIDTH = 120
"""Of the table where there is no terminal."""
_CHILD = "import json, importlib, sys; print(json.dumps(importlib.import_module(sys.argv[1]).measure()))"


def main() -> int:
    """Run the chosen benches, each in a separate process, so that none inherits another's memory."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure against peers and floors.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of {', '.join(BENCHES)}; all by default")
    names = parser.parse_args().names or list(BENCHES)
    if unknown := set(names) - set(BENCHES):
        parser.error(f"there is no bench {', '.join(sorted(unknown))}")
    progress, done = Console(stderr=True), []
    for number, name in enumerate(names, start=1):
        with progress.status(f"{number} of {len(names)}: {name}"):
            done.append(run(name))
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table(done))
    for bench in done:
        if bench.problem:
            progress.print(f"{bench.name} could not be measured:\n{bench.problem}", markup=False, style="red")
    RESULTS.write_text(json.dumps(_results(done), indent=2) + "\n", encoding="utf-8")
    return 1 if any(bench.problem for bench in done) else 0


def run(name: str) -> Bench:
    """Measure one bench in a fresh process."""
    command = [sys.executable, "-c", _CHILD, f"bench.{name}"]
    root = Path(__file__).parent.parent
    try:
        ended = subprocess.run(
            command,
            cwd=root,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(root), str(root / "src")))},
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Bench(name, problem=f"it did not end within {_LONGEST_SECONDS} seconds")
    if ended.returncode:
        return Bench(name, problem=ended.stderr[-2000:])
    return Bench.measured(name, json.loads(ended.stdout.splitlines()[-1]))


def _results(done: list[Bench]) -> dict[str, Any]:
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "benches": {bench.name: bench.as_json() for bench in done},
    }


if __name__ == "__main__":
    sys.exit(main())
