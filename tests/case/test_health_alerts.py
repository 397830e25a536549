"""One alert for many accounts: written and notified when accounts are added, and not before."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.case.draft import Draft
from bypass_responder.case.health_alerts import MOST_REMEMBERED, accounts_of, raise_for_each
from bypass_responder.model.case import TENANT_TARGET, Case, Head
from bypass_responder.model.notification import Notification
from tests.world import START

ALERT = "accounts_unread"
FOUND = {f"a{number:03}": f"a{number:03}: no answer" for number in range(MOST_REMEMBERED + 50)}
SOME = dict(list(FOUND.items())[:3])


def a_draft(case: Case | None = None, **later: float) -> Draft:
    return Draft(case or Case(TENANT_TARGET, {"head": Head()}), now=START + timedelta(**later))


def raised(found: dict[str, str]) -> Case:
    draft = a_draft()
    raise_for_each(draft, ALERT, found)
    return draft.case


def test_the_same_accounts_are_written_once() -> None:
    draft = a_draft(raised(SOME), hours=5)
    raise_for_each(draft, ALERT, SOME)

    assert draft.changed == {}


def test_more_accounts_than_are_remembered_are_written_and_notified_once() -> None:
    draft = a_draft(raised(FOUND), hours=5)
    raise_for_each(draft, ALERT, FOUND)

    assert draft.changed == {}
    assert len(draft.case.rows(Notification)) == 1
    assert "250 in all" in draft.case.rows(Notification)[0].text
    assert len(accounts_of(draft.case, ALERT)) == MOST_REMEMBERED


def test_an_account_takes_the_place_of_one_that_was_read() -> None:
    rest = dict(list(FOUND.items())[1:])
    draft = a_draft(raised(FOUND), hours=5)
    raise_for_each(draft, ALERT, rest)

    assert len(draft.case.rows(Notification)) == 2
    assert f"a{MOST_REMEMBERED:03}" in accounts_of(draft.case, ALERT)
