"""The daily read of the organization, from the worker's answer to the notification."""

from __future__ import annotations

import gzip
import hashlib
from datetime import timedelta

from bypass_responder.model.exchange_read import ReadKind, ReadOutcome, ReadResult
from bypass_responder.model.organization_read import OrganizationRead
from bypass_responder.triggers.record_exchange_read import record_exchange_read
from bypass_responder.triggers.sweep_bypass_state import sweep_bypass_state
from tests.case.test_right_holders import MANAGEMENT, OWN, an_answer, an_assignment
from tests.world import TENANT, World


async def looked(world: World, answer: OrganizationRead | bytes) -> bytes:
    """A day later the organization is asked about, and the worker answers. Returns its message."""
    world.now += timedelta(days=1, minutes=1)
    await sweep_bypass_state(world.services)
    command = world.reads.sent[-1]
    packed = gzip.compress(answer if isinstance(answer, bytes) else answer.model_dump_json().encode())
    world.reads.blobs[f"{command.command_id}.jsonl.gz"] = packed
    result = ReadResult(
        command_id=command.command_id,
        kind=ReadKind.ORGANIZATION,
        tenant_id=TENANT,
        outcome=ReadOutcome.READ,
        complete=True,
        started_at=world.now,
        blob=f"{command.command_id}.jsonl.gz",
        sha256=hashlib.sha256(packed).hexdigest(),
        scanned=1,
    )
    message = result.model_dump_json().encode()
    await record_exchange_read(message, world.services)
    await world.passes(minutes=1)
    return message


def notified(world: World) -> list[str]:
    return [each.title for each in world.notifier.sent if each.about == "tampering"]


async def test_a_new_holder_is_notified_once_however_often_the_answer_comes() -> None:
    world = World()
    await looked(world, an_answer(OWN, MANAGEMENT))
    message = await looked(world, an_answer(OWN, MANAGEMENT, an_assignment("mallory")))
    await record_exchange_read(message, world.services)
    await world.passes(minutes=1)

    assert notified(world) == ["The right to set bypasses has 1 new holder"]
    assert all(world.directory.enabled.values())


async def test_an_answer_that_is_no_such_read_is_kept() -> None:
    world = World()
    await looked(world, b'{"switches": 17}\n')

    assert [item.reason for item in world.feed_store.kept] == ["bad_message"]
    assert notified(world) == []
