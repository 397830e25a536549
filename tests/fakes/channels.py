"""Queue, evidence and notifications in memory."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from bypass_responder.errors import ConflictError, NotFoundError
from bypass_responder.model.decision_message import Channel, DecisionMessage
from bypass_responder.model.finding import Evidence
from bypass_responder.model.message import ExchangeCommand
from bypass_responder.model.notification import Notification
from bypass_responder.model.sweep import Baseline, SweepCommand
from bypass_responder.ports import PoisonDecision, PoisonMessage
from tests.fakes.scripted import Scripted


class FakeExchangeQueue(Scripted):
    """``sent`` are the commands, ``swept`` those of the other queue; a test puts texts on ``poison``.

    ``poison_alerts`` are those that were sent as alerts, ``poison_reads`` those on exchange-reads.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[ExchangeCommand] = []
        self.swept: list[SweepCommand] = []
        self.poison: list[str] = []
        self.poison_alerts: list[str] = []
        self.poison_reads: list[str] = []

    async def send(self, command: ExchangeCommand | SweepCommand) -> None:
        self._called("send", command.command_id)
        if isinstance(command, SweepCommand):
            self.swept.append(SweepCommand.model_validate_json(command.model_dump_json()))
            return
        self.sent.append(ExchangeCommand.model_validate_json(command.model_dump_json()))

    async def drain_poison(self, limit: int) -> AsyncIterator[PoisonMessage]:
        self._called("drain_poison")
        queues = {"exchange-results": self.poison, "exchange-reads": self.poison_reads, "alerts": self.poison_alerts}
        waiting = [(PoisonMessage(text, name), texts) for name, texts in queues.items() for text in texts]
        for message, texts in waiting[:limit]:
            yield message
            if message.text in texts:  # two hosts may drain it at the same time
                texts.remove(message.text)


class FakeDecisionQueue(Scripted):
    """``sent`` are the decisions, stamped with ``tool``; a test puts texts on the poison queues.

    A taken one comes back until it ends.
    """

    def __init__(self, tool: Channel = Channel.BYPASSCTL) -> None:
        super().__init__()
        self.tool = tool
        self.sent: list[DecisionMessage] = []
        self.poison: list[str] = []
        self.console_poison: list[str] = []

    async def send(self, message: DecisionMessage) -> None:
        self._called("send", message.message_id)
        stamped = message.model_copy(update={"tool": self.tool})
        self.sent.append(DecisionMessage.model_validate_json(stamped.model_dump_json()))

    async def take_poison(self, limit: int) -> list[PoisonDecision]:
        self._called("take_poison")
        of_bypassctl = [PoisonDecision(text, Channel.BYPASSCTL, text) for text in self.poison[:limit]]
        return of_bypassctl + [PoisonDecision(text, Channel.CONSOLE, text) for text in self.console_poison[:limit]]

    async def finish(self, taken: PoisonDecision) -> None:
        self._called("finish")
        poison = self.poison if taken.channel is Channel.BYPASSCTL else self.console_poison
        if taken.text in poison:
            poison.remove(taken.text)


class FakeSenderQueue(Scripted):
    """``woken`` counts the messages; a test takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.woken = 0

    async def wake(self) -> None:
        self._called("wake")
        self.woken += 1


class FakeSweeps(Scripted):
    """``lists`` is blob name → bytes; ``kept`` is the baseline, with its etag."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, bytes] = {}
        self.kept: Baseline | None = None
        self._version = 0

    async def content(self, blob: str) -> bytes:
        self._called("content", blob)
        if blob not in self.lists:
            raise NotFoundError(f"There is no {blob}.")
        return self.lists[blob]

    async def baseline(self) -> Baseline | None:
        self._called("baseline")
        return self.kept

    async def replace_baseline(self, baseline: Baseline) -> None:
        self._called("replace_baseline")
        if baseline.etag != (self.kept.etag if self.kept else None):
            raise ConflictError("Another baseline was stored.")
        self._version += 1
        self.kept = replace(baseline, blob=f"baseline-{self._version}", etag=f"v{self._version}")


class FakeEvidence(Scripted):
    """``blobs`` is name → text."""

    def __init__(self) -> None:
        super().__init__()
        self.blobs: dict[str, str] = {}

    async def keep(self, raw: str) -> Evidence:
        self._called("keep")
        data = raw.encode(errors="backslashreplace")
        sha256 = hashlib.sha256(data).hexdigest()
        if len(data) <= 32 * 1024:
            return Evidence(text=data.decode(), length_bytes=len(data), sha256=sha256)
        self.blobs[sha256] = raw
        return Evidence(blob=sha256, length_bytes=len(data), sha256=sha256)


class FakeNotifier(Scripted):
    """``sent`` are the notifications; ``messages`` how they were grouped."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[tuple[Notification, ...]] = []

    @property
    def sent(self) -> list[Notification]:
        """Every notification that was delivered."""
        return [notification for message in self.messages for notification in message]

    async def send(self, notifications: Sequence[Notification]) -> None:
        self._called("send")
        self.messages.append(tuple(notifications))
