"""The responder verifies its log once a day; what it finds is an alert, and a failure stops nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import TransientError
from bypass_responder.model.log import LogEntry
from bypass_responder.model.self_check import LogVerification
from bypass_responder.operating.self_check import SelfChecks
from tests.fakes.self_check import FakeProbe, FakeSelfCheckStore, FakeTokens
from tests.world import ALEX, TENANT, World, a_finding


class Verified(World):
    """A world whose app verifies its log."""

    def __init__(self) -> None:
        super().__init__()
        self.store = FakeSelfCheckStore()
        self.self_checks = SelfChecks(tokens=FakeTokens(TENANT), storage=FakeProbe(), store=self.store)

    @property
    def last(self) -> LogVerification:
        assert self.store.verified is not None
        return self.store.verified

    def restarts(self) -> None:
        """Another process takes over."""
        self.self_checks = SelfChecks(tokens=FakeTokens(TENANT), storage=FakeProbe(), store=self.store)

    def tamper(self) -> None:
        """Somebody changes a line of the log."""
        lines = self.ledger.logs[ALEX]
        lines[0] = LogEntry.model_validate_json(lines[0]).model_copy(update={"text": "changed"}).model_dump_json()


async def with_an_incident() -> Verified:
    world = Verified()
    await world.sees(a_finding())
    await world.passes(minutes=1)
    return world


async def test_the_first_run_verifies_and_stores_the_result() -> None:
    world = await with_an_incident()

    assert (world.last.at, world.last.problems, world.last.intact_at) == (world.now, (), world.now)
    assert world.last.entries > 0


@pytest.mark.parametrize("restart", [False, True])
async def test_it_is_repeated_after_a_day_and_not_before(restart: bool) -> None:
    world = await with_an_incident()
    first = world.last.at
    await world.passes(hours=23)
    if restart:
        world.restarts()
    early = world.last.at
    await world.passes(hours=2)

    assert (early, world.last.at) == (first, world.now)


async def test_a_result_that_was_stored_by_a_run_that_ended_there_is_an_alert() -> None:
    world = await with_an_incident()
    world.tamper()
    save = world.store.save_verification

    async def ends(verification: LogVerification) -> None:
        await save(verification)
        raise TransientError("The host ends.")

    world.store.save_verification = ends  # type: ignore[method-assign]
    await world.passes(days=1)

    assert "log_broken" in await world.alerts()


async def test_a_changed_line_is_an_alert_until_a_verification_finds_nothing() -> None:
    world = await with_an_incident()
    intact, before = world.last.at, list(world.ledger.logs[ALEX])
    world.tamper()
    await world.passes(days=1)
    broken, alerts = world.last, await world.alerts()
    world.ledger.logs[ALEX][: len(before)] = before
    await world.passes(days=1)

    assert (broken.found > 0, broken.intact_at) == (True, intact)
    assert "log_broken" in alerts
    assert "log_broken" not in await world.alerts()


async def test_a_verification_that_fails_is_repeated_after_an_hour_and_stops_nothing() -> None:
    world = Verified()
    world.store.fail("save_verification", TransientError("503"))
    await world.sees(a_finding())
    await world.passes(minutes=1)
    await world.passes(minutes=30)
    early = world.store.verified
    await world.passes(minutes=31)

    assert early is None
    assert world.last.at == world.now


async def test_it_covers_what_changed_since_a_day_before_it_was_last_intact() -> None:
    world = await with_an_incident()
    await world.passes(days=3)

    assert world.last.since == (world.now - timedelta(days=4)).date()
