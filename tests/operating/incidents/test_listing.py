"""One page of the list."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bypass_responder.model.listing import IndexFilter
from bypass_responder.operating.incidents.listing import list_incidents, needing_decision
from tests.operating.incidents.lines import a_line, a_world
from tests.world import START


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
