"""The review of the allowlist: what is proposed for each entry."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.model.account import MalformedEntry
from bypass_responder.model.finding import Source
from bypass_responder.operating.allowlist.edit import plan_keep
from bypass_responder.operating.allowlist.review import Proposal, Review, review
from tests.operating.allowlist.builders import allowed, makes, swept
from tests.world import ALEX, OPS, START, World, a_finding, an_entry


async def reviewed(world: World) -> Review:
    [found] = await review(world.services)
    return found


async def after(days: float, **given: Any) -> World:
    """ALEX was allowlisted so many days ago, and all sweeps since had the account off."""
    world = World()
    await allowed(world, **given)
    world.now += timedelta(days=days)
    swept(world)
    return world


async def test_an_entry_that_was_off_for_30_days_is_to_be_removed() -> None:
    found = await reviewed(await after(31))

    assert (found.proposal, found.due, "unused" in found.why) == (Proposal.REMOVE, True, True)


async def test_a_new_entry_is_not_unused() -> None:
    assert (await reviewed(await after(29))).proposal is Proposal.KEEP


async def test_an_entry_that_was_edited_lately_can_be_unused() -> None:
    world = await after(31)
    await makes(world, await plan_keep(ALEX, world.services, author=OPS))
    swept(world)

    assert (await reviewed(world)).proposal is Proposal.REMOVE


async def test_an_account_that_is_on_is_used() -> None:
    world = await after(31)
    swept(world, ALEX)

    assert (await reviewed(world)).proposal is Proposal.KEEP


@pytest.mark.parametrize("first_days", [29, 31])
async def test_unused_takes_30_days_of_sweeps(first_days: int) -> None:
    world = await after(100)
    swept(world, first=timedelta(days=first_days))

    assert ("unused" in (await reviewed(world)).why) is (first_days > 30)


async def test_without_a_recent_sweep_nothing_is_unused() -> None:
    world = await after(100)
    world.now += timedelta(days=2)

    assert "unused" not in (await reviewed(world)).why


async def test_an_account_with_a_recent_record_is_used() -> None:
    world = await after(100)
    await world.sees(a_finding(effective_at=world.now - timedelta(days=3), source=Source.FEED))
    await world.answer()

    assert "unused" not in (await reviewed(world)).why


@pytest.mark.parametrize(
    ("row", "proposal", "due"),
    [
        (an_entry(reviewed_at=START), Proposal.KEEP, False),
        (an_entry(), Proposal.KEEP, True),
        (an_entry(reviewed_at=START - timedelta(days=91)), Proposal.KEEP, True),
        (an_entry(expires_at=START + timedelta(days=13), reviewed_at=START), Proposal.EXTEND, True),
        (an_entry(expires_at=START, reviewed_at=START), Proposal.REMOVE, True),
        (MalformedEntry(object_id=ALEX, problem="Owner is missing"), Proposal.FIX, True),
    ],
)
async def test_each_entry_has_a_proposal(row: Any, proposal: Proposal, due: bool) -> None:
    world = World()
    world.allowlist.rows = {ALEX: row}
    found = await reviewed(world)

    assert (found.proposal, found.due) == (proposal, due)


async def test_keeping_an_entry_ends_its_review() -> None:
    world = World()
    await world.passes(minutes=1)
    await world.allowlist.put(an_entry(edited_at=None))
    await world.passes(minutes=1)
    await makes(world, await plan_keep(ALEX, world.services, author=OPS))
    found = await reviewed(world)

    assert (found.due, found.entry.reviewed_by) == (False, str(OPS))


async def test_a_review_leaves_an_approval_as_it_is() -> None:
    world = World()
    entry = await allowed(world)
    edit = await plan_keep(ALEX, world.services, author=OPS)

    assert edit.after is not None
    assert edit.after.digest() == entry.digest()
