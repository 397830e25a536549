"""The last known state of an account, as shown to a person who decides, and its changes since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bypass_responder.case.control import BLOCK, ended
from bypass_responder.model.decision_message import MOST_FINDINGS, MOST_INCIDENTS, DecisionKind, Shown, ShownStep
from bypass_responder.model.incident import Incident
from bypass_responder.model.message import Command
from bypass_responder.model.step import WAITING, Effect, Observed, StepKind, StepState

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.model.case import Case

Bypass = Literal["on", "off"]


def shown_of(case: Case, incident: Incident | None = None) -> Shown:
    """Return the account's state as the ledger has it; with an incident, its steps and findings too."""
    sign_in, sign_in_at = _sign_in(case, incident)
    bypass, bypass_at = _bypass(case)
    steps = case.steps(incident.id) if incident else []
    return Shown(
        sign_in=sign_in,
        sign_in_at=sign_in_at,
        bypass=bypass,
        bypass_at=bypass_at,
        steps=tuple(ShownStep(step=step.step, state=step.state) for step in steps),
        findings=incident.evidence[-MOST_FINDINGS:] if incident else (),
        incidents=tuple(row.id for row in active_incidents(case))[-MOST_INCIDENTS:],
    )


def active_incidents(case: Case) -> list[Incident]:
    """Return the incidents of the account that nobody has ended, oldest first."""
    active = [row for row in case.rows(Incident) if not ended(case, row)]
    return sorted(active, key=lambda row: (row.opened_at, row.id))


def compared_with(case: Case, incident: Incident, kind: DecisionKind) -> list[Incident]:
    """Return the incidents that the author of a decision is compared with, the decided one first."""
    others = incidents_of_block(case) if kind is DecisionKind.RELEASE else active_incidents(case)
    return [incident, *(row for row in others if row.id != incident.id)]


def incidents_of_block(case: Case) -> list[Incident]:
    """Return the incidents that nobody has ended, and those that ended while our block stood, oldest first.

    Requires the case with its history.
    """
    prior = case.head.prior
    since = [
        row
        for row in case.rows(Incident)
        if prior is not None and row.closed_at is not None and row.closed_at >= prior.recorded_at
    ]
    return sorted([*active_incidents(case), *since], key=lambda row: (row.opened_at, row.id))


def _sign_in(case: Case, incident: Incident | None) -> tuple[Observed | None, datetime | None]:
    """Return the sign-in state of the last read; before any, as it was when the incident was opened."""
    control = case.control(BLOCK)
    if control.observed is not None:
        return control.observed, control.observed_at
    latest = incident or max(case.rows(Incident), key=lambda row: row.opened_at, default=None)
    if latest is None or latest.account is None:
        return None, None
    return Observed.ENABLED if latest.account.account_enabled else Observed.DISABLED, latest.opened_at


def _bypass(case: Case) -> tuple[Bypass | None, datetime | None]:
    """Return the newest bypass state that records and reads showed; of one time, the read after a change."""
    known: list[tuple[datetime, bool, Bypass]] = []
    known += [(at, True, "off") for at in (case.head.off_at, case.head.restored_at) if at is not None]
    for incident in case.rows(Incident):
        if incident.restored_at is None and incident.blind_from is not None:
            known.append((incident.blind_from, False, "on"))
    for command in case.rows(Command):
        answer = command.answer
        if answer is None or answer.read_at is None or not answer.is_about(case.target):
            continue
        value = answer.before if answer.after is None else answer.after
        if value is not None:
            known.append((answer.read_at, answer.after is not None, "on" if value else "off"))
    at, _, bypass = max(known, default=(None, False, None))
    return bypass, at


def lines_of(shown: Shown) -> dict[str, str]:
    """Return the account's state as a person is shown it: a name and a value per line."""
    return {
        "sign-in": _known(shown.sign_in, shown.sign_in_at),
        "bypass": _known(shown.bypass, shown.bypass_at),
        "active incidents": ", ".join(shown.incidents) or "none",
    }


def _known(value: str | None, at: datetime | None) -> str:
    return f"{value}, as of {at:%Y-%m-%d %H:%M:%SZ}" if value and at else "not known yet"


def changed_since(case: Case, incident: Incident, kind: DecisionKind, shown: Shown) -> str:
    """Return the change of the account since a person was shown it, with both states; else empty.

    What they were shown as not known yet may be anything now. Progress of a step that was under way is no change.
    """
    now = shown_of(case, incident)
    if shown.sign_in is not None and now.sign_in is not shown.sign_in:
        was, is_now = _known(shown.sign_in, shown.sign_in_at), _known(now.sign_in, now.sign_in_at)
        return f"sign-in was shown as {was}; it is {is_now}"
    if kind is not DecisionKind.APPROVE and (shown.bypass, now.bypass) == ("off", "on"):
        was, is_now = _known(shown.bypass, shown.bypass_at), _known(now.bypass, now.bypass_at)
        return f"the bypass was shown as {was}; it is {is_now}"
    for step in now.steps:
        before = shown.state_of(step.step)
        if before in WAITING and step.state not in WAITING | {StepState.CANCELED}:
            return f"{step.step.value} was shown as {before.value}; it is {step.state.value}"
    return ""


def left_as_it_is(case: Case, incident: Incident, kind: DecisionKind) -> str:
    """Return what a decision leaves unchanged although a person may expect a change; empty when nothing."""
    shown = shown_of(case, incident)
    disable = case.step(incident.id, StepKind.DISABLE_BYPASS)
    bypass = "the bypass stays on" if incident.account else "the bypass, which may be on"
    if kind is DecisionKind.RELEASE:
        dismissed = disable is not None and disable.state is StepState.CANCELED
        return bypass if shown.bypass == "on" and dismissed else ""
    if kind not in {DecisionKind.DISMISS, DecisionKind.CLOSE}:
        return ""
    block = case.step(incident.id, BLOCK)
    parts = []
    if shown.sign_in is Observed.DISABLED:
        restored = (
            ""
            if case.head.prior is None
            else f'; to restore it: bypassctl incidents release {incident.id} --reason "TICKET"'
        )
        until = " until the next directory synchronization" if block and block.effect is Effect.TEMPORARY else ""
        parts.append(f"the account stays blocked{until}{restored}")
    elif shown.sign_in is Observed.ENABLED:
        failed = block is not None and block.state is StepState.FAILED
        parts.append("the account can still sign in" + (", its block failed or was undone" if failed else ""))
    if shown.bypass == "on" and disable is not None and disable.state is not StepState.DONE:
        sent = ", unless its removal, which was sent, takes effect" if disable.state is StepState.ACTED else ""
        parts.append(f"{bypass}{sent}")
    return "; ".join(parts)
