"""How far a drill is, as JSON and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError

from bypass_responder.errors import InputError
from bypass_responder.model.base import Utc, Value, moment
from bypass_responder.operating.drill.fixes import FIXES
from bypass_responder.operating.drill.lines import LINES

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ("part", "within", "check", "expected", "result", "detail", "fix", "by", "at")
Answer = Literal["passed", "failed", "waiting", "skipped"]


class Result(Value):
    """What came of one line, and how that is known."""

    answer: Answer
    detail: str
    by: Literal["bypassctl", "person"]
    at: Utc


class Drill(Value):
    """One drill. What is in it is not asked again."""

    account: str
    tenant_id: str
    version: str
    began_at: Utc
    done_at: dict[str, Utc] = Field(default_factory=dict)
    """By line: when a person had done what comes before it."""
    results: dict[str, Result] = Field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Return True when a line failed."""
        return any(result.answer == "failed" for result in self.results.values())

    @property
    def finished(self) -> bool:
        """Return True when every line has passed or failed or was skipped."""
        return all(line.id in self.results and self.results[line.id].answer != "waiting" for line in LINES)


def load(folder: Path) -> Drill | None:
    """Return the drill of a folder, None when there is none. Raises InputError when it cannot be read."""
    try:
        return Drill.model_validate_json((folder / "drill.json").read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise InputError("report_unreadable", f"{folder / 'drill.json'} is not a drill. Name another folder.") from None


def save(drill: Drill, folder: Path) -> None:
    """Write ``drill.json`` and ``drill.md``, each at once. Raises InputError when they cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (("drill.md", markdown(drill)), ("drill.json", drill.model_dump_json(indent=2))):
            new = folder / f"{name}.new"
            new.write_text(text, encoding="utf-8")
            new.replace(folder / name)
    except OSError as error:
        raise InputError("report_not_written", f"{folder} cannot be written: {error.strerror}.") from None


def markdown(drill: Drill) -> str:
    """Return the report for people."""
    state = "failed" if drill.failed else "passed" if drill.finished else "not finished"
    head = (
        f"# Drill: {state}\n\nAccount {_cell(drill.account)}, tenant {drill.tenant_id}, bypassctl {drill.version}, "
        f"begun {moment(drill.began_at)}.\n\n"
        f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n"
    )
    rows = []
    for line in LINES:
        found = drill.results.get(line.id)
        came = (found.answer, found.detail, found.by, moment(found.at)) if found else ("not begun", "", "", "")
        fix = FIXES[line.id] if came[0] == "failed" else ""
        cells = (line.part, line.within, line.check, line.expected, came[0], _cell(came[1]), fix, *came[2:])
        rows.append(f"| {' | '.join(cells)} |\n")
    return head + "".join(rows)


def _cell(text: str) -> str:
    """Return the text so that it is no markup and ends no cell."""
    return " ".join("".join(f"\\{each}" if each in r"\|`*_[]<>#" else each for each in text).split())
