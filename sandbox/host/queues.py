"""Queue triggers: receive a message, run the function, delete the message on success.

A message that fails too often goes to its poison queue. A message stays on the queue, hidden, until its function
succeeded, so that a host that is killed loses nothing.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.functions.meta import Datum

from sandbox.host.invocation import as_json, decoded, invoke, notification

if TYPE_CHECKING:
    from azure.storage.queue import QueueMessage
    from azure.storage.queue.aio import QueueClient

    from sandbox.host.index import HostedFunction
    from sandbox.host.settings import QueueSettings

SHORTEST_PAUSE_SECONDS = 0.1
OUTAGE_PAUSE_SECONDS = 1.0


class QueueListener:
    """Feeds one function from one queue. A queue that does not exist is an empty one, as in Azure."""

    def __init__(
        self, function: HostedFunction, queue: QueueClient, poison: QueueClient, settings: QueueSettings
    ) -> None:
        """Take clients that encode nothing.

        A message that is not base64 must not stop the others of its batch.
        """
        self._function = function
        self._queue = queue
        self._poison = poison
        self._settings = settings
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Listen forever; when canceled, let what runs finish first."""
        pause = SHORTEST_PAUSE_SECONDS
        try:
            while True:
                while len(self._running) > self._settings.new_batch_threshold:
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                async with self._function.group:
                    received = await self._receive()
                    for message in received:
                        task = asyncio.create_task(self._handle(message))
                        self._running.add(task)
                        task.add_done_callback(self._running.discard)
                    await asyncio.sleep(0)  # each is in the group before the listener leaves it
                pause = SHORTEST_PAUSE_SECONDS if received else min(pause * 2, self._settings.max_polling_seconds)
                await asyncio.sleep(0 if received else pause)
        finally:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _receive(self) -> list[QueueMessage]:
        size = self._settings.batch_size
        try:
            pages = self._queue.receive_messages(
                messages_per_page=size, max_messages=size, visibility_timeout=int(self._settings.lease_seconds)
            )
            return [message async for message in pages]
        except ResourceNotFoundError:
            return []
        except AzureError as error:
            notification("queue_unreachable", queue=self._queue.queue_name, error=str(error).splitlines()[0])
            await asyncio.sleep(OUTAGE_PAUSE_SECONDS)
            return []

    async def _handle(self, message: QueueMessage) -> None:
        """Run the function for one message. On a storage error the message becomes visible again."""
        async with self._function.group:
            await self._handle_on_instance(message)

    async def _handle_on_instance(self, message: QueueMessage) -> None:
        try:
            text = self._text(message)
            if text is None or int(message.dequeue_count or 1) > self._settings.max_dequeue_count:
                await self._to_poison(message, "not base64 text" if text is None else "dequeued too often")
                return
            renewal = asyncio.create_task(self._renew(message))
            try:
                succeeded = await self._invoke(message, text)
            finally:
                renewal.cancel()
                await asyncio.gather(renewal, return_exceptions=True)
            await (self._queue.delete_message(message) if succeeded else self._failed(message))
        except AzureError as error:
            notification("queue_message_left", queue=self._queue.queue_name, message_id=message.id, error=str(error))

    async def _invoke(self, message: QueueMessage, text: str) -> bool:
        metadata = {
            "Id": Datum(message.id, "string"),
            "PopReceipt": Datum(message.pop_receipt, "string"),
            "DequeueCount": as_json(message.dequeue_count),
            "ExpirationTime": _moment(message.expires_on),
            "InsertionTime": _moment(message.inserted_on),
            "NextVisibleTime": _moment(message.next_visible_on),
        }
        argument = decoded(self._function, Datum(text, "string"), metadata)
        outcome = await asyncio.gather(invoke(self._function, argument), return_exceptions=True)
        return not isinstance(outcome[0], BaseException)

    async def _failed(self, message: QueueMessage) -> None:
        if int(message.dequeue_count or 1) >= self._settings.max_dequeue_count:
            await self._to_poison(message, "failed too often")
        else:
            await self._hide(message, self._settings.retry_after_seconds)

    async def _renew(self, message: QueueMessage) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 2)
            with contextlib.suppress(AzureError):
                await self._hide(message, self._settings.lease_seconds)

    async def _hide(self, message: QueueMessage, for_seconds: float) -> None:
        updated = await self._queue.update_message(message, visibility_timeout=int(for_seconds))
        message.pop_receipt = updated.pop_receipt

    async def _to_poison(self, message: QueueMessage, reason: str) -> None:
        with contextlib.suppress(ResourceExistsError):
            await self._poison.create_queue()
        await self._poison.send_message(message.content, time_to_live=-1)
        await self._queue.delete_message(message)
        notification("poison", queue=self._poison.queue_name, message_id=message.id, reason=reason)

    def _text(self, message: QueueMessage) -> str | None:
        content: Any = message.content
        if not self._settings.base64:
            return str(content)
        try:
            return base64.b64decode(content, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None


def _moment(moment: datetime | None) -> Datum:
    return as_json(moment.isoformat() if moment else None)
