"""Answers are small, whatever a source gives."""

from __future__ import annotations

from bypass_responder.model.question import LONGEST_TEXT, MOST_ITEMS, MOST_RAW, Found, Item


def test_the_notable_items_come_first_and_are_never_cut_for_others() -> None:
    items = [*(Item(what="sign-in") for _ in range(MOST_ITEMS)), Item(what="sign-in", notable="new country")]
    found = Found(count=len(items), items=tuple(items))

    assert (len(found.items), found.items[0].notable) == (MOST_ITEMS, "new country")


def test_a_text_of_a_source_is_cut() -> None:
    item = Item(what="x" * 1_000, detail={"rule": "y" * 1_000})

    assert (len(item.what), len(item.detail["rule"])) == (LONGEST_TEXT, LONGEST_TEXT)


def test_half_a_character_is_replaced() -> None:
    assert Item(what="a\ud800").what.encode()


def test_raw_records_are_bounded_and_not_part_of_the_row() -> None:
    found = Found(count=1, raw=({"id": 1},) * (MOST_RAW + 1))

    assert len(found.raw) == MOST_RAW
    assert "raw" not in found.model_dump()


def test_an_answer_comes_back_as_it_was_stored() -> None:
    found = Found(count=2, items=(Item(what="sign-in", notable="new country"), Item(what="sign-in")))

    assert Found.model_validate_json(found.model_dump_json()) == found


def test_an_attempt_comes_after_what_took_effect() -> None:
    attempts = [Item(what="Reset password", notable=f"{index}", detail={"result": "failed"}) for index in range(60)]
    found = Found(count=61, items=(*attempts, Item(what="Reset password", notable="password reset")))

    assert found.items[0].notable == "password reset"


def test_one_of_each_kind_comes_before_the_second_of_any() -> None:
    many = [Item(what="rule", notable="deletes mail") for _ in range(MOST_ITEMS)]
    found = Found(count=51, items=(*many, Item(what="export", notable="search or export of mailboxes")))

    assert [item.what for item in found.items[:2]] == ["rule", "export"]


def test_an_answer_says_how_many_items_it_leaves_out() -> None:
    items = [Item(what="rule", notable=f"{index}") for index in range(MOST_ITEMS + 2)]
    found = Found(count=52, items=tuple(items), note="Counts only.")

    assert found.note == "2 more items, of which 2 notable: see the raw records. Counts only."
    assert Found.model_validate(found.model_dump()) == found
