"""Every way of tampering with the response log is found and named."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from bypass_responder.model.log import LogEntry
from bypass_responder.workflow.services import open_session
from bypass_responder.workflow.verify_log import Verification, verify_log
from tests.core.world import ALEX, World, a_finding


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

    assert f"{ALEX}: log line 2 was changed" in (await verify(world)).problems


async def test_a_deleted_line_is_named(world: World) -> None:
    del world.ledger.logs[ALEX][1]

    assert any(f"{ALEX}: log line 2 is missing" in problem for problem in (await verify(world)).problems)


async def test_a_tail_that_was_cut_with_its_head_is_named_by_the_checkpoint(world: World) -> None:
    kept = [json.loads(line) for line in world.ledger.logs[ALEX][:2]]
    world.ledger.logs[ALEX] = world.ledger.logs[ALEX][:2]
    kind, head = world.ledger.stored[ALEX]["head"]
    forged = json.loads(head) | {"log_seq": 2, "log_hash": kept[-1]["hash"]}
    world.ledger.stored[ALEX]["head"] = (kind, json.dumps(forged))

    assert any("cut after log line 2" in problem for problem in (await verify(world)).problems)


async def test_a_target_that_is_gone_altogether_is_named(world: World) -> None:
    world.ledger.stored.pop(ALEX)
    world.ledger.logs.pop(ALEX)

    assert any(problem.startswith(f"{ALEX}: cut after log line 0") for problem in (await verify(world)).problems)


async def test_a_deleted_incident_is_named(world: World) -> None:
    [incident] = await world.incidents()
    del world.ledger.stored[ALEX][incident.row_key]

    assert f"{ALEX}: incident {incident.id} was deleted" in (await verify(world)).problems


async def test_a_rewritten_chain_is_not_the_one_that_a_checkpoint_saw(world: World) -> None:
    previous, rewritten = "", []
    async for entry in world.ledger.log(ALEX):
        changed = entry.model_copy(update={"previous": previous, "who": "nobody"})
        rewritten.append(changed.model_copy(update={"hash": changed.digest()}))
        previous = rewritten[-1].hash
    world.ledger.logs[ALEX] = [entry.model_dump_json() for entry in rewritten]
    kind, head = world.ledger.stored[ALEX]["head"]
    world.ledger.stored[ALEX]["head"] = (kind, json.dumps(json.loads(head) | {"log_hash": previous}))

    assert any("is not the one that a checkpoint saw" in problem for problem in (await verify(world)).problems)


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
