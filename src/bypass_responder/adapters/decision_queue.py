"""The queue of people's decisions. Messages are base64, as Azure Functions expects."""

from __future__ import annotations

from contextlib import suppress
from typing import cast

from azure.storage.queue import QueueMessage, TextBase64EncodePolicy
from azure.storage.queue.aio import QueueServiceClient

from bypass_responder.adapters.queue_text import text_of
from bypass_responder.adapters.storage_errors import translated
from bypass_responder.errors import NotFoundError
from bypass_responder.model.decision_message import Channel, DecisionMessage
from bypass_responder.ports import PoisonDecision

_NEVER = -1
"""A decision that was not taken up in time is refused, not lost."""
_HIDDEN_SECONDS = 300


class StorageDecisionQueue:
    """Sends decisions, and takes those that failed from the poison twin.

    Permissions: Storage Queue Data Message Sender (a person), Storage Queue Data Message Processor (the app).
    """

    def __init__(self, service: QueueServiceClient, *, queue: str) -> None:
        """Take the client and the name of the queue; nothing connects before the first call."""
        self._queue = service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
        self._poison = service.get_queue_client(f"{queue}-poison")

    async def send(self, message: DecisionMessage) -> None:
        """Put a decision on the queue."""
        with translated(f"the queue {self._queue.queue_name}"):
            await self._queue.send_message(message.model_dump_json(), time_to_live=_NEVER)

    async def take_poison(self, limit: int) -> list[PoisonDecision]:
        """Take up to ``limit`` decisions, at most 32, that failed five times."""
        with translated(f"the queue {self._poison.queue_name}"):
            pages = self._poison.receive_messages(
                messages_per_page=limit, max_messages=limit, visibility_timeout=_HIDDEN_SECONDS
            )
            return [PoisonDecision(text_of(str(each.content)), Channel.BYPASSCTL, each) async for each in pages]

    async def finish(self, taken: PoisonDecision) -> None:
        """Delete one of these; another instance may have done so after it became visible again."""
        with suppress(NotFoundError), translated(f"a message of {self._poison.queue_name}"):
            await self._poison.delete_message(cast("QueueMessage", taken.receipt))
