"""What comes next for a plan of mailbox changes that is being carried out. Pure.

This includes how many changes may begin.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.plan_answer import ended, judged, overdue, unasked
from bypass_responder.case.tasks import Task
from bypass_responder.model.notification import Severity
from bypass_responder.model.plan_run import ChangeOutcome, MailboxChange, PlanRun, Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case
    from bypass_responder.model.exchange_read import ReadResult

MOST_UNDER_WAY = 8
"""Mailboxes that are begun and have not ended: a question about an account waits for no more than these."""
WINDOW = timedelta(minutes=60)
HELD_IN_OBSERVE, HELD_AT_ZERO = "MODE is observe", "POSTURE_CHANGES_PER_HOUR is 0"
RESUMED_BY = {HELD_IN_OBSERVE: "MODE=enforce", HELD_AT_ZERO: "POSTURE_CHANGES_PER_HOUR above 0"}
"""Why a run is held, and the setting with which it goes on."""


def newest(case: Case) -> PlanRun | None:
    """Return the run that is under way, or was the last; None before the first."""
    return max(case.rows(PlanRun), key=lambda run: (run.started_at, run.running), default=None)


def free_slots(run: PlanRun, now: datetime, limit: int) -> int:
    """Return how many changes may begin now.

    A slot is taken when a change begins, and is free an hour after it has ended. So of any 60 minutes, no more than
    ``limit`` changes begin within them, and no more are made, however long the worker took.
    """
    under_way = sum(each.stage is Stage.CHANGE and bool(each.command_id) for each in run.under_way)
    return limit - under_way - len(_of_last_hour(run.recent, now))


def _of_last_hour(times: Iterable[datetime], now: datetime) -> tuple[datetime, ...]:
    return tuple(at for at in times if at > now - WINDOW)


def take_answers(draft: Draft, answers: Mapping[str, ReadResult | None], *, problem: str = "") -> None:
    """Record what the worker answered, and what it did not answer in time.

    ``answers``: of the questions that were sent, by their ids; None where there is none yet. ``problem``: why the plan
    cannot be carried out any further.
    """
    run = newest(draft.case)
    if run is None or not run.running:
        return
    changes, freed, stopped = [], 0, run.stopped or problem
    for before in run.under_way:
        after = before
        if before.command_id and (result := answers.get(before.command_id)):
            after = judged(before, result, draft.now)
            if result.error_class == "permission":
                stopped = stopped or f"The worker lacks a permission: {result.error}"
        elif overdue(before, draft.now):
            after = judged(before, None, draft.now) if before.command_id in answers else unasked(before)
        freed += before.stage is Stage.CHANGE and bool(before.command_id) and not after.command_id
        changes.append(after)
    changes = [_never_asked(each) if stopped and not each.command_id else each for each in changes]
    over = [new for old, new in zip(run.under_way, changes, strict=True) if new.outcome and not old.outcome]
    for each in over:
        _log_outcome(draft, run, each)
    if stopped and not run.stopped:
        draft.log("plan_stopped", f"run {run.id}: {stopped}", plan=run.plan)
    recent = (*_of_last_hour(run.recent, draft.now), *[draft.now] * freed)
    update = {"under_way": tuple(changes), "stopped": stopped, "recent": recent if freed else run.recent}
    draft.put(run.counted(over).model_copy(update=update))


def _never_asked(change: MailboxChange) -> MailboxChange:
    """Return how it ends for a mailbox that a stopped run does not ask about any more."""
    if change.outcome:
        return change
    outcome = ChangeOutcome.UNKNOWN if change.uncertain else ChangeOutcome.NOT_STARTED
    return ended(change, outcome, change.problem or "the run was stopped")


def go_on(
    draft: Draft,
    following: Sequence[MailboxChange] | None,
    new_ids: Iterable[str],
    *,
    stored: Collection[MailboxChange],
    limit: int,
    enforce: bool,
) -> None:
    """Begin what may begin now, within ``limit`` changes an hour; end the run when nothing is left.

    ``following``: the next mailboxes from ``next_number`` on, as it was; empty when there are no more, None where they
    were not read. ``stored``: the changes that this caller has stored. Another caller may have taken an answer since:
    that change neither begins nor ends here, because the other one still has to store it.
    Changes that have ended are left out. In observe, and with a limit of 0, nothing is asked.
    """
    run = newest(draft.case)
    if run is None or not run.running:
        return
    open_ = tuple(each for each in run.under_way if each.outcome is None or each not in stored)
    run = run.model_copy(update={"under_way": open_})
    if not open_ and (run.stopped or (following is not None and not following)):
        _end(draft, run)
        return
    run = _held(draft, run, HELD_IN_OBSERVE if not enforce else "" if limit else HELD_AT_ZERO)
    draft.put(run if run.held else _begin(run, following or (), stored, iter(new_ids), draft.now, limit))


def resumed_by(run: PlanRun) -> str:
    """Return the setting with which a held run goes on; empty while it is not held."""
    return RESUMED_BY.get(run.held, "")


def _begin(
    run: PlanRun,
    following: Sequence[MailboxChange],
    stored: Collection[MailboxChange],
    ids: Iterable[str],
    now: datetime,
    limit: int,
) -> PlanRun:
    ids, slots = iter(ids), free_slots(run, now, limit)
    changes: list[MailboxChange] = []
    for each in run.under_way:
        ready = not each.command_id and each.outcome is None and (each.not_before is None or each.not_before <= now)
        if ready and (each.stage is Stage.RECORD or (slots > 0 and each in stored)):
            slots -= each.stage is Stage.CHANGE
            changes.append(_asked(each, next(ids), now))
        else:
            changes.append(each)
    number = run.next_number
    waiting = sum(each.stage is Stage.RECORD or not each.command_id for each in changes)
    for each in following:
        if run.stopped or each.number < number or len(changes) >= MOST_UNDER_WAY or waiting >= slots:
            continue
        if each.stage is Stage.CHANGE:
            slots -= 1
        else:
            waiting += 1
        changes.append(_asked(each, next(ids), now))
        number = each.number + 1
    return run.model_copy(update={"under_way": tuple(changes), "next_number": number})


def _asked(change: MailboxChange, command_id: str, now: datetime) -> MailboxChange:
    update = {"command_id": command_id, "asked_at": now, "not_before": None, "attempts": change.attempts + 1}
    return change.model_copy(update=update)


def _held(draft: Draft, run: PlanRun, why: str) -> PlanRun:
    """Note that a run is held, or goes on; people are notified once each time."""
    if why == run.held:
        return run
    if why:
        draft.log("plan_held", f"run {run.id}: {why}. {run.progress}", plan=run.plan)
        draft.notify(
            "plan_held",
            f"A posture plan is held: {why}",
            "Nothing more is changed. Changes that were already requested are recorded when the worker answers. "
            f"{run.progress}.",
            key=f"{run.id}-{draft.now:%Y%m%dT%H%M%S}",
            left_to_do=(Task(f"It continues with {RESUMED_BY[why]}. To end it", _command("stop", run)),),
        )
    else:
        draft.log("plan_held", f"run {run.id} goes on. {run.progress}", plan=run.plan)
    return run.model_copy(update={"held": why})


def _command(verb: str, run: PlanRun) -> str:
    return f'bypassctl posture {verb} {run.id} --reason "TICKET"'


def _end(draft: Draft, run: PlanRun) -> None:
    good = all(ChangeOutcome(each).good for each, count in run.counts.items() if count)
    state = "done" if good and run.ended >= run.total else "stopped" if run.stopped else "partly done"
    run = run.model_copy(update={"ended_at": draft.now, "state": state, "held": ""})
    draft.put(run)
    what = "undo" if run.undoes else "plan"
    draft.log("plan_ended", f"{what} {run.plan[:12]}, run {run.id}: {state}. {run.progress}", plan=run.plan)
    tasks = [Task("Read it, and keep the undo file", f"bypassctl posture applied {run.id} --undo-file undo.json")]
    if not run.undoes:
        tasks.append(Task("To undo it", _command("undo", run)))
    draft.notify(
        "plan_ended",
        f"A posture {what} has ended: {state}",
        " ".join((f"{run.progress}.", *([run.stopped] if run.stopped else []), *(f"{each}." for each in run.named))),
        key=run.id,
        severity=Severity.INFO if state == "done" else Severity.WARNING,
        left_to_do=tasks,
        asked_by=run.who,
        reason=run.reason,
    )


def _log_outcome(draft: Draft, run: PlanRun, change: MailboxChange) -> None:
    why = f": {change.problem}" if change.problem else ""
    draft.log(
        "mailbox_changed",
        f"{'undo of ' if run.undoes else ''}{change.name}: {change.outcome}{why}",
        run=run.id,
        mailbox=change.object_id,
        outcome=change.outcome,
        change=change.change.model_dump(mode="json", exclude_defaults=True) if change.change else "undo",
    )
