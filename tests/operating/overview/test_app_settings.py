"""The settings page shows what the last self-check and the last run know.

It also shows each sensor's recent delays.
"""

from __future__ import annotations

from bypass_responder.model.finding import Source
from bypass_responder.operating.overview.app_settings import SCHEDULES, read_app_settings
from bypass_responder.operating.self_check import SelfChecks
from tests.fakes.self_check import FakeProbe, FakeSelfCheckStore, FakeTokens
from tests.world import TENANT, World, a_finding


def checks() -> SelfChecks:
    return SelfChecks(tokens=FakeTokens(TENANT), storage=FakeProbe(), store=FakeSelfCheckStore())


async def test_before_a_self_check_nothing_is_made_up() -> None:
    found = await read_app_settings(World().services, checks())

    assert (found.mode, found.version, found.limits, found.as_of) == (None, None, {}, None)
    assert {each.median_minutes for each in found.sensors} == {None}


async def test_after_it_the_limits_schedules_and_delays_are_known() -> None:
    world = World()
    world.self_checks = checks()
    await world.sees(a_finding())
    await world.passes(minutes=1)
    found = await read_app_settings(world.services, world.self_checks)
    feed = next(each for each in found.sensors if each.name == Source.FEED)

    assert found.limits["CONTAINMENT_LIMIT_PER_HOUR"] == "5"
    assert (feed.schedule, feed.median_minutes, feed.incidents) == ("0 * * * * *", 60.0, 1)


def test_every_source_that_watches_is_a_sensor() -> None:
    assert SCHEDULES.keys() == {*Source} - {Source.RECHECK, Source.ACTOR}
