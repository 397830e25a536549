"""A person's decision covers what they were shown, and nothing that came to light later."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.model.finding import Finding
from tests.adversary.scenes import a_world, contained, log_lines_about, verdict_of
from tests.world import World, a_finding


async def dismissed_with_a_late_record() -> tuple[World, Finding]:
    """The incident of 09:00 is dismissed at 12:00; at 12:45 the record of an attack at 11:30 arrives."""
    world = a_world()
    incident = await contained(world)
    world.now += timedelta(hours=3)
    attack = a_finding(effective_at=world.now - timedelta(minutes=30))
    await world.decides("dismiss", incident)
    await world.passes(minutes=1)
    world.now += timedelta(minutes=45)
    await world.sees(attack)
    await world.passes(minutes=1)
    return world, attack


async def test_an_attack_that_nobody_had_seen_is_decided_after_an_older_one_was_dismissed() -> None:
    """A record from before the decision is not past when a late feed brings it only afterwards.

    The feed is an hour late. The record gets its steps and its notification.
    """
    world, attack = await dismissed_with_a_late_record()

    assert await verdict_of(attack, world) != "past"


async def test_a_late_record_is_decided_once() -> None:
    """No rule reopens what another has just put into the past."""
    world, attack = await dismissed_with_a_late_record()

    assert log_lines_about(attack, world) < 3
