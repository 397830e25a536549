"""A release enables the intended account at the intended time, never under a newer incident."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import RefusedError, ThrottledError
from bypass_responder.model.change import Actor
from bypass_responder.model.decision_message import Author, Channel, DecisionKind
from bypass_responder.model.incident import PersonDecision
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.step import StepKind, StepState
from bypass_responder.operating.decide import prepare_approval
from bypass_responder.operating.verify_log import verify_log
from tests.adversary.scenes import a_world, bypassed_again, contained, hours_pass, minutes_pass, problems_of
from tests.world import ALEX, World, a_finding, an_entry


async def test_releasing_an_older_incident_never_leaves_a_newer_one_contained_and_enabled() -> None:
    """A release of this morning's incident is refused while a later one has the account blocked."""
    world = a_world()
    older = await contained(world)
    await bypassed_again(world, minutes=30)
    await world.answer()
    await world.passes(seconds=10)
    with pytest.raises(RefusedError, match="came later"):
        await world.decides("release", older)
    await hours_pass(world, 0.1, 1, 24)
    newer = (await world.incidents())[-1]

    assert (world.directory.enabled[ALEX], newer.status) != (True, IncidentStatus.CONTAINED)


async def test_a_delayed_release_does_not_undo_a_newer_block() -> None:
    """A release that Graph throttled is not repeated over the block of a new violation."""
    world = a_world()
    older = await contained(world)
    world.now += timedelta(hours=2)
    world.directory.fail("set_sign_in", ThrottledError("429", retry_after_seconds=120))
    await world.decides("release", older)
    await bypassed_again(world, minutes=1)
    await world.answer()
    await minutes_pass(world, 4)

    assert world.directory.enabled[ALEX] is False


async def flapping_account(*, episodes: int) -> World:
    """ALEX is bypassed again ten minutes after each restoration, as often as this."""
    world = a_world()
    await contained(world)
    for _ in range(episodes - 1):
        await bypassed_again(world, minutes=10)
        await world.answer()
    return world


@pytest.mark.slow
async def test_an_account_with_many_incidents_can_be_released() -> None:
    """A release that cancels more than 95 open re-checks of the account does not exceed a transaction."""
    world = await flapping_account(episodes=110)
    problems = await problems_of(world.decides("release", (await world.incidents())[-1].id))

    assert problems == []


@pytest.mark.slow
async def test_a_release_that_cannot_be_recorded_does_not_undo_a_newer_block() -> None:
    """A release whose lease has ended is not called again over a new violation."""
    world = await flapping_account(episodes=110)
    await problems_of(world.decides("release", (await world.incidents())[-1].id))
    await problems_of(bypassed_again(world, minutes=5))
    await minutes_pass(world, 8)

    assert world.directory.enabled[ALEX] is False


EVIL = Author(object_id="0e0e0e0e-0000-4000-8000-00000000000e", name="evil@contoso.onmicrosoft.com")
BY_EVIL = Actor(user_id=EVIL.name, object_id=EVIL.object_id)


async def ends(world: World) -> None:
    await world.answer()
    await world.passes(seconds=6)
    await world.passes(minutes=2)


async def kept_blocked(world: World, *, first: str) -> str:
    """An incident of another actor is ended; then EVIL's is closed, and its block kept. The id of the older one."""
    older = await contained(world)
    await ends(world)
    await world.decides(first, older)
    await world.passes(minutes=3)
    await bypassed_again(world, days=2)
    await world.answer()
    newer = (await world.incidents())[-1]
    await world.sees(a_finding(effective_at=world.now, actor=BY_EVIL))
    await ends(world)
    await world.decides("close", newer.id)
    return older


@pytest.mark.parametrize("first", ["release", "dismiss"])
async def test_an_actor_of_a_closed_incident_does_not_release_its_block_through_an_older_one(first: str) -> None:
    world = a_world()
    older = await kept_blocked(world, first=first)
    with pytest.raises(RefusedError, match=r"is an actor of incident .*, and cannot decide about it"):
        await world.decides("release", older, author=EVIL)

    assert not world.directory.enabled[ALEX]


async def test_an_actor_of_a_closed_incident_does_not_approve_an_entry_while_its_block_stands() -> None:
    world = a_world()
    await kept_blocked(world, first="dismiss")
    world.allowlist.rows[ALEX] = an_entry()
    with pytest.raises(RefusedError, match="is an actor of incident"):
        await prepare_approval(ALEX, world.services, reason="ticket", author=EVIL)


async def test_an_actor_of_an_incident_from_before_the_block_may_release() -> None:
    world = a_world()
    await world.sees(a_finding(actor=BY_EVIL))
    await ends(world)
    await world.decides("release", (await world.incidents())[-1].id)
    await world.passes(minutes=3)
    await bypassed_again(world, days=2)
    await ends(world)
    recorded = await world.decides("release", (await world.incidents())[-1].id, author=EVIL)

    assert recorded.outcome == "carried_out"


async def forged_release(world: World) -> None:
    """One insert into the table, in somebody's name and without a log line."""
    forged = PersonDecision(
        id="0e0e0e0e-0000-4000-8000-00000000000e",
        incident_id=await contained(world),
        verb=DecisionKind.RELEASE,
        author=Author(name="ceo@contoso.com"),
        channel=Channel.BYPASSCTL,
        reason="urgent",
        sent_at=world.now,
        at=world.now,
        outcome="carried_out",
    )
    world.ledger.stored[ALEX][forged.place] = (forged.kind, forged.model_dump_json())
    await world.work.touch(ALEX, world.now)
    await world.passes(minutes=1)


async def test_a_row_that_somebody_put_into_the_ledger_releases_nobody() -> None:
    world = a_world()
    await forged_release(world)

    assert world.directory.enabled[ALEX] is False


async def test_a_row_that_somebody_put_into_the_ledger_is_named() -> None:
    world = a_world()
    await forged_release(world)
    [problem] = (await verify_log(world.ledger, world.checkpoints)).problems

    assert "release by ceo@contoso.com (no object id)) is in no log entry" in problem


async def test_an_attack_after_a_release_is_contained_whatever_the_hosts_clocks_say() -> None:
    """The host that saw the first attack has a clock that is two minutes ahead."""
    world = a_world()
    world.now += timedelta(minutes=2)
    incident = await contained(world)
    await world.passes(seconds=20)
    await world.decides("release", incident)
    world.now -= timedelta(minutes=1)
    world.bypassed[ALEX] = True
    await world.sees(a_finding(effective_at=world.now + timedelta(minutes=3), actor=Actor(user_id="eve@contoso.com")))
    await world.answer()

    assert not world.directory.enabled[ALEX]


async def test_the_release_of_an_account_that_is_deleted_for_good_ends() -> None:
    world = a_world()
    incident = await contained(world)
    await hours_pass(world, 0.01)
    del world.directory.accounts[ALEX]
    await world.decides("release", incident)
    await hours_pass(world, *[24] * 33)
    world.ledger.calls.clear()
    await hours_pass(world, 0.1)

    assert ("commit", ALEX) not in world.ledger.calls
    assert (await world.steps())[StepKind.RELEASE].state is StepState.DONE


async def test_a_block_of_which_no_read_shows_the_effect_is_not_read_forever() -> None:
    """The account was deleted after the call, and nobody wants the block any more."""
    world = a_world()
    incident = await contained(world)
    del world.directory.accounts[ALEX]
    await world.decides("dismiss", incident)
    await hours_pass(world, *[24] * 33)
    world.ledger.calls.clear()
    await hours_pass(world, 0.1)

    assert ("commit", ALEX) not in world.ledger.calls


async def test_the_release_of_a_deleted_account_is_made_when_it_is_restored() -> None:
    world = a_world()
    incident = await contained(world)
    await hours_pass(world, 0.01)
    gone = world.directory.accounts.pop(ALEX)
    await world.decides("release", incident)
    await hours_pass(world, *[24] * 20)
    world.directory.accounts[ALEX] = gone
    await hours_pass(world, 24, 0.1)

    assert world.directory.enabled[ALEX]


async def test_auditing_of_a_released_account_is_restored_once_the_worker_has_its_permission_again() -> None:
    """Nobody can approve a step of an incident that is over."""
    world = a_world()
    await world.sees(a_finding())
    refused = {"outcome": "failed", "error_class": "permission", "error": "no role", "after": None}
    await world.answer(**refused)
    await world.passes(minutes=1)
    await world.decides("release", (await world.incidents())[-1].id)
    await world.answer(**refused)
    await hours_pass(world, 1)

    assert not world.bypassed[ALEX]
    assert "step_failed" in await world.notifications()


async def test_auditing_of_a_released_account_is_restored_once_exchange_finds_it_again() -> None:
    """Its mailbox comes back after the account; nobody can approve a step of an incident that is over."""
    world = a_world()
    await world.sees(a_finding())
    await world.passes(minutes=1)
    await world.decides("release", (await world.incidents())[-1].id)
    await world.answer(outcome=ExchangeOutcome.NOT_FOUND, resolved=None, before=None, after=None)
    await hours_pass(world, 1)

    assert not world.bypassed[ALEX]


async def test_nobody_asks_for_ever_about_the_bypass_of_a_released_account_that_exchange_does_not_find() -> None:
    world = a_world()
    await world.sees(a_finding())
    await world.passes(minutes=1)
    await world.decides("release", (await world.incidents())[-1].id)
    world.now += timedelta(days=31)
    await world.answer(outcome=ExchangeOutcome.NOT_FOUND, resolved=None, before=None, after=None)
    asked = len(world.exchange.sent)
    await hours_pass(world, 1, 1)

    assert len(world.exchange.sent) == asked
    assert "step_failed" in await world.notifications()
