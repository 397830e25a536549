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


def test_the_same_change_to_another_object_is_another_fact() -> None:
    items = (a_sign_in(detail={"object": "decoy"}), a_sign_in(detail={"object": "ceo"}))

    assert len(follow_on([an_inquiry(answer=Found(count=2, items=items))])) == 2


def test_a_fact_of_which_more_is_recorded_is_the_same_fact() -> None:
    items = (a_sign_in(detail={"records": "1"}), a_sign_in(detail={"records": "2", "until": "2026-03-02"}))

    assert len(follow_on([an_inquiry(answer=Found(count=2, items=items))])) == 1


def test_many_facts_of_one_source_leave_room_for_another() -> None:
    flood = tuple(a_sign_in(notable=f"new client: x{index}") for index in range(50))
    rule = Item(what="inbox rule", notable="deletes mail")
    inquiries = (
        an_inquiry(answer=Found(count=50, items=flood)),
        an_inquiry(source="inbox_rules", answer=Found(count=1, items=(rule,))),
    )

    assert [each.what for each in follow_on(inquiries)[:2]] == ["sign-in", "inbox rule"]
