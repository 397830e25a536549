"""From a stored finding to a contained account, on fakes."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from bypass_responder.errors import NotFoundError, PermissionMissingError, ThrottledError, TransientError
from bypass_responder.model.account import MalformedEntry
from bypass_responder.model.change import Actor, Outcome, Switch
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.incident import IncidentStatus
from bypass_responder.model.message import CommandKind, ExchangeOutcome
from bypass_responder.model.step import Effect, StepKind, StepState
from bypass_responder.triggers.record_exchange_result import record_exchange_result
from tests.core.world import ALEX, BLAKE, START, World, a_finding, an_account, an_entry

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
    assert "ticket CHG-1" in log[-1].text


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


async def test_an_attempt_is_told_and_contains_nobody() -> None:
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


async def test_observe_changes_nothing_and_says_what_it_would_do() -> None:
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


async def test_an_approved_block_goes_ahead_over_the_limit_and_a_release_restores_the_prior_state() -> None:
    world = World(containment_limit_per_hour=0)
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await world.answer()
    [incident] = await world.incidents()

    await world.decides("approve", incident.id)
    blocked = not world.directory.enabled[ALEX]
    await world.decides("release", incident.id)

    assert blocked
    assert world.directory.enabled[ALEX]
    assert (await world.incidents())[0].status is IncidentStatus.RELEASED
    assert (await world.case()).head.prior is None


async def test_the_release_of_an_account_that_was_disabled_before_leaves_it_disabled() -> None:
    world = World(an_account(account_enabled=False))
    await world.sees(a_finding())
    [incident] = await world.incidents()

    await world.decides("release", incident.id)

    assert not world.directory.enabled[ALEX]
    assert (await world.steps())[BLOCK].effect is Effect.NOT_NEEDED


async def test_a_dismissed_incident_is_closed_and_its_evidence_never_acts_again() -> None:
    world = World()
    await world.sees(a_finding(first_run=True))
    [incident] = await world.incidents()
    await world.decides("dismiss", incident.id)

    await world.sees(a_finding(effective_at=START - HOUR / 2))

    assert world.directory.enabled[ALEX]
    assert [row.status for row in await world.incidents()] == [IncidentStatus.DISMISSED]


async def test_an_on_after_the_dismissal_is_decided_anew() -> None:
    world = World()
    await world.sees(a_finding(first_run=True))
    [incident] = await world.incidents()
    await world.decides("dismiss", incident.id)

    await world.sees(a_finding(effective_at=START + timedelta(seconds=1)))

    assert not world.directory.enabled[ALEX]


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


async def test_two_accounts_in_one_record_are_held() -> None:
    world = World()

    await world.sees(a_finding(identity_text="blake@contoso.onmicrosoft.com"))

    assert world.directory.enabled == {ALEX: True, BLAKE: True}
    assert set((await world.states()).values()) == {StepState.HELD}


async def test_an_exchange_name_is_resolved_by_exchange_before_anybody_is_contained() -> None:
    world = World()
    world.names["alexw"], world.bypassed[ALEX] = [ALEX], True
    finding = a_finding(object_id_text="alexw", identity_text="alexw")
    await world.sees(finding)
    untouched = world.directory.enabled[ALEX]

    await world.answer()

    assert untouched
    assert not world.directory.enabled[ALEX]
    assert (await world.case(finding.target)).by_key[finding.row_key].verdict == "resolved"  # type: ignore[attr-defined]


async def test_a_name_that_exchange_has_off_now_may_have_moved_and_is_held() -> None:
    world = World()
    world.names["alexw"] = [ALEX]
    finding = a_finding(object_id_text="alexw", identity_text="alexw")
    await world.sees(finding)
    await world.answer()

    assert world.directory.enabled[ALEX]
    assert set((await world.states(finding.target)).values()) == {StepState.HELD}


@pytest.mark.parametrize("owners", [[], [ALEX, BLAKE]])
async def test_a_name_of_nobody_or_of_two_is_held(owners: list[str]) -> None:
    world = World()
    world.names["alexw"] = owners
    finding = a_finding(object_id_text="alexw", identity_text="alexw")
    await world.sees(finding)
    await world.answer()

    assert world.directory.enabled == {ALEX: True, BLAKE: True}
    assert set((await world.states(finding.target)).values()) == {StepState.HELD}


async def test_a_person_names_the_account_of_an_unresolved_incident_and_it_is_contained() -> None:
    world = World()
    finding = a_finding(object_id_text="alexw", identity_text="alexw")
    await world.sees(finding)
    await world.answer()
    [incident] = await world.incidents(finding.target)

    await world.decides("approve", incident.id, finding.target, account=ALEX)

    assert world.directory.enabled == {ALEX: False, BLAKE: True}
    assert (await world.incidents(finding.target))[0].status is IncidentStatus.CLOSED


async def test_old_history_that_exchange_has_off_is_held_and_counts_as_restored() -> None:
    world = World()
    await world.sees(a_finding(effective_at=START - 48 * HOUR))
    asked = [command.kind for command in world.exchange.sent]
    await world.answer()

    assert asked == [CommandKind.CHECK_BYPASS]
    assert world.directory.enabled[ALEX]
    assert await world.states() == {BLOCK: StepState.HELD, REVOKE: StepState.HELD}
    assert (await world.case()).head.restored_at == START


async def test_an_old_on_that_still_holds_is_a_violation() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding(effective_at=START - 48 * HOUR))
    await world.answer()

    assert not world.directory.enabled[ALEX]


@pytest.mark.parametrize(("on", "enabled"), [(True, False), (False, True)])
async def test_an_unknown_outcome_is_settled_by_exchange(on: bool, enabled: bool) -> None:
    world = World()
    world.bypassed[ALEX] = on
    await world.sees(a_finding(outcome=Outcome.UNKNOWN))
    await world.answer()

    assert world.directory.enabled[ALEX] is enabled


async def test_an_administrator_stays_open_is_revoked_and_the_missing_role_is_named() -> None:
    world = World()
    world.directory.admins.add(ALEX)

    await world.sees(a_finding())

    steps = await world.steps()
    assert steps[BLOCK].state is StepState.FAILED
    assert "Privileged Authentication Administrator" in steps[BLOCK].detail
    assert world.directory.revoked == [ALEX]
    assert "step_failed" in await world.notifications()


async def test_a_failed_block_is_planned_again_when_a_person_approves() -> None:
    world = World()
    world.directory.admins.add(ALEX)
    await world.sees(a_finding())
    [incident] = await world.incidents()
    world.directory.admins.clear()

    await world.decides("approve", incident.id)

    assert not world.directory.enabled[ALEX]


async def test_a_synchronised_account_is_called_temporarily_blocked() -> None:
    world = World(an_account(on_premises_sync_enabled=True))
    await world.sees(a_finding())
    await world.passes(seconds=30)

    assert (await world.steps())[BLOCK].effect is Effect.TEMPORARY
    assert any("Active Directory" in todo for notification in world.notifier.sent for todo in notification.left_to_do)


async def test_revoking_a_guest_is_called_ineffective() -> None:
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

    assert {step.effect for kind, step in (await world.steps()).items() if kind is not DISABLE} == {Effect.NOT_NEEDED}


async def test_a_throttled_block_is_tried_again_when_the_service_said() -> None:
    world = World()
    world.directory.fail("set_sign_in", ThrottledError("wait", retry_after_seconds=600))
    await world.sees(a_finding())
    await world.passes(seconds=500)
    too_early = world.directory.enabled[ALEX]

    await world.passes(seconds=110)

    assert too_early
    assert not world.directory.enabled[ALEX]


async def test_graph_being_down_decides_nothing_and_loses_nothing() -> None:
    world = World()
    world.directory.fail("find", TransientError("503"), always=True)
    with pytest.raises(ExceptionGroup):
        await world.sees(a_finding())
    world.directory.recover()

    await world.passes(minutes=1)

    assert not world.directory.enabled[ALEX]


async def test_one_targets_trouble_never_holds_back_another() -> None:
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


async def test_an_entry_that_appears_before_a_retried_block_holds_it() -> None:
    world = World()
    world.directory.fail("set_sign_in", TransientError("503"))
    await world.sees(a_finding())
    await world.allowlist.put(an_entry())

    await world.passes(hours=1)

    assert world.directory.enabled[ALEX]
    assert (await world.states())[BLOCK] is StepState.HELD


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


async def test_an_effect_that_never_shows_is_called_unverified_and_told() -> None:
    world = World()
    await world.sees(a_finding())
    world.directory.change(ALEX, account_enabled=True)
    for _ in range(10):
        await world.passes(minutes=15)

    assert (await world.steps())[BLOCK].effect is Effect.UNVERIFIED
    assert "step_ineffective" in await world.notifications()


async def test_an_account_that_somebody_enables_again_is_reverted_at_the_recheck() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    await world.passes(minutes=5)
    world.directory.change(ALEX, account_enabled=True)

    await world.passes(hours=1)

    assert (await world.steps())[BLOCK].effect is Effect.REVERTED


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


async def test_the_release_cancels_the_rechecks() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    [incident] = await world.incidents()
    await world.decides("release", incident.id)
    sent = len(world.exchange.sent)

    await world.passes(hours=25)

    assert len(world.exchange.sent) == sent
    assert "reverted" not in {entry.event async for entry in world.ledger.log(ALEX)}


async def test_an_unverified_answer_is_asked_again_later_each_time() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.UNVERIFIED)
    await world.passes(seconds=10)
    too_early = len(world.exchange.sent)
    await world.passes(minutes=2)

    assert too_early == 1
    assert len(world.exchange.sent) == 2


async def test_an_answer_about_another_object_is_not_counted() -> None:
    world = World()
    await world.sees(a_finding())
    [sent] = world.exchange.sent
    other = world._result(sent).resolved

    await world.answer(resolved=other.model_copy(update={"object_id": BLAKE}) if other else None)

    assert (await world.steps())[DISABLE].state is StepState.FAILED
    assert (await world.case()).head.restored_at is None


async def test_the_same_answer_twice_changes_nothing() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    before = list(world.ledger.logs[ALEX])
    world.answered = 0

    await world.answer()

    assert world.ledger.logs[ALEX] == before


async def test_a_command_without_answer_is_asked_again_under_a_new_id_and_the_old_answer_is_ignored() -> None:
    world = World()
    await world.sees(a_finding())
    await world.passes(minutes=12)
    first, second = world.exchange.sent
    world.answered = 0

    await world.answer()

    assert first.command_id != second.command_id
    events = [entry.event async for entry in world.ledger.log(ALEX)]
    assert events.count("answer_ignored") == 1
    assert (await world.case()).head.restored_at is not None


async def test_a_worker_that_stays_silent_is_told() -> None:
    world = World()
    await world.sees(a_finding())
    for _ in range(4):
        await world.passes(minutes=12)

    assert "worker_silent" in await world.notifications()


async def test_a_missing_exchange_right_is_a_failed_step_with_the_worker_s_words() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.FAILED, error="the role Audit Logs is missing", error_class="permission")

    step = (await world.steps())[DISABLE]
    assert step.state is StepState.FAILED
    assert "Audit Logs" in step.detail


async def test_every_note_ends_with_what_is_left_to_do() -> None:
    world = World()
    await world.sees(a_finding())

    assert world.notifier.sent
    assert all("mallory" in notification.left_to_do[0] for notification in world.notifier.sent)


async def test_a_self_bypass_is_named() -> None:
    world = World()
    await world.sees(a_finding(actor=Actor(user_id="Alex@contoso.onmicrosoft.com")))

    assert any("self-bypass" in todo for notification in world.notifier.sent for todo in notification.left_to_do)


async def test_a_note_that_cannot_be_delivered_holds_nothing_back_and_is_sent_later() -> None:
    world = World()
    world.notifier.fail("send", TransientError("down"))
    await world.sees(a_finding())
    undelivered = list(world.notifier.sent)

    await world.passes(minutes=2)

    assert undelivered == []
    assert not world.directory.enabled[ALEX]
    assert [notification.about for notification in world.notifier.sent] == ["contained"]


async def test_a_flood_is_told_in_one_message() -> None:
    people = [an_account(f"aaaaaaaa-0000-4000-8000-{i:012d}", f"p{i}@contoso.onmicrosoft.com") for i in range(12)]
    world = World(*people)

    await world.sees(
        *(
            a_finding(object_id_text=p.object_id, identity_text=p.user_principal_name, outcome=Outcome.FAILED)
            for p in people
        )
    )

    assert [len(message) for message in world.notifier.messages] == [12]


async def test_a_permission_that_is_missing_for_revoking_does_not_stop_the_block() -> None:
    world = World()
    world.directory.fail("revoke_sessions", PermissionMissingError("no", permission="User.RevokeSessions.All"))

    await world.sees(a_finding())

    assert not world.directory.enabled[ALEX]
    assert (await world.steps())[REVOKE].state is StepState.FAILED


MALLORYS_ID = "dddddddd-0000-4000-8000-000000000004"


def a_world_with_mallory(**settings: str) -> World:
    mallory = an_account(MALLORYS_ID, "mallory@contoso.onmicrosoft.com")
    return World(an_account(), mallory, actor_response="contain", **settings)


async def test_the_actor_is_contained_too_where_the_setting_says_so() -> None:
    world = a_world_with_mallory()

    await world.sees(a_finding())

    assert world.directory.enabled == {ALEX: False, MALLORYS_ID: False}
    assert [command.object_id for command in world.exchange.sent] == [ALEX]


async def test_a_protected_actor_is_left_alone() -> None:
    world = a_world_with_mallory(protected_object_ids=MALLORYS_ID)

    await world.sees(a_finding())

    assert world.directory.enabled == {ALEX: False, MALLORYS_ID: True}


async def test_an_actor_named_as_two_accounts_is_held() -> None:
    world = a_world_with_mallory()

    await world.sees(a_finding(actor=Actor(user_id="mallory@contoso.onmicrosoft.com", object_id=ALEX)))

    assert world.directory.enabled == {ALEX: False, MALLORYS_ID: True}


async def test_the_actor_counts_against_the_limit() -> None:
    world = a_world_with_mallory(containment_limit_per_hour="1")

    await world.sees(a_finding())

    assert world.directory.enabled == {ALEX: False, MALLORYS_ID: True}
    assert (await world.states(MALLORYS_ID))[BLOCK] is StepState.HELD


async def test_nobody_contains_the_actor_of_an_allowlisted_bypass() -> None:
    world = a_world_with_mallory()
    world.allowlist.rows[ALEX] = an_entry()

    await world.sees(a_finding())

    assert world.directory.enabled == {ALEX: True, MALLORYS_ID: True}


async def test_a_switch_to_observe_withdraws_what_was_asked_and_not_answered() -> None:
    world = World()
    await world.sees(a_finding())
    world.deploy(mode="observe")
    await world.passes(minutes=12)

    assert len(world.exchange.sent) == 1
    assert (await world.steps())[DISABLE].state is StepState.WITHHELD


async def test_a_missing_graph_right_raises_an_alert() -> None:
    world = World()
    world.directory.fail("find", PermissionMissingError("no", permission="User.Read.All"), always=True)
    with pytest.raises(ExceptionGroup):
        await world.sees(a_finding())

    with pytest.raises(ExceptionGroup):
        await world.passes(minutes=1)
    assert "alert-response_permission_missing" in (await world.case("tenant")).by_key


async def test_claims_of_two_findings_in_one_run_are_both_carried_out() -> None:
    world = World()

    await world.sees(a_finding(effective_at=START - HOUR), a_finding(effective_at=START - HOUR / 2))

    assert world.directory.revoked == [ALEX]
    assert len(await world.incidents()) == 1
    assert (await world.states())[BLOCK] is StepState.ACTED


async def test_a_right_that_is_granted_again_ends_its_alert() -> None:
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


async def test_without_a_channel_a_finished_target_is_left_alone() -> None:
    world = World()
    world.services = dataclasses.replace(world.services, notifier=None)
    await world.sees(a_finding(outcome=Outcome.FAILED))
    await world.passes(minutes=1)

    assert world.work.held == {}


@pytest.mark.parametrize(("on", "incidents"), [(True, 2), (False, 1)])
async def test_an_on_in_the_second_of_the_restoration_is_settled_by_exchange(on: bool, incidents: int) -> None:
    world = World()
    world.now += timedelta(milliseconds=500)
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await world.answer()
    world.now += timedelta(minutes=1)
    world.bypassed[ALEX] = on
    await world.sees(a_finding(effective_at=START))
    asked = world.exchange.sent[-1].kind

    await world.answer()

    assert asked is CommandKind.CHECK_BYPASS
    assert len(await world.incidents()) == incidents


async def test_an_account_that_is_gone_needs_no_person() -> None:
    world = World()
    world.directory.fail("set_sign_in", NotFoundError("gone"))
    world.directory.fail("revoke_sessions", NotFoundError("gone"))
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.NOT_FOUND, resolved=None, before=None, after=None)

    assert {step.effect for step in (await world.steps()).values()} == {Effect.NOT_NEEDED}
    assert (await world.incidents())[0].status is IncidentStatus.CONTAINED


async def test_a_verified_answer_that_comes_after_an_already_off_still_counts_as_ours() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    verified = world._result(world.exchange.sent[0])
    already_off = verified.model_copy(update={"outcome": ExchangeOutcome.ALREADY_OFF, "before": False})

    for answer in (already_off, verified, already_off):
        await record_exchange_result(answer.model_dump_json().encode(), world.services)

    assert (await world.steps())[DISABLE].effect is Effect.EFFECTIVE


async def test_a_corrupt_row_stops_nobody_else_and_is_an_alert() -> None:
    world = World()
    await world.sees(a_finding())
    world.ledger.stored[ALEX]["incident-forged"] = ("incident", "{}")
    await world.sees(a_finding(object_id_text=BLAKE, identity_text="blake@contoso.onmicrosoft.com"))

    with pytest.raises(ExceptionGroup):
        await world.passes(minutes=1)

    assert BLAKE in world.checkpoints.held[0].heads
    assert "alert-corrupt_row" in (await world.case("tenant")).by_key


async def test_exchange_failing_for_days_is_asked_again_each_hour() -> None:
    world = World()
    await world.sees(a_finding(effective_at=START - 48 * HOUR))
    for _ in range(60):
        await world.answer(outcome=ExchangeOutcome.FAILED, resolved=None, before=None, error="down")
        await world.passes(hours=1)

    assert len(world.exchange.sent) > 50
    assert (await world.notifications()).count("worker_failed") == 1


async def test_a_question_that_came_too_late_is_asked_again() -> None:
    world = World()
    world.names["alexw"], world.bypassed[ALEX] = [ALEX], True
    finding = a_finding(object_id_text="alexw", identity_text="alexw")
    await world.sees(finding)
    await world.answer(outcome=ExchangeOutcome.REFUSED, resolved=None, before=None, error_class="transient")
    await world.passes(minutes=3)
    await world.answer()

    assert not world.directory.enabled[ALEX]


async def test_a_name_that_the_worker_refuses_is_held_and_the_reason_says_so() -> None:
    world = World()
    finding = a_finding(object_id_text="*", identity_text="*")
    await world.sees(finding)
    await world.answer(outcome=ExchangeOutcome.REFUSED, resolved=None, before=None, error="a wildcard")

    [incident] = await world.incidents(finding.target)
    assert incident.status is IncidentStatus.HELD
    assert "refuses" in incident.reason


async def test_an_old_record_of_an_account_without_exchange_object_is_held_and_proves_nothing() -> None:
    world = World()
    await world.sees(a_finding(effective_at=START - 48 * HOUR))
    await world.answer(outcome=ExchangeOutcome.NOT_FOUND, resolved=None, before=None)

    assert (await world.case()).head.restored_at is None
    assert set((await world.states()).values()) == {StepState.HELD}


async def test_late_evidence_of_a_restored_episode_contains_no_actor() -> None:
    world = a_world_with_mallory()
    world.bypassed[ALEX] = True
    await world.sees(a_finding(actor=Actor(user_id="svc@contoso.onmicrosoft.com")))
    await world.answer()

    await world.sees(a_finding(effective_at=START - 2 * HOUR))

    assert world.directory.enabled[MALLORYS_ID]


async def test_a_block_that_the_limit_held_leaves_nothing_to_release() -> None:
    world = World(containment_limit_per_hour=0)
    await world.sees(a_finding())

    assert (await world.case()).head.prior is None


async def test_off_after_an_attempt_of_ours_that_failed_halfway_counts_as_effective() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.FAILED, error="the connection broke", error_class="transient")
    await world.passes(minutes=2)
    await world.answer()

    assert (await world.steps())[DISABLE].effect is Effect.EFFECTIVE
