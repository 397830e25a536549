"""The queues of decisions: the same facts hold for the fake and for the queues."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from bypass_responder.adapters.decision_queue import StorageDecisionQueue
from bypass_responder.adapters.storage_clients import StorageClients, create_storage
from bypass_responder.model.decision_message import (
    MOST_FINDINGS,
    MOST_INCIDENTS,
    Author,
    Channel,
    DecisionKind,
    DecisionMessage,
    Shown,
)
from bypass_responder.ports import DecisionQueue
from tests.fakes import FakeDecisionQueue

TENANT = "5f0c9b6e-3d3a-4a54-9e0d-2b7c1c0f7a10"
OBJECT = "11111111-1111-1111-1111-111111111111"


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
