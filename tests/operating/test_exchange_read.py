"""The organization as the worker last read it."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.errors import TransientError
from bypass_responder.model.exchange_read import ReadCommand, ReadOutcome, ReadResult
from bypass_responder.operating.exchange_read import read_organization
from bypass_responder.triggers.ask_organization import ask_organization
from tests.world import World

SECTIONS = ("switches", "admin_audit_log", "assignments", "members", "own_entries")


EXPIRED: dict[str, Any] = {
    "outcome": ReadOutcome.REFUSED,
    "error": "The command has expired (not_after).",
    "error_class": "transient",
    "blob": None,
    "sha256": None,
}


def ids_of(command: ReadCommand) -> dict[str, Any]:
    return {"command_id": command.command_id, "kind": command.kind, "tenant_id": command.tenant_id}


async def answered(
    line: dict[str, Any] | None = None, *, world: World | None = None, hours: float = 0, **given: Any
) -> World:
    """A world whose worker has answered the daily question, asked so many hours later."""
    world = world or World()
    world.now += timedelta(hours=hours)
    await ask_organization(world.services)
    packed = gzip.compress(json.dumps({name: {} for name in SECTIONS} if line is None else line).encode())
    world.reads.blobs["rows.jsonl.gz"] = packed
    fields: dict[str, Any] = {
        **ids_of(world.reads.sent[-1]),
        "outcome": ReadOutcome.READ,
        "started_at": world.now,
        "blob": "rows.jsonl.gz",
        "sha256": hashlib.sha256(packed).hexdigest(),
    }
    await world.reads.record(ReadResult(**(fields | given)), world.now)
    return world


async def test_it_is_the_last_answer() -> None:
    entry = {"role": "a role", "cmdlet": "Get-Mailbox", "parameters": []}
    world = await answered({name: {} for name in SECTIONS} | {"own_entries": {"items": [entry], "total": 1}})
    read = await read_organization(world.services)

    assert read is not None
    assert [each.cmdlet for each in read.own_entries.items] == ["Get-Mailbox"]


async def test_before_the_first_answer_there_is_none() -> None:
    assert await read_organization(World().services) is None


@pytest.mark.parametrize("given", [{"outcome": ReadOutcome.FAILED}, {"sha256": "0" * 64}, {"blob": "gone.jsonl.gz"}])
async def test_an_answer_that_cannot_be_read_is_none(given: dict[str, Any]) -> None:
    world = await answered(**given)

    assert await read_organization(world.services) is None


async def test_a_line_of_another_shape_is_none() -> None:
    world = await answered({"switches": 7})

    assert await read_organization(world.services) is None


async def test_without_storage_it_is_none() -> None:
    world = await answered()
    world.reads.fail("newest", TransientError("storage is away"))

    assert await read_organization(world.services) is None


@pytest.mark.parametrize(("hours", "questions"), [(5, 1), (7, 2), (23, 2)])
async def test_a_question_without_an_answer_is_asked_again(hours: float, questions: int) -> None:
    world = await unanswered(hours)

    assert len(world.reads.kept) == questions


async def test_a_question_that_the_worker_got_too_late_is_asked_again() -> None:
    world = await answered(**EXPIRED)
    world.now += timedelta(hours=7)
    await ask_organization(world.services)

    assert len(world.reads.sent) == 2


async def test_the_late_answer_to_an_earlier_question_does_not_hide_a_good_one() -> None:
    world = World()
    await ask_organization(world.services)
    earlier = world.reads.sent[0]
    good = await answered(hours=7, world=world)
    refused = ReadResult(**(EXPIRED | ids_of(earlier) | {"started_at": good.now}))

    await good.reads.record(refused, good.now)

    assert await read_organization(good.services) is not None


@pytest.mark.parametrize(("hours", "questions"), [(23, 1), (25, 2)])
async def test_an_answered_question_is_asked_again_after_a_day(hours: float, questions: int) -> None:
    world = await answered()
    world.now += timedelta(hours=hours)
    await ask_organization(world.services)

    assert len(world.reads.sent) == questions


async def unanswered(hours: float) -> World:
    """The message of the daily question could not be sent; the timer runs again so many hours later."""
    world = World()
    await ask_organization(world.services)
    world.reads.sent.clear()
    world.now += timedelta(hours=hours)
    await ask_organization(world.services)
    return world
