"""From a stored finding to a contained account, on fakes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import TransientError
from bypass_responder.model.account import MalformedEntry
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.message import CommandKind
from bypass_responder.model.step import Effect, StepKind, StepState
from bypass_responder.triggers.resume_responses import write_checkpoint
from tests.world import ALEX, BLAKE, START, World, a_finding, an_account, an_entry

BLOCK, REVOKE, DISABLE = StepKind.BLOCK_SIGN_IN, StepKind.REVOKE_SESSIONS, StepKind.DISABLE_BYPASS
HOUR = timedelta(hours=1)


async def test_a_violation_is_blocked_revoked_and_queued_in_one_go() -> None:
    world = World()

    await world.sees(a_finding())

    assert world.directory.enabled == {ALEX: False, BLAKE: True}
    assert world.directory.revoked == [ALEX]
    assert [(command.kind, command.object_id) for command in world.exchange.sent] == [
        (CommandKind.DISABLE_BYPASS, ALEX)
    ]


async def test_the_ledger_knows_the_plan_before_anything_is_changed() -> None:
    world = World()
    world.ledger.fail("commit", TransientError("storage is down"), about=ALEX, always=True)

    with pytest.raises(ExceptionGroup):
        await world.sees(a_finding())

    assert world.directory.enabled[ALEX]
    assert world.exchange.sent == []


async def test_the_answer_and_the_read_back_close_the_incident_as_contained() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await world.answer()
    await world.passes(seconds=30)

    [incident] = await world.incidents()
    assert incident.status is IncidentStatus.CONTAINED
    assert incident.blind_from == START - HOUR
    assert incident.restored_at == START
    assert {kind: step.effect for kind, step in (await world.steps()).items()} == dict.fromkeys(
        (BLOCK, REVOKE, DISABLE), Effect.EFFECTIVE
    )


async def test_an_allowlisted_account_is_left_alone_and_the_reason_is_logged() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry()

    await world.sees(a_finding())

    assert world.directory.enabled[ALEX]
    assert await world.incidents() == []
    log = [entry async for entry in world.ledger.log(ALEX)]
    assert [entry.event for entry in log] == ["stood_down", "allowlist_changed", "allowlist_used"]
    assert "ticket CHG-1" in log[0].text


async def test_a_protected_account_only_gets_its_auditing_back() -> None:
    world = World(protected_object_ids=ALEX)

    await world.sees(a_finding())

    assert world.directory.enabled[ALEX]
    assert world.directory.revoked == []
    assert [command.kind for command in world.exchange.sent] == [CommandKind.DISABLE_BYPASS]


@pytest.mark.parametrize("row", [MalformedEntry(object_id=ALEX, problem="ExpiresAt"), an_entry(edited_at=START)])
async def test_an_unclear_allowlist_row_holds_containment_and_restores_auditing(row: MalformedEntry) -> None:
    world = World()
    world.allowlist.rows[ALEX] = row

    await world.sees(a_finding())

    assert world.directory.enabled[ALEX]
    assert [command.kind for command in world.exchange.sent] == [CommandKind.DISABLE_BYPASS]
    assert (await world.states())[BLOCK] is StepState.HELD
    assert "held" in await world.notifications()


async def test_what_was_there_before_the_first_start_is_held() -> None:
    world = World()

    await world.sees(a_finding(first_run=True))

    assert set((await world.states()).values()) == {StepState.HELD}
    assert world.exchange.sent == []


async def test_an_attempt_is_reported_and_contains_no_account() -> None:
    world = World()

    await world.sees(a_finding(outcome=Outcome.FAILED))

    assert world.directory.enabled[ALEX]
    assert await world.incidents() == []
    assert [notification.about for notification in world.notifier.sent] == ["attempt"]


async def test_a_switch_off_softens_no_decision() -> None:
    world = World()

    await world.sees(a_finding(switch=Switch.OFF, effective_at=START - HOUR / 2))
    await world.sees(a_finding())

    assert not world.directory.enabled[ALEX]


async def test_the_same_record_twice_changes_nothing() -> None:
    world = World()
    finding = a_finding()
    await world.sees(finding)
    before = world.ledger.logs[ALEX].copy()

    await world.sees(finding)

    assert world.ledger.logs[ALEX] == before
    assert world.directory.revoked == [ALEX]


async def test_observe_changes_nothing_and_records_what_it_would_do() -> None:
    world = World(mode="observe")

    await world.sees(a_finding())
    await world.passes(hours=1)

    assert world.directory.enabled[ALEX]
    assert world.exchange.sent == []
    assert [step.state for step in (await world.steps()).values()] == [StepState.WITHHELD] * 3
    assert (await world.incidents())[0].status is IncidentStatus.OBSERVED


async def test_evidence_seen_in_enforce_makes_an_observed_incident_real() -> None:
    world = World(mode="observe")
    await world.sees(a_finding())
    world.deploy(mode="enforce", protected_object_ids="none")

    await world.sees(a_finding(effective_at=START - HOUR / 2))

    assert not world.directory.enabled[ALEX]
    assert len(await world.incidents()) == 1


async def test_the_limit_holds_the_block_and_still_restores_auditing() -> None:
    world = World(containment_limit_per_hour=1)
    await world.sees(a_finding())

    await world.sees(a_finding(object_id_text=BLAKE, identity_text="blake@contoso.onmicrosoft.com"))

    assert world.directory.enabled == {ALEX: False, BLAKE: True}
    assert world.directory.revoked == [ALEX, BLAKE]
    assert (await world.states(BLAKE))[BLOCK] is StepState.HELD


async def test_late_evidence_of_a_restored_episode_widens_the_blind_window_and_never_acts() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await world.answer()
    [incident] = await world.incidents()
    await world.decides("release", incident.id)

    await world.sees(a_finding(effective_at=START - 3 * HOUR))

    assert world.directory.enabled[ALEX]
    [after] = await world.incidents()
    assert after.blind_from == START - 3 * HOUR


async def test_an_on_after_the_restoration_opens_a_new_incident_that_refers_to_the_old_one() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await world.answer()
    world.now += HOUR

    await world.sees(a_finding(effective_at=START + HOUR / 2))

    old, new = await world.incidents()
    assert new.refers_to == old.id
    assert new.status is IncidentStatus.OPEN


async def test_graph_being_down_decides_nothing_and_loses_nothing() -> None:
    world = World()
    world.directory.fail("find", TransientError("503"), always=True)
    with pytest.raises(ExceptionGroup):
        await world.sees(a_finding())
    world.directory.recover()

    await world.passes(minutes=1)

    assert not world.directory.enabled[ALEX]


async def test_a_failure_of_one_target_never_delays_another() -> None:
    world = World()
    world.directory.fail("find", TransientError("503"), about=ALEX, always=True)

    with pytest.raises(ExceptionGroup):
        await world.sees(a_finding(), a_finding(object_id_text=BLAKE, identity_text="blake@contoso.onmicrosoft.com"))

    assert world.directory.enabled == {ALEX: True, BLAKE: False}


async def test_an_allowlist_read_that_fails_is_neither_yes_nor_no() -> None:
    world = World()
    world.allowlist.fail("get", TransientError("storage"), always=True)

    with pytest.raises(ExceptionGroup):
        await world.sees(a_finding())

    assert world.directory.enabled[ALEX]
    assert await world.incidents() == []


async def test_an_entry_that_appears_before_a_retried_block_does_not_hold_it() -> None:
    world = World()
    world.directory.fail("set_sign_in", TransientError("503"))
    await world.sees(a_finding())
    await world.allowlist.put(an_entry())

    await world.passes(hours=1)

    assert not world.directory.enabled[ALEX]


async def test_an_allowlist_that_cannot_be_read_now_does_not_hold_a_retried_block() -> None:
    world = World()
    world.directory.fail("set_sign_in", TransientError("503"))
    await world.sees(a_finding())
    world.allowlist.fail("get", TransientError("storage"), always=True)

    await world.passes(hours=1)

    assert not world.directory.enabled[ALEX]


async def test_a_limit_that_is_lowered_holds_a_retried_block_until_a_person_approves() -> None:
    world = World()
    world.directory.accounts[ALEX] = an_account(account_enabled=False)
    await world.sees(a_finding())
    world.directory.accounts[ALEX] = an_account()
    world.deploy(containment_limit_per_hour=0)
    await world.passes(hours=1)
    held = (await world.states())[BLOCK]
    await world.decides("approve", (await world.incidents())[0].id)

    assert (held, world.directory.enabled[ALEX]) == (StepState.HELD, False)


async def test_an_approval_does_not_outweigh_the_protected_accounts() -> None:
    world = World(containment_limit_per_hour=0)
    await world.sees(a_finding())
    world.deploy(protected_object_ids=ALEX)
    await world.decides("approve", (await world.incidents())[0].id)

    assert (world.directory.enabled[ALEX], (await world.states())[BLOCK]) == (True, StepState.CANCELED)


async def test_claims_of_two_findings_in_one_run_are_both_carried_out() -> None:
    world = World()

    await world.sees(a_finding(effective_at=START - HOUR), a_finding(effective_at=START - HOUR / 2))

    assert world.directory.revoked == [ALEX]
    assert len(await world.incidents()) == 1
    assert (await world.states())[BLOCK] is StepState.ACTED


async def test_a_corrupt_row_stops_no_other_target_and_raises_an_alert() -> None:
    world = World()
    await world.sees(a_finding())
    world.ledger.stored[ALEX]["now-incident-forged"] = ("incident", "{}")
    await world.sees(a_finding(object_id_text=BLAKE, identity_text="blake@contoso.onmicrosoft.com"))

    with pytest.raises(ExceptionGroup):
        await world.passes(minutes=1)

    assert BLAKE in world.checkpoints.held[0].heads
    assert "alert-corrupt_row" in (await world.case("tenant")).by_key


async def test_a_checkpoint_after_a_run_reads_no_case() -> None:
    """The run left the end of the log in the work list."""
    world = World()
    await world.sees(a_finding())
    head = await world.ledger.head(ALEX)
    world.ledger.calls.clear()
    await write_checkpoint(world.services, await world.work.items())

    assert world.checkpoints.held[-1].heads[ALEX] == (head.log_seq, head.log_hash)
    assert world.ledger.calls == []


@pytest.mark.parametrize("disabled_before", [False, True], ids=["by_us", "by_others"])
async def test_a_later_on_of_an_episode_without_end_blocks_an_account_that_was_enabled_since(
    *, disabled_before: bool
) -> None:
    """The worker has no permission, so the episode goes on. No run has read the account since."""
    world = World(an_account(account_enabled=not disabled_before))
    world.bypassed[ALEX] = True
    refused = {"outcome": "failed", "error_class": "permission", "after": None}
    await world.sees(a_finding())
    await world.answer(**refused)
    for hours in (1, 0.1, 24, 0.1):
        await world.passes(hours=hours)
        await world.answer()
    world.directory.change(ALEX, account_enabled=True)
    world.now += timedelta(days=5)
    await world.sees(a_finding(effective_at=world.now, received_at=world.now))

    assert not world.directory.enabled[ALEX]
    assert len(await world.incidents()) == 1


async def test_a_later_on_of_an_account_that_is_still_blocked_calls_nothing() -> None:
    world = World()
    await world.sees(a_finding())
    await world.passes(minutes=1)
    await world.sees(a_finding(effective_at=world.now, received_at=world.now))

    assert world.directory.calls.count(("set_sign_in", ALEX)) == 1
    assert (await world.steps())[BLOCK].effect is Effect.EFFECTIVE
