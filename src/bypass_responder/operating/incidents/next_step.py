"""The one next step of a person in each situation, and the decisions that are possible now.

A decision is possible when the responder would carry it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case.account_state import left_as_it_is, shown_of
from bypass_responder.case.decision_refusal import not_now
from bypass_responder.model.base import Value
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.model.step import StepKind, StepState
from bypass_responder.operating.incidents.sentence import Situation, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bypass_responder.model.case import Case
    from bypass_responder.model.incident import Incident
    from bypass_responder.model.step import Step

ABOUT_AN_INCIDENT = (DecisionKind.APPROVE, DecisionKind.DISMISS, DecisionKind.CLOSE, DecisionKind.RELEASE)
_PRIMARY = {
    Situation.HELD: DecisionKind.APPROVE,
    Situation.UNRESOLVED: DecisionKind.APPROVE,
    Situation.FAILED: DecisionKind.APPROVE,
    Situation.REVERTED: DecisionKind.APPROVE,
    Situation.GUEST: DecisionKind.CLOSE,
    Situation.CONTAINED: DecisionKind.CLOSE,
    Situation.SYNCED: DecisionKind.CLOSE,
    Situation.RESTORED: DecisionKind.CLOSE,
}
_EFFECT = {
    DecisionKind.DISMISS: "Ends the incident. Pending actions are canceled; completed ones are kept.",
    DecisionKind.CLOSE: "Ends the incident. It does not remove a block.",
    DecisionKind.RELEASE: "Restores sign-in as before the first block, and ends the incident. Auditing stays on.",
    DecisionKind.ACKNOWLEDGE: "Every receiver is notified that you are handling it, and the reminders stop.",
}
_TEXTS = {
    Situation.OPEN: "Nothing to decide: the responder is working. Read the state again in a minute.",
    Situation.HELD: "Decide whether the bypass is legitimate. If not, contain the account, and {actors}.",
    Situation.UNRESOLVED: "Contain {actors}. Find out which account is meant, then contain that account.",
    Situation.FAILED: "Contain {actors}. {problems} Do it yourself (commands below), or fix this and try again.",
    Situation.REVERTED: (
        "Contain {actors}. {first}Block the account again, which also revokes its sessions. "
        "Then find out who enabled it. If a colleague did so and the bypass was legitimate, release it instead."
    ),
    Situation.GUEST: (
        "Contain {actors}. Ask {home} to revoke the sessions and reset the password, then close the incident."
    ),
    Situation.CONTAINED: "Contain {actors}, investigate, reset credentials, then close the incident.",
    Situation.SYNCED: (
        "Disable the account in the on-premises Active Directory now, and reset its password there: "
        "the next synchronization enables it again. Contain {actors}, then close the incident."
    ),
    Situation.RESTORED: "Find out why {actors} switched the bypass on, then close the incident.",
    Situation.OBSERVED: (
        "Contain the account in the Entra admin center and remove the bypass in Exchange, "
        "or set MODE=enforce and approve the incident then."
    ),
    Situation.DISMISSED: "Nothing to decide. An account that this responder blocked stays blocked until a release.",
    Situation.CLOSED: "Nothing to decide. An account that this responder blocked stays blocked until a release.",
}


_BLOCKED = frozenset({Situation.CONTAINED, Situation.SYNCED, Situation.GUEST})


class Choice(Value):
    """A decision that the responder would carry out now."""

    decision: DecisionKind
    label: str
    effect: str
    """What it does, and what it leaves unchanged."""
    command: str
    needs_account: bool = False
    """True: the person names the account, because no single one is known."""


class NextStep(Value):
    """What to do now. ``choice``: the one primary decision; ``others``: the other possible ones."""

    text: str
    choice: Choice | None = None
    others: tuple[Choice, ...] = ()


def next_step(situation: Situation, case: Case, incident: Incident, *, enforce: bool) -> NextStep:
    """Return the next step. ``enforce``: the app's mode is enforce."""
    steps = case.steps(incident.id)
    choices = [
        _choice(kind, situation, case, incident)
        for kind in ABOUT_AN_INCIDENT
        if is_possible(kind, case, incident, enforce=enforce)
    ]
    primary = _PRIMARY.get(situation)
    if situation is Situation.FAILED and not any(step.approvable for step in steps):
        primary = DecisionKind.CLOSE
    return NextStep(
        text=_text(situation, incident, steps),
        choice=next((each for each in choices if each.decision is primary), None),
        others=tuple(each for each in choices if each.decision is not primary),
    )


def is_possible(kind: DecisionKind, case: Case, incident: Incident, *, enforce: bool) -> bool:
    """Return True when the responder would carry out the decision of a person whom no incident names."""
    if kind is DecisionKind.APPROVE and incident.account is None:
        return enforce and not incident.status.final and any(step.approvable for step in case.steps(incident.id))
    return not not_now(case, incident, kind, shown=shown_of(case, incident), enforce=enforce)


def _choice(kind: DecisionKind, situation: Situation, case: Case, incident: Incident) -> Choice:
    unnamed = kind is DecisionKind.APPROVE and incident.account is None
    account = " --account OBJECT_ID_OR_UPN" if unnamed else ""
    kept = left_as_it_is(case, incident, kind)
    return Choice(
        decision=kind,
        label=_label(kind, situation),
        effect=f"{effect_of(kind, case, incident)}{f' Not changed: {kept}.' if kept else ''}",
        command=f'bypassctl incidents {kind.value} {incident.id}{account} --reason "TICKET"',
        needs_account=unnamed,
    )


def _label(kind: DecisionKind, situation: Situation) -> str:
    match kind:
        case DecisionKind.APPROVE:
            again = {Situation.FAILED: "Try again", Situation.REVERTED: "Block again"}
            return again.get(situation, "Contain the account")
        case DecisionKind.DISMISS:
            return "Dismiss, keep the block" if situation in _BLOCKED else "Dismiss as legitimate"
        case DecisionKind.CLOSE:
            return "Close as handled"
        case _:
            return "Release: it was legitimate" if situation in _BLOCKED else "Release the account"


def effect_of(kind: DecisionKind, case: Case, incident: Incident) -> str:
    """Return what a decision about an incident does, in a sentence or two."""
    if kind is not DecisionKind.APPROVE:
        return _EFFECT[kind]
    steps = {step.step: step for step in case.steps(incident.id)}
    does = listed(kind for kind, step in steps.items() if step.approvable)
    block, revoke = steps.get(StepKind.BLOCK_SIGN_IN), steps.get(StepKind.REVOKE_SESSIONS)
    again = block is not None and block.approvable and revoke is not None and revoke.state is StepState.DONE
    return f"The responder will {does}{', and revoke sessions again' if again else ''}."


def _text(situation: Situation, incident: Incident, steps: Sequence[Step]) -> str:
    actors = ", ".join(map(str, incident.actors)) or "the actor, whom no record names yet,"
    synced = incident.account is not None and incident.account.on_premises_sync_enabled
    home = (incident.account and incident.account.home_domain) or "the guest's home organization"
    first = "Disable the account in the on-premises Active Directory first. " if synced else ""
    return _TEXTS.get(situation, "Nothing to decide.").format(
        actors=actors, problems=_problems(steps), home=home, first=first
    )


def _problems(steps: Sequence[Step]) -> str:
    failed = [step for step in steps if step.state is StepState.FAILED or step.approvable]
    parts = [f"{listed([step.step])}: {step.detail or step.reason}".rstrip(". ") for step in failed]
    return f"Failed: {'; '.join(parts)}." if parts else "A step had no effect."
