"""An export is compared with the sign-ins of its account: with one before it, without, or unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bypass_responder.evidence.exports import WAIT, ExportsWithoutSignIn, exports_of
from bypass_responder.model.gathered import Inquiry, Round
from bypass_responder.model.question import (
    MOST_ITEMS,
    Answer,
    AskedAccount,
    Conclusive,
    Empty,
    Found,
    Item,
    Pending,
    Unavailable,
)
from tests.evidence.questions import ACCOUNT, a_question, an_inquiry
from tests.fakes.gathered import FakeGatheredEvidence
from tests.world import START

EXPORTED_AT = a_question().dark_from + timedelta(minutes=30)
MISSING = Unavailable(reason="The permission AuditLog.Read.All is missing.", fix="bypassctl grant")
MINUTE = timedelta(minutes=1)


def a_search(what: str = "SearchExported", **fields: Any) -> Item:
    return Item(**{"at": EXPORTED_AT, "what": what, "notable": "export of search results"} | fields)


def searched(*items: Item, **fields: Any) -> Found:
    items = items or (a_search(),)
    return Found(count=len(items), items=items, **fields)


def signed_in(before: timedelta = MINUTE, *, what: str = "sign-in", number: int = 1, **fields: Any) -> Found:
    items = tuple(Item(at=EXPORTED_AT - before, what=what, detail={"n": f"{each}"}) for each in range(number))
    return Found(count=number, items=items, **fields)


def asked(source: str, answer: Conclusive | None, **fields: Any) -> Inquiry:
    return an_inquiry(**{"source": source, "answer": answer, "answered_at": START} | fields)


def judged(
    searches: Conclusive | None = None, *, person: Conclusive | None = None, session: Conclusive | None = None
) -> Answer:
    """None of what is given: an export, and no sign-in."""
    answers = {
        "ediscovery": searches or searched(),
        "sign_ins": person or Empty(),
        "sign_ins_non_interactive": session or Empty(),
    }
    return exports_of(a_question(), {name: asked(name, answer) for name, answer in answers.items()})


def the_item(answer: Answer) -> Item:
    assert isinstance(answer, Found)
    [item] = answer.items
    return item


def test_an_export_without_a_sign_in_is_notable() -> None:
    item = the_item(judged())

    assert item.notable == "export without a sign-in: none since 2026-03-01 08:00:00Z, in the blind window"
    assert item.detail["last_sign_in"] == "none"


def test_failed_sign_ins_are_none() -> None:
    assert the_item(judged(person=signed_in(what="failed sign-ins"))).notable


def test_a_sign_in_after_the_export_is_none_before_it() -> None:
    assert the_item(judged(person=signed_in(-timedelta(hours=1)))).notable


SIGNED_IN: dict[str, dict[str, Found]] = {
    "a person's": {"person": signed_in()},
    "a session's": {"session": signed_in()},
    "one in the same minute": {"person": signed_in(-timedelta(seconds=30))},
    "one of more than are listed": {"person": signed_in(number=MOST_ITEMS)},
}


@pytest.mark.parametrize("answers", SIGNED_IN.values(), ids=SIGNED_IN)
def test_with_a_sign_in_before_it_an_export_is_ordinary(answers: dict[str, Any]) -> None:
    item = the_item(judged(**answers))

    assert item.notable is None
    assert item.detail["last_sign_in"] not in {"none", "unknown"}


def test_a_search_that_exports_nothing_is_no_export() -> None:
    assert judged(searched(a_search("SearchCreated"))) == Empty()
    assert judged(Empty(note="read in part")) == Empty(note="read in part")


UNREAD: dict[str, dict[str, Any]] = {
    "a missing permission": {"person": MISSING},
    "of sessions": {"session": MISSING},
    "read in part": {"person": Empty(note="Not all of them were read: the service has more.")},
    "found in part": {"person": signed_in(what="failed sign-ins", complete=False)},
    "more than are listed": {"person": signed_in(-timedelta(hours=1), number=MOST_ITEMS)},
}


@pytest.mark.parametrize("answers", UNREAD.values(), ids=UNREAD)
def test_where_sign_ins_are_not_known_whole_it_is_unknown(answers: dict[str, Any]) -> None:
    assert isinstance(judged(**answers), Unavailable)


def test_it_names_why_and_the_fix() -> None:
    answer = judged(person=MISSING)

    assert isinstance(answer, Unavailable)
    assert (answer.fix, "interactive sign-ins were not read" in answer.reason) == ("bypassctl grant", True)


def test_sign_ins_that_are_deleted_by_now_are_unknown() -> None:
    answers: dict[str, Conclusive] = {
        "ediscovery": searched(),
        "sign_ins": Empty(),
        "sign_ins_non_interactive": Empty(),
    }
    late = {name: asked(name, each, answered_at=START + timedelta(days=31)) for name, each in answers.items()}
    answer = exports_of(a_question(), late)

    assert isinstance(answer, Unavailable)
    assert "are deleted" in answer.reason


def test_of_several_exports_each_is_judged() -> None:
    later = a_search(at=EXPORTED_AT + timedelta(hours=2))
    answer = judged(searched(a_search(), later), person=signed_in(-timedelta(hours=1)), session=MISSING)

    assert isinstance(answer, Found)
    assert [item.detail["last_sign_in"] for item in answer.items].count("unknown") == 1
    assert answer.note.startswith("Unknown for 1: The non-interactive sign-ins were not read")
    assert [item.notable for item in answer.items] == [None, None]


def test_without_the_searches_nothing_is_known() -> None:
    answer = judged(MISSING)

    assert isinstance(answer, Unavailable)
    assert "searches and exports were not read" in answer.reason


@pytest.mark.parametrize("source", ["ediscovery", "sign_ins", "sign_ins_non_interactive"])
def test_it_waits_for_every_other_source(source: str) -> None:
    answers: dict[str, Conclusive] = {
        "ediscovery": searched(),
        "sign_ins": Empty(),
        "sign_ins_non_interactive": Empty(),
    }
    open_ = {name: asked(name, None if name == source else each) for name, each in answers.items()}
    missing = {name: each for name, each in open_.items() if name != source}

    assert exports_of(a_question(), open_) == exports_of(a_question(), missing) == WAIT


async def test_it_reads_the_newest_round_of_the_same_account() -> None:
    gathered = FakeGatheredEvidence()
    other = AskedAccount(object_id="11111111-0000-4000-8000-00000000000f", user_principal_name="eve@contoso.com")
    by_name = AskedAccount(user_principal_name=ACCOUNT.user_principal_name.upper())
    before = {"round": Round.OPENED, "account": by_name}
    now = {"round": Round.RESTORED, "account": by_name}
    await gathered.start(
        a_question().incident_id,
        [
            asked("ediscovery", searched(), **now),
            asked("sign_ins", Empty(), **now),
            asked("sign_ins_non_interactive", Empty(), **now),
            asked("sign_ins", signed_in(), **before),
            asked("sign_ins", signed_in(), account=other, round=Round.RESTORED),
        ],
    )
    answer = await ExportsWithoutSignIn(gathered).ask(a_question(), None)

    assert not isinstance(answer, Pending)
    assert the_item(answer).notable


@pytest.mark.parametrize("year", [1, 9999])
def test_an_export_at_any_time_is_compared(year: int) -> None:
    export = a_search(at=datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC))

    assert isinstance(judged(searched(export), person=signed_in()), Found)
