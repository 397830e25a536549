"""Judge a person's decision by the case and by what they were shown; carry it out or refuse it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from bypass_responder.case import allowlist, filing, sweep_row
from bypass_responder.case.account_state import active_incidents, changed_since, left_as_it_is
from bypass_responder.case.actor_ids import not_compared
from bypass_responder.case.control import renew
from bypass_responder.case.evidence import known_of
from bypass_responder.case.plain_text import what_is_true
from bypass_responder.case.reminder import give_to, has_it_already
from bypass_responder.case.tasks import Task, show
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.base import guid_or_none, latest
from bypass_responder.model.decision_message import (
    APPLICATION,
    MOST_INCIDENTS,
    Author,
    Channel,
    DecisionKind,
    DecisionMessage,
    Shown,
)
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident import Candidate, Incident, Known, PersonDecision
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.notification import Severity
from bypass_responder.model.step import WAITING, Step, StepKind, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import Account
    from bypass_responder.model.case import Case
    from bypass_responder.model.change import Actor
    from bypass_responder.model.log import Event

MOST_ROWS = 60
"""Of one transaction, which holds 100 rows with its log entries."""
CLOCK_SKEW = timedelta(minutes=5)
_DONE = {
    DecisionKind.APPROVE: "Approved",
    DecisionKind.DISMISS: "Dismissed",
    DecisionKind.CLOSE: "Closed",
    DecisionKind.RELEASE: "Released",
}
MOST_REFUSED = 100
"""Refusals of one channel that are notified in one case within an hour; more are recorded and logged only."""


def carry_out(
    draft: Draft, message: DecisionMessage, *, channel: Channel, enforce: bool, itself: Account | None = None
) -> PersonDecision:
    """Carry out or refuse a decision and record it with the reason. A recorded one is not repeated.

    ``itself``: the author's own account, as the directory has it.
    """
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    why = out_of_time(message, draft.now) or refusal(draft.case, message, enforce=enforce, itself=itself)
    if why:
        return refuse(draft, message, why, channel=channel)
    filing.take_back(draft, message.incident_id)
    incident = draft.case.incident(message.incident_id)
    kept = left_as_it_is(draft.case, incident, message.kind) if incident else ""
    unsure = not_compared([incident, *active_incidents(draft.case)] if incident else [], message.author.name)
    why = "; ".join(filter(None, (kept, unsure)))
    decision = recorded_as(draft, message, channel, outcome="carried_out", why=why)
    if needs_handing_on(draft.case, message):
        _resolve_elsewhere(draft, decision)
    else:
        {
            DecisionKind.APPROVE: _approve,
            DecisionKind.DISMISS: _dismiss,
            DecisionKind.CLOSE: _close_handled,
            DecisionKind.RELEASE: _release,
        }[message.kind](draft, decision)
    _notify_carried_out(draft, decision, unsure)
    filing.take_over(draft)
    return decision


def accept_warning(draft: Draft, message: DecisionMessage, *, channel: Channel) -> PersonDecision:
    """Accept a warning of the sweeps, in the tenant's case, or refuse."""
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    text = message.warning or ""
    if why := out_of_time(message, draft.now) or sweep_row.warning_refusal(draft.case, text):
        return refuse(draft, message, why, channel=channel)
    decision = recorded_as(draft, message, channel, outcome="carried_out", why="")
    sweep_row.accept_warning(draft, text, who=decision.who, reason=decision.reason)
    log_decision(draft, decision, "warning_accepted", f"{text}: {decision.reason}")
    return decision


def read_posture(draft: Draft, message: DecisionMessage, *, channel: Channel) -> PersonDecision:
    """Record that a person asked for a read of all mailboxes, or refuse. It begins unless one is under way."""
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    if why := out_of_time(message, draft.now):
        return refuse(draft, message, why, channel=channel)
    decision = recorded_as(draft, message, channel, outcome="carried_out", why="")
    log_decision(draft, decision, "read_posture", decision.reason)
    return decision


def approve_entry(
    draft: Draft,
    message: DecisionMessage,
    entry: AllowlistEntry | MalformedEntry | None,
    account: Account | None,
    *,
    channel: Channel,
    itself: Account | None = None,
) -> PersonDecision:
    """Approve an allowlist row as shown to the person, or refuse. ``entry``, ``account``: current state.

    ``itself``: the author's own account, as the directory has it.
    """
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    why = out_of_time(message, draft.now) or entry_refusal(draft.case, message, entry, account, itself)
    if why or not isinstance(entry, AllowlistEntry):
        return refuse(draft, message, why, channel=channel)
    decision = recorded_as(draft, message, channel, outcome="carried_out", why="")
    allowlist.approve(draft, entry, by=decision.who)
    log_decision(draft, decision, "allowlist_approved", decision.reason)
    return decision


def entry_refusal(
    case: Case,
    message: DecisionMessage,
    entry: AllowlistEntry | MalformedEntry | None,
    account: Account | None = None,
    itself: Account | None = None,
) -> str:
    """Return why an allowlist row cannot be approved, with the fix; empty when it can."""
    add = "bypassctl allowlist add"
    if entry is None:
        return f"{message.target} is not on the allowlist. Add it: {add}."
    if isinstance(entry, MalformedEntry):
        return f"The allowlist row of {message.target} cannot be read: {entry.problem}. Replace it: {add} --replace."
    if entry.digest() != message.entry_sha256:
        again = f'bypassctl allowlist approve {entry.object_id} --reason "TICKET"'
        return f"The row was changed after it was shown. Read it again: {again}."
    author, known = message.author, known_as(message.author, itself)
    own = (entry.object_id, entry.display_name, *((account.object_id, account.user_principal_name) if account else ()))
    if _is_among(known, *own):
        return f"{author.name} cannot approve the entry of their own account. Another person must."
    if any(each in entry.approved_by.casefold() for each in known):
        return f"{author.name} wrote the entry. Another person must approve it."
    for incident in active_incidents(case):
        if _is_an_actor(known, incident):
            return f"{author.name} is an actor of incident {incident.id}. Another person must approve the entry."
    return ""


def refuse(
    draft: Draft, message: DecisionMessage, why: str, *, channel: Channel, notified: bool = True
) -> PersonDecision:
    """Record a refusal with its reason, and notify people of it: somebody relies on the decision."""
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    quiet = not notified or _are_many(draft, channel)
    decision = recorded_as(draft, message, channel, outcome="refused", why=why)
    log_decision(draft, decision, "decision_refused", f"{message.kind.value}: {why}")
    if quiet:
        return decision
    draft.notify(
        "decision_refused",
        f"Not carried out: {message.kind.value} of {message.subject}",
        f"{decision.who} decided it at {message.sent_at:%Y-%m-%d %H:%M:%SZ}. {why}",
        key=message.message_id,
        severity=Severity.WARNING,
        incident=message.incident_id or None,
        left_to_do=(Task("Read it, and decide again", message.read_again),),
    )
    return decision


def _notify_carried_out(draft: Draft, decision: PersonDecision, unsure: str) -> None:
    """Notify the others that somebody has decided: they need not decide again. ``unsure``: what was not checked."""
    incident = draft.case.incident(decision.incident_id)
    name = (incident.account or incident.target) if incident else draft.case.target
    now = what_is_true(incident, draft.case) if incident else ""
    check = f" Check it yourself: {unsure}." if unsure else ""
    draft.notify(
        "decision_carried_out",
        f"{_DONE[decision.verb]} by {decision.author.name}: {name}",
        f"{decision.who} decided: {decision.verb.value} incident {decision.incident_id}. {now}{check}",
        key=decision.id,
        severity=Severity.INFO,
        incident=decision.incident_id,
        left_to_do=(show(decision.incident_id),),
        reason=decision.reason,
    )


def _are_many(draft: Draft, channel: Channel) -> bool:
    """Return True when this channel had its share: what is only claimed never silences what is verified."""
    refused = [row for row in draft.case.rows(PersonDecision) if row.outcome == "refused" and row.channel is channel]
    return sum(draft.now - row.at < timedelta(hours=1) for row in refused) >= MOST_REFUSED


def recorded_already(draft: Draft, message: DecisionMessage) -> PersonDecision | None:
    """Return what the case has recorded for this message."""
    return draft.case.row(PersonDecision, f"person-{message.message_id}")


def recorded_as(
    draft: Draft, message: DecisionMessage, channel: Channel, *, outcome: Literal["carried_out", "refused"], why: str
) -> PersonDecision:
    """Record a decision with its outcome."""
    decision = PersonDecision(
        id=message.message_id,
        incident_id=message.incident_id,
        verb=message.kind,
        author=message.author,
        channel=channel,
        reason=message.reason,
        account=message.account,
        warning=message.warning,
        entry_sha256=message.entry_sha256,
        shown=message.shown.findings,
        incidents=message.shown.incidents,
        sent_at=message.sent_at,
        at=draft.now,
        outcome=outcome,
        why=why,
    )
    draft.put(decision)
    return decision


def out_of_time(message: DecisionMessage, now: datetime) -> str:
    """Return why a message is too late, or too early; empty when it is neither."""
    if now > message.not_after:
        return f"It ended at {message.not_after:%Y-%m-%d %H:%M:%SZ}, before the responder could carry it out."
    if message.sent_at > now + CLOCK_SKEW:
        return f"It says that it was sent at {message.sent_at:%Y-%m-%d %H:%M:%SZ}, which is in the future."
    return ""


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
    """Return how the decided incident, or any active one of its account, names the author."""
    known, about = known_as(message.author, itself), {row.id: row for row in (incident, *active_incidents(case))}
    for row in about.values():
        account = row.account
        if account is not None and _is_among(known, account.object_id, account.user_principal_name):
            return f"the account of incident {row.id}"
        if _is_among(known, *row.names):
            return f"named by incident {row.id}"
        if _is_an_actor(known, row):
            return f"an actor of incident {row.id}"
        if any(_is_among(known, each.object_id, each.name) for each in _may_be(row, message.kind)):
            return f"a candidate of incident {row.id}"
    return "the account that it names" if _is_among(known, message.account) else ""


def _may_be(incident: Incident, kind: DecisionKind) -> list[Candidate]:
    """Return the candidates who cannot decide: all where the incident is ended or given to one of them."""
    every = kind in {DecisionKind.APPROVE, DecisionKind.DISMISS}
    return [each for each in incident.candidates if every or not each.ruled_out]


def known_as(author: Author, itself: Account | None = None) -> frozenset[str]:
    """Return every id and name of an author: as the message has them, and as the directory has their account."""
    given = (author.object_id, author.name, author.name.removeprefix(APPLICATION))
    held = (itself.object_id, itself.user_principal_name) if itself else ()
    return frozenset(map(_folded, filter(None, (*given, *held))))


def author_is(author: Author, account: Account) -> bool:
    """Return True when the author is this account, by object id or user principal name."""
    return _is_among(known_as(author), account.object_id, account.user_principal_name)


def _is_an_actor(known: frozenset[str], incident: Incident) -> bool:
    return _is_among(known, *incident.actor_ids.values()) or any(_is_actor(known, actor) for actor in incident.actors)


def _is_actor(known: frozenset[str], actor: Actor) -> bool:
    name = (actor.user_id or "").casefold()
    return _is_among(known, name, name.removeprefix("serviceprincipal_"), actor.object_id, actor.app_id)


def _is_among(known: frozenset[str], *names: str | None) -> bool:
    return any(_folded(name) in known for name in names if name)


def same(one: str | None, other: str | None) -> bool:
    """Return True for two names or ids that are the same but for case and surrounding space."""
    return bool(one and other) and _folded(one or "") == _folded(other or "")


def _folded(name: str) -> str:
    return name.strip().casefold()


def not_now(
    case: Case, incident: Incident, kind: DecisionKind, *, shown: Shown, enforce: bool, account: str | None = None
) -> str:
    """Return why nobody can decide this now, with the fix; empty when somebody can. ``account``: named by approve."""
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
                f"{account} is no candidate of incident {incident.id}: {', '.join(map(str, others))}. "
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


def needs_handing_on(case: Case, decision: DecisionMessage | PersonDecision) -> bool:
    """Return True when an approval names an unresolved target's account; its findings move there."""
    incident = case.incident(decision.incident_id)
    return incident is not None and incident.account is None and decision.account is not None


def _approve(draft: Draft, decision: PersonDecision) -> None:
    """Plan every step that waited; the protected list is still read at the claim."""
    for step in draft.case.steps(decision.incident_id):
        if step.approvable:
            draft.put(
                step.model_copy(
                    update={
                        "state": StepState.PLANNED,
                        "approved_by": decision.who,
                        "reason": f"approved by {decision.who}: {decision.reason}",
                        "attempts": 0,
                        "next_at": draft.now,
                        "effect": None,
                    }
                )
            )
            if step.step is not StepKind.DISABLE_BYPASS:
                renew(draft, step.step)
    give_to(draft, decision.incident_id, decision.author.name)
    log_decision(draft, decision, "approved", decision.reason)
    draft.settle_status(decision.incident_id)


def _dismiss(draft: Draft, decision: PersonDecision) -> None:
    """Cancel pending steps and close; completed ones are kept. The evidence that was shown is covered."""
    _cancel(draft, decision, WAITING | {StepState.PLANNED})
    _close(draft, decision, IncidentStatus.DISMISSED)
    log_decision(draft, decision, "dismissed", decision.reason)


def _close_handled(draft: Draft, decision: PersonDecision) -> None:
    """End an incident of which every step is done. The account stays blocked until a release."""
    _close(draft, decision, IncidentStatus.CLOSED)
    log_decision(draft, decision, "closed", decision.reason)


def _release(draft: Draft, decision: PersonDecision) -> None:
    """Restore the account's state from before our first block and end all its incidents. Auditing stays."""
    _want_auditing_only(draft, decision.incident_id, f"release by {decision.who}")
    log_decision(draft, decision, "release_planned", decision.reason)
    last = draft.case.opened_at(decision.incident_id)
    draft.move_head(released_through=latest(draft.case.head.released_through, last))
    renew(draft, StepKind.BLOCK_SIGN_IN)
    step = Step(
        incident_id=decision.incident_id,
        step=StepKind.RELEASE,
        state=StepState.PLANNED,
        reason=decision.reason,
        approved_by=decision.who,
        next_at=draft.now,
    )
    draft.put(step)
    _close(draft, decision, IncidentStatus.RELEASED)
    end_released(draft)


def end_released(draft: Draft) -> None:
    """Close the incidents that a release has ended, as many as one transaction takes."""
    released = draft.case.head.released_through
    if released is None:
        return
    over = [row for row in draft.case.rows(Incident) if row.closed_at is None and row.opened_at <= released]
    left = len(over)
    for incident in over:
        if len(draft.changed) >= MOST_ROWS:
            break
        left -= 1
        gone = {"status": IncidentStatus.RELEASED, "closed_at": released, "closed_by": "the release of the account"}
        draft.put(incident.model_copy(update=gone | {"known": _known(draft, incident, incident.evidence)}))
        _want_auditing_only(draft, incident.id, "the account was released")
        if draft.case.head.active_incident == incident.id:
            draft.move_head(active_incident=None)
    draft.move_head(ending=left > 0)


def _resolve_elsewhere(draft: Draft, decision: PersonDecision) -> None:
    """Close an unresolved incident whose account a person named; its findings moved to that account."""
    _cancel(draft, decision, WAITING | {StepState.PLANNED})
    _close(draft, decision, IncidentStatus.CLOSED)
    log_decision(draft, decision, "account_given", decision.reason)


def _want_auditing_only(draft: Draft, incident_id: str, reason: str) -> None:
    """Cancel everything wanted of the account but auditing, which is resumed if it waited or failed.

    A case that is known only by names has no account whose auditing could be restored.
    """
    known = guid_or_none(draft.case.target) is not None
    for step in draft.case.steps(incident_id):
        waits = step.state in {StepState.HELD, StepState.WITHHELD, StepState.FAILED}
        if (step.step is not StepKind.DISABLE_BYPASS and step.state is not StepState.DONE) or (waits and not known):
            _cancel_step(draft, step, reason)
        elif waits:
            draft.put(step.model_copy(update={"state": StepState.PLANNED, "next_at": draft.now, "reason": reason}))


def _cancel(draft: Draft, decision: PersonDecision, states: frozenset[StepState]) -> None:
    """Cancel steps, also a claimed block or revocation: its call may go through, its claim ends."""
    for step in draft.case.steps(decision.incident_id):
        claimed = step.state is StepState.CLAIMED and step.step is not StepKind.DISABLE_BYPASS
        if step.state in states or claimed:
            _cancel_step(draft, step, f"{decision.verb} by {decision.who}")


def _cancel_step(draft: Draft, step: Step, reason: str) -> None:
    gone = {"state": StepState.CANCELED, "next_at": None, "lease_until": None, "reason": reason}
    draft.put(step.model_copy(update=gone))


def _close(draft: Draft, decision: PersonDecision, status: IncidentStatus) -> None:
    incident = draft.case.incident(decision.incident_id)
    if incident is None:
        return
    known = _known(draft, incident, decision.shown)
    ending = {"closed_at": decision.at, "closed_by": decision.who, "known": known, "status": status}
    draft.put(incident.model_copy(update=ending))
    if draft.case.head.active_incident == incident.id:
        draft.move_head(active_incident=None)


def _known(draft: Draft, incident: Incident, ids: Iterable[str]) -> Known:
    """Return what a person knew who was shown these findings. Requires the case with its history."""
    found = (draft.case.row(Finding, f"finding-{each}") for each in ids)
    return known_of(incident, (finding for finding in found if finding is not None))


def log_decision(draft: Draft, decision: PersonDecision, event: Event, text: str, **facts: Any) -> None:  # noqa: ANN401 - any JSON value
    """Write the line of the response log that covers a recorded decision."""
    carried_out = decision.outcome == "carried_out"
    draft.log(
        event,
        f"{text} ({decision.why})" if carried_out and decision.why else text,
        incident=decision.incident_id or None,
        who=decision.who,
        account=decision.account,
        decision=decision.id,
        digest=decision.digest(),
        channel=decision.channel.value,
        sent_at=decision.sent_at.isoformat(),
        **facts,
    )
