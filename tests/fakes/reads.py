"""Questions to the worker's slow side, in memory."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

from bypass_responder.errors import InputError, NotFoundError
from bypass_responder.model.exchange_read import READ_COMMAND, ReadCommand, ReadKind, ReadResult
from bypass_responder.ports import StoredRead
from tests.fakes.scripted import Scripted


class FakeExchangeReads(Scripted):
    """Reads of Exchange, in memory.

    ``sent`` are the commands on the queue, ``blobs`` is name → gzipped lines, ``kept`` the questions by id.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[ReadCommand] = []
        self.blobs: dict[str, bytes] = {}
        self.kept: dict[str, StoredRead] = {}
        self._last: dict[tuple[ReadKind, bool], str] = {}

    async def ask(self, command: ReadCommand, now: datetime) -> None:
        self._called("ask", command.command_id)
        known = self.kept.get(command.command_id)
        if known is None or known.result is None:
            self.kept[command.command_id] = replace(known, sent_again=True) if known else StoredRead(command, now)
            self._last[command.kind, False] = command.command_id
            self.sent.append(READ_COMMAND.validate_json(command.model_dump_json()))

    async def withdraw(self, command: ReadCommand, result: ReadResult, now: datetime) -> StoredRead:
        self._called("withdraw", command.command_id)
        return self.kept.setdefault(command.command_id, StoredRead(command, now, result, now))

    async def find(self, command_id: str) -> StoredRead | None:
        self._called("find", command_id)
        return self.kept.get(command_id)

    async def newest(self, kind: ReadKind, *, answered: bool = False) -> StoredRead | None:
        self._called("newest", kind)
        return self.kept.get(self._last.get((kind, answered), ""))

    async def record(self, result: ReadResult, now: datetime) -> bool:
        self._called("record", result.command_id)
        known = self.kept.get(result.command_id)
        if known is None or known.result is not None or known.command.kind is not result.kind:
            return False
        self.kept[result.command_id] = replace(known, result=result, answered_at=now)
        last = self.kept.get(self._last.get((result.kind, True), ""))
        if last is None or last.asked_at <= known.asked_at:
            self._last[result.kind, True] = result.command_id
        return True

    async def lines(self, result: ReadResult) -> AsyncIterator[bytes]:
        self._called("lines", result.blob or "")
        if result.blob not in self.blobs:
            raise NotFoundError(f"There is no {result.blob}.")
        packed = self.blobs[result.blob]
        if hashlib.sha256(packed).hexdigest() != result.sha256:
            raise InputError("corrupt_read", f"the hash of the blob {result.blob} is not that of the answer")
        for line in gzip.decompress(packed).splitlines():
            yield line

    async def forget_before(self, moment: datetime) -> int:
        self._called("forget_before")
        old = [key for key, each in self.kept.items() if each.asked_at < moment and key not in self._last.values()]
        for key in old:
            del self.kept[key]
        return len(old)
