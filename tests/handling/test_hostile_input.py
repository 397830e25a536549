"""What an attacker, a crash or an outage elsewhere could do to the responder, as found in review."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from bypass_responder.errors import PermissionMissingError, RefusedError, TransientError
from bypass_responder.model.finding import FindingState
from bypass_responder.model.log import LogEntry
from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.step import StepKind
from bypass_responder.operating.verify_log import verify_log
from bypass_responder.triggers.record_exchange_result import record_exchange_result
from tests.world import ALEX, BLAKE, START, World, a_finding

HOST_DIES = RuntimeError("the host dies here")


async def passes(world: World, times: int = 1, **duration: float) -> None:
    """Let time pass; the next run retries what failed."""
    for _ in range(times):
        try:
            await world.passes(**duration)
        except ExceptionGroup as problems:
            assert problems.exceptions  # noqa: PT017 - the run reports it; the state is what matters


async def sees(world: World, *findings: object) -> None:
    try:
        await world.sees(*findings)  # type: ignore[arg-type]
    except ExceptionGroup as problems:
        assert problems.exceptions  # noqa: PT017 - as above


async def test_a_queue_failure_does_not_cancel_the_block() -> None:
    world = World()
    block = world.directory.set_sign_in

    async def slowly(object_id: str, *, enabled: bool) -> None:
        await asyncio.sleep(0.02)
        await block(object_id, enabled=enabled)

    world.directory.set_sign_in = slowly  # type: ignore[method-assign]
    world.exchange.fail("send", PermissionMissingError("403", permission="Queue"), always=True)
    await sees(world, a_finding())

    assert not world.directory.enabled[ALEX]


async def test_a_lost_queue_permission_raises_an_alert() -> None:
    world = World()
    world.exchange.fail("send", PermissionMissingError("403", permission="Queue"), always=True)
    await sees(world, a_finding())
    await passes(world, minutes=1)

    assert "health" in await world.notifications("tenant")


async def test_one_finding_that_always_fails_holds_back_no_other_of_its_target() -> None:
    world = World()
    world.directory.fail("find", TransientError("500"), about="x@contoso.com", always=True)
    await sees(world, a_finding(), a_finding(identity_text="x@contoso.com", effective_at=START))
    await passes(world, times=20, minutes=1)

    assert not world.directory.enabled[ALEX]
    assert "undecided" in await world.notifications()


async def test_a_name_that_graph_refuses_to_read_is_asked_of_exchange() -> None:
    world = World()
    world.directory.fail("find", RefusedError("400"), about="o'x@contoso.com", always=True)
    world.names["o'x@contoso.com"], world.bypassed[ALEX] = [ALEX], True
    await world.sees(a_finding(identity_text="o'x@contoso.com"))
    await world.answer()

    assert not world.directory.enabled[ALEX]


async def test_more_findings_than_a_transaction_holds_are_decided_all() -> None:
    world = World()
    world.names["alex smith"], world.bypassed[ALEX] = [ALEX], True
    await world.sees(*(a_finding(object_id_text="Alex Smith", identity_text="Alex Smith") for _ in range(101)))
    for _ in range(6):
        await world.answer()
        await world.passes(minutes=1)

    assert not world.directory.enabled[ALEX]
    findings = [row for row in (await world.case()).by_key.values() if row.kind == "finding"]
    assert {row.state for row in findings} == {FindingState.DECIDED}  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", ["dismiss", "release"])
async def test_a_claim_whose_worker_died_is_not_carried_out_after_a_person_ended_the_incident(verb: str) -> None:
    world = World()
    world.directory.fail("set_sign_in", HOST_DIES)
    with pytest.raises(ExceptionGroup):
        await world.sees(a_finding())
    [incident] = await world.incidents()
    world.now += timedelta(seconds=70)
    await world.decides(verb, incident.id)
    await world.passes(minutes=2)

    assert world.directory.enabled[ALEX]


async def test_a_dismissed_person_is_not_blocked_again_by_the_bypass_that_was_never_off() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.FAILED, error="no right", error_class="permission")
    [incident] = await world.incidents()
    await world.decides("dismiss", incident.id)
    world.directory.change(ALEX, account_enabled=True)
    await world.passes(minutes=70)
    await world.answer()
    await world.passes(minutes=1)

    assert world.directory.enabled[ALEX]


async def test_the_next_checkpoint_does_not_launder_a_rewritten_log() -> None:
    world = World()
    await world.sees(a_finding())
    await world.passes(minutes=1)
    await world.answer()
    await world.passes(minutes=1)
    previous, forged = "", []
    async for entry in world.ledger.log(ALEX):
        changed = LogEntry(**entry.model_dump() | {"text": "nothing happened", "previous": previous})
        forged.append(changed.model_copy(update={"hash": changed.digest()}))
        previous = forged[-1].hash
    world.ledger.logs[ALEX] = [entry.model_dump_json() for entry in forged]
    kind, head = world.ledger.stored[ALEX]["now-head"]
    world.ledger.stored[ALEX]["now-head"] = (kind, json.dumps(json.loads(head) | {"log_hash": previous}))
    await world.work.touch(ALEX, world.now)
    await world.passes(seconds=1)

    assert (await verify_log(world.ledger, world.checkpoints)).problems


async def test_an_on_after_the_proof_is_news_although_it_came_before_the_answer() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    world.answered = 1
    proof = world._result(world.exchange.sent[0], outcome=ExchangeOutcome.VERIFIED, after=False)
    world.now += timedelta(minutes=5)
    await world.sees(a_finding(effective_at=START + timedelta(minutes=2)))
    await record_exchange_result(proof.model_dump_json().encode(), world.services)

    assert len(await world.incidents()) == 2


async def test_one_account_takes_one_slot_of_the_limit() -> None:
    world = World()
    for _ in range(5):
        world.bypassed[ALEX] = True
        await world.sees(a_finding(effective_at=world.now))
        await world.answer()
        world.now += timedelta(minutes=3)
    await world.sees(
        a_finding(object_id_text=BLAKE, identity_text="blake@contoso.onmicrosoft.com", effective_at=world.now)
    )

    assert not world.directory.enabled[BLAKE]


async def test_a_flood_is_reported_in_notifications_that_are_sent_once() -> None:
    world = World()
    await sees(world, *(a_finding(outcome="failed") for _ in range(120)))
    await passes(world, times=5, minutes=1)

    assert sorted(len(message) for message in world.notifier.messages) == [20, 50, 50]


async def test_the_state_before_the_block_is_that_of_the_last_time_the_account_was_enabled() -> None:
    world = World()
    world.directory.change(ALEX, account_enabled=False)
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await world.answer()
    world.directory.change(ALEX, account_enabled=True)
    world.now += timedelta(hours=1)
    await world.sees(a_finding(effective_at=world.now))
    [_, incident] = await world.incidents()
    await world.decides("release", incident.id)

    assert world.directory.enabled[ALEX]
    assert (await world.steps())[StepKind.RELEASE].attempts == 1
