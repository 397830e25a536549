"""Defects to put back, one at a time, to measure whether the simulation finds them.

See docs/simulation.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from bypass_responder.case import control, directory_call, evidence, observation
from bypass_responder.errors import ResponderError
from bypass_responder.model.base import Row
from bypass_responder.model.case import Case
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident import Incident
from bypass_responder.model.log import LogEntry
from bypass_responder.model.step import Control, Step, StepKind
from bypass_responder.ports import Turn
from bypass_responder.sensing.feed import poll
from tests.fakes import FakeLedger, FakeLimit, FakeOutbox
from tests.fakes.feed import FakeFeedStore


def remove(guard: str, patch: pytest.MonkeyPatch) -> None:
    """Take a guard out of the code, or put an old rule back."""
    GUARDS[guard](patch)


def _claim(patch: pytest.MonkeyPatch) -> None:
    """A call is made although another one is under way."""

    def next_of(row: Control, wants: Sequence[Step], now: Any) -> Any:
        return original(row.model_copy(update={"lease_until": None}), wants, now)

    original = control.next_of
    for module in (control, directory_call):
        patch.setattr(module, "next_of", next_of)


def _token(patch: pytest.MonkeyPatch) -> None:
    """A result counts for whatever call is under way."""

    def record_call(draft: Any, kind: StepKind, token: str, error: ResponderError | None) -> None:
        row = draft.case.control(StepKind.BLOCK_SIGN_IN if kind is StepKind.RELEASE else kind)
        original(draft, kind, row.token or token, error)

    original = directory_call.record_call
    patch.setattr(directory_call, "record_call", record_call)


def _lease(patch: pytest.MonkeyPatch) -> None:
    """A claim never expires: what a killed host had begun is never taken up again."""
    for module in ("step", "directory_call"):
        patch.setattr(f"bypass_responder.case.{module}.LEASE", timedelta(days=365))


def _etag(patch: pytest.MonkeyPatch) -> None:
    """The ledger takes a transaction that rests on an old case."""

    async def commit(
        self: FakeLedger,
        case: Case,
        rows: Sequence[Row],
        entries: Sequence[LogEntry],
        places: Mapping[str, str | None] = MappingProxyType({}),
    ) -> Case:
        now = await original_load(self, case.target, history=True)
        fresh = dataclasses.replace(case, by_key=case.by_key | {"head": now.head}, etag=now.etag)
        try:
            return await original(self, fresh, rows, entries, places)
        except (ResponderError, KeyError):
            return await original(self, fresh, [row for row in rows if row.kind != "head"] + [now.head], [])

    original, original_load = FakeLedger.commit, FakeLedger.load
    patch.setattr(FakeLedger, "commit", commit)


def _cursor(patch: pytest.MonkeyPatch) -> None:
    """The cursor passes a blob that could not be read, and the blob is not remembered.

    No window is listed again.
    """

    async def set_pending(*_: Any) -> None:
        return None

    patch.setattr(FakeFeedStore, "set_pending", set_pending)
    patch.setattr(poll, "earlier", lambda _: ())


def _dismissal(patch: pytest.MonkeyPatch) -> None:
    """Whatever came before a person's decision is past, shown to them or not."""

    def was_known(_: Case, incident: Incident, finding: Finding) -> bool:
        return incident.closed_at is not None and finding.effective_at <= incident.closed_at

    patch.setattr(evidence, "_was_known", was_known)


def _restoration(patch: pytest.MonkeyPatch) -> None:
    """A late record from before a proven restoration is decided like a new one."""
    patch.setattr("bypass_responder.case.evidence._on_again", lambda *_: True)


def _slot(patch: pytest.MonkeyPatch) -> None:
    """A block needs no slot under the hourly limit."""

    async def take(*_: Any, **__: Any) -> bool:
        return True

    patch.setattr(FakeLimit, "take", take)


def _absence(patch: pytest.MonkeyPatch) -> None:
    """One read that does not find the account ends its block, whatever is read later."""
    _not_needed(patch)
    patch.setattr(observation, "ABSENT_READS", 1)
    patch.setattr(observation, "READ_AGAIN_AFTER", timedelta())
    patch.setattr(observation, "DELETED_FOR", timedelta())


def _not_needed(patch: pytest.MonkeyPatch) -> None:
    """An account that somebody else had disabled never needs a block again."""
    patch.setattr(observation, "block_again_or_hold", lambda *_: None)


def _reverted(patch: pytest.MonkeyPatch) -> None:
    """Nobody notices that the account is enabled again."""
    patch.setattr(observation, "_observe_enabled", lambda draft, row, _: draft.put(row))


def _superseded(patch: pytest.MonkeyPatch) -> None:
    """A release is carried out although a newer bypass wants the block."""

    def renew(draft: Any, kind: StepKind) -> None:
        releases = [step for step in draft.case.rows(Step) if step.step is StepKind.RELEASE and step.state.running]
        original(draft, kind)
        for step in releases:
            draft.put(step)

    original = control.renew
    patch.setattr("bypass_responder.case.episode.renew", renew)


def _rules(patch: pytest.MonkeyPatch) -> None:
    """A case does not follow a changed mode."""
    patch.setattr("bypass_responder.handling.reconcile.follow_rules", lambda *_, **__: None)
    patch.setattr("bypass_responder.handling.reconcile.rules_due_at", lambda *_: [])


def _visits(patch: pytest.MonkeyPatch) -> None:
    """A changed mode is followed only by cases that are due anyway."""

    async def visit(*_: Any) -> None:
        pass

    patch.setattr("bypass_responder.triggers.follow_settings._visit", visit)


def _turn(patch: pytest.MonkeyPatch) -> None:
    """Two runs may deliver to one receiver at the same time."""

    async def take_turn(self: FakeOutbox, receiver: str, now: datetime, until: datetime) -> Turn | None:
        self.turns.pop(receiver, None)
        return await original(self, receiver, now, until)

    original = FakeOutbox.take_turn
    patch.setattr(FakeOutbox, "take_turn", take_turn)


def _author(patch: pytest.MonkeyPatch) -> None:
    """Anybody may decide about themselves, and allowlist their own account."""
    patch.setattr("bypass_responder.case.decision_refusal._named_as", lambda *_: "")
    patch.setattr("bypass_responder.case.allowlist_edit.own_entry", lambda *_: "")


def _queue(patch: pytest.MonkeyPatch) -> None:
    """A tool may send through the queue of another."""
    patch.setattr("bypass_responder.triggers.carry_out_decision._on_wrong_queue", lambda *_: "")


GUARDS = {
    "claim": _claim,
    "token": _token,
    "lease": _lease,
    "etag": _etag,
    "cursor": _cursor,
    "dismissal": _dismissal,
    "restoration": _restoration,
    "slot": _slot,
    "absence": _absence,
    "not_needed": _not_needed,
    "reverted": _reverted,
    "superseded": _superseded,
    "rules": _rules,
    "visits": _visits,
    "turn": _turn,
    "author": _author,
    "queue": _queue,
}
