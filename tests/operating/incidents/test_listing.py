"""One page of the list, and the incident that a text stands for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bypass_responder.errors import NotFoundError
from bypass_responder.model.case import IndexEntry
from bypass_responder.model.listing import IndexFilter
from bypass_responder.operating.incidents.listing import find_one, list_incidents, needing_decision
from tests.world import ALEX, START, World


def a_line(entry_id: str, *, minutes: int = 0, **fields: Any) -> IndexEntry:
    defaults: dict[str, Any] = {
        "id": entry_id,
        "target": ALEX,
        "kind": "incident",
        "status": "contained",
        "at": START + timedelta(minutes=minutes),
        "account": "alex@contoso.com",
        "actor": "mallory@contoso.com",
        "reason": "not allowlisted",
        "accounts": ("alex@contoso.com", ALEX),
        "actors": ("mallory@contoso.com",),
    }
    return IndexEntry.model_validate(defaults | fields)


async def a_world(*lines: IndexEntry) -> World:
    world = World()
    await world.index.put(lines)
    return world


async def test_a_page_says_how_much_of_the_list_it_is() -> None:
    world = await a_world(*(a_line(f"i{number}", minutes=number) for number in range(5)))
    first = await list_incidents(IndexFilter(), world.services, limit=3)
    second = await list_incidents(IndexFilter(), world.services, after=first.next or "", limit=3)
    whole = await list_incidents(IndexFilter(), world.services, limit=5)

    assert [(page.shown, len(page.entries)) for page in (first, second, whole)] == [
        ("3, and more", 3),
        ("2", 2),
        ("5 of 5", 5),
    ]


async def test_what_needs_a_decision_is_oldest_first_and_counted() -> None:
    world = await a_world(
        a_line("late", minutes=2, status="held"), a_line("early", status="failed"), a_line("done", status="closed")
    )
    page = await needing_decision(world.services, limit=1)

    assert ([entry.id for entry in page.entries], page.shown) == (["early"], "1 of 2")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("20260302-ca12beef", "20260302-ca12beef"),
        ("20260302", "20260302-ca12beef"),
        (" ca12 ", "20260302-ca12beef"),
        ("alex@contoso.com", "20260302-ca12beef"),
        (ALEX, "20260302-ca12beef"),
        ("BLAKE@contoso.com", "20260303-00000001"),
    ],
)
async def test_a_text_stands_for_one_incident(text: str, found: str) -> None:
    """Of the account, the only one that nobody has ended; else its only one."""
    world = await a_world(
        a_line("20260302-ca12beef"),
        a_line("20260301-ca99beef", minutes=-1, status="closed"),
        a_line("20260303-00000001", status="closed", accounts=("blake@contoso.com",)),
    )

    assert (await find_one(text, world.services)).id == found


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("nobody@contoso.com", "nobody@contoso.com matches no incident"),
        ("2026", "2026 matches 7 incidents: 20260302-00000000, "),
        ("alex@contoso.com", "alex@contoso.com matches 7 incidents"),
        ("", "matches no incident"),
    ],
)
async def test_a_text_that_stands_for_none_or_several_is_refused(text: str, error: str) -> None:
    world = await a_world(*(a_line(f"20260302-0000000{number}") for number in range(7)))

    with pytest.raises(NotFoundError, match=error):
        await find_one(text, world.services)


@pytest.mark.parametrize(
    "wanted",
    [
        {"oldest_first": True},
        {"oldest_first": True, "statuses": ("contained",)},
        {"oldest_first": True, "statuses": ("held",), "account": "alex"},
        {"person": "alex", "actor": "mallory"},
        {"since": START, "until": START},
        {"statuses": ("contain",)},
    ],
)
def test_a_filter_that_contradicts_itself_is_refused(wanted: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        IndexFilter(**wanted)
