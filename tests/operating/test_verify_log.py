"""Every way of tampering with the response log is detected and reported."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from bypass_responder.model.log import Checkpoint, LogEntry, TornLine
from bypass_responder.operating.verify_log import Verification, verify_log
from bypass_responder.session import open_session
from tests.world import ALEX, BLAKE, World, a_finding


@pytest.fixture
async def world() -> World:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    await world.passes(minutes=1)
    return world


async def verify(world: World) -> Verification:
    return await verify_log(world.ledger, world.checkpoints)


async def test_a_whole_log_has_no_problem_and_says_how_far_it_was_checked(world: World) -> None:
    found = await verify(world)

    assert found.problems == []
    assert found.entries == len(world.ledger.logs[ALEX])
    assert found.last_checkpoint == world.now


async def test_a_changed_line_is_named(world: World) -> None:
    line = json.loads(world.ledger.logs[ALEX][1])
    world.ledger.logs[ALEX][1] = json.dumps(line | {"text": "nothing happened"})

    assert f"{ALEX}: log entry 2 was changed" in (await verify(world)).problems


async def test_a_deleted_line_is_named(world: World) -> None:
    del world.ledger.logs[ALEX][1]

    assert any(f"{ALEX}: log entry 2 is missing" in problem for problem in (await verify(world)).problems)


async def test_a_tail_that_was_cut_with_its_head_is_named_by_the_checkpoint(world: World) -> None:
    kept = [json.loads(line) for line in world.ledger.logs[ALEX][:2]]
    world.ledger.logs[ALEX] = world.ledger.logs[ALEX][:2]
    kind, head = world.ledger.stored[ALEX]["now-head"]
    forged = json.loads(head) | {"log_seq": 2, "log_hash": kept[-1]["hash"]}
    world.ledger.stored[ALEX]["now-head"] = (kind, json.dumps(forged))

    assert any("cut after log entry 2" in problem for problem in (await verify(world)).problems)


async def test_a_checkpoint_of_a_run_that_had_read_earlier_is_no_problem(world: World) -> None:
    entry = json.loads(world.ledger.logs[ALEX][0])
    last = world.checkpoints.held[-1]
    overtaken = {ALEX: (entry["seq"], entry["hash"])}  # of a slow run, behind the head of the last checkpoint
    late = Checkpoint(seq=last.seq + 1, at=world.now, heads=overtaken, previous=last.hash)
    await world.checkpoints.append(late.model_copy(update={"hash": late.digest()}))

    assert (await verify(world)).problems == []


async def test_a_target_that_is_gone_altogether_is_named(world: World) -> None:
    world.ledger.stored.pop(ALEX)
    world.ledger.logs.pop(ALEX)

    assert any(problem.startswith(f"{ALEX}: cut after log entry 0") for problem in (await verify(world)).problems)


async def test_a_deleted_incident_is_named(world: World) -> None:
    [incident] = await world.incidents()
    del world.ledger.stored[ALEX][incident.place]

    assert f"{ALEX}: incident {incident.id} was deleted" in (await verify(world)).problems


async def rewrite(world: World) -> None:
    """Rewrite the whole chain of ALEX, and its head, as an attacker would."""
    previous, rewritten = "", []
    async for entry in world.ledger.log(ALEX):
        changed = entry.model_copy(update={"previous": previous, "who": "nobody"})
        rewritten.append(changed.model_copy(update={"hash": changed.digest()}))
        previous = rewritten[-1].hash
    world.ledger.logs[ALEX] = [entry.model_dump_json() for entry in rewritten]
    kind, head = world.ledger.stored[ALEX]["now-head"]
    world.ledger.stored[ALEX]["now-head"] = (kind, json.dumps(json.loads(head) | {"log_hash": previous}))


async def rewrite_everything(world: World) -> None:
    """Rewrite the checkpoints as well: nothing in the storage account shows it."""
    await rewrite(world)
    previous, rewritten = "", []
    head = (await world.case()).head
    for held in world.checkpoints.held:
        changed = held.model_copy(update={"previous": previous, "heads": {ALEX: (head.log_seq, head.log_hash)}})
        rewritten.append(changed.model_copy(update={"hash": changed.digest()}))
        previous = rewritten[-1].hash
    world.checkpoints.held = rewritten


async def sent_before(world: World) -> dict[str, dict[int, str]]:
    """The log lines and checkpoints that Application Insights received."""
    copy = {"checkpoints": {checkpoint.seq: checkpoint.hash for checkpoint in world.checkpoints.held}}
    return copy | {ALEX: {entry.seq: entry.hash async for entry in world.ledger.log(ALEX)}}


async def test_a_rewritten_chain_is_not_the_one_that_a_checkpoint_saw(world: World) -> None:
    await rewrite(world)

    assert any("differs from a checkpoint or the copy" in problem for problem in (await verify(world)).problems)


async def test_a_log_that_is_as_the_copy_has_it_has_no_problem(world: World) -> None:
    found = await verify_log(world.ledger, world.checkpoints, copy=await sent_before(world))

    assert found.problems == []


async def test_a_rewrite_of_chain_head_and_checkpoints_is_caught_by_the_copy_alone(world: World) -> None:
    copy = await sent_before(world)
    await rewrite_everything(world)

    assert (await verify(world)).problems == []
    problems = (await verify_log(world.ledger, world.checkpoints, copy=copy)).problems
    assert "checkpoint 1 differs from the copy" in problems
    assert f"{ALEX}: log entry 1 differs from a checkpoint or the copy" in problems


async def test_a_checkpoint_that_is_not_what_the_copy_of_the_lines_has_is_named(world: World) -> None:
    copy = {ALEX: (await sent_before(world))[ALEX]}
    await rewrite_everything(world)

    problems = (await verify_log(world.ledger, world.checkpoints, copy=copy)).problems

    assert f"{ALEX}: a checkpoint differs from the copy" in problems


async def test_lines_and_checkpoints_that_only_the_copy_has_are_named(world: World) -> None:
    copy = await sent_before(world)
    world.ledger.logs.clear()
    world.ledger.stored.clear()
    world.checkpoints.held.clear()

    problems = (await verify_log(world.ledger, world.checkpoints, copy=copy)).problems

    assert "cut after checkpoint 0; the copy has 1" in problems
    assert any(problem.startswith(f"{ALEX}: cut after log entry 0") for problem in problems)


async def test_a_deleted_checkpoint_is_named(world: World) -> None:
    await world.sees(a_finding())
    await world.passes(minutes=1)
    del world.checkpoints.held[0]

    assert "checkpoint 1 is missing" in (await verify(world)).problems


async def test_what_the_responder_writes_meanwhile_is_no_problem(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is read, then a line is written, then the head is read: it names one line more."""
    read, written = world.ledger.log, list[str]()

    async def log(target: str) -> AsyncIterator[LogEntry]:
        async for entry in read(target):
            yield entry
        if not written:
            written.append(target)
            session = await open_session(target, world.services)
            await session.apply(lambda draft: draft.log("evidence", "meanwhile"))

    monkeypatch.setattr(world.ledger, "log", log)
    found = await verify(world)

    assert written
    assert found.problems == []


async def verify_since(world: World, day: date) -> Verification:
    return await verify_log(world.ledger, world.checkpoints, since=day)


@pytest.fixture
async def days(world: World) -> World:
    """ALEX on the first day, BLAKE two days later."""
    await world.passes(days=2)
    await world.sees(a_finding(object_id_text=BLAKE, identity_text="blake@contoso.onmicrosoft.com"))
    await world.passes(minutes=1)
    await world.passes(minutes=1)
    return world


async def test_since_verifies_the_logs_that_changed_since(days: World) -> None:
    found = await verify_since(days, days.now.date())

    assert found.problems == []
    assert found.targets < (await verify(days)).targets


async def test_since_names_a_line_that_was_changed_since(days: World) -> None:
    line = json.loads(days.ledger.logs[BLAKE][0])
    days.ledger.logs[BLAKE][0] = json.dumps(line | {"text": "nothing happened"})

    assert f"{BLAKE}: log entry 1 was changed" in (await verify_since(days, days.now.date())).problems


async def test_since_trusts_what_was_verified_before(days: World) -> None:
    del days.checkpoints.held[0]

    assert (await verify_since(days, days.now.date())).problems == []


async def test_a_day_after_the_last_checkpoint_verifies_that_it_is_there(days: World) -> None:
    found = await verify_since(days, days.now.date() + timedelta(days=30))

    assert found.last_checkpoint == days.checkpoints.held[-1].at


async def test_a_torn_line_is_counted_and_no_problem(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    held = world.checkpoints.held

    async def torn(_since: date | None) -> AsyncIterator[Checkpoint | TornLine]:
        yield TornLine(blob="a")
        for checkpoint in held:
            yield checkpoint

    monkeypatch.setattr(world.checkpoints, "all", torn)
    found = await verify(world)

    assert (found.torn_lines, found.problems) == (1, [])
