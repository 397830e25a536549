"""Following one chain of the response log."""

from __future__ import annotations

import pytest

from bypass_responder.model.log import LogEntry
from bypass_responder.operating.log_chain import first_break
from tests.operating.incidents import scenes
from tests.world import ALEX


async def a_chain() -> list[LogEntry]:
    world = await scenes.contained()
    return [entry async for entry in world.ledger.log(ALEX)]


async def test_a_whole_chain_has_no_break() -> None:
    assert first_break(await a_chain()) == ""


@pytest.mark.parametrize("place", [0, 1, 3])
async def test_a_missing_entry_breaks_it_at_the_next_one(place: int) -> None:
    chain = await a_chain()
    del chain[place]

    assert first_break(chain).startswith(f"Entry {place + 2} does not fit")


async def test_a_changed_entry_breaks_it_there() -> None:
    chain = await a_chain()
    chain[2] = chain[2].model_copy(update={"text": "nothing happened"})

    assert first_break(chain).startswith("Entry 3 does not fit")
