"""The Exchange worker on its queues, in Python: answers on request; its calls are not counted."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue.aio import QueueClient

from sandbox.tenant.identity import EXCHANGE, WORKER_SECRET
from sandbox.worker import ExchangeCalls, answer, read, sweep

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True)
class QueueWorker:
    """One tenant's worker. ``record`` takes each answer, as the results queue hands it over."""

    http: httpx.AsyncClient
    url: str
    tenant_id: str
    storage: str
    record: Callable[[bytes], Awaitable[None]]
    record_read: Callable[[bytes], Awaitable[None]] | None = None
    """The same of the queue of answers that take minutes; None where nothing is asked there."""

    async def commands(self) -> None:
        """Answer every command that is queued."""
        for command in [*await self._received("exchange-commands"), *await self._received("exchange-checks")]:
            await self.record(json.dumps(await answer(command, self._exchange)).encode())

    async def sweeps(self) -> None:
        """Answer every sweep that is queued. Raises AssertionError when one could not be listed."""
        for command in await self._received("exchange-sweeps"):
            result, content = await sweep(command, self._exchange, blob=f"{command['command_id']}.json")
            if content is None:
                raise AssertionError(result)
            async with ContainerClient.from_connection_string(self.storage, "sweeps") as lists:
                await lists.upload_blob(result["blob"], content)
            await self.record(json.dumps(result).encode())

    async def reads(self) -> int:
        """Answer every question that may take minutes; returns how many there were."""
        commands = await self._received("exchange-reads")
        for command in commands:
            found = await read(command, self._exchange, message_id=command["command_id"])
            if found.content is not None:
                async with ContainerClient.from_connection_string(self.storage, "reads") as blobs:
                    await blobs.upload_blob(found.answer["blob"], found.content)
            if self.record_read is not None:
                await self.record_read(json.dumps(found.answer).encode())
        return len(commands)

    async def _received(self, name: str) -> list[dict[str, Any]]:
        commands = []
        async with QueueClient.from_connection_string(self.storage, name) as queue:
            while message := await queue.receive_message():
                commands.append(json.loads(base64.b64decode(message.content)))
                await queue.delete_message(message)
        return commands

    @property
    def _exchange(self) -> ExchangeCalls:
        return ExchangeCalls(self.http, f"{self.url}/exchange", self.tenant_id, self._token)

    async def _token(self) -> str:
        answered = await self.http.get(
            f"{self.url}/identity/token",
            params={"resource": EXCHANGE, "api-version": "2019-08-01"},
            headers={"X-IDENTITY-HEADER": WORKER_SECRET},
        )
        return str(answered.json()["access_token"])
