"""The reads of all mailboxes, in memory."""

from __future__ import annotations

from bypass_responder.errors import ConflictError
from bypass_responder.posture.run import PostureRun
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


class FakePostureRuns(Scripted):
    """``row`` is the read that is under way, or was the last."""

    def __init__(self) -> None:
        super().__init__()
        self.row: PostureRun | None = None
        self._writes = 0

    async def current(self) -> PostureRun | None:
        self._called("current")
        return self.row

    async def replace(self, run: PostureRun) -> PostureRun:
        self._called("replace", run.id)
        if run.etag != (self.row.etag if self.row else None):
            raise ConflictError("The read of the mailboxes was changed meanwhile.")
        self._writes += 1
        stored = PostureRun.model_validate_json(run.model_dump_json(exclude={"etag"}))
        self.row = stored.model_copy(update={"etag": str(self._writes)})
        return self.row
