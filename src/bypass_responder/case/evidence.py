"""Which incident a finding is evidence of, and how evidence sets the blind window: the same in any order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.draft import Draft
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.finding import STATES, Finding, FindingState, Source
from bypass_responder.model.incident import Incident, IncidentStatus

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case

MOST_EVIDENCE, MOST_NAMES = 500, 50
"""What one incident lists, so that its row stays small in a flood; every finding has its own row."""
BEFORE = timedelta(hours=24)
"""How long before its known beginning an attempt, a hint or a switching-off still belongs to an episode."""
EVIDENCE = frozenset({"attempt", "switched_off", "unconfirmed", "past"})
"""Verdicts of findings that decide nothing, and are evidence of the episode that they fall into."""
OWN = "our own remediation, seen in the audit log"
FINDINGS_PER_TRANSACTION = 30
"""Each may bring a notification and a log line, and a transaction holds 100 rows."""


def incident_of(case: Case, finding: Finding) -> Incident | None:
    """Return the incident whose episode contains the finding's time, in any order of arrival, or None.

    An episode begins where the previous one ended, at most a day before its known beginning, and ends at its own end.
    """
    for incident in sorted(case.rows(Incident), key=lambda each: (each.opened_at, each.id)):
        ends = [end for end in (incident.restored_at, incident.closed_at) if end]
        if ends and finding.effective_at > min(ends):
            continue
        began = min(incident.blind_from or incident.opened_at, incident.opened_at)
        return incident if finding.effective_at >= began - BEFORE else None
    return None


def adopt(draft: Draft, incident_id: str) -> None:
    """What was recorded before this episode was known, and is about it, becomes its evidence."""
    adopted = 0
    for finding in draft.case.rows(Finding):
        alone = finding.state is FindingState.DECIDED and finding.incident_id is None and finding.verdict in EVIDENCE
        incident = incident_of(draft.case, finding) if alone else None
        if incident is None or incident.id != incident_id or adopted == FINDINGS_PER_TRANSACTION:
            continue
        adopted += 1
        draft.put(finding.model_copy(update={"incident_id": incident_id}))
        add_evidence(draft, incident, finding)


def _begins(finding: Finding) -> bool:
    """Whether the account was bypassed at the finding's time, as far as that is proven."""
    if finding.source is Source.ACTOR or finding.outcome is Outcome.FAILED or finding.switch is Switch.OFF:
        return False
    return finding.source not in STATES or finding.seen_on


def add_evidence(draft: Draft, incident: Incident, finding: Finding) -> None:
    """List the finding, its actor and its names; what proves *on* may begin the blind window."""
    switched_on = _begins(finding)
    claimed = finding.source is Source.HINT  # a sender of alerts may name any account, and any number
    if claimed and len(incident.evidence) >= MOST_EVIDENCE:
        return
    named = () if claimed else (finding.actor,)
    actors = {str(actor): actor for actor in (*incident.actors, *named) if str(actor) != "unknown"}
    names = {name.casefold(): name for name in (*incident.names, *(() if claimed else finding.names))}
    start, proven = incident.blind_from, incident.blind_from_proven
    if switched_on and (start is None or finding.effective_at < start):
        start, proven = finding.effective_at, finding.source not in STATES
    elif switched_on and finding.effective_at == start:
        proven = proven or finding.source not in STATES
    draft.put(
        incident.model_copy(
            update={
                "evidence": tuple(dict.fromkeys((*incident.evidence, finding.id)))[-MOST_EVIDENCE:],
                "actors": tuple(actors.values())[:MOST_NAMES],
                "names": tuple(names.values())[:MOST_NAMES],
                "blind_from": start,
                "blind_from_proven": proven,
            }
        )
    )


def flaps(case: Case, incident: Incident) -> bool:
    """On, off and on again in the records of one episode, or on again within a day of the end of the one before."""
    before = case.incident(incident.refers_to)
    began = incident.blind_from or incident.opened_at
    if before and before.restored_at and began - before.restored_at <= BEFORE:
        return True
    changes = [
        finding.switch
        for finding in sorted(case.rows(Finding), key=lambda each: (each.effective_at, each.id))
        if finding.incident_id == incident.id
        and finding.source is Source.FEED
        and finding.outcome is Outcome.SUCCESS
        and finding.reason != OWN
    ]
    on, off, again = Switch.ON, Switch.OFF, Switch.ON
    wanted = iter(changes)
    return all(any(each is step for each in wanted) for step in (on, off, again))


RECORD_PRECISION = timedelta(seconds=1)
"""CreationTime of an audit record has whole seconds."""


def belongs_to_the_past(case: Case, finding: Finding) -> bool:
    """True for evidence of an episode that has ended: auditing was restored since, or a person ended it, knowing."""
    if finding.source is Source.ACTOR:
        return False
    if any(_was_known(case, incident, finding) for incident in case.rows(Incident) if incident.closed_at is not None):
        return True
    restored = case.head.restored_at
    if restored is None or finding.effective_at > restored:
        return False
    return not _on_again(finding, restored)


def _was_known(case: Case, incident: Incident, finding: Finding) -> bool:
    """True when the person who ended the incident knew of this, or of the same episode by the same actor.

    Anything else, such as an attack of which they had not been shown a record, is decided like any other finding.
    """
    closed, end = incident.closed_at, _end_of(case, incident)
    if closed is None or incident.status is IncidentStatus.CLOSED:
        return False
    if finding.source in STATES:
        began = incident.blind_from or incident.opened_at
        return finding.effective_at >= began and (end is None or finding.effective_at <= end)
    shown = [row for key in incident.shown if (row := case.row(Finding, f"finding-{key}")) is not None]
    if any(_same_event(finding, row) for row in shown):
        return True
    known = {str(row.actor) for row in shown} - {"unknown"}
    began = min((row.effective_at for row in shown), default=incident.blind_from or incident.opened_at)
    inside = finding.effective_at >= began and (end is None or finding.effective_at <= end)
    return inside and str(finding.actor) in known and finding.effective_at <= closed


def _end_of(case: Case, incident: Incident) -> datetime | None:
    """When the episode of an incident that a person ended was over: at its restoration, or the next proven off."""
    if incident.restored_at is not None:
        return incident.restored_at
    off_at, closed = case.head.off_at, incident.closed_at
    return off_at if off_at is not None and closed is not None and off_at > closed else None


def _same_event(one: Finding, other: Finding) -> bool:
    """The same change, reported again under another id."""
    same = (one.effective_at, str(one.actor), one.switch, one.outcome) == (
        other.effective_at,
        str(other.actor),
        other.switch,
        other.outcome,
    )
    return one.id == other.id or (same and str(one.actor) != "unknown")


def in_the_second_of_restoration(case: Case, finding: Finding) -> bool:
    """True when a record's whole second holds the restoration: only Exchange knows which came first."""
    restored = case.head.restored_at
    return restored is not None and finding.effective_at <= restored < finding.effective_at + RECORD_PRECISION


def _on_again(finding: Finding, restored: datetime) -> bool:
    """True when Exchange, asked after the restoration about a record of that very second, reports on."""
    if restored >= finding.effective_at + RECORD_PRECISION:
        return False
    return any(check.bypass_on and check.read_at is not None and check.read_at > restored for check in finding.checks)
