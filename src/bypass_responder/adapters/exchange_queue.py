"""The queues to and from the Exchange worker. Messages are base64, for Functions, and never expire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from bypass_responder.adapters.queue_text import text_of
from bypass_responder.adapters.storage_errors import translated
from bypass_responder.errors import NotFoundError
from bypass_responder.model.message import CommandKind, ExchangeCommand
from bypass_responder.model.sweep import SweepCommand
from bypass_responder.ports import PoisonMessage

_NEVER = -1
_HIDDEN_SECONDS = 300
"""How long a poison message that was read, and not yet recorded, stays out of sight."""
_AT_ONCE = 32
"""What the service gives out in one call."""


class StorageExchangeQueue:
    """Sends commands and drains the poison twins.

    Permissions: Storage Queue Data Message Sender, Storage Queue Data Message Processor.
    """

    def __init__(
        self, service: QueueServiceClient, *, commands: str, checks: str, sweeps: str, drained: Iterable[str]
    ) -> None:
        """Take the client and the names of the queues, ``drained`` those whose poison twins are read.

        Nothing connects before the first call.
        """
        names = {
            CommandKind.DISABLE_BYPASS: commands,
            CommandKind.CHECK_BYPASS: checks,
            CommandKind.LIST_BYPASSED: sweeps,
        }
        self._queues = {
            kind: service.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())
            for kind, name in names.items()
        }
        self._poison = {name: service.get_queue_client(f"{name}-poison") for name in drained}

    async def send(self, command: ExchangeCommand | SweepCommand) -> None:
        """Put the command on its queue. It never expires there; the worker refuses it after ``not_after``.

        Checks and sweeps have separate queues, so that they never delay a remediation.
        """
        with translated(f"the command {command.command_id}"):
            await self._queues[command.kind].send_message(command.model_dump_json(), time_to_live=_NEVER)

    async def drain_poison(self, limit: int) -> AsyncIterator[PoisonMessage]:
        """Yield poison messages; each is deleted only when the caller comes back for the next one."""
        for name, queue in self._poison.items():
            async for text in _drained(queue, limit):
                limit -= 1
                yield PoisonMessage(text, name)


async def _drained(queue: QueueClient, limit: int) -> AsyncIterator[str]:
    while limit > 0:
        with translated(f"the queue {queue.queue_name}"):
            wanted = min(limit, _AT_ONCE)
            pages = queue.receive_messages(
                messages_per_page=wanted, max_messages=wanted, visibility_timeout=_HIDDEN_SECONDS
            )
            messages = [message async for message in pages]
        if not messages:
            return
        for message in messages:
            yield text_of(str(message.content))
            try:
                with translated(f"a message of {queue.queue_name}"):
                    await queue.delete_message(message)
            except NotFoundError:
                pass  # another instance took it after it became visible again
        limit -= len(messages)
