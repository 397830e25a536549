"""Print the branch coverage of the last `make cover`, one line per package.

Exits with 1 when nothing was measured.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import coverage

KINDS = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def per_package(files: dict[str, dict[str, dict[str, int]]]) -> dict[str, float]:
    """Package → percent of its lines and branches that ran. ``files`` as coverage's JSON report has them.

    A file in the root of the repository has a separate line.
    """
    sums: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(KINDS, 0))
    for name, file in files.items():
        folder = Path(name).parent.as_posix()
        for kind in KINDS:
            sums[name if folder == "." else folder][kind] += file["summary"][kind]
    return {
        package: 100 * (of["covered_lines"] + of["covered_branches"]) / whole
        for package, of in sorted(sums.items())
        if (whole := of["num_statements"] + of["num_branches"])
    }


def main() -> int:
    """Read .coverage and print the table."""
    measured = coverage.Coverage()
    measured.combine(keep=True) if not Path(".coverage").exists() else measured.load()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "coverage.json")
        measured.json_report(outfile=str(report))
        files = json.loads(report.read_text(encoding="utf-8"))["files"]
    packages = per_package(files)
    for package, percent in packages.items():
        sys.stdout.write(f"{percent:5.1f} %  {package}\n")
    return 0 if packages else 1


if __name__ == "__main__":
    sys.exit(main())
