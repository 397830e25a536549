"""`make infra`: runs the checks, a line for each, and says what is wrong.

Exit codes: 0 nothing is wrong; 1 a check found a problem; 2 called wrongly; 3 a program is missing, and the line says
which.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from infra.checks import CHECKS, Check
from infra.checks.workflows import tool

ROOT = Path(__file__).resolve().parents[2]
HOW_TO_GET = {
    "bicep": "install the Bicep CLI, or `az bicep install` and put ~/.azure/bin on the path",
    "node": "install Node 20 or newer, or `make setup`",
    "faketime": "`apt-get install faketime`",
}


def main() -> int:
    """Read the command line and run what it asks for."""
    parser = argparse.ArgumentParser(prog="make infra", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout")
    parser.add_argument("--only", action="append", choices=[check.name for check in CHECKS], help="one check")
    parser.add_argument("--list", action="store_true", help="say what each check holds, and run none")
    given = parser.parse_args()
    chosen = [check for check in CHECKS if given.only is None or check.name in given.only]
    if given.list:
        for check in chosen:
            say(f"{check.name:12} {check.holds}")
        return 0
    if lacking := sorted({name for check in chosen for name in missing(check)}):
        for name in lacking:
            sys.stderr.write(f"infra: {name} is not there; {HOW_TO_GET.get(name, '`make infra` installs it')}\n")
        return 3
    found = sum(ran(check, given.root.resolve()) for check in chosen)
    say(f"{len(chosen)} check{'' if len(chosen) == 1 else 's'}, {found} problem{'' if found == 1 else 's'}")
    return 1 if found else 0


def missing(check: Check) -> list[str]:
    """Programs of a check that are not there."""
    return [name for name in check.tools if not there(name)]


def there(name: str) -> bool:
    """Whether a program is in our own environment or on the path."""
    if name == "node":
        from sandbox.node import node  # noqa: PLC0415 - only these checks need it

        return node() is not None
    try:
        return bool(tool(name))
    except FileNotFoundError:
        return False


def ran(check: Check, root: Path) -> int:
    """Run one check, say how it ended, and count its problems."""
    if lacking := [name for name in check.helpful if not there(name)]:
        say(f"{check.name:12} skipped: {lacking[0]} is not there; {HOW_TO_GET[lacking[0]]}")
        return 0
    began = time.monotonic()
    problems = list(check.run(root))
    state = colored("wrong", 31) if problems else colored("ok", 32)
    say(f"{check.name:12} {state:5}  {time.monotonic() - began:5.1f} s  {check.holds}")
    for problem in problems:
        say(f"  {problem}")
    return len(problems)


def colored(word: str, color: int) -> str:
    """The word, in color on a terminal."""
    return f"\033[{color}m{word}\033[0m" if sys.stdout.isatty() else word


def say(line: str) -> None:
    """One line on standard output, at once."""
    print(line, flush=True)  # noqa: T201 - this is the program's output


if __name__ == "__main__":
    sys.exit(main())
