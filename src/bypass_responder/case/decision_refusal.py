"""Why a person's decision about an incident cannot be carried out, with the fix. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case.account_state import active_incidents, changed_since, compared_with
from bypass_responder.case.decision_author import is_among, is_an_actor, known_as, may_be_named
from bypass_responder.case.reminder import has_it_already
from bypass_responder.model.decision_message import MOST_INCIDENTS, DecisionKind, DecisionMessage, Shown
from bypass_responder.model.incident import Candidate, Incident
from bypass_responder.model.step import StepState

if TYPE_CHECKING:
    from bypass_responder.model.account import Account
    from bypass_responder.model.case import Case


def refusal(case: Case, message: DecisionMessage, *, enforce: bool, itself: Account | None = None) -> str:
    """Return why a decision cannot be carried out, with the fix; empty when it can.

    ``itself``: the author's own account, as the directory has it; None where nobody has looked.
    """
    incident = case.incident(message.incident_id)
    if incident is None:
        return f"There is no incident {message.incident_id}."
    if role := _named_as(message, incident, case, itself):
        return f"{message.author.name} is {role}, and cannot decide about it. Another person must."
    if why := not_now(case, incident, message.kind, account=message.account, shown=message.shown, enforce=enforce):
        return why
    if message.kind is DecisionKind.ACKNOWLEDGE:
        return has_it_already(incident, message.author.name)
    if changed := changed_since(case, incident, message.kind, message.shown):
        return f"The account has changed since: {changed}. Read it again: bypassctl incidents show {incident.id}."
    return ""


def _named_as(message: DecisionMessage, incident: Incident, case: Case, itself: Account | None) -> str:
    """Return how the decided incident, or another of its account that the decision answers, names the author."""
    known = known_as(message.author, itself)
    for row in compared_with(case, incident, message.kind):
        account = row.account
        own = (case.target, account.object_id, account.user_principal_name) if account else (case.target,)
        if is_among(known, *own):
            return f"the account of incident {row.id}"
        if is_among(known, *row.names) or (account is None and may_be_named(message.author, itself, row.names)):
            return f"named by incident {row.id}"
        if is_an_actor(known, row):
            return f"an actor of incident {row.id}"
        if any(is_among(known, each.object_id, each.name) for each in _may_be(row, message.kind)):
            return f"a candidate of incident {row.id}"
    return "the account that it names" if is_among(known, message.account) else ""


def _may_be(incident: Incident, kind: DecisionKind) -> list[Candidate]:
    """Return the candidates who cannot decide: all where the incident is ended or given to one of them."""
    every = kind in {DecisionKind.APPROVE, DecisionKind.DISMISS}
    return [each for each in incident.candidates if every or not each.ruled_out]


def not_now(
    case: Case, incident: Incident, kind: DecisionKind, *, shown: Shown, enforce: bool, account: str | None = None
) -> str:
    """Return why nobody can decide this now, with the fix; empty when somebody can.

    ``account``: named by approve.
    """
    if kind in {DecisionKind.APPROVE, DecisionKind.RELEASE} and not enforce:
        verb = kind.value
        return f"MODE is observe: nothing is changed. Set MODE=enforce to {verb}, or do it in the Entra admin center."
    if incident.status.final and kind is not DecisionKind.RELEASE:
        return f"Incident {incident.id} is {incident.status.value} already."
    if kind is DecisionKind.APPROVE:
        if not any(step.approvable for step in case.steps(incident.id)):
            show = f"bypassctl incidents show {incident.id}"
            return f"Incident {incident.id} has nothing to approve. Read its steps: {show}."
        if incident.account is None and account is None:
            return f"Incident {incident.id} names no single account: add --account OBJECT_ID_OR_UPN."
        if incident.account is not None and account not in {None, incident.account.object_id}:
            return f"Incident {incident.id} is about {incident.account}; --account cannot change that."
        if incident.account is None and account is not None and (others := _likelier(incident, account)):
            return (
                f"{account} is not a candidate of incident {incident.id}: {', '.join(map(str, others))}. "
                f"Name one of them, or dismiss the incident."
            )
    if kind is DecisionKind.CLOSE:
        unfinished = [
            step for step in case.steps(incident.id) if step.state not in {StepState.DONE, StepState.CANCELED}
        ]
        if unfinished:
            steps = ", ".join(f"{step.step.value} is {step.state.value}" for step in unfinished)
            dismiss = f'bypassctl incidents dismiss {incident.id} --reason "TICKET"'
            return f"Incident {incident.id} is not over: {steps}. To end it all the same: {dismiss}."
    return _not_releasable(case, incident, shown) if kind is DecisionKind.RELEASE else ""


def _likelier(incident: Incident, account: str) -> list[Candidate]:
    """Return the candidates that Exchange has not ruled out, if the named account is not a candidate."""
    if any(candidate.object_id == account for candidate in incident.candidates):
        return []
    return [each for each in incident.candidates if not each.ruled_out]


def _not_releasable(case: Case, incident: Incident, shown: Shown) -> str:
    if case.head.prior is None and incident.status.final:
        return f"Nothing to release: incident {incident.id} is {incident.status.value}, and no block of it is left."
    if case.head.prior is None:
        return (
            f"Nothing to release: this responder has not blocked the account of incident {incident.id}. "
            f'To end the incident: bypassctl incidents dismiss {incident.id} --reason "TICKET".'
        )
    known = {incident.id, *shown.incidents}
    cut = len(shown.incidents) == MOST_INCIDENTS
    active = active_incidents(case)
    newer = [row for row in active if row.opened_at > incident.opened_at]
    unseen = [row for row in (newer if cut else active) if row.id not in known]
    if unseen:
        return (
            f"{unseen[-1].id} was opened after the decision, is {unseen[-1].status.value}, and wants the block too. "
            f'To release the account from all: bypassctl incidents release {unseen[-1].id} --reason "TICKET".'
        )
    if newer:
        return (
            f"Incident {incident.id} is {incident.status.value}, but {newer[-1].id} came later, is "
            f"{newer[-1].status.value} and wants the block too. "
            f'To release the account from both: bypassctl incidents release {newer[-1].id} --reason "TICKET".'
        )
    return ""
