"""The calls on an account: errors, retries, read-backs and re-checks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import NotFoundError, PermissionMissingError, ThrottledError
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.step import Effect, StepKind, StepState
from tests.world import ALEX, World, a_finding, an_account

BLOCK, REVOKE, DISABLE = StepKind.BLOCK_SIGN_IN, StepKind.REVOKE_SESSIONS, StepKind.DISABLE_BYPASS


async def test_an_administrator_stays_open_is_revoked_and_the_missing_role_is_named() -> None:
    world = World()
    world.directory.admins.add(ALEX)

    await world.sees(a_finding())

    steps = await world.steps()
    assert steps[BLOCK].state is StepState.FAILED
    assert "Privileged Authentication Administrator" in steps[BLOCK].detail
    assert world.directory.revoked == [ALEX]
    assert "step_failed" in await world.notifications()


async def test_a_synchronized_account_is_reported_as_temporarily_blocked() -> None:
    world = World(an_account(on_premises_sync_enabled=True))
    await world.sees(a_finding())
    await world.passes(seconds=30)

    assert (await world.steps())[BLOCK].effect is Effect.TEMPORARY
    assert any("Active Directory" in todo for notification in world.notifier.sent for todo in notification.left_to_do)


async def test_revoking_a_guest_is_reported_as_ineffective() -> None:
    world = World(an_account(guest=True))
    await world.sees(a_finding())
    await world.passes(seconds=30)

    assert (await world.steps())[REVOKE].effect is Effect.INEFFECTIVE
    assert "step_ineffective" in await world.notifications()


async def test_an_account_deleted_between_read_and_act_needs_nothing_more() -> None:
    world = World()
    world.directory.fail("set_sign_in", NotFoundError("gone"))
    world.directory.fail("revoke_sessions", NotFoundError("gone"))
    await world.sees(a_finding())
    del world.directory.accounts[ALEX]
    for _ in range(4):
        await world.passes(minutes=1)

    assert {step.effect for kind, step in (await world.steps()).items() if kind is not DISABLE} == {Effect.NOT_NEEDED}


async def test_a_throttled_block_is_retried_after_the_delay_that_the_service_asked_for() -> None:
    world = World()
    world.directory.fail("set_sign_in", ThrottledError("wait", retry_after_seconds=600))
    await world.sees(a_finding())
    await world.passes(seconds=500)
    too_early = world.directory.enabled[ALEX]

    await world.passes(seconds=110)

    assert too_early
    assert not world.directory.enabled[ALEX]


async def test_a_stale_read_back_is_read_again_and_no_failure() -> None:
    world = World()
    await world.sees(a_finding())
    world.directory.change(ALEX, account_enabled=True)
    await world.passes(seconds=15)
    waiting = (await world.steps())[BLOCK].state
    world.directory.change(ALEX, account_enabled=False)

    await world.passes(minutes=5)

    assert waiting is StepState.ACTED
    assert (await world.steps())[BLOCK].effect is Effect.EFFECTIVE


async def test_an_effect_that_never_shows_is_unverified_and_notified() -> None:
    world = World()
    await world.sees(a_finding())
    for _ in range(40):
        world.directory.change(ALEX, account_enabled=True)
        await world.passes(minutes=5)

    assert (await world.steps())[BLOCK].effect is Effect.UNVERIFIED
    assert "step_ineffective" in await world.notifications()


async def an_undone_block() -> World:
    """Somebody enables the account after its block, and the recheck shows it."""
    world = World()
    await world.sees(a_finding())
    await world.answer()
    await world.passes(minutes=5)
    world.directory.change(ALEX, account_enabled=True)
    await world.passes(hours=1)
    await world.passes(minutes=2)
    return world


async def test_an_account_that_somebody_enables_again_is_reverted_at_the_recheck() -> None:
    world = await an_undone_block()

    assert (await world.steps())[BLOCK].effect is Effect.REVERTED


async def test_sessions_are_revoked_again_when_the_block_comes_after_the_revocation() -> None:
    """The limit holds the block back, and anyone who signs in meanwhile gets new sessions."""
    world = World(containment_limit_per_hour=0)
    await world.sees(a_finding())
    await world.answer()
    await world.passes(minutes=5)
    before = list(world.directory.revoked)
    await world.decides("approve", (await world.incidents())[0].id)
    await world.passes(seconds=20)

    assert (before, world.directory.revoked) == ([ALEX], [ALEX, ALEX])
    assert (await world.steps())[REVOKE].effect is Effect.EFFECTIVE


async def test_sessions_are_revoked_again_when_an_undone_block_is_approved() -> None:
    world = await an_undone_block()
    await world.decides("approve", (await world.incidents())[0].id)

    assert world.directory.revoked == [ALEX, ALEX]


async def test_an_approved_block_fits_one_transaction_whatever_came_before() -> None:
    world = World(containment_limit_per_hour=0)
    for number in range(25):
        await world.sees(a_finding(effective_at=world.now))
        await world.answer()
        await world.passes(minutes=number + 5)
    await world.decides("approve", (await world.incidents())[-1].id)

    assert len(await world.incidents()) == 25
    assert not world.directory.enabled[ALEX]


async def test_sessions_are_revoked_once_when_the_block_comes_first() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    await world.passes(minutes=5)
    await world.passes(hours=2)

    assert world.directory.revoked == [ALEX]


async def test_a_bypass_that_is_on_again_at_the_recheck_opens_a_new_incident() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await world.answer()
    await world.passes(minutes=5)
    world.bypassed[ALEX] = True
    await world.passes(hours=1)

    await world.answer()

    assert len(await world.incidents()) == 2
    await world.answer()
    assert world.bypassed[ALEX] is False


async def test_a_permission_that_is_missing_for_revoking_does_not_stop_the_block() -> None:
    world = World()
    world.directory.fail("revoke_sessions", PermissionMissingError("no", permission="User.RevokeSessions.All"))

    await world.sees(a_finding())

    assert not world.directory.enabled[ALEX]
    assert (await world.steps())[REVOKE].state is StepState.FAILED


async def test_a_missing_graph_permission_raises_an_alert() -> None:
    world = World()
    world.directory.fail("find", PermissionMissingError("no", permission="User.Read.All"), always=True)
    with pytest.raises(ExceptionGroup):
        await world.sees(a_finding())

    with pytest.raises(ExceptionGroup):
        await world.passes(minutes=1)
    assert "alert-response_permission_missing" in (await world.case("tenant")).by_key


async def test_a_permission_that_is_granted_again_ends_its_alert() -> None:
    world = World()
    world.directory.fail("find", PermissionMissingError("no", permission="User.Read.All"), always=True)
    with pytest.raises(ExceptionGroup):
        await world.sees(a_finding())
    with pytest.raises(ExceptionGroup):
        await world.passes(minutes=1)
    world.directory.recover()

    await world.passes(minutes=1)

    alert = (await world.case("tenant")).by_key["alert-response_permission_missing"]
    assert isinstance(alert, HealthAlert)
    assert alert.recovered_at == world.now


@pytest.mark.parametrize(("minutes", "until"), [(2, 0), (5, 0), (7, 6)])
async def test_a_replica_that_still_shows_our_released_block_hides_no_bypass(minutes: int, until: int) -> None:
    """On again after the release: a late replica shows the account as disabled, as if by somebody else."""
    world = World()
    await world.sees(a_finding())
    await world.answer()
    await world.passes(seconds=30)
    late = world.directory.accounts[ALEX]
    await world.decides("release", (await world.incidents())[0].id)
    world.now += timedelta(minutes=minutes)
    released, world.directory.accounts[ALEX] = world.directory.accounts[ALEX], late
    await world.sees(a_finding(effective_at=world.now))
    if until:
        world.directory.accounts[ALEX] = released
    await world.passes(minutes=until)

    newest = (await world.incidents())[-1]
    block = (await world.case()).step(newest.id, BLOCK)
    assert (late.account_enabled, released.account_enabled) == (False, True)
    assert not world.directory.enabled[ALEX]
    assert block is not None
    assert block.attempts == 1


@pytest.mark.parametrize(("synced", "reads"), [(False, [1, 6]), (True, [1, 6, 35])])
async def test_an_account_that_somebody_else_disabled_is_read_again(synced: bool, reads: list[int]) -> None:
    """The first read is about the revocation."""
    world = World(an_account(account_enabled=False, on_premises_sync_enabled=synced))
    await world.sees(a_finding())
    read_at = []
    for minute in range(1, 50):
        world.directory.calls.clear()
        await world.passes(minutes=1)
        read_at += [minute] if ("find", ALEX) in world.directory.calls else []

    assert read_at == reads


async def test_an_account_that_is_gone_needs_no_decision() -> None:
    world = World()
    world.directory.fail("set_sign_in", NotFoundError("gone"))
    world.directory.fail("revoke_sessions", NotFoundError("gone"))
    await world.sees(a_finding())
    del world.directory.accounts[ALEX]
    for _ in range(4):
        await world.passes(minutes=1)
    await world.answer(outcome=ExchangeOutcome.NOT_FOUND, resolved=None, before=None, after=None)

    assert {step.effect for step in (await world.steps()).values()} == {Effect.NOT_NEEDED}
    assert (await world.incidents())[0].status is IncidentStatus.CONTAINED
