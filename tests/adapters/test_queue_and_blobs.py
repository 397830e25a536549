"""The queues to the worker, the evidence, and what ``create_storage`` makes."""

from __future__ import annotations

import asyncio
import base64
import gzip
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from pydantic import SecretStr

from bypass_responder.adapters import (
    allowlist_table,
    checkpoint_store,
    evidence_blob,
    index_table,
    ledger_entities,
    limit_table,
    work_table,
)
from bypass_responder.adapters.decision_queue import StorageDecisionQueue
from bypass_responder.adapters.evidence_blob import BlobEvidenceStore
from bypass_responder.adapters.exchange_queue import StorageExchangeQueue
from bypass_responder.adapters.storage_clients import CONTAINERS, TABLES, StorageClients, connect, create_storage
from bypass_responder.errors import SettingError
from bypass_responder.model.decision_message import (
    MOST_FINDINGS,
    MOST_INCIDENTS,
    Author,
    Channel,
    DecisionKind,
    DecisionMessage,
    Shown,
)
from bypass_responder.model.message import CommandKind, ExchangeCommand
from bypass_responder.model.sweep import SweepCommand
from bypass_responder.ports import DecisionQueue, EvidenceStore, PoisonMessage
from bypass_responder.settings import Storage
from tests.fakes import FakeDecisionQueue, FakeEvidence, FakeExchangeQueue

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
    """The adapter with queues of its own, and raw access to them."""

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


async def test_a_sweep_lies_on_a_queue_of_its_own(queues: Queues) -> None:
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


# ---- evidence


@pytest.fixture(params=["fake", "azurite"])
def evidence(request: pytest.FixtureRequest, tenant_id: str) -> EvidenceStore:
    if request.param == "fake":
        return FakeEvidence()
    clients: StorageClients = request.getfixturevalue("clients")
    return BlobEvidenceStore(clients.blobs, tenant_id)


async def test_short_evidence_is_inline(evidence: EvidenceStore) -> None:
    kept = await evidence.keep("é" * 16 * 1024)

    assert (kept.text, kept.blob, kept.length_bytes) == ("é" * 16 * 1024, None, 32 * 1024)


async def test_long_evidence_is_named_by_its_hash(evidence: EvidenceStore) -> None:
    kept = await evidence.keep("x" * (32 * 1024 + 1))

    assert kept.text is None
    assert kept.blob is not None
    assert kept.blob.endswith(kept.sha256)
    assert kept.length_bytes == 32 * 1024 + 1


async def test_the_same_evidence_twice_is_one(evidence: EvidenceStore) -> None:
    assert await evidence.keep("x" * 40_000) == await evidence.keep("x" * 40_000)


async def test_a_lone_surrogate_is_kept_as_an_escape(evidence: EvidenceStore) -> None:
    kept = await evidence.keep("a\ud800b")

    assert kept.text == "a\\ud800b"


async def test_the_blob_holds_the_text_gzipped(clients: StorageClients, tenant_id: str) -> None:
    kept = await BlobEvidenceStore(clients.blobs, tenant_id).keep("é" * 40_000)
    blob = clients.blobs.get_container_client(evidence_blob.CONTAINER).get_blob_client(str(kept.blob))
    stored = await (await blob.download_blob(decompress=False)).readall()

    assert gzip.decompress(stored).decode() == "é" * 40_000


# ---- clients


def test_every_table_and_container_that_an_adapter_names_is_created() -> None:
    tables = {module.TABLE for module in (allowlist_table, ledger_entities, work_table, limit_table, index_table)}

    assert tables | {checkpoint_store.TABLE} <= set(TABLES)
    assert {checkpoint_store.CONTAINER, evidence_blob.CONTAINER} <= set(CONTAINERS)


async def test_creating_what_is_there_does_nothing(clients: StorageClients, queues: Queues) -> None:
    await queues.adapter.send(a_command())
    await create_storage(clients, queues=queues.all)

    assert len(await queues.peek(queues.commands)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        Storage(connection_string=SecretStr("nonsense")),
        Storage(),
        Storage(table_service_uri="https://a.table.core.windows.net"),
    ],
)
def test_a_wrong_storage_setting_is_named(wrong: Storage) -> None:
    with pytest.raises(SettingError, match="ResponderStorage"):
        connect(wrong)


# ---- decisions of people --------------------------------------------------------------------------------------------


def a_decision() -> DecisionMessage:
    sent_at = datetime(2026, 3, 1, tzinfo=UTC)
    return DecisionMessage(
        message_id="22222222-2222-4222-8222-222222222222",
        tenant_id=TENANT,
        target=OBJECT,
        kind=DecisionKind.RELEASE,
        incident_id="20260301-00000000",
        shown=Shown(),
        author=Author(name="ops@contoso.com"),
        reason="drill",
        sent_at=sent_at,
        not_after=sent_at + timedelta(hours=1),
    )


class Decisions:
    """A queue of decisions: the fake, or the adapter on Azurite."""

    def __init__(self, port: DecisionQueue, poison: Callable[..., Awaitable[None]]) -> None:
        self.port = port
        self.poison = poison


@pytest.fixture(params=["fake", "azurite"])
async def decisions(request: pytest.FixtureRequest, clients: StorageClients, tenant_id: str) -> Decisions:
    if request.param == "fake":
        fake = FakeDecisionQueue()

        async def append(text: str, channel: Channel = Channel.BYPASSCTL) -> None:
            (fake.poison if channel is Channel.BYPASSCTL else fake.console_poison).append(text)

        return Decisions(fake, append)
    names = {Channel.BYPASSCTL: f"d-{tenant_id}", Channel.CONSOLE: f"c-{tenant_id}"}
    await create_storage(clients, queues=names.values())

    async def put(text: str, channel: Channel = Channel.BYPASSCTL) -> None:
        poison = clients.queues.get_queue_client(f"{names[channel]}-poison")
        await poison.send_message(base64.b64encode(text.encode()).decode())

    return Decisions(a_queue(clients, tenant_id), put)


def a_queue(clients: StorageClients, tenant_id: str) -> StorageDecisionQueue:
    return StorageDecisionQueue(clients.queues, queue=f"d-{tenant_id}", console=f"c-{tenant_id}")


async def test_a_decision_lies_on_its_queue_as_base64(clients: StorageClients, tenant_id: str) -> None:
    await create_storage(clients, queues=[f"d-{tenant_id}"])
    await a_queue(clients, tenant_id).send(a_decision())
    [message] = await clients.queues.get_queue_client(f"d-{tenant_id}").peek_messages(2)

    stamped = a_decision().model_copy(update={"tool": Channel.BYPASSCTL})
    assert DecisionMessage.model_validate_json(base64.b64decode(message.content)) == stamped


async def test_there_may_be_no_decision_that_failed(decisions: Decisions) -> None:
    assert await decisions.port.take_poison(5) == []


async def test_a_decision_that_failed_is_taken_as_its_text(decisions: Decisions) -> None:
    await decisions.poison("a text")
    [taken] = await decisions.port.take_poison(5)

    assert (taken.text, taken.channel) == ("a text", Channel.BYPASSCTL)


async def test_a_decision_that_failed_has_the_channel_of_its_queue(decisions: Decisions) -> None:
    await decisions.poison("of bypassctl")
    await decisions.poison("of the console", Channel.CONSOLE)
    taken = await decisions.port.take_poison(5)

    assert {each.text: each.channel for each in taken} == {
        "of bypassctl": Channel.BYPASSCTL,
        "of the console": Channel.CONSOLE,
    }


async def test_a_finished_decision_of_the_console_is_gone(decisions: Decisions) -> None:
    await decisions.poison("of the console", Channel.CONSOLE)
    [taken] = await decisions.port.take_poison(5)
    await decisions.port.finish(taken)

    assert await decisions.port.take_poison(5) == []


async def test_a_decision_that_is_finished_is_gone_and_finishing_it_twice_is_no_error(decisions: Decisions) -> None:
    await decisions.poison("a text")
    [taken] = await decisions.port.take_poison(5)
    await decisions.port.finish(taken)
    await decisions.port.finish(taken)

    assert await decisions.port.take_poison(5) == []


async def test_no_more_decisions_are_taken_than_asked_for(decisions: Decisions) -> None:
    for number in range(3):
        await decisions.poison(f"text {number}")

    assert len(await decisions.port.take_poison(2)) == 2


async def test_a_large_decision_fits_into_a_message(clients: StorageClients, tenant_id: str) -> None:
    await create_storage(clients, queues=[f"d-{tenant_id}"])
    findings = tuple(f"{number:064x}" for number in range(MOST_FINDINGS))
    incidents = tuple(f"20260301-{number:08x}" for number in range(MOST_INCIDENTS))
    large = {"shown": Shown(findings=findings, incidents=incidents), "reason": "x" * 2000}
    queue = a_queue(clients, tenant_id)
    await queue.send(a_decision().model_copy(update=large))

    assert await clients.queues.get_queue_client(f"d-{tenant_id}").peek_messages(2)
