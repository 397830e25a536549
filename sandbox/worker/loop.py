"""The queue loop: commands in, answers out. A message is deleted only after its answer was put."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, Self

import httpx
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.identity.aio import ManagedIdentityCredential
from azure.storage.queue.aio import QueueClient
from pydantic import BaseModel, ConfigDict

from sandbox.worker.answer import READ_BACK_SECONDS, answer
from sandbox.worker.exchange import ExchangeCalls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.storage.queue import QueueMessage

SCOPE = "https://outlook.office365.com/.default"
MAX_DEQUEUE_COUNT = 5


class WorkerSettings(BaseModel):
    """Where the worker finds its queues and its Exchange.

    The identity comes from ``IDENTITY_ENDPOINT`` and ``IDENTITY_HEADER``.
    """

    model_config = ConfigDict(frozen=True)

    connection_string: str
    exchange_url: str
    tenant_id: str
    commands_queue: str = "exchange-commands"
    results_queue: str = "exchange-results"
    read_back_seconds: float = READ_BACK_SECONDS
    visibility_seconds: int = 600
    """A command that this worker took and did not finish comes back after this time."""
    poll_seconds: float = 0.2

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """``AzureWebJobsStorage`` and ``WORKER_`` + the field's name, for example ``WORKER_EXCHANGE_URL``."""
        given = {
            name: environment[f"WORKER_{name.upper()}"]
            for name in cls.model_fields
            if f"WORKER_{name.upper()}" in environment
        }
        return cls.model_validate({"connection_string": environment.get("AzureWebJobsStorage")} | given)


class Worker:
    """Takes one command at a time. Use as an async context manager."""

    def __init__(self, settings: WorkerSettings) -> None:
        """Connect to nothing yet."""
        self._settings = settings
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the queues (made if they are not there) and the identity."""
        commands = self._settings.commands_queue
        self._commands = await self._queue(commands)
        self._results = await self._queue(self._settings.results_queue)
        self._poison = await self._queue(f"{commands}-poison")
        credential = await self._stack.enter_async_context(ManagedIdentityCredential())
        http = await self._stack.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))

        async def token() -> str:
            given = await credential.get_token(SCOPE)
            return str(given.token)

        self._exchange = ExchangeCalls(http, self._settings.exchange_url, self._settings.tenant_id, token)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close everything that was opened."""
        await self._stack.aclose()

    async def _queue(self, name: str) -> QueueClient:
        queue = QueueClient.from_connection_string(self._settings.connection_string, name)
        await self._stack.enter_async_context(queue)
        with suppress(ResourceExistsError):
            await queue.create_queue()
        return queue

    async def step(self) -> bool:
        """Answer the next command; False when there was none."""
        message = await self._commands.receive_message(visibility_timeout=self._settings.visibility_seconds)
        if message is None:
            return False
        command = _decoded(message.content)
        if command is None or (message.dequeue_count or 0) > MAX_DEQUEUE_COUNT:
            await self._poison.send_message(message.content, time_to_live=-1)
        else:
            result = await answer(command, self._exchange, read_back_seconds=self._settings.read_back_seconds)
            text = base64.b64encode(json.dumps(result).encode()).decode()
            await self._results.send_message(text, time_to_live=-1)
        await self._delete(message)
        return True

    async def _delete(self, message: QueueMessage) -> None:
        try:
            await self._commands.delete_message(message)
        except ResourceNotFoundError:
            return  # it took longer than the message was hidden: another worker has it, and repeating it is harmless

    async def run(self) -> None:
        """Until cancelled. Storage that is down, or an identity that has no token yet, is waited for."""
        while True:
            try:
                idle = not await self.step()
            except AzureError as error:
                print(json.dumps({"worker": "waits", "why": type(error).__name__}), flush=True)
                idle = True
            if idle:
                await asyncio.sleep(self._settings.poll_seconds)


def _decoded(content: str) -> dict[str, Any] | None:
    """The command's JSON object, or None when not even a command id can be read."""
    try:
        command = json.loads(base64.b64decode(content, validate=True))
    except (ValueError, RecursionError):
        return None
    known = isinstance(command, dict) and isinstance(command.get("command_id"), str) and command["command_id"]
    return command if known else None
