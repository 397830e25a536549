"""The organization as the worker last read it."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

import pytest

from bypass_responder.errors import TransientError
from bypass_responder.model.exchange_read import ReadKind, ReadOutcome, ReadResult
from bypass_responder.operating.exchange_read import read_organization
from bypass_responder.triggers.ask_organization import ask_organization
from tests.world import TENANT, World

SECTIONS = ("switches", "admin_audit_log", "assignments", "members", "own_entries")


async def answered(line: dict[str, Any] | None = None, **given: Any) -> World:
    """A world whose worker has answered the daily question."""
    world = World()
    await ask_organization(world.services)
    packed = gzip.compress(json.dumps({name: {} for name in SECTIONS} if line is None else line).encode())
    world.reads.blobs["rows.jsonl.gz"] = packed
    fields: dict[str, Any] = {
        "command_id": world.reads.sent[0].command_id,
        "kind": ReadKind.ORGANIZATION,
        "tenant_id": TENANT,
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
