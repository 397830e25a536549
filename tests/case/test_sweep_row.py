"""Which warnings of a sweep a person can accept, and what an accepted one covers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.case.draft import Draft
from bypass_responder.case.sweep_row import MOST_ACCEPTED, accept_warning, accepted
from bypass_responder.errors import RefusedError
from bypass_responder.model.case import TENANT_TARGET, Case, Head
from bypass_responder.model.message import CommandKind
from bypass_responder.model.sweep import AcceptedWarning, Sweep, SweepResult, warning_form
from tests.world import START, TENANT

ROOM = "Something about 'Room 1' took 1250 ms."
MORE = "There are more results available than are currently displayed."


def a_draft(*warnings: str, **rows: Any) -> Draft:
    answer = SweepResult(
        command_id="c1",
        kind=CommandKind.LIST_BYPASSED,
        tenant_id=TENANT,
        outcome="failed",
        complete=False,
        started_at=START,
        scanned=1,
        bypassed=0,
        warnings=warnings,
    )
    stored = (Head(), Sweep(answer=answer), *rows.get("accepted", ()))
    return Draft(Case(TENANT_TARGET, {row.row_key: row for row in stored}), now=START)


def test_an_accepted_warning_is_kept_with_who_and_why() -> None:
    draft = a_draft(ROOM)
    accept_warning(draft, ROOM, who="ada", reason="rooms only")

    assert accepted(draft.case) == {"Something about … took … ms."}
    assert [(entry.event, entry.who) for entry in draft.entries] == [("warning_accepted", "ada")]


def test_accepting_twice_changes_nothing_the_second_time() -> None:
    draft = a_draft(ROOM)
    accept_warning(draft, ROOM, who="ada", reason="rooms only")
    accept_warning(draft, ROOM, who="bob", reason="again")

    assert len(draft.entries) == 1


@pytest.mark.parametrize(("warnings", "text"), [((), ROOM), ((ROOM,), "Something else."), ((MORE,), MORE)])
def test_only_a_warning_of_the_last_sweep_that_names_no_missing_rows_can_be_accepted(
    warnings: tuple[str, ...], text: str
) -> None:
    with pytest.raises(RefusedError):
        accept_warning(a_draft(*warnings), text, who="ada", reason="rooms only")


def test_the_accepted_warnings_are_bounded() -> None:
    rows = [AcceptedWarning(text=f"{'x' * n}!", who="ada", reason="", at=START) for n in range(MOST_ACCEPTED)]
    with pytest.raises(RefusedError, match="already"):
        accept_warning(a_draft(ROOM, accepted=rows), ROOM, who="ada", reason="rooms only")


@given(st.text())
def test_the_form_of_a_form_is_itself(text: str) -> None:
    assert warning_form(warning_form(text)) == warning_form(text)


def test_an_apostrophe_is_no_quotation_mark() -> None:
    assert warning_form("It isn't read, and it's gone.") == "It isn't read, and it's gone."
