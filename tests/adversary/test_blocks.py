"""An account that was taken over ends blocked, and stays blocked, whatever happens around the call."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.errors import NotFoundError, PermissionMissingError, TransientError
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.step import StepKind, StepState
from bypass_responder.triggers.resume_responses import resume_responses
from tests.adversary.scenes import a_world, an_off, commits_before_the_block, contained, hours_pass, problems_of
from tests.world import ALEX, START, World, a_finding


async def test_one_404_of_a_stale_replica_does_not_end_the_block() -> None:
    """One 404 does not mean that the account is gone: the directory is eventually consistent."""
    world = a_world()
    world.directory.fail("set_sign_in", NotFoundError("stale replica"))
    world.directory.fail("revoke_sessions", NotFoundError("stale replica"))
    await contained(world)
    await hours_pass(world, 1, 1, 1, 24, 24)

    assert world.directory.enabled[ALEX] is False


async def test_one_stale_read_back_does_not_hide_that_the_account_is_enabled_again() -> None:
    """An account that one read-back does not find is not deleted, and its re-enabling is noticed."""
    world = a_world()
    await contained(world)
    missed = world.directory.accounts.pop(ALEX)
    await world.passes(seconds=6)
    world.directory.accounts[ALEX] = missed
    world.directory.change(ALEX, account_enabled=True)
    await hours_pass(world, 1, 24)

    assert world.directory.enabled[ALEX] is False or "step_ineffective" in await world.notifications()


async def test_one_stale_read_before_weeks_without_the_permission_does_not_end_the_reads() -> None:
    """One read does not find the account, and nor does one weeks later: it is not deleted."""
    world = a_world()
    await contained(world)
    await hours_pass(world, 1, 24)
    missed = world.directory.accounts.pop(ALEX)
    await hours_pass(world, 24)
    missing = PermissionMissingError("403", permission="User.Read.All")
    world.directory.fail("find", missing, always=True)
    await problems_of(world.passes(days=31))
    world.directory.recover()
    await world.passes(minutes=1)
    world.directory.accounts[ALEX] = missed
    world.directory.change(ALEX, account_enabled=True)
    await hours_pass(world, 24, 0.1)

    assert "step_ineffective" in await world.notifications()


async def test_an_account_disabled_at_the_claim_and_enabled_later_is_noticed() -> None:
    """A sign-in that is off for the minute of the claim does not end the block.

    A re-check notices that the account was enabled again.
    """
    world = a_world()
    world.directory.change(ALEX, account_enabled=False)
    await contained(world)
    world.directory.change(ALEX, account_enabled=True)
    await hours_pass(world, 0.1, 1, 24)

    assert world.directory.enabled[ALEX] is False or "step_ineffective" in await world.notifications()


async def test_the_block_goes_out_before_other_records_about_the_account_are_decided() -> None:
    """An *off* from a loop in PowerShell costs no transaction between the claim and the call."""
    alone, flooded = a_world(), a_world()
    commits_alone, commits_flooded = commits_before_the_block(alone), commits_before_the_block(flooded)
    on, first = START - timedelta(hours=1), START - timedelta(minutes=59)
    await alone.sees(a_finding(effective_at=on))
    await flooded.sees(
        a_finding(effective_at=on), *(an_off(effective_at=first + timedelta(seconds=n)) for n in range(30))
    )

    assert commits_flooded[0] == commits_alone[0]


async def test_a_block_in_flight_is_not_held_under_the_caller() -> None:
    """A second record leaves the claim of a call under way in place, even when no slot is left.

    Otherwise the call goes through, and the ledger has the block held while Entra has the account blocked.
    """
    world = a_world(containment_limit_per_hour=1)
    world.directory.fail("set_sign_in", TransientError("503"), about=ALEX)
    await world.sees(a_finding())
    world.now += timedelta(minutes=1)
    block = world.directory.set_sign_in

    async def overtaken(object_id: str, *, enabled: bool) -> None:
        world.now += timedelta(seconds=10)
        world.limit.slots = {"somebody-else": world.now}
        world.directory.set_sign_in = block  # type: ignore[method-assign]
        await world.sees(a_finding(effective_at=world.now - timedelta(minutes=50)))
        await block(object_id, enabled=enabled)

    world.directory.set_sign_in = overtaken  # type: ignore[method-assign]
    await resume_responses(world.services)
    state = (await world.states())[StepKind.BLOCK_SIGN_IN]

    assert (world.directory.enabled[ALEX], state) != (False, StepState.HELD)


async def reverted_block() -> tuple[World, str]:
    """The worker lost its role, so the bypass stays on; somebody enabled the blocked account again."""
    world = a_world()
    await world.sees(a_finding())
    await world.answer(
        outcome=ExchangeOutcome.FAILED, error="no role", error_class="permission", before=None, after=None
    )
    await world.passes(minutes=1)
    world.directory.change(ALEX, account_enabled=True)
    await hours_pass(world, 1, 0.1)  # one read may be stale: the second one is certain
    return world, (await world.incidents())[-1].id


async def test_a_further_on_blocks_an_account_again_that_somebody_enabled() -> None:
    """A reverted block of an open episode is made again when the account is bypassed again."""
    world, _ = await reverted_block()
    await world.sees(a_finding(effective_at=world.now))
    await world.passes(minutes=1)

    assert world.directory.enabled[ALEX] is False


async def test_a_person_can_have_a_reverted_block_made_again() -> None:
    """A block that was reverted does not count as done: an approval makes it again."""
    world, incident = await reverted_block()
    await world.decides("approve", incident)
    await world.passes(minutes=1)

    assert world.directory.enabled[ALEX] is False


async def many_incidents(world: World, number: int) -> None:
    """ALEX is bypassed again and again, each time after auditing was restored, and no receiver answers."""
    world.notifier.fail("send", TransientError("down"), always=True)
    for _ in range(number):
        world.bypassed[ALEX] = True
        await world.sees(a_finding(effective_at=world.now, received_at=world.now))
        await world.answer()
        world.now += timedelta(seconds=2)


async def test_reminders_of_many_incidents_at_once_do_not_stop_the_account() -> None:
    """After an outage, reminders that need more than 100 rows do not stop the account's decisions.

    One transaction cannot hold them.
    """
    world = a_world(automatic_controls="disable_bypass")
    await many_incidents(world, 36)
    await world.passes(minutes=1)
    await world.passes(hours=6)
    await world.passes(minutes=1)
    waiting = [incident.reminded for incident in await world.incidents()]
    await many_incidents(world, 1)

    assert waiting == [1] * 36
    assert not world.bypassed[ALEX]


async def test_more_incidents_than_one_transaction_shows_come_to_their_end() -> None:
    """The block and the revocation were shown in the newest 20; the others stayed open."""
    world = a_world()
    await many_incidents(world, 25)
    for _ in range(3):
        await world.passes(minutes=1)

    assert {incident.status for incident in await world.incidents()} == {IncidentStatus.CONTAINED}
