"""What an adversarial reading of alerts and sweeps found, once each.

Nobody is wrongly blocked, and nobody is forgotten.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.errors import InputError, TransientError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Actor
from bypass_responder.model.finding import Finding, FindingState, Source
from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.step import StepState
from bypass_responder.model.sweep import BypassedObject, Sweep
from bypass_responder.triggers.receive_alert import receive_alert
from bypass_responder.triggers.record_exchange_result import record_exchange_result
from tests.world import ALEX, BLAKE, START, TENANT, World, a_finding, a_hint, an_entry, exchange_guid

UNREADABLE_NAME = BypassedObject(object_id=None, exchange_guid=exchange_guid(ALEX), name=" ")
NOT_FOUND: dict[str, Any] = {"outcome": ExchangeOutcome.NOT_FOUND, "resolved": None, "before": None}


async def swept(**settings: Any) -> World:
    world = World(**settings)
    await world.sweep()
    await world.passes(minutes=15)
    return world


async def on_at_the_first_sweep(**settings: Any) -> World:
    world = World(**settings)
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.passes(minutes=15)
    return world


async def says(world: World, number: int = 0, **data: Any) -> None:
    event = {"specversion": "1.0", "id": f"e{number}", "source": "/siem", "type": "bypass"}
    await receive_alert(json.dumps(event | {"data": {"tenantId": TENANT} | data}).encode(), world.services)


async def answers(world: World, times: int = 2) -> None:
    for _ in range(times):
        await world.answer()


async def findings(world: World, target: str = ALEX) -> list[Finding]:
    return [row for row in (await world.case(target)).by_key.values() if isinstance(row, Finding)]


def notified(world: World) -> list[str]:
    return [notification.about for notification in world.notifier.sent]


# ---- nobody is wrongly blocked ---------------------------------------------------------------------------------------


async def test_an_alert_does_not_contain_the_account_that_it_calls_the_actor() -> None:
    """Exchange confirms the target, never who did it."""
    world = await swept(actor_response="contain")
    world.bypassed[ALEX] = True
    await says(world, target=ALEX, actor="blake@contoso.onmicrosoft.com")
    await answers(world)

    assert world.directory.enabled == {ALEX: False, BLAKE: True}


async def test_not_found_is_no_off_for_the_next_hint() -> None:
    world = await on_at_the_first_sweep()
    await world.sees(a_hint(received_at=world.now))
    await world.answer(**NOT_FOUND)
    await world.passes(minutes=1)
    await world.sees(a_hint(received_at=world.now))
    await answers(world)

    assert world.directory.enabled[ALEX]


async def test_not_found_is_no_off_for_the_next_sweep() -> None:
    world = await on_at_the_first_sweep()
    await world.sees(a_hint(received_at=world.now))
    await world.answer(**NOT_FOUND)
    await world.passes(minutes=15)
    await world.sweep()
    await answers(world)

    assert world.directory.enabled[ALEX]


async def test_an_account_that_was_gone_and_comes_back_bypassed_is_held() -> None:
    """Nobody ever read it as off: it was deleted and restored."""
    world = await on_at_the_first_sweep()
    deleted = world.directory.accounts.pop(ALEX)
    world.bypassed[ALEX] = False
    await world.sweep()
    await world.answer(**NOT_FOUND)
    await world.passes(minutes=15)
    await world.sweep()
    world.directory.accounts[ALEX] = deleted
    world.bypassed[ALEX] = True
    await world.passes(minutes=15)
    await world.sweep()
    await answers(world)

    assert world.directory.enabled[ALEX]


async def test_an_entry_that_expires_while_the_answer_is_awaited_restores_auditing_and_blocks_nobody() -> None:
    world = await swept()
    world.allowlist.rows[ALEX] = an_entry(expires_at=world.now + timedelta(minutes=10))
    world.bypassed[ALEX] = True
    await world.sweep()
    world.now += timedelta(minutes=11)
    await answers(world)

    assert world.directory.enabled[ALEX]
    assert not world.bypassed[ALEX]


async def test_an_object_that_the_first_sweep_listed_without_an_entra_id_was_not_off() -> None:
    world = World()
    listed = BypassedObject(object_id=None, exchange_guid=exchange_guid(ALEX), name="Alex")
    await world.sweep(content={"bypassed": (listed,)})
    await world.answer()
    await world.passes(minutes=15)
    world.bypassed[ALEX] = True
    await world.sees(a_hint(received_at=world.now))
    await answers(world)

    assert world.directory.enabled[ALEX]


# ---- nobody is forgotten ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [ExchangeOutcome.AMBIGUOUS, ExchangeOutcome.REFUSED])
async def test_an_account_that_is_not_listed_and_not_read_either_is_asked_about_again(outcome: ExchangeOutcome) -> None:
    world = await on_at_the_first_sweep()
    world.bypassed[ALEX] = False
    await world.sweep()
    await world.answer(outcome=outcome, resolved=None, before=None)
    still_there = set(world.sweeps.kept.entries) if world.sweeps.kept else set()
    await world.passes(minutes=15)
    await world.sweep()
    await world.answer()

    assert still_there == {ALEX}
    assert sorted(finding.verdict for finding in await findings(world)) == ["first_run", "switched_off", "unconfirmed"]


async def test_a_deleted_account_leaves_the_baseline_and_is_news_when_it_is_bypassed_again() -> None:
    world = await on_at_the_first_sweep()
    deleted = world.directory.accounts.pop(ALEX)
    world.bypassed[ALEX] = False
    for _ in range(2):
        await world.sweep()
        await world.answer(**NOT_FOUND)
        await world.passes(minutes=15)
    left = dict(world.sweeps.kept.entries) if world.sweeps.kept else None
    world.directory.accounts[ALEX] = deleted
    world.bypassed[ALEX] = True
    await world.sweep()

    assert left == {}
    assert [finding.state for finding in await findings(world)].count(FindingState.WAITING) == 1


async def test_a_second_first_sweep_is_reported_too() -> None:
    """After the advice for a baseline that was lost: delete the row."""
    world = World()
    world.bypassed[BLAKE] = True
    await world.sweep()
    await world.passes(minutes=15)
    world.sweeps.kept = None
    world.bypassed[ALEX] = True
    await world.sweep()

    assert notified(world).count("first_sweep") == 2


async def test_a_run_that_breaks_off_after_the_baseline_moved_still_reports_the_first_sweep() -> None:
    world = World()
    world.bypassed[ALEX] = True
    move = world.sweeps.replace_baseline

    async def moved_and_then_killed(baseline: Any) -> None:
        await move(baseline)
        raise TransientError("killed")

    world.sweeps.replace_baseline = moved_and_then_killed  # type: ignore[method-assign]
    with pytest.raises(TransientError):
        await world.sweep()
    await world.passes(minutes=1)

    assert notified(world).count("first_sweep") == 1
    assert await world.alerts() == set()


async def test_covered_then_off_then_uncovered_and_on_again_between_two_sweeps_is_contained() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry()
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.passes(minutes=15)
    world.bypassed[ALEX] = False
    await world.sees(a_hint(received_at=world.now))
    await world.answer()
    del world.allowlist.rows[ALEX]
    await world.passes(minutes=1)
    world.bypassed[ALEX] = True
    await world.passes(minutes=14)
    await world.sweep()
    await answers(world)

    assert not world.bypassed[ALEX]


async def test_a_tenant_that_shrank_is_believed_after_three_sweeps_that_agree() -> None:
    world = World()
    await world.sweep(scanned=10)
    world.bypassed[ALEX] = True
    problems = []
    for _ in range(3):
        await world.passes(minutes=15)
        await world.sweep(scanned=9)
        problems.append("sweep_incomplete" in await world.alerts())
    await answers(world)

    assert problems == [True, True, False]
    assert not world.bypassed[ALEX]


async def test_a_shrinking_count_that_changes_each_time_is_never_believed() -> None:
    world = World()
    await world.sweep(scanned=1000)
    for scanned in (900, 700, 500, 300):
        await world.passes(minutes=15)
        await world.sweep(scanned=scanned)

    assert "sweep_incomplete" in await world.alerts()


async def test_one_account_whose_rows_cannot_be_read_does_not_stop_the_sweep() -> None:
    world = World()
    world.bypassed[BLAKE] = True
    await world.sweep()
    await world.passes(minutes=15)
    load = world.ledger.load

    async def broken(target: str, *, history: bool = False) -> Any:
        if target == BLAKE:
            raise InputError("corrupt_row", "edited by hand")
        return await load(target, history=history)

    world.services = dataclasses.replace(world.services)
    world.ledger.load = broken  # type: ignore[method-assign]
    world.bypassed[ALEX] = True
    await world.sweep()
    await answers(world)

    assert not world.bypassed[ALEX]
    assert world.sweeps.kept
    assert BLAKE in world.sweeps.kept.entries
    assert "sweep_account_unreadable" in await world.alerts()


@pytest.mark.parametrize("off_by", [timedelta(days=3650), -timedelta(days=1)])
async def test_an_answer_whose_clock_is_wrong_is_not_believed(off_by: timedelta) -> None:
    world = await swept()
    before = world.sweeps.kept
    await world.sweep(content={"started_at": world.now + off_by})

    assert world.sweeps.kept == before
    assert "sweep_incomplete" in await world.alerts()


async def test_an_object_without_id_and_name_is_held_and_stops_nothing() -> None:
    world = await swept()
    await world.sweep(content={"bypassed": (UNREADABLE_NAME,)})
    [target] = [target for target in await world.ledger.targets() if target.startswith("name-")]

    assert set((await world.states(target)).values()) == {StepState.HELD}


# ---- health says what is true ----------------------------------------------------------------------------------------


async def test_an_answered_sweep_does_not_end_the_silence_of_the_commands() -> None:
    world = await swept()
    await world.sees(a_finding(effective_at=world.now - timedelta(minutes=5), received_at=world.now))
    for _ in range(4):
        await world.passes(minutes=20)
    await world.sweep()

    assert "worker_silent" in await world.alerts()


async def test_in_observe_the_owner_is_not_notified_that_auditing_was_restored() -> None:
    world = World(mode="observe")
    world.allowlist.rows[ALEX] = an_entry(expires_at=START + timedelta(days=1))
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.passes(days=2)
    await world.sweep()
    await world.answer()

    assert "allowlist_expired" not in notified(world)
    assert "observed" in notified(world)


# ---- floods ----------------------------------------------------------------------------------------------------------


async def test_hints_that_wait_ask_graph_nothing() -> None:
    world = await swept(hint_checks_per_hour=3)
    for number in range(30):
        await says(world, number, target=f"user{number}@contoso.onmicrosoft.com")
    before = len(world.directory.calls)
    await world.passes(minutes=6)

    assert len(world.directory.calls) == before


async def test_a_record_is_decided_before_hundreds_of_hints_about_the_account() -> None:
    world = await swept(hint_checks_per_hour=0)
    for number in range(100):
        await says(world, number, target=ALEX, occurredAt="2020-01-01T00:00:00Z")
    world.now += timedelta(minutes=6)
    before, commits = len(world.ledger.calls), []
    block = world.directory.set_sign_in

    async def counted(object_id: str, *, enabled: bool) -> None:
        commits.append(len(world.ledger.calls) - before)
        await block(object_id, enabled=enabled)

    world.directory.set_sign_in = counted  # type: ignore[method-assign]
    await world.sees(a_finding(effective_at=world.now - timedelta(minutes=1), received_at=world.now))

    assert commits[0] < 10


async def test_actors_that_alerts_name_do_not_crowd_out_the_real_one() -> None:
    world = await swept()
    world.bypassed[ALEX] = True
    await world.sweep()
    await answers(world)
    for number in range(55):
        await says(world, number, target=ALEX, actor=f"innocent{number}@contoso.onmicrosoft.com")
    await world.passes(minutes=15)
    await world.answer()
    mallory = Actor(user_id="mallory@contoso.onmicrosoft.com")
    await world.sees(a_finding(effective_at=START + timedelta(minutes=10), received_at=world.now, actor=mallory))
    [incident] = await world.incidents()

    assert incident.actors == (mallory,)


async def test_old_hints_do_not_keep_one_of_this_episode_from_being_its_evidence() -> None:
    world = await swept()
    for number in range(40):
        at = START - timedelta(days=30)
        await world.sees(a_hint(id=f"hint-{number:03d}", effective_at=at, received_at=world.now))
        await world.answer()
    await world.sees(a_hint(id="hint-099", effective_at=world.now, received_at=world.now))
    await world.answer()
    world.bypassed[ALEX] = True
    await world.sees(a_finding(effective_at=world.now, received_at=world.now))
    [incident] = await world.incidents()

    assert "hint-099" in incident.evidence


async def test_more_records_after_the_restoration_than_one_transaction_holds_are_decided_anew() -> None:
    world = await swept()
    world.bypassed[ALEX] = True
    await world.sees(a_finding(effective_at=world.now - timedelta(minutes=1), received_at=world.now))
    read_at = world.now
    world.now += timedelta(minutes=5)
    for number in range(110):
        await world.sees(a_finding(effective_at=read_at + timedelta(seconds=number + 1), received_at=world.now))
    late = world._result(world.exchange.sent[0], read_at=read_at)
    await record_exchange_result(late.model_dump_json().encode(), world.services)
    await world.passes(minutes=1)
    first, second = await world.incidents()

    assert first.restored_at == read_at
    assert {row.incident_id for row in await findings(world) if row.effective_at > read_at} == {second.id}


async def test_a_poison_message_of_brackets_is_kept_like_any_other() -> None:
    world = await swept()
    world.exchange.poison.append("[" * 45_000)
    await world.passes(minutes=1)

    assert world.exchange.poison == []
    assert len(world.feed_store.kept) == 1


async def test_a_sweep_row_is_idle_again_after_each_answer() -> None:
    world = await swept()
    await world.sweep(scanned=1)
    row = (await world.case(TENANT_TARGET)).by_key["sweep"]

    assert isinstance(row, Sweep)
    assert (row.state, row.short) == ("idle", 1)
    assert Source.HINT not in {finding.source for finding in await findings(world)}


async def test_a_held_account_that_exchange_says_is_off_has_a_blind_window_with_an_end() -> None:
    world = await on_at_the_first_sweep()
    world.bypassed[ALEX] = False
    await world.sweep()
    await world.answer()
    [incident] = await world.incidents()

    assert incident.restored_at == world.now


async def test_a_sweep_that_a_run_is_about_to_send_is_not_sent_by_the_scheduler_too() -> None:
    world = World()
    world.exchange.fail("send", TransientError("gone"))
    with pytest.raises(TransientError):
        await world.sweep()
    world.exchange.recover()
    await world.passes(seconds=5)
    too_early = len(world.sweeps_asked)
    await world.passes(seconds=6)

    assert (too_early, len(world.sweeps_asked)) == (0, 1)
