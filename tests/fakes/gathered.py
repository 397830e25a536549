"""The evidence run's memory, and a source that answers what a test lines up."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache

from bypass_responder.errors import ConflictError
from bypass_responder.model.finding import Evidence
from bypass_responder.model.gathered import EvidencePlan, Inquiry
from bypass_responder.model.question import Answer, Empty, Question
from tests.fakes.scripted import Scripted


class FakeGatheredEvidence(Scripted):
    """``stored`` and ``rows`` live as JSON, by incident; ``blobs`` by name."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[str, tuple[str, str]] = {}
        self.rows: dict[str, dict[str, tuple[str, str]]] = {}
        self.blobs: dict[str, bytes] = {}
        self._version = 0

    async def plans(self, since: datetime) -> set[str]:
        self._called("plans")
        return {plan.incident_id for plan in self._plans() if plan.opened_at >= since}

    async def add(self, plan: EvidencePlan) -> bool:
        self._called("add", plan.incident_id)
        if plan.incident_id in self.stored:
            return False
        self.stored[plan.incident_id] = self._tagged(plan.model_dump_json(exclude={"etag"}))
        return True

    async def due(self, now: datetime, limit: int) -> list[EvidencePlan]:
        self._called("due")
        found = [(plan.next_at, plan) for plan in self._plans() if plan.next_at is not None and plan.next_at <= now]
        return [plan for _, plan in sorted(found, key=lambda pair: pair[0])][:limit]

    async def save(self, plan: EvidencePlan) -> EvidencePlan:
        self._called("save", plan.incident_id)
        self._must_match(self.stored.get(plan.incident_id), plan.etag)
        self.stored[plan.incident_id] = self._tagged(plan.model_dump_json(exclude={"etag"}))
        return self._plan(plan.incident_id)

    async def inquiries(self, incident_id: str) -> list[Inquiry]:
        self._called("inquiries", incident_id)
        return [self._inquiry(incident_id, key) for key in sorted(self.rows.get(incident_id, {}))]

    async def start(self, incident_id: str, inquiries: Sequence[Inquiry]) -> list[Inquiry]:
        self._called("start", incident_id)
        rows = self.rows.setdefault(incident_id, {})
        for each in inquiries:
            rows.setdefault(each.key, self._tagged(each.model_dump_json(exclude={"etag"})))
        return [self._inquiry(incident_id, key) for key in sorted(rows)]

    async def put(self, inquiry: Inquiry) -> Inquiry:
        self._called("put", inquiry.source)
        rows, key = self.rows[inquiry.incident_id], inquiry.key
        self._must_match(rows.get(key), inquiry.etag)
        rows[key] = self._tagged(inquiry.model_dump_json(exclude={"etag"}))
        return self._inquiry(inquiry.incident_id, key)

    async def keep(self, incident_id: str, raw: bytes) -> Evidence:
        self._called("keep", incident_id)
        sha256 = hashlib.sha256(raw).hexdigest()
        self.blobs[f"{incident_id}/{sha256}"] = raw
        return Evidence(blob=f"{incident_id}/{sha256}", length_bytes=len(raw), sha256=sha256)

    async def forget(self, opened_before: datetime, limit: int) -> int:
        self._called("forget")
        old = [plan.incident_id for plan in self._plans() if plan.opened_at < opened_before][:limit]
        for incident_id in old:
            del self.stored[incident_id]
            self.rows.pop(incident_id, None)
            self.blobs = {name: raw for name, raw in self.blobs.items() if not name.startswith(f"{incident_id}/")}
        return len(old)

    def _plans(self) -> list[EvidencePlan]:
        return [self._plan(incident_id) for incident_id in self.stored]

    def _plan(self, incident_id: str) -> EvidencePlan:
        return _plan_of(*self.stored[incident_id])

    def _inquiry(self, incident_id: str, key: str) -> Inquiry:
        return _inquiry_of(*self.rows[incident_id][key])

    def _tagged(self, text: str) -> tuple[str, str]:
        self._version += 1
        return text, f"v{self._version}"

    @staticmethod
    def _must_match(stored: tuple[str, str] | None, etag: str | None) -> None:
        if stored is None or stored[1] != etag:
            raise ConflictError("The row was changed meanwhile.")


@lru_cache(maxsize=10_000)
def _plan_of(text: str, etag: str) -> EvidencePlan:
    """Return a plan. It is frozen, as an inquiry is, and the simulation reads each many times."""
    return EvidencePlan.model_validate_json(text).model_copy(update={"etag": etag})


@lru_cache(maxsize=10_000)
def _inquiry_of(text: str, etag: str) -> Inquiry:
    return Inquiry.model_validate_json(text).model_copy(update={"etag": etag})


class FakeSource:
    """Answers by ``answer``, a value, an error or a function of question and memo; the default is Empty."""

    def __init__(self, answer: Answer | Exception | Callable[[Question, str | None], Answer] | None = None) -> None:
        self.answer = answer or Empty()
        self.asked: list[tuple[Question, str | None]] = []
        self.hangs = False
        self.deaf = False
        """True: it does not heed a cancellation."""

    async def ask(self, question: Question, memo: str | None) -> Answer:
        self.asked.append((question, memo))
        while self.hangs:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if not self.deaf:
                    raise
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(question, memo) if callable(self.answer) else self.answer
