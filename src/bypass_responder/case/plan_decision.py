"""A person's decision to carry out a plan of mailbox changes, or to undo or stop a run of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case.plan_run import newest
from bypass_responder.case.recorded_decision import log_decision, out_of_time, recorded_already, recorded_as, refuse
from bypass_responder.model.base import counted, moment
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.model.plan_run import PlanRun

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case
    from bypass_responder.model.decision_message import Channel, DecisionMessage
    from bypass_responder.model.incident import PersonDecision

OBSERVE = "MODE is observe: plans can be made, but not carried out. Set MODE=enforce."


def decide(
    draft: Draft, message: DecisionMessage, *, channel: Channel, enforce: bool, problem: str = ""
) -> PersonDecision:
    """Begin, undo or stop a run, or refuse. ``draft`` has the runs of the history.

    ``problem``: why the file of the plan cannot be carried out.
    """
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    if why := out_of_time(message, draft.now) or refusal(draft.case, message, enforce=enforce, problem=problem):
        return refuse(draft, message, why, channel=channel)
    decision = recorded_as(draft, message, channel, outcome="carried_out", why="")
    if message.kind is DecisionKind.STOP_PLAN:
        _stop(draft, decision, message)
    else:
        _begin(draft, decision, message)
    return decision


def refusal(case: Case, message: DecisionMessage, *, enforce: bool, problem: str = "") -> str:
    """Return why a decision about a plan cannot be carried out, with the fix; empty when it can."""
    run = _named(case, message)
    if message.kind is not DecisionKind.APPLY_PLAN and run is None:
        return f"There is no run {message.run} of a plan: bypassctl posture applied."
    if message.kind is DecisionKind.STOP_PLAN:
        return "" if run and run.running else f"Run {message.run} has ended: bypassctl posture applied {message.run}."
    if not enforce:
        return OBSERVE
    last = newest(case)
    if last is not None and last.running:
        same = message.plan is not None and message.plan.sha256 == last.plan and not last.undoes
        which = "This plan is being carried out" if same else "Another plan is being carried out"
        end = f'bypassctl posture stop {last.id} --reason "TICKET"'
        return f"{which}, as run {last.id}: bypassctl posture applied {last.id}. To end it: {end}."
    if problem:
        return problem
    return _done_already(case, message) if run is None else _not_undoable(case, run)


def _named(case: Case, message: DecisionMessage) -> PlanRun | None:
    return next((run for run in case.rows(PlanRun) if run.id == message.run), None)


def _done_already(case: Case, message: DecisionMessage) -> str:
    """Return why a plan is not carried out again: all of its changes were made, and none was undone."""
    sha256 = message.plan.sha256 if message.plan else ""
    runs = sorted((run for run in case.rows(PlanRun) if run.plan == sha256), key=lambda run: run.started_at)
    if not runs or runs[-1].undoes or runs[-1].state != "done":
        return ""
    last = runs[-1]
    return (
        f"This plan was carried out, as run {last.id} from {moment(last.started_at)} on. "
        f"Its undo file: bypassctl posture applied {last.id} --undo-file FILE."
    )


def _not_undoable(case: Case, run: PlanRun) -> str:
    if run.undoes:
        return f"Run {run.id} is an undo itself. Carry out the plan again: bypassctl posture apply PLAN."
    for each in case.rows(PlanRun):
        if each.undoes == run.id and each.state == "done":
            return f"Run {run.id} was undone, by run {each.id}: bypassctl posture applied {each.id}."
    return "" if run.may_have_changed else f"Run {run.id} changed no mailbox: there is nothing to undo."


def _begin(draft: Draft, decision: PersonDecision, message: DecisionMessage) -> None:
    before, undone = newest(draft.case), _named(draft.case, message)
    total = message.plan.changes if message.plan else undone.may_have_changed if undone else 0
    run = PlanRun(
        id=message.message_id,
        plan=message.plan.sha256 if message.plan else undone.plan if undone else "",
        total=total,
        who=decision.who,
        reason=decision.reason,
        undoes=undone.id if undone else None,
        started_at=draft.now,
        recent=before.recent if before else (),
    )
    draft.put(run)
    for each in draft.case.rows(PlanRun):
        if each.id != run.id and each.row_key not in draft.case.kept:
            draft.file(each, each.filed)
    what = f"the undo of run {run.undoes}" if run.undoes else "the plan"
    text = f"{what}, {counted(total, 'mailbox', 'mailboxes')}: {decision.reason}"
    log_decision(draft, decision, "plan_started", text)


def _stop(draft: Draft, decision: PersonDecision, message: DecisionMessage) -> None:
    run = _named(draft.case, message)
    if run is not None:
        draft.put(run.model_copy(update={"stopped": run.stopped or f"{decision.who} stopped it: {decision.reason}"}))
    log_decision(draft, decision, "plan_stopped", decision.reason)
