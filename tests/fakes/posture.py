"""The reads of all mailboxes, in memory."""

from __future__ import annotations

from bypass_responder.posture.stored import PostureRead
from tests.fakes.scripted import Scripted


class FakePosture(Scripted):
    """``kept`` is id → read."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, PostureRead] = {}

    async def newest(self, limit: int) -> list[PostureRead]:
        self._called("newest")
        return sorted(self.kept.values(), key=lambda read: read.read_at, reverse=True)[:limit]

    async def keep(self, read: PostureRead) -> None:
        self._called("keep", read.id)
        self.kept[read.id] = PostureRead.model_validate_json(read.model_dump_json())
