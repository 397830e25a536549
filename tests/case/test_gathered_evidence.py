"""Which of the found things people are notified of."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.case.gathered_evidence import follow_on
from bypass_responder.model.question import Empty, Found, Item
from tests.evidence.questions import an_inquiry
from tests.world import START


def a_sign_in(**fields: object) -> Item:
    return Item.model_validate({"at": START, "what": "sign-in", "notable": "new country: BR"} | fields)


def test_the_same_fact_at_another_time_is_one_fact() -> None:
    items = (a_sign_in(), a_sign_in(at=START + timedelta(hours=1)))

    assert len(follow_on([an_inquiry(answer=Found(count=2, items=items))])) == 1


def test_another_country_is_another_fact() -> None:
    items = (a_sign_in(), a_sign_in(notable="new country: AR"))

    assert len(follow_on([an_inquiry(answer=Found(count=2, items=items))])) == 2


def test_what_is_ordinary_is_no_fact() -> None:
    ordinary = an_inquiry(answer=Found(count=1, items=(a_sign_in(notable=None),)))

    assert follow_on([ordinary, an_inquiry(answer=Empty()), an_inquiry()]) == []


def test_a_fact_is_a_sentence() -> None:
    [fact] = follow_on([an_inquiry(answer=Found(count=1, items=(a_sign_in(),)))])

    assert str(fact) == "alex@contoso.onmicrosoft.com: sign-in at 2026-03-02 09:00:00Z, new country: BR"
