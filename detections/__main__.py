"""`make detections`: writes the generated files and docs/detections.md's tables, and runs the rules.

Exit codes: 0 every rule does what its fixtures say; 1 one does not, and a line says which.
"""

from __future__ import annotations

import sys

from detections import report
from detections.pack import GENERATED, HERE, files


def main() -> int:
    """Write what changed, and say so."""
    wanted = {HERE / path: text for path, text in files().items()}
    for path in {path for pattern in GENERATED for path in HERE.glob(pattern)} - wanted.keys():
        path.unlink()
        sys.stdout.write(f"removed {path.relative_to(HERE.parent)}\n")
    for path, text in {**wanted, report.PAGE: report.page()}.items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
            sys.stdout.write(f"wrote {path.relative_to(HERE.parent)}\n")
    problems = report.wrong()
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    sys.stdout.write(f"{len(problems)} problem{'' if len(problems) == 1 else 's'}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
