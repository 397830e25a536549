"""The queues of people's decisions, one per channel. Messages are base64, as Functions expects."""

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
    """Sends the decisions of one tool, and takes those of all channels that failed from the poison twins.

    Permissions: Storage Queue Data Message Sender (a person), Storage Queue Data Message Processor (the app).
    """

    def __init__(
        self, service: QueueServiceClient, *, queue: str, console: str, tool: Channel = Channel.BYPASSCTL
    ) -> None:
        """Take the client, the names of the queues and what sends; nothing connects before the first call."""
        self._tool = tool
        self._queue = service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
        self._poison = {
            channel: service.get_queue_client(f"{name}-poison")
            for channel, name in ((Channel.BYPASSCTL, queue), (Channel.CONSOLE, console))
        }

    async def send(self, message: DecisionMessage) -> None:
        """Put a decision on the queue, stamped with its tool."""
        stamped = message.model_copy(update={"tool": self._tool})
        with translated(f"the queue {self._queue.queue_name}"):
            await self._queue.send_message(stamped.model_dump_json(), time_to_live=_NEVER)

    async def take_poison(self, limit: int) -> list[PoisonDecision]:
        """Take up to ``limit`` decisions of each channel, at most 32, that failed five times."""
        taken = []
        for channel, poison in self._poison.items():
            with translated(f"the queue {poison.queue_name}"):
                pages = poison.receive_messages(
                    messages_per_page=limit, max_messages=limit, visibility_timeout=_HIDDEN_SECONDS
                )
                taken += [PoisonDecision(text_of(str(each.content)), channel, each) async for each in pages]
        return taken

    async def finish(self, taken: PoisonDecision) -> None:
        """Delete one of these; another instance may have done so after it became visible again."""
        poison = self._poison[taken.channel]
        with suppress(NotFoundError), translated(f"a message of {poison.queue_name}"):
            await poison.delete_message(cast("QueueMessage", taken.receipt))
