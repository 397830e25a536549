"""The worker's queue loop on Azurite: nothing is lost, whatever comes in and whenever it dies."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from azure.storage.queue import QueueClient

from sandbox.tenant.account import DOMAIN, TENANT_ID, Account
from sandbox.tenant.identity import WORKER_SECRET
from sandbox.tenant.server import environment
from sandbox.tenant.state import Tenant
from sandbox.worker.loop import Worker, WorkerSettings


@pytest.fixture
def settings(azurite: str, url: str) -> WorkerSettings:
    names = uuid4().hex
    return WorkerSettings(
        connection_string=azurite,
        exchange_url=f"{url}/exchange",
        tenant_id=TENANT_ID,
        commands_queue=f"commands-{names}",
        results_queue=f"results-{names}",
        read_back_seconds=0,
        visibility_seconds=1,
    )


@pytest.fixture
async def worker(settings: WorkerSettings, url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Worker]:
    for name, value in environment(url, WORKER_SECRET).items():
        monkeypatch.setenv(name, value)
    async with Worker(settings) as opened:
        yield opened


@pytest.fixture
def alex(tenant: Tenant) -> Account:
    """Bypassed."""
    account = tenant.find(f"alex@{DOMAIN}")
    assert account
    account.audit_bypass_enabled = True
    return account


def put(settings: WorkerSettings, content: bytes) -> None:
    with QueueClient.from_connection_string(settings.connection_string, settings.commands_queue) as queue:
        queue.send_message(base64.b64encode(content).decode())


def contents(settings: WorkerSettings, name: str) -> list[bytes]:
    with QueueClient.from_connection_string(settings.connection_string, name) as queue:
        return [base64.b64decode(message.content) for message in queue.peek_messages(max_messages=32)]


def a_command(object_id: str) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "command_id": "command-1",
        "kind": "disable_bypass",
        "tenant_id": TENANT_ID,
        "target": object_id,
        "object_id": object_id,
        "not_after": (datetime.now(UTC) + timedelta(minutes=1)).isoformat(),
    }


async def test_a_command_is_answered_and_gone(worker: Worker, settings: WorkerSettings, alex: Account) -> None:
    put(settings, json.dumps(a_command(alex.object_id)).encode())

    await worker.step()

    [result] = [json.loads(content) for content in contents(settings, settings.results_queue)]
    assert (result["command_id"], result["outcome"]) == ("command-1", "verified")
    assert contents(settings, settings.commands_queue) == []


async def test_an_empty_queue_is_no_work(worker: Worker) -> None:
    assert await worker.step() is False


async def test_a_command_stays_until_its_answer_was_put(
    worker: Worker, settings: WorkerSettings, alex: Account
) -> None:
    put(settings, json.dumps(a_command(alex.object_id)).encode())
    with QueueClient.from_connection_string(settings.connection_string, settings.results_queue) as queue:
        queue.delete_queue()

    with pytest.raises(Exception, match="queue"):
        await worker.step()

    with QueueClient.from_connection_string(settings.connection_string, settings.commands_queue) as queue:
        assert queue.get_queue_properties().approximate_message_count == 1


@pytest.mark.parametrize(
    "content", [b"not JSON", b"[]", b"{}", b'{"command_id": ""}', b'{"command_id": 1}', b"[" * 20_000]
)
async def test_a_message_without_a_command_id_goes_to_poison(
    worker: Worker, settings: WorkerSettings, content: bytes
) -> None:
    put(settings, content)

    await worker.step()

    assert contents(settings, f"{settings.commands_queue}-poison") == [content]
    assert contents(settings, settings.results_queue) == contents(settings, settings.commands_queue) == []


async def test_a_message_with_a_command_id_that_is_no_command_is_refused(
    worker: Worker, settings: WorkerSettings
) -> None:
    put(settings, b'{"command_id": "command-2"}')

    await worker.step()

    [result] = [json.loads(content) for content in contents(settings, settings.results_queue)]
    assert (result["command_id"], result["outcome"]) == ("command-2", "refused")


def test_its_settings_come_from_the_environment() -> None:
    given = {
        "AzureWebJobsStorage": "storage",
        "WORKER_EXCHANGE_URL": "http://127.0.0.1/exchange",
        "WORKER_TENANT_ID": TENANT_ID,
        "WORKER_VISIBILITY_SECONDS": "3",
    }

    settings = WorkerSettings.from_environment(given)

    assert (settings.connection_string, settings.visibility_seconds) == ("storage", 3)
    assert settings.commands_queue == "exchange-commands"
