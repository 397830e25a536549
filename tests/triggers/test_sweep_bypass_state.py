"""The sweep of the state: what it finds, what it only lists, and what it never believes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.errors import NotFoundError, TransientError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.finding import Finding, FindingState, Source
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.message import ExchangeObject, ExchangeOutcome
from bypass_responder.model.notification import Notification
from bypass_responder.model.step import StepKind, StepState
from bypass_responder.model.sweep import BypassedObject, Sweep
from bypass_responder.triggers.sweep_bypass_state import plan_sweep
from tests.world import ALEX, BLAKE, START, World, a_finding, a_hint, an_account, an_entry, exchange_guid

BLOCK, DISABLE = StepKind.BLOCK_SIGN_IN, StepKind.DISABLE_BYPASS


async def swept(**settings: Any) -> World:
    """A world whose first sweep, of nobody, was complete."""
    world = World(**settings)
    await world.sweep()
    await world.passes(minutes=15)
    return world


async def findings(world: World, target: str = ALEX) -> list[Finding]:
    rows = (await world.case(target)).by_key.values()
    return [row for row in rows if isinstance(row, Finding)]


async def state(world: World) -> Sweep:
    row = (await world.case(TENANT_TARGET)).by_key["sweep"]
    assert isinstance(row, Sweep)
    return row


async def test_a_sweep_is_asked_for_once_at_a_time() -> None:
    world = World()
    await plan_sweep(world.services)
    await plan_sweep(world.services)

    assert len(world.sweeps_asked) == 1


async def test_a_sweep_without_an_answer_is_given_up_and_asked_for_again() -> None:
    world = World(sweep_timeout_seconds=600)
    await plan_sweep(world.services)
    await world.passes(minutes=11)
    await plan_sweep(world.services)

    assert len({command.command_id for command in world.sweeps_asked}) == 2


async def test_two_sweeps_without_an_answer_are_an_alert_and_an_answer_ends_it() -> None:
    world = World(sweep_timeout_seconds=600)
    for _ in range(2):
        await plan_sweep(world.services)
        await world.passes(minutes=11)
    silent = await world.alerts()
    await world.sweep()

    assert "sweeps_silent" in silent
    assert "sweeps_silent" not in await world.alerts()


async def test_an_account_that_is_newly_on_is_checked_and_contained() -> None:
    world = await swept()
    world.bypassed[ALEX] = True
    await world.sweep()
    before_the_check = dict(world.directory.enabled)
    await world.answer()
    await world.answer()

    assert before_the_check[ALEX]
    assert not world.directory.enabled[ALEX]
    assert not world.bypassed[ALEX]


async def test_the_blind_window_of_what_only_the_sweep_saw_begins_unknown() -> None:
    world = await swept()
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.answer()
    [incident] = await world.incidents()

    assert (incident.blind_from, incident.blind_from_proven) == (world.now, False)


async def test_an_account_that_is_off_again_when_exchange_is_asked_is_not_contained() -> None:
    world = await swept()
    world.bypassed[ALEX] = True
    await world.sweep()
    world.bypassed[ALEX] = False
    await world.answer()

    assert await world.incidents() == []
    assert [finding.verdict for finding in await findings(world)] == ["unconfirmed"]


async def test_the_first_sweep_holds_everybody_and_notifies_once() -> None:
    world = World()
    world.bypassed |= {ALEX: True, BLAKE: True}
    await world.sweep()
    notes = [notification for notification in world.notifier.sent if notification.about == "first_sweep"]

    for target in (ALEX, BLAKE):
        assert set((await world.states(target)).values()) == {StepState.HELD}
    assert len(notes) == 1
    assert "2 accounts" in notes[0].title
    assert "held" not in [notification.about for notification in world.notifier.sent]
    assert world.exchange.sent == []


async def test_what_the_first_sweep_held_can_be_approved() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sweep()
    [incident] = await world.incidents()
    await world.decides("approve", incident.id)
    await world.answer()

    assert not world.directory.enabled[ALEX]
    assert not world.bypassed[ALEX]


async def test_an_allowlisted_account_is_covered_at_the_first_sweep() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry()
    world.bypassed[ALEX] = True
    await world.sweep()

    assert await world.incidents() == []
    assert [finding.verdict for finding in await findings(world)] == ["allowlisted"]
    assert (await state(world)).covered == 1


async def test_an_account_that_stays_on_and_covered_is_no_new_finding() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry()
    world.bypassed[ALEX] = True
    for _ in range(3):
        await world.sweep()
        await world.passes(minutes=15)

    assert len(await findings(world)) == 1


async def test_an_entry_that_expires_ends_in_restored_auditing_and_a_message_to_its_owner() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry(expires_at=START + timedelta(days=1))
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.passes(days=2)
    await world.sweep()
    await world.answer()
    await world.answer()

    assert world.directory.enabled[ALEX]
    assert not world.bypassed[ALEX]
    assert "allowlist_expired" in await world.notifications()


async def test_an_account_that_is_gone_from_the_list_is_asked_about_and_its_off_is_evidence() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.passes(minutes=15)
    world.bypassed[ALEX] = False
    await world.sweep()
    await world.answer()
    [incident] = await world.incidents()

    assert [finding.verdict for finding in await findings(world)].count("switched_off") == 1
    assert len(incident.evidence) == 2


async def test_a_gone_account_stays_in_the_baseline_until_exchange_itself_said_off() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sweep()
    world.bypassed[ALEX] = False
    await world.passes(minutes=15)
    await world.sweep()
    still_there = set(world.sweeps.kept.entries) if world.sweeps.kept else set()
    await world.answer()
    await world.passes(minutes=15)
    await world.sweep()

    assert still_there == {ALEX}
    assert world.sweeps.kept
    assert world.sweeps.kept.entries == {}


async def test_an_account_restored_by_us_and_bypassed_again_between_two_sweeps_is_contained_again() -> None:
    """Both sweeps have it on, and in between it was off."""
    world = await swept()
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.answer()
    await world.answer()
    await world.passes(minutes=12)
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.answer()
    await world.answer()

    assert len(await world.incidents()) == 2
    assert not world.bypassed[ALEX]
    assert "flapping" in await world.notifications()


async def test_a_held_account_that_stays_on_is_held_once() -> None:
    world = World()
    world.bypassed[ALEX] = True
    for _ in range(4):
        await world.sweep()
        await world.passes(minutes=15)

    assert len(await world.incidents()) == 1
    assert len(await findings(world)) == 1


async def test_an_object_without_an_entra_id_is_held() -> None:
    world = await swept()
    ghost = BypassedObject(object_id=None, exchange_guid=exchange_guid(BLAKE), name="Ghost")
    await world.sweep(content={"bypassed": [ghost]})
    await world.answer()
    [target] = [target for target in await world.ledger.targets() if target.startswith("name-")]

    assert set((await world.states(target)).values()) == {StepState.HELD}


# ---- the account or the Exchange object is another one ---------------------------------------------------------------


def on(object_id: str | None, *, of: str = ALEX) -> dict[str, Any]:
    """The list of a sweep: the Exchange object of ``of``, with this object id."""
    return {"bypassed": [BypassedObject(object_id=object_id, exchange_guid=exchange_guid(of), name="Alex")]}


async def made_again(*, covered: bool = False) -> World:
    """A world where ALEX was on, and is deleted in Entra: the Exchange object is BLAKE's now, and still on."""
    world = World(an_account(), an_account(BLAKE, "blake@contoso.onmicrosoft.com"))
    world.bypassed[ALEX] = True
    if covered:
        world.allowlist.rows[ALEX] = an_entry()
    await world.sweep()
    await world.passes(minutes=15)
    del world.directory.accounts[ALEX]
    world.bypassed = {BLAKE: True}
    return world


@pytest.mark.parametrize("covered", [False, True])
async def test_a_new_account_on_an_exchange_object_that_was_on_is_held_and_notified(covered: bool) -> None:
    """The bypass is older than the account, and an allowlist entry of the account before says nothing of it."""
    world = await made_again(covered=covered)
    for _ in range(3):
        await world.sweep(content=on(BLAKE))
        await world.answer()
        await world.passes(minutes=15)
        await world.answer()
    assert world.sweeps.kept

    assert set((await world.states(BLAKE)).values()) == {StepState.HELD}
    assert "held" in await world.notifications(BLAKE)
    assert [(entry.object_id, entry.covered) for entry in world.sweeps.kept.entries.values()] == [(BLAKE, False)]


@pytest.mark.parametrize("first", ["an incomplete sweep", "an alert"])
async def test_whatever_shows_it_first_such_an_account_is_held(first: str) -> None:
    world = await made_again()
    if first == "an alert":
        await world.sees(a_hint(object_id_text=BLAKE))
    else:
        await world.sweep(content=on(BLAKE), complete=False, warnings=("Something new.",))
    await world.answer(resolved=ExchangeObject(object_id=BLAKE, exchange_guid=exchange_guid(ALEX), name="Alex"))

    assert set((await world.states(BLAKE)).values()) == {StepState.HELD}


async def test_an_account_that_was_on_is_still_on_with_another_exchange_object() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.passes(minutes=15)
    await world.sweep(content=on(ALEX, of=BLAKE))
    await world.answer()
    assert world.sweeps.kept

    assert world.directory.enabled[ALEX]
    assert len(await findings(world)) == 1
    assert [entry.exchange_guid for entry in world.sweeps.kept.entries.values()] == [exchange_guid(BLAKE)]


async def test_an_object_whose_entra_id_is_missing_is_still_on_under_the_entry_of_its_account() -> None:
    world = World()
    world.bypassed[ALEX] = True
    world.allowlist.rows[ALEX] = an_entry()
    await world.sweep()
    await world.passes(minutes=15)
    await world.sweep(content=on(None))
    await world.answer()

    assert world.exchange.sent == []
    assert await world.incidents() == []
    assert world.sweeps.kept
    assert [(entry.object_id, entry.covered) for entry in world.sweeps.kept.entries.values()] == [(ALEX, True)]


async def test_an_object_that_gets_an_entra_id_is_held_and_asked_about_under_it_only() -> None:
    world = World()
    await world.sweep(content=on(None))
    await world.passes(minutes=15)
    await world.answer()
    asked = len(world.exchange.sent)
    world.bypassed[ALEX] = True
    await world.sweep(content=on(ALEX))
    await world.answer()
    assert world.sweeps.kept

    assert set((await world.states(ALEX)).values()) == {StepState.HELD}
    assert {command.object_id for command in world.exchange.sent[asked:]} == {ALEX}
    assert set(world.sweeps.kept.entries) == {ALEX}


# ---- what is not believed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        {"outcome": "failed", "blob": None, "sha256": None, "error": "down", "error_class": "transient"},
        {"outcome": "refused", "blob": None, "sha256": None, "error": "no"},
        {"sha256": "0" * 64},
        {"bypassed": 7},
        {"content": {"command_id": "another"}},
        {"content": {"tenant_id": "22222222-2222-4222-8222-222222222222"}},
    ],
)
async def test_an_answer_that_is_not_complete_contains_nobody_loses_nothing_and_is_an_alert(
    answer: dict[str, Any],
) -> None:
    world = World()
    world.allowlist.rows[BLAKE] = an_entry(BLAKE)
    world.bypassed[BLAKE] = True
    await world.sweep()
    await world.passes(minutes=15)
    world.bypassed |= {ALEX: True, BLAKE: False}
    await world.sweep(**answer)
    await world.answer()

    assert world.sweeps.kept
    assert set(world.sweeps.kept.entries) == {BLAKE}
    assert await world.incidents() == []
    assert world.directory.enabled == {ALEX: True, BLAKE: True}
    assert "sweep_incomplete" in await world.alerts()


INCOMPLETE: list[dict[str, Any]] = [
    {"complete": False, "warnings": ("There are more results.",)},
    {"complete": False, "warnings": ("Something new.",)},
    {"scanned": 949},
]


@pytest.mark.parametrize("answer", INCOMPLETE)
async def test_what_an_incomplete_sweep_lists_as_on_is_checked_and_contained(answer: dict[str, Any]) -> None:
    world = await swept()
    world.bypassed[ALEX] = True
    await world.sweep(**answer)
    await world.answer()

    assert not world.directory.enabled[ALEX]
    assert "sweep_incomplete" in await world.alerts()


async def test_what_an_incomplete_sweep_does_not_list_stays_in_the_baseline() -> None:
    world = World()
    world.allowlist.rows[BLAKE] = an_entry(BLAKE)
    world.bypassed[BLAKE] = True
    await world.sweep()
    await world.passes(minutes=15)
    world.bypassed[BLAKE] = False
    await world.sweep(**INCOMPLETE[0])

    assert world.sweeps.kept
    assert set(world.sweeps.kept.entries) == {BLAKE}


async def test_an_account_that_incomplete_sweeps_list_again_and_again_is_one_finding() -> None:
    world = await swept(mode="observe")
    world.bypassed[ALEX] = True
    for _ in range(3):
        await world.sweep(**INCOMPLETE[1])
        await world.passes(minutes=15)

    assert len(await findings(world)) == 1


@pytest.mark.parametrize(("before", "after", "sweep"), [(True, False, {}), (False, True, INCOMPLETE[1])])
async def test_a_finding_of_a_run_that_ended_before_it_was_marked_is_decided(
    before: bool, after: bool, sweep: dict[str, Any]
) -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry()
    world.bypassed[ALEX] = before
    await world.sweep()
    for _ in range(2):
        await world.passes(minutes=15)
    world.bypassed[ALEX] = after
    world.work.fail("touch", TransientError("503"), about=ALEX)
    with pytest.raises(TransientError):
        await world.sweep(**sweep)

    await world.passes(minutes=1)
    await world.answer()

    assert {each.state for each in await findings(world)} == {FindingState.DECIDED}


async def test_a_finding_of_a_run_that_ended_there_is_decided_although_the_sweep_is_not_compared_again() -> None:
    world = World()
    await world.sweep()
    await world.passes(minutes=15)
    world.bypassed[ALEX] = True
    add = world.ledger.add_finding

    async def ends(finding: Finding) -> bool:
        await add(finding)
        raise TransientError("The host ends.")

    world.ledger.add_finding = ends  # type: ignore[method-assign]
    with pytest.raises(TransientError):
        await world.sweep()

    world.sweeps.lists.clear()
    await world.passes(minutes=15)
    await world.answer()

    assert {each.state for each in await findings(world)} == {FindingState.DECIDED}


async def test_before_the_first_complete_sweep_what_is_listed_is_held() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sweep(**INCOMPLETE[1])
    await world.answer()

    assert set((await world.states()).values()) == {StepState.HELD}
    assert "held" in await world.notifications()


async def test_an_account_that_was_read_as_off_since_the_baseline_is_checked_again() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry()
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.passes(minutes=15)
    await world.sees(a_hint())
    world.bypassed[ALEX] = False
    await world.answer()
    world.bypassed[ALEX] = True
    await world.sweep(**INCOMPLETE[1])

    assert [finding.source for finding in await findings(world)].count(Source.SWEEP) == 2


async def test_a_list_with_an_object_twice_counts_it_once() -> None:
    world = await swept()
    world.bypassed[ALEX] = True
    twice = [BypassedObject(object_id=ALEX, exchange_guid=exchange_guid(ALEX), name="a")] * 2
    await world.sweep(content={"bypassed": twice})

    assert "sweep_incomplete" not in await world.alerts()
    assert (await state(world)).on == 1
    assert len(await findings(world)) == 1


CORRUPT = "The object contoso.onmicrosoft.com/Room 1 has been corrupted, and it's in an inconsistent state."


@pytest.mark.parametrize("warning", [CORRUPT, "Micro delay applied. Actual delayed: 1250 msecs, Enforced: True."])
async def test_a_harmless_warning_leaves_a_sweep_complete(warning: str) -> None:
    world = World()
    await world.sweep(complete=False, warnings=(warning,))

    assert world.sweeps.kept is not None


async def test_a_warning_that_a_person_accepted_leaves_a_sweep_complete() -> None:
    world = World()
    await world.sweep(complete=False, warnings=("Something new about 'Room 1'.",))
    await world.delivers(await world.an_acceptance("Something new about 'Room 1'."))
    await world.passes(minutes=15)
    await world.sweep(complete=False, warnings=("Something new about 'Room 2'.",))

    assert world.sweeps.kept is not None
    assert "sweep_incomplete" not in await world.alerts()


async def test_a_list_that_comes_after_its_message_is_read() -> None:
    world = await swept()
    world.bypassed[ALEX] = True
    world.sweeps.fail("content", NotFoundError("404"))
    await world.sweep()
    before = await world.alerts()
    await world.passes(minutes=1)

    assert "sweep_incomplete" not in before
    assert ALEX in (world.sweeps.kept.entries if world.sweeps.kept else {})


async def test_a_list_that_never_comes_makes_the_sweep_incomplete() -> None:
    world = await swept()
    await world.sweep(blob="not-there.json")
    await world.passes(minutes=11)

    assert "sweep_incomplete" in await world.alerts()


async def test_the_next_complete_sweep_ends_the_alert_and_the_recovery_is_notified() -> None:
    world = await swept()
    await world.sweep(scanned=1)
    await world.passes(minutes=15)
    await world.sweep()

    assert await world.alerts() == set()
    assert "recovered" in [notification.about for notification in world.notifier.sent]


async def test_the_same_answer_twice_changes_nothing() -> None:
    world = await swept()
    world.bypassed[ALEX] = True
    await world.sweep()
    before = len(await findings(world))
    log = list(world.ledger.logs[TENANT_TARGET])
    await world.answer_sweep()

    assert len(await findings(world)) == before
    assert [line for line in world.ledger.logs[TENANT_TARGET] if line not in log] == []


async def test_an_answer_to_a_sweep_that_nobody_asked_for_is_recorded_and_not_read() -> None:
    world = World()
    await plan_sweep(world.services)
    world.bypassed[ALEX] = True
    await world.answer_sweep(command_id="00000000-0000-4000-8000-999999999999")

    events = [entry.event async for entry in world.ledger.log(TENANT_TARGET)]
    assert events == ["answer_ignored"]
    assert world.sweeps.kept is None


async def test_an_older_sweep_never_replaces_a_newer_baseline() -> None:
    world = await swept()
    world.bypassed[ALEX] = True
    await world.sweep(content={"started_at": START - timedelta(hours=1)})

    assert world.sweeps.kept
    assert world.sweeps.kept.entries == {}
    assert "sweep_incomplete" in await world.alerts()


async def test_no_complete_sweep_for_an_hour_is_an_alert() -> None:
    world = await swept()
    await world.passes(minutes=61)

    assert "sweep_overdue" in await world.alerts()


async def test_a_run_that_breaks_off_is_taken_up_by_the_scheduler() -> None:
    from bypass_responder.errors import TransientError

    world = await swept()
    world.bypassed[ALEX] = True
    world.sweeps.fail("replace_baseline", TransientError("gone"))
    with pytest.raises(TransientError):
        await world.sweep()
    world.sweeps.recover()
    await world.passes(minutes=1)
    await world.answer()
    await world.answer()

    assert world.sweeps.kept
    assert set(world.sweeps.kept.entries) == {ALEX}
    assert len(await world.incidents()) == 1


# ---- the organization's switches -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("switch", "alert"),
    [
        ({"audit_disabled": True}, "audit_disabled"),
        ({"unified_audit_log_ingestion_enabled": False}, "ingestion_disabled"),
    ],
)
async def test_a_switch_of_the_organization_that_weakens_auditing_is_critical_and_blocks_nobody(
    switch: dict[str, Any], alert: str
) -> None:
    world = await swept()
    await world.sweep(**switch)
    on = await world.alerts()
    await world.passes(minutes=15)
    await world.sweep()

    assert on == {alert}
    assert await world.alerts() == set()
    assert all(world.directory.enabled.values())


async def test_the_switches_are_reported_even_when_the_list_is_not_complete() -> None:
    world = await swept()
    await world.sweep(complete=False, warnings=("w",), audit_disabled=True)

    assert await world.alerts() == {"audit_disabled", "sweep_incomplete"}


# ---- hints -----------------------------------------------------------------------------------------------------------


async def test_a_hint_that_exchange_confirms_is_contained_when_the_last_sweep_had_it_off() -> None:
    world = await swept()
    world.bypassed[ALEX] = True
    await world.sees(a_hint(identity_text="alex@contoso.onmicrosoft.com", object_id_text=""))
    assert world.directory.enabled[ALEX]
    await world.answer()
    await world.answer()

    assert not world.directory.enabled[ALEX]
    assert not world.bypassed[ALEX]


async def test_a_hint_before_the_first_complete_sweep_is_held() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_hint())
    await world.answer()

    assert set((await world.states()).values()) == {StepState.HELD}
    assert world.directory.enabled[ALEX]


async def test_a_hint_about_an_account_that_was_on_at_the_last_sweep_is_held() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.sees(a_hint())
    await world.answer()

    assert world.directory.enabled[ALEX]
    assert (await world.incidents())[0].status is IncidentStatus.HELD


async def test_a_hint_is_contained_though_a_sweep_listed_the_account_meanwhile() -> None:
    world = await swept()
    world.bypassed[ALEX] = True
    await world.sees(a_hint(received_at=world.now))
    await world.passes(seconds=1)
    await world.sweep()
    await world.answer()
    [hint] = [finding for finding in await findings(world) if finding.source is Source.HINT]

    assert (hint.verdict, world.directory.enabled[ALEX]) == ("violation", False)


async def test_a_hint_that_comes_after_a_sweep_listed_the_account_is_held_separately() -> None:
    world = await swept()
    world.allowlist.rows[ALEX] = an_entry()
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.answer()
    await world.passes(minutes=1)
    del world.allowlist.rows[ALEX]
    await world.sees(a_hint(received_at=world.now))
    await world.answer()
    await world.answer()

    assert world.directory.enabled[ALEX]


async def test_a_hint_that_exchange_denies_is_unconfirmed_and_listed() -> None:
    world = await swept()
    await world.sees(a_hint())
    await world.answer()

    assert await world.incidents() == []
    assert [entry.kind for entry in world.index.held.values()] == ["unconfirmed"]


@pytest.mark.parametrize("outcome", [ExchangeOutcome.NOT_FOUND, ExchangeOutcome.AMBIGUOUS, ExchangeOutcome.REFUSED])
async def test_a_hint_about_nobody_or_about_two_is_unconfirmed_and_opens_nothing(outcome: ExchangeOutcome) -> None:
    world = await swept()
    hint = a_hint(object_id_text="", identity_text="nobody")
    await world.sees(hint)
    await world.answer(outcome=outcome, resolved=None, before=None)

    assert await world.incidents(hint.target) == []
    assert [finding.verdict for finding in await findings(world, hint.target)] == ["unconfirmed"]


async def test_a_hint_about_a_protected_account_restores_its_auditing_and_blocks_nobody() -> None:
    world = await swept(protected_object_ids=ALEX)
    world.bypassed[ALEX] = True
    await world.sees(a_hint())
    await world.answer()
    await world.answer()

    assert world.directory.enabled[ALEX]
    assert not world.bypassed[ALEX]


async def test_a_hint_stays_open_while_exchange_cannot_be_asked() -> None:
    world = await swept()
    world.bypassed[ALEX] = True
    await world.sees(a_hint())
    await world.answer(
        outcome=ExchangeOutcome.FAILED, resolved=None, before=None, error="down", error_class="transient"
    )
    await world.passes(minutes=3)
    await world.answer()
    await world.answer()

    assert "worker_failed" in await world.notifications()
    assert not world.directory.enabled[ALEX]


async def test_above_so_many_checks_an_hour_hints_wait_and_it_is_an_alert() -> None:
    world = await swept(hint_checks_per_hour=2)
    world.bypassed[ALEX] = True
    for name in ("nobody-1", "nobody-2"):
        await world.sees(a_hint(object_id_text="", identity_text=name))
    await world.sees(a_hint())
    waiting = len(world.exchange.sent), await world.alerts()
    await world.passes(minutes=61)
    for _ in range(3):
        await world.answer()

    assert waiting == (2, {"hints_waiting"})
    assert not world.directory.enabled[ALEX]


async def test_a_record_of_the_feed_is_not_held_back_by_hints_that_wait() -> None:
    world = await swept(hint_checks_per_hour=0)
    world.bypassed[ALEX] = True
    await world.sees(a_hint())
    await world.sees(a_finding())

    assert not world.directory.enabled[ALEX]


async def test_a_hint_soon_after_the_restoration_is_asked_again_later_not_believed_at_once() -> None:
    """A server of Exchange may still say on."""
    world = await swept()
    world.bypassed[ALEX] = True
    await world.sees(a_finding(effective_at=world.now))
    await world.answer()
    await world.passes(minutes=1)
    await world.sees(a_hint(effective_at=world.now))
    await world.answer(before=True)
    at_once = len(await world.incidents())
    await world.passes(minutes=12)
    await world.answer()

    assert (at_once, len(await world.incidents())) == (1, 1)
    assert sorted(finding.verdict for finding in await findings(world)) == ["unconfirmed", "violation"]


async def test_one_episode_seen_by_all_three_is_one_incident_with_the_proven_start() -> None:
    world = await swept()
    happened = world.now
    world.bypassed[ALEX] = True
    await world.passes(minutes=2)
    await world.sees(a_hint())
    await world.sweep()
    await world.answer()
    await world.answer()
    await world.passes(hours=1)
    await world.sees(a_finding(effective_at=happened, received_at=world.now))
    [incident] = await world.incidents()
    sources = {finding.source for finding in await findings(world) if finding.incident_id == incident.id}

    assert sources == {Source.HINT, Source.SWEEP, Source.FEED}
    assert (incident.blind_from, incident.blind_from_proven) == (happened, True)


async def test_the_note_of_the_first_sweep_says_how_to_go_on() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sweep()
    [notification] = [
        row
        for row in (await world.case(TENANT_TARGET)).by_key.values()
        if isinstance(row, Notification) and row.about == "first_sweep"
    ]

    assert "allowlist add" in " ".join(notification.left_to_do)
    assert "approve" in " ".join(notification.left_to_do)
