"""The reads of all mailboxes, in memory."""

from __future__ import annotations

from bypass_responder.errors import ConflictError, NotFoundError
from bypass_responder.model.plan_run import MailboxChange
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


class FakePlans(Scripted):
    """``files`` is hash → file, ``kept`` is run → number → mailbox."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.kept: dict[str, dict[int, MailboxChange]] = {}

    async def save(self, sha256: str, plan: bytes) -> None:
        self._called("save", sha256)
        self.files.setdefault(sha256, plan)

    async def read(self, sha256: str) -> bytes:
        self._called("read", sha256)
        if sha256 not in self.files:
            raise NotFoundError(f"There is no plan {sha256}.")
        return self.files[sha256]

    async def put(self, run_id: str, change: MailboxChange) -> None:
        self._called("put", change.object_id)
        kept = self.kept.setdefault(run_id, {})
        if change.outcome or change.number not in kept:
            kept[change.number] = MailboxChange.model_validate_json(change.model_dump_json())

    async def changes(self, run_id: str, *, since: int = 0, limit: int) -> list[MailboxChange]:
        self._called("changes", run_id)
        kept = self.kept.get(run_id, {})
        return [kept[number] for number in sorted(kept) if number >= since][:limit]
