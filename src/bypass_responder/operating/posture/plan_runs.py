"""Requests about plans of mailbox changes.

People submit a plan, undo or stop a run, list the runs, or get an undo file.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from bypass_responder.case.plan_decision import refusal
from bypass_responder.case.plan_run import resumed_by
from bypass_responder.errors import NotFoundError, RefusedError
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import DecisionKind, Shown
from bypass_responder.model.mailbox_audit import AuditSettings
from bypass_responder.model.message import Guid
from bypass_responder.model.plan_run import ChangeOutcome, PlanRef, PlanRun, RunState
from bypass_responder.model.sweep import Sha256
from bypass_responder.operating.decide import message_about
from bypass_responder.posture.authors import PlannedSettings
from bypass_responder.posture.drift import changes
from bypass_responder.posture.mailbox import Audit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from bypass_responder.model.case import Case
    from bypass_responder.model.decision_message import Author, DecisionMessage
    from bypass_responder.model.plan_run import MailboxChange
    from bypass_responder.posture.plan import Plan
    from bypass_responder.services import Services

MOST_RUNS = 50
_PAGE = 1000
PAUSE_SECONDS = 2.0


class UndoEntry(Value):
    """One mailbox that was changed, or may have been: its settings before, and after as read back."""

    object_id: Guid
    name: str
    outcome: ChangeOutcome | None
    """None: it may have been asked for, and nothing is known of it yet."""
    before: AuditSettings | None
    after: AuditSettings | None
    record: Guid | None
    """Under which the worker keeps ``before``: the blob ``changes/{record}.json``."""

    @property
    def undone_by(self) -> tuple[str, ...]:
        """What an undo changes, property by property; empty where the settings after are not known."""
        if self.before is None or self.after is None:
            return ()
        maintained = {name.casefold() for name in self.before.default_set} & {
            name.casefold() for name in self.after.default_set
        }
        fixed = {f"Audit{name}".casefold() for name in maintained}
        now, then = (Audit(*(getattr(each, name) for name in Audit._fields)) for each in (self.after, self.before))
        return tuple(str(each) for each in changes(now, then) if each.property.casefold() not in fixed)


class UndoFile(Value):
    """What a run has changed, with the settings before. ``bypassctl posture undo`` goes back to them."""

    format: Literal["bypass-responder/posture-undo/1"] = "bypass-responder/posture-undo/1"
    run: str
    plan: Sha256
    written_at: Utc
    running: bool
    """True: the run goes on, and a later file has more."""
    entries: tuple[UndoEntry, ...]


class RunView(Value):
    """One run of a plan, or the undo of one, as pages and the API show it."""

    id: str
    plan: Sha256
    undoes: str | None
    who: str
    reason: str
    started_at: Utc
    ended_at: Utc | None
    state: RunState
    held: str
    """Why nothing is changed now; empty while it is not held."""
    resumed_by: str
    """The setting with which it goes on; empty while it is not held."""
    stopped: str
    progress: str
    total: int
    counts: dict[ChangeOutcome, int]
    named: tuple[str, ...]
    """The first mailboxes that are not as wanted, with the reason."""


class PlanRuns(Value):
    """The last runs of plans, the newest first."""

    read_at: Utc
    runs: tuple[RunView, ...]


def view_of(run: PlanRun) -> RunView:
    """Return a run without the mailboxes that are under way."""
    fields = {name: getattr(run, name) for name in RunView.model_fields if name != "resumed_by"}
    return RunView(resumed_by=resumed_by(run), **fields)


def held_text(run: PlanRun) -> str:
    """Return why a run is held, with what makes it go on; empty while it is not held."""
    fix = resumed_by(run)
    return f"{run.held}; it continues with {fix}" if fix else run.held


def plan_text(run: PlanRun) -> str:
    """Return how far a run is, in one line."""
    what = f"undo of {run.plan[:12]}" if run.undoes else run.plan[:12]
    held = f", held: {held_text(run)}" if run.held else ""
    return f"{what}, {run.progress}{held}  (bypassctl posture applied {run.id[:8]})"


async def read_plan_runs(services: Services) -> PlanRuns:
    """Return the last runs, from the ledger alone."""
    return PlanRuns(read_at=services.clock(), runs=tuple(map(view_of, await read_runs(services))))


async def prepare_apply(
    plan: Plan, content: bytes, services: Services, *, reason: str, author: Author, upload: bool
) -> DecisionMessage:
    """Return the message that asks for a plan; with ``upload``, its file is handed in.

    No message is sent.
    Raises RefusedError for what the responder would refuse, except by its MODE.
    """
    ref = PlanRef(sha256=plan.sha256, changes=len(plan.changes))
    about = {"plan": ref, "shown": Shown(), "author": author, "reason": reason}
    message = message_about(DecisionKind.APPLY_PLAN, TENANT_TARGET, services, **about)
    _accept(await _case(services), message)
    if upload:
        await services.plans.save(plan.sha256, content)
    return message


async def prepare_for_run(
    kind: DecisionKind, run_id: str, services: Services, *, reason: str, author: Author
) -> tuple[PlanRun, DecisionMessage]:
    """Return a run, and the message that undoes or stops it.

    Nothing is sent. Raises NotFoundError, RefusedError.
    """
    case = await _case(services)
    run = _one(case, run_id)
    about = {"run": run.id, "shown": Shown(), "author": author, "reason": reason}
    message = message_about(kind, TENANT_TARGET, services, **about)
    _accept(case, message)
    return run, message


def _accept(case: Case, message: DecisionMessage) -> None:
    if why := refusal(case, message, enforce=True):
        raise RefusedError(why)


async def read_runs(services: Services) -> list[PlanRun]:
    """Return the last runs, the newest first."""
    runs = (await _case(services)).rows(PlanRun)
    return sorted(runs, key=lambda run: run.started_at, reverse=True)[:MOST_RUNS]


async def read_run(run_id: str, services: Services) -> PlanRun:
    """Return the run whose id begins so. Raises NotFoundError."""
    return _one(await _case(services), run_id)


async def planned_settings(since: datetime, until: datetime, services: Services) -> dict[str, PlannedSettings]:
    """Return the settings that runs between two times left, by object id; the last run counts."""
    found: dict[str, PlannedSettings] = {}
    for run in reversed(await read_runs(services)):
        if run.started_at <= until and (run.ended_at is None or run.ended_at >= since):
            by = f"{'the undo' if run.undoes else 'plan'} run {run.id[:8]}: {run.reason}"
            found |= {
                each.object_id: PlannedSettings(each.after, by)
                async for each in stored_changes(run, services)
                if each.after is not None
            }
    return found


async def undo_file(run: PlanRun, services: Services) -> UndoFile:
    """Return what a run has changed, or may have changed."""
    entries = [
        UndoEntry(**{name: getattr(each, name) for name in UndoEntry.model_fields})
        async for each in stored_changes(run, services)
        if each.may_have_changed
    ]
    return UndoFile(run=run.id, plan=run.plan, written_at=services.clock(), running=run.running, entries=tuple(entries))


async def stored_changes(run: PlanRun, services: Services) -> AsyncIterator[MailboxChange]:
    """Yield what is stored of each mailbox of a run, in the order of the plan."""
    since = 0
    while True:
        page = await services.plans.changes(run.id, since=since, limit=_PAGE)
        for each in page:
            yield each
        if len(page) < _PAGE:
            return
        since = page[-1].number + 1


async def wait_for_change(run: PlanRun, services: Services) -> PlanRun:
    """Return the run once it is further than this, or the same after it has ended."""
    now = run
    while now.running and now.progress == run.progress and now.held == run.held:
        await asyncio.sleep(PAUSE_SECONDS)
        now = await read_run(run.id, services)
    return now


async def _case(services: Services) -> Case:
    case = await services.ledger.load(TENANT_TARGET)
    return case.with_rows(await services.ledger.plan_runs(TENANT_TARGET, MOST_RUNS))


def _one(case: Case, run_id: str) -> PlanRun:
    found = [run for run in case.rows(PlanRun) if run_id and run.id.startswith(run_id.strip().lower())]
    if len(found) != 1:
        many = "Several runs begin" if found else "No run of a plan begins"
        raise NotFoundError(f"{many} with {run_id!r:.60}. To list them: bypassctl posture applied.")
    return found[0]
