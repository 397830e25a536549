"""docs/posture.md explains each word of a run and its mailboxes, and what an undo takes back."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from bypass_responder.model.plan_run import ChangeOutcome, RunState

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "posture.md"


def table(header: str) -> dict[str, str]:
    """Return the last cell of each line of a table, by the first."""
    lines = DOCUMENT.read_text(encoding="utf-8").split(f"| {header} | meaning", 1)[1].split("\n\n", 1)[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return {line[0]: line[-1] for line in cells}


def test_each_state_of_a_run_is_explained() -> None:
    assert [*table("run")] == [*get_args(RunState)]


def test_each_outcome_of_a_mailbox_is_explained_with_what_an_undo_does() -> None:
    assert table("mailbox") == {each: "goes back" if each.may_have_changed else "stays" for each in ChangeOutcome}
