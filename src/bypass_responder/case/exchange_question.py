"""Questions to the Exchange worker. Pure transitions; the queue is not touched here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.step import withhold
from bypass_responder.case.tasks import Task, switch_off
from bypass_responder.model.message import Command, CommandKind, ExchangeCommand
from bypass_responder.model.notification import Severity
from bypass_responder.model.step import Rule, StepKind, StepState

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case
    from bypass_responder.model.log import Event

WORKER_SILENT_AFTER = 3


def ask(draft: Draft, command: Command) -> None:
    """Plan a question, unless one of this kind is outstanding for the target."""
    if outstanding(draft.case, command.command):
        return
    draft.put(command)


def outstanding(case: Case, kind: CommandKind) -> Command | None:
    """The unanswered question of this kind, or None."""
    return next((row for row in case.rows(Command) if row.command is kind and row.state == "outstanding"), None)


def mark_sent(draft: Draft, command_id: str) -> None:
    """Record that the command is on the queue; a disable_bypass step now awaits the answer."""
    command = draft.case.row(Command, f"command-{command_id}")
    if command is None or command.sent:
        return
    draft.put(command.model_copy(update={"sent": True}))
    _log(draft, "asked", command, "asked the Exchange worker")
    step = draft.case.step(command.incident_id, StepKind.DISABLE_BYPASS) if command.incident_id else None
    if step and command.command is CommandKind.DISABLE_BYPASS and step.state is StepState.CLAIMED:
        draft.put(step.model_copy(update={"state": StepState.ACTED, "acted_at": draft.now, "lease_until": None}))


def ask_again(draft: Draft, command: Command, *, command_id: str, timeout: timedelta) -> None:
    """Replace a question without an answer in time by a new one."""
    current = draft.case.row(Command, command.row_key)
    if current is None or current.state != "outstanding" or current.not_after > draft.now:
        return
    draft.put(current.model_copy(update={"state": "superseded"}))
    _log(draft, "unanswered", current, "no answer in time")
    if current.asked >= WORKER_SILENT_AFTER:
        draft.notify(
            "worker_silent",
            "The Exchange worker does not answer",
            f"It was asked {current.asked} times to {_ASKED[current.command]} {draft.case.target}, without an answer.",
            key=f"{current.incident_id}-{current.command.value}",
            severity=Severity.CRITICAL,
            incident=current.incident_id,
            left_to_do=(
                Task("Check that the Exchange worker is running, and read its logs", "bypassctl doctor"),
                *([switch_off(current.object_id)] if current.object_id else []),
            ),
        )
    again = {
        "id": command_id,
        "state": "outstanding",
        "asked": current.asked + 1,
        "created_at": draft.now,
        "planned_by": draft.run,
        "not_after": draft.now + timeout,
        "sent": False,
    }
    ask(draft, current.model_copy(update=again))


def end_repetition(draft: Draft, answered: Command) -> None:
    """Ask no more what a late answer to an earlier question has answered."""
    again = outstanding(draft.case, answered.command)
    if again is not None and _subject(again) == _subject(answered):
        draft.put(again.model_copy(update={"state": "superseded"}))


def _subject(command: Command) -> tuple[str | None, ...]:
    return command.object_id, command.identity, command.incident_id, str(command.recheck)


_ASKED = {
    CommandKind.DISABLE_BYPASS: "remove the bypass of",
    CommandKind.CHECK_BYPASS: "read the bypass of",
    CommandKind.LIST_BYPASSED: "read all accounts, for",
}


def _log(draft: Draft, event: Event, command: Command, text: str) -> None:
    kind, incident = command.command.value, command.incident_id
    draft.log(event, f"{kind}: {text}", incident=incident, command=command.id, kind=kind, asked=command.asked)


def withdraw(draft: Draft) -> None:
    """In observe nothing is switched off: an outstanding disable_bypass is given up, its step withheld.

    The message cannot be taken off the queue: its answer, if one comes, is recorded (``exchange_answer``).
    """
    command = outstanding(draft.case, CommandKind.DISABLE_BYPASS)
    if command is None:
        return
    draft.put(command.model_copy(update={"state": "withdrawn"}))
    step = draft.case.step(command.incident_id, StepKind.DISABLE_BYPASS) if command.incident_id else None
    incident = draft.case.incident(command.incident_id)
    if step and incident and step.state.running:
        withhold(draft, incident, step, state=StepState.WITHHELD, reason=Rule.OBSERVE)
    until = f"until {command.not_after:%Y-%m-%d %H:%M:%SZ} the worker may still carry it out"
    _log(draft, "withheld", command, f"{Rule.OBSERVE}, {until}")


def as_message(command: Command, *, tenant_id: str, target: str) -> ExchangeCommand:
    """The command as the worker gets it."""
    return ExchangeCommand(
        command_id=command.id,
        kind=command.command,
        tenant_id=tenant_id,
        target=target,
        object_id=command.object_id,
        identity=command.identity,
        not_after=command.not_after,
    )
