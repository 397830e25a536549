"""A changed mode or protected list, as the next runs of the scheduler notice it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import RefusedError, TransientError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.message import Command
from bypass_responder.model.notification import Notification, Severity
from bypass_responder.model.step import CONTROLS, Effect, Step, StepKind, StepState
from bypass_responder.operating.status import read_status
from bypass_responder.session import open_session
from bypass_responder.triggers import follow_settings
from bypass_responder.triggers.record_exchange_result import record_exchange_result
from tests.world import ALEX, BLAKE, World, a_finding, an_account

BLOCK, REVOKE, DISABLE = CONTROLS
HELD, WITHHELD = StepState.HELD, StepState.WITHHELD


def about(object_id: str = ALEX, name: str = "alex") -> dict[str, str]:
    return {"object_id_text": object_id, "identity_text": f"{name}@contoso.onmicrosoft.com"}


def account_no(number: int) -> str:
    return f"cccccccc-0000-4000-8000-{number:012d}"


async def observed(*, accounts: int = 0) -> World:
    """A responder in observe that decided about ALEX and BLAKE, or about so many accounts."""
    ids = [account_no(number) for number in range(accounts)] or [ALEX, BLAKE]
    people = [an_account(each, f"user{number}@contoso.onmicrosoft.com") for number, each in enumerate(ids)]
    world = World(*people, mode="observe")
    world.bypassed = dict.fromkeys(ids, True)
    await world.passes(minutes=1)
    for number, each in enumerate(ids):
        world.now += timedelta(seconds=1)
        await world.sees(a_finding(**about(each, f"user{number}")))
    return world


async def summaries(world: World, kind: str = "mode_changed") -> list[Notification]:
    return [row for row in (await world.case(TENANT_TARGET)).rows(Notification) if row.about == kind]


async def some_minutes(world: World, minutes: int = 3) -> None:
    for _ in range(minutes):
        await world.passes(minutes=1)


async def flipped(**settings: str) -> World:
    world = await observed()
    world.deploy(**settings)
    await some_minutes(world)
    return world


async def contained(**settings: str) -> World:
    world = World(**settings)
    world.bypassed[ALEX] = True
    await world.passes(minutes=1)
    await world.sees(a_finding())
    await world.answer()
    await some_minutes(world)
    return world


# ---- observe → enforce


async def test_what_was_decided_in_observe_is_held() -> None:
    world = await flipped()

    assert [await world.states(each) for each in (ALEX, BLAKE)] == [dict.fromkeys(CONTROLS, HELD)] * 2
    assert {entry.status for entry in world.index.held.values()} == {IncidentStatus.HELD}


async def test_nothing_is_done_because_of_the_flip() -> None:
    world = await flipped()
    await world.passes(hours=25)

    assert (set(world.directory.enabled.values()), world.directory.revoked, world.exchange.sent) == ({True}, [], [])


async def test_one_summary_is_sent_and_no_notification_per_account() -> None:
    world = await flipped()
    await world.passes(hours=3)

    [summary] = await summaries(world)
    assert (summary.facts["observed"], summary.sent_at is not None) == (2, True)
    assert [await world.notifications(each) for each in (ALEX, BLAKE)] == [["observed"]] * 2


async def test_approval_after_the_flip_makes_it_act() -> None:
    world = await flipped()
    await world.decides("approve", (await world.incidents())[0].id)
    await world.answer()
    await some_minutes(world)

    assert (world.directory.enabled, world.bypassed) == ({ALEX: False, BLAKE: True}, {ALEX: False, BLAKE: True})


async def test_many_cases_are_visited_some_in_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_settings, "VISITS_PER_RUN", 2)
    world = await observed(accounts=5)
    world.deploy()
    await world.passes(minutes=1)
    touched = [target for call, target in world.work.calls if call == "touch" and target != TENANT_TARGET][-2:]
    await some_minutes(world, 4)

    assert touched == [account_no(3), account_no(4)]
    assert {entry.status for entry in world.index.held.values()} == {IncidentStatus.HELD}


@pytest.mark.parametrize("call", ["newest", "touch", "commit"])
async def test_an_interrupted_flip_is_repeated_with_one_summary(call: str) -> None:
    world = await observed()
    port = {"newest": world.index, "touch": world.work, "commit": world.ledger}[call]
    world.deploy()
    port.fail(call, TransientError("no answer"))
    with pytest.raises(ExceptionGroup):
        await world.passes(minutes=1)
    await some_minutes(world)

    assert await world.states() == dict.fromkeys(CONTROLS, HELD)
    assert len(await summaries(world)) == 1


async def test_what_a_run_with_the_old_mode_stored_late_is_held_too() -> None:
    world = await observed()
    old = world.services
    world.deploy()
    await some_minutes(world)
    new, world.services = world.services, old
    world.directory.accounts[account_no(1)] = an_account(account_no(1), "casey@contoso.onmicrosoft.com")
    await world.sees(a_finding(**about(account_no(1), "casey")))
    world.services = new
    await world.passes(minutes=14)
    await some_minutes(world)

    assert await world.states(account_no(1)) == dict.fromkeys(CONTROLS, HELD)


async def test_the_first_run_notifies_of_no_change() -> None:
    world = await contained()

    assert await summaries(world) == []


async def test_a_quiet_run_after_the_flip_writes_nothing() -> None:
    world = await flipped()
    await world.passes(minutes=20)
    await some_minutes(world, 2)
    before = len([call for call in world.ledger.calls if call[0] == "commit"])
    await world.passes(minutes=1)

    assert len([call for call in world.ledger.calls if call[0] == "commit"]) == before


# ---- enforce → observe


async def test_a_planned_step_is_withheld_at_once_and_logged() -> None:
    world = World()
    await world.passes(minutes=1)
    world.directory.fail("set_sign_in", TransientError("503"), always=True)
    await world.sees(a_finding())
    world.deploy(mode="observe")
    await world.passes(seconds=1)
    await world.passes(seconds=1)

    lines = [entry.text async for entry in world.ledger.log(ALEX) if entry.event == "withheld"]
    assert (await world.states())[BLOCK] is WITHHELD
    assert "block_sign_in: MODE is observe" in lines


async def test_the_flip_to_observe_is_notified_once() -> None:
    world = await contained()
    world.deploy(mode="observe")
    await some_minutes(world)

    [one] = await summaries(world)
    assert (one.severity, "observe" in one.title) == (Severity.CRITICAL, True)


async def test_an_outstanding_command_is_withdrawn_and_the_log_says_that_the_worker_has_it() -> None:
    world = World()
    await world.passes(minutes=1)
    await world.sees(a_finding())
    world.deploy(mode="observe")
    await some_minutes(world)

    [command] = (await world.case()).rows(Command)
    assert (command.state, (await world.states())[DISABLE]) == ("withdrawn", WITHHELD)
    assert [entry.text async for entry in world.ledger.log(ALEX) if "the worker may still carry it out" in entry.text]


@pytest.mark.parametrize("back", [False, True])
async def test_a_withdrawn_command_that_was_carried_out_all_the_same_is_recorded(*, back: bool) -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.passes(minutes=1)
    await world.sees(a_finding())
    world.deploy(mode="observe")
    await some_minutes(world)
    if back:
        world.deploy()
        await some_minutes(world)
    await world.answer()

    assert (await world.steps())[DISABLE].effect is Effect.EFFECTIVE
    assert (await world.incidents())[0].restored_at is not None


async def test_a_withdrawn_command_that_failed_changes_nothing() -> None:
    world = World()
    await world.passes(minutes=1)
    await world.sees(a_finding())
    world.deploy(mode="observe")
    await some_minutes(world)
    result = world._result(world.exchange.sent[0], outcome="failed", error="no role", error_class="permission")
    await record_exchange_result(result.model_dump_json().encode(), world.services)

    assert (await world.states())[DISABLE] is WITHHELD


async def test_a_block_whose_result_was_lost_is_read_and_recorded_in_observe() -> None:
    world = World()
    await world.passes(minutes=1)
    await world.sees(a_finding())
    [block] = [row for row in (await world.case()).rows(Step) if row.step is BLOCK]
    assert block.state is StepState.ACTED
    world.deploy(mode="observe")
    await some_minutes(world)

    assert (await world.steps())[BLOCK].effect is Effect.EFFECTIVE


@pytest.mark.parametrize("verb", ["approve", "release"])
async def test_in_observe_approve_and_release_are_refused_and_the_manual_way_is_named(verb: str) -> None:
    world = await observed()

    with pytest.raises(RefusedError, match="do it in the Entra admin center"):
        await world.decides(verb, (await world.incidents())[0].id)


async def test_a_release_that_the_flip_overtook_is_not_done_and_is_notified() -> None:
    world = await contained()
    world.directory.fail("set_sign_in", TransientError("503"), always=True)
    await world.decides("release", (await world.incidents())[0].id)
    world.directory.repair("set_sign_in")
    world.deploy(mode="observe")
    await some_minutes(world)
    world.deploy()
    await some_minutes(world)

    assert (await world.states())[StepKind.RELEASE] is WITHHELD
    assert (world.directory.enabled[ALEX], "observed" in await world.notifications()) == (False, True)


# ---- the protected accounts


async def test_protecting_a_blocked_account_enables_nobody_and_is_critical_once() -> None:
    world = await contained()
    world.deploy(protected_object_ids=ALEX)
    await some_minutes(world)
    await world.passes(hours=25)

    [one] = [row for row in (await world.case()).rows(Notification) if row.about == "protected_blocked"]
    assert (world.directory.enabled[ALEX], one.severity) == (False, Severity.CRITICAL)


async def test_the_status_shows_the_protected_account_until_it_is_released() -> None:
    world = await contained()
    world.deploy(protected_object_ids=ALEX)
    await some_minutes(world)
    before = (await read_status(world.services)).protected_blocked
    await world.decides("release", (await world.incidents())[0].id)
    await some_minutes(world)

    assert (before, (await read_status(world.services)).protected_blocked) == ([str(an_account())], [])


async def test_a_protected_account_that_somebody_enabled_is_not_reported() -> None:
    world = await contained()
    world.directory.accounts[ALEX] = an_account()
    world.deploy(protected_object_ids=ALEX)
    await some_minutes(world)

    assert "protected_blocked" not in await world.notifications()


async def wanted_while_protected() -> World:
    """The block of ALEX failed until the account was protected."""
    world = World()
    await world.passes(minutes=1)
    world.directory.fail("set_sign_in", TransientError("503"), always=True)
    await world.sees(a_finding())
    world.deploy(protected_object_ids=ALEX)
    await some_minutes(world)
    world.directory.repair("set_sign_in")
    return world


async def test_protection_cancels_the_block_and_keeps_restoring() -> None:
    world = await wanted_while_protected()

    states = await world.states()
    assert (states[BLOCK], states[DISABLE]) == (StepState.CANCELED, StepState.ACTED)


async def test_an_old_want_is_held_when_the_account_is_no_longer_protected() -> None:
    world = await wanted_while_protected()
    world.deploy()
    await some_minutes(world)
    await world.passes(hours=2)

    assert ((await world.states())[BLOCK], world.directory.enabled[ALEX]) == (HELD, True)
    assert "held" in await world.notifications()


async def test_approval_blocks_the_account_that_is_no_longer_protected() -> None:
    world = await wanted_while_protected()
    world.deploy()
    await some_minutes(world)
    await world.decides("approve", (await world.incidents())[0].id)

    assert not world.directory.enabled[ALEX]


async def test_protecting_an_account_that_waits_for_approval_leaves_it_waiting() -> None:
    world = World(automatic_controls="none")
    await world.passes(minutes=1)
    await world.sees(a_finding())
    world.deploy(automatic_controls="none", protected_object_ids=ALEX)
    await some_minutes(world)

    assert await world.states() == dict.fromkeys(CONTROLS, HELD)


async def test_a_run_that_started_before_the_change_does_not_undo_the_record() -> None:
    world = await observed()
    old = world.services
    world.deploy()
    await some_minutes(world)
    session = await open_session(TENANT_TARGET, old)
    await follow_settings.follow_settings(session, old, started=world.now - timedelta(minutes=10))

    assert len(await summaries(world)) == 1


async def test_the_edit_is_in_the_tenant_s_log() -> None:
    world = await contained()
    world.deploy(protected_object_ids=ALEX)
    await world.passes(minutes=1)

    [entry] = [each async for each in world.ledger.log(TENANT_TARGET) if each.event == "protected_changed"]
    assert entry.facts == {"added": [ALEX], "removed": []}
