"""What is asked about a bypassed service account, and what shows a person behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.evidence.service_accounts import (
    LIST,
    MOST_ACCOUNTS,
    SOURCES,
    behaviors,
    compared,
    new_inquiries,
    question_of,
    signs_of,
)
from bypass_responder.model.gathered import Inquiry
from bypass_responder.model.question import Conclusive, Empty, Found, Item, Unavailable
from tests.world import ALEX, BLAKE, START

DAY = timedelta(days=1)
SIGN_IN = Item(at=START, what="sign-in", detail={"application": "Outlook", "country": "BR"}, notable="new country: BR")
RULE = Item(what="inbox rule", detail={"name": "forward"})


def asked(source: str, answer: Conclusive | None = None, **fields: Any) -> Inquiry:
    [inquiry] = [each for each in new_inquiries({ALEX: "svc@contoso.com"}, [], now=START) if each.source == source]
    changes = {"answer": answer, "answered_at": START if answer else None} | fields
    return inquiry.model_copy(update=changes)


def found(*items: Item) -> Found:
    return Found(count=len(items), items=items)


def kinds(source: str, *items: Item) -> list[str]:
    return [sign.kind for sign in signs_of(asked(source, found(*items)))]


def test_each_account_is_asked_about_in_each_source_once() -> None:
    first = new_inquiries({ALEX: "a@contoso.com"}, [], now=START)
    more = new_inquiries({ALEX: "a@contoso.com", BLAKE: "blake"}, first, now=START)

    assert [(each.incident_id, each.source) for each in first] == [(LIST, source) for source in SOURCES]
    assert {each.account.object_id for each in more} == {BLAKE}


def test_the_accounts_are_bounded() -> None:
    many = {f"id-{number}": "" for number in range(MOST_ACCOUNTS + 1)}

    assert len(new_inquiries(many, [], now=START)) == MOST_ACCOUNTS * len(SOURCES)


@pytest.mark.parametrize(("ago", "days"), [(None, 1), (timedelta(hours=3), 1), (2 * DAY, 2), (60 * DAY, 7)], ids=str)
def test_the_question_goes_back_to_the_last_answer(ago: timedelta | None, days: int) -> None:
    inquiry = asked("sign_ins", answered_at=START - ago if ago else None)
    question = question_of(inquiry, now=START)

    assert timedelta(days=days) <= START - question.start < timedelta(days=days, hours=3)
    assert question.known_from < question.start - 20 * DAY


@pytest.mark.parametrize(
    ("source", "item", "expected"),
    [
        ("sign_ins", SIGN_IN, ["interactive sign-in", "new country"]),
        ("sign_ins", SIGN_IN.model_copy(update={"notable": None}), ["interactive sign-in"]),
        ("sign_ins", SIGN_IN.model_copy(update={"what": "failed sign-in"}), []),
        ("exchange_changes", Item(what="New-InboxRule"), ["new inbox rule"]),
        ("exchange_changes", Item(what="New-InboxRule", detail={"result": "failed"}), []),
        ("exchange_changes", Item(what="Set-Mailbox"), []),
        ("inbox_rules", RULE, []),
    ],
)
def test_what_shows_a_person(source: str, item: Item, expected: list[str]) -> None:
    assert kinds(source, item) == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [(Empty(), 1), (found(RULE), 0), (found(Item(what="inbox rule", detail={"name": "other"})), 1), (None, 0)],
)
def test_a_rule_is_new_that_was_not_there_at_the_last_look(before: Conclusive | None, expected: int) -> None:
    answer = compared(found(RULE.model_copy(update={"notable": "deletes mail"})), before)

    assert len(signs_of(asked("inbox_rules", answer))) == expected


def test_an_account_that_was_never_asked_about_is_not_checked() -> None:
    assert behaviors([asked("sign_ins")], now=START)[ALEX].text == "not checked"


def test_what_was_not_permitted_is_named_with_what_makes_it_so() -> None:
    missing = Unavailable(reason="The permission AuditLog.Read.All is missing.", fix="bypassctl grant --evidence core")
    nothing = behaviors([asked("sign_ins", missing)], now=START)[ALEX]
    partly = behaviors([asked("sign_ins", missing), asked("inbox_rules", Empty())], now=START)[ALEX]

    why = "not checked: The permission AuditLog.Read.All is missing (bypassctl grant --evidence core)"
    assert nothing.text == why
    assert partly.text == f"no sign, as of 2026-03-02 09:00:00Z; {why}"


def test_signs_are_said_with_their_time() -> None:
    known = behaviors([asked("sign_ins", found(SIGN_IN)), asked("inbox_rules", Empty())], now=START)[ALEX]

    assert known.text.startswith("YES, as of 2026-03-02 09:00:00Z: interactive sign-in: Outlook, BR at 2026-03-02")
    assert len(known.signs) == 2


def test_what_was_seen_before_the_bypass_ended_is_not_shown_forever() -> None:
    known = [asked("sign_ins", found(SIGN_IN))]

    assert behaviors(known, now=START + 3 * DAY) == {}
