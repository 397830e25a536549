"""Which warnings of a sweep a person can accept, and what an accepted one covers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.case.draft import Draft
from bypass_responder.case.sweep_row import MOST_ACCEPTED, accept_warning, accepted, warning_refusal
from bypass_responder.model.case import TENANT_TARGET, Case, Head
from bypass_responder.model.sweep import AcceptedWarning, Sweep, warning_form
from tests.world import START

ROOM = "Something about 'Room 1' took 1250 ms."
MORE = "There are more results available than are currently displayed."


def a_draft(*warnings: str, **rows: Any) -> Draft:
    stored = (Head(), Sweep(warnings=warnings), *rows.get("accepted", ()))
    return Draft(Case(TENANT_TARGET, {row.row_key: row for row in stored}), now=START)


def test_an_accepted_warning_is_kept_with_who_and_why() -> None:
    draft = a_draft(ROOM)
    accept_warning(draft, ROOM, who="ada", reason="rooms only")
    [row] = draft.case.rows(AcceptedWarning)

    assert accepted(draft.case) == {"Something about … took … ms."}
    assert (row.who, row.reason) == ("ada", "rooms only")


def test_a_warning_of_the_last_sweep_can_be_accepted_by_its_form() -> None:
    assert warning_refusal(a_draft(ROOM).case, warning_form(ROOM)) == ""


@pytest.mark.parametrize(
    ("warnings", "text", "why"),
    [
        ((), ROOM, "no such warning"),
        ((ROOM,), "Something else.", "no such warning"),
        ((MORE,), MORE, "rows are missing"),
        (("Read 'a partial list'.",), "Read '…'.", "rows are missing"),
    ],
)
def test_only_a_warning_of_the_last_sweep_that_names_no_missing_rows_can_be_accepted(
    warnings: tuple[str, ...], text: str, why: str
) -> None:
    assert why in warning_refusal(a_draft(*warnings).case, text)


def test_a_warning_is_accepted_once() -> None:
    draft = a_draft(ROOM)
    accept_warning(draft, ROOM, who="ada", reason="rooms only")

    assert "accepted already" in warning_refusal(draft.case, ROOM.replace("1", "2"))


def test_the_accepted_warnings_are_bounded() -> None:
    rows = [AcceptedWarning(text=f"{'x' * n}!", who="ada", reason="", at=START) for n in range(MOST_ACCEPTED)]

    assert "50 warnings are accepted already" in warning_refusal(a_draft(ROOM, accepted=rows).case, ROOM)


@given(st.text())
def test_the_form_of_a_form_is_itself(text: str) -> None:
    assert warning_form(warning_form(text)) == warning_form(text)


def test_an_apostrophe_is_no_quotation_mark() -> None:
    assert warning_form("It isn't read, and it's gone.") == "It isn't read, and it's gone."
