"""The queues to the worker: one for each kind of command, and what failed five times."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bypass_responder.adapters.exchange_queue import StorageExchangeQueue
from bypass_responder.adapters.storage_clients import StorageClients, create_storage
from bypass_responder.model.message import CommandKind, ExchangeCommand
from bypass_responder.model.sweep import SweepCommand
from bypass_responder.ports import PoisonMessage
from bypass_responder.settings import Storage
from tests.fakes import FakeExchangeQueue

TENANT = "5f0c9b6e-3d3a-4a54-9e0d-2b7c1c0f7a10"
OBJECT = "11111111-1111-1111-1111-111111111111"


def a_command() -> ExchangeCommand:
    return ExchangeCommand(
        command_id="c1",
        kind=CommandKind.DISABLE_BYPASS,
        tenant_id=TENANT,
        target=OBJECT,
        object_id=OBJECT,
        not_after=datetime(2026, 3, 1, tzinfo=UTC),
    )


class Queues:
    """The adapter with queues for this test only, and raw access to them."""

    def __init__(self, clients: StorageClients, tenant_id: str) -> None:
        self._service = clients.queues
        self.commands, self.checks, self.sweeps, self.results = self.all = tuple(f"{it}-{tenant_id}" for it in "cksr")
        self.adapter = StorageExchangeQueue(
            clients.queues, commands=self.commands, checks=self.checks, sweeps=self.sweeps, drained=self.all
        )

    async def peek(self, name: str) -> list[Any]:
        return list(await self._service.get_queue_client(name).peek_messages(32))

    async def put(self, name: str, content: str) -> None:
        await self._service.get_queue_client(name).send_message(content)


@pytest.fixture
async def queues(clients: StorageClients, tenant_id: str, storage: Storage) -> Queues:
    made = Queues(clients, tenant_id)
    await create_storage(clients, queues=made.all)
    return made


async def test_a_sweep_has_a_separate_queue(queues: Queues) -> None:
    sweep = SweepCommand(command_id="c2", tenant_id=TENANT, not_after=datetime(2026, 3, 1, tzinfo=UTC))
    await queues.adapter.send(sweep)
    [message] = await queues.peek(queues.sweeps)

    assert SweepCommand.model_validate_json(base64.b64decode(message.content)) == sweep
    assert await queues.peek(queues.commands) == []


async def test_checks_lie_on_a_queue_of_their_own(queues: Queues) -> None:
    await queues.adapter.send(a_command())
    for number in range(3):
        update = {"kind": CommandKind.CHECK_BYPASS, "command_id": f"check-{number}"}
        await queues.adapter.send(a_command().model_copy(update=update))

    assert len(await queues.peek(queues.commands)) == 1


async def test_a_command_lies_on_its_queue_as_base64_json(queues: Queues) -> None:
    await queues.adapter.send(a_command())
    [message] = await queues.peek(queues.commands)

    assert ExchangeCommand.model_validate_json(base64.b64decode(message.content)) == a_command()


async def test_a_command_never_expires_on_the_queue(queues: Queues) -> None:
    await queues.adapter.send(a_command())
    [message] = await queues.peek(queues.commands)

    assert message.expires_on.year == 9999


async def test_poison_of_every_queue_is_given_as_text_and_taken_off(queues: Queues) -> None:
    await queues.put(f"{queues.commands}-poison", base64.b64encode(b'{"a": 1}').decode())
    await queues.put(f"{queues.sweeps}-poison", base64.b64encode(b'{"b": 2}').decode())
    await queues.put(f"{queues.results}-poison", "not base64 at all: {}")
    drained = [message async for message in queues.adapter.drain_poison(10)]

    assert [message.text for message in drained] == ['{"a": 1}', '{"b": 2}', "not base64 at all: {}"]
    assert [message.queue for message in drained] == [queues.commands, queues.sweeps, queues.results]
    assert [message async for message in queues.adapter.drain_poison(10)] == []
    assert await queues.peek(f"{queues.commands}-poison") == []


async def test_poison_that_was_not_recorded_is_not_deleted(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bypass_responder.adapters.exchange_queue._HIDDEN_SECONDS", 1)
    await queues.put(f"{queues.commands}-poison", "first")
    async with aclosing(cast("AsyncGenerator[PoisonMessage, None]", queues.adapter.drain_poison(10))) as draining:
        await anext(draining)
    monkeypatch.setattr("bypass_responder.adapters.exchange_queue._HIDDEN_SECONDS", 300)

    assert await _first_poison(queues) == "first"


async def _first_poison(queues: Queues) -> str:
    """What comes back into sight, a second after it was left."""
    while True:
        async for message in queues.adapter.drain_poison(10):
            return message.text
        await asyncio.sleep(0.1)


async def test_no_more_poison_than_asked_for(queues: Queues) -> None:
    for number in range(4):
        await queues.put(f"{queues.commands if number % 2 else queues.results}-poison", f"text {number}")

    assert len([message async for message in queues.adapter.drain_poison(3)]) == 3


async def test_the_fake_keeps_poison_that_was_not_recorded() -> None:
    queue = FakeExchangeQueue()
    queue.poison = ["one", "two"]
    draining = queue.drain_poison(10)
    await anext(draining)
    await anext(draining)

    assert queue.poison == ["two"]


async def test_creating_what_is_there_does_nothing(clients: StorageClients, queues: Queues) -> None:
    await queues.adapter.send(a_command())
    await create_storage(clients, queues=queues.all)

    assert len(await queues.peek(queues.commands)) == 1
