"""Assigns findings to incidents and sets the blind window from evidence, in any order."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bypass_responder.model.base import latest
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.finding import RECORDS, STATES, Alone, Finding, FindingState, Source
from bypass_responder.model.incident import Incident, Known
from bypass_responder.model.incident_status import IncidentStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case

MOST_EVIDENCE, MOST_NAMES, MOST_CHANGES = 500, 50, 30
"""What one incident lists, so that its row stays small in a flood; every finding has its own row."""
BEFORE = timedelta(hours=24)
"""How long before its known beginning an attempt, a hint or a switching-off still belongs to an episode."""
EVIDENCE = frozenset({"attempt", "switched_off", "unconfirmed", "past"})
"""Verdicts of findings that decide nothing, and are evidence of the episode that they fall into."""
MILD = frozenset({"allowlist_expired", "allowlist_unclear", "first_run", "history"})
"""Verdicts of incidents after which a late record of the same episode may want more than was decided."""
OWN = "the responder removed the bypass, as the audit log shows"
LISTED_BY = timedelta(minutes=10)
"""A sweep that begins this long after a bypass lists it: twice the five minutes that Exchange takes to replicate."""
FINDINGS_PER_TRANSACTION = 30
"""Each may bring a notification and a log line, and a transaction holds 100 rows."""


def incident_of(case: Case, finding: Finding) -> Incident | None:
    """Return the incident whose episode contains the finding's time, in any order of arrival, or None.

    An episode begins where the previous one ended, at most a day before its known beginning, and ends at its own end.
    """
    episodes = (row for row in case.rows(Incident) if not row.about_actor)
    for incident in sorted(episodes, key=lambda each: (each.opened_at, each.id)):
        ends = [end for end in (incident.restored_at, incident.closed_at) if end]
        if ends and finding.effective_at > min(ends):
            continue
        return incident if finding.effective_at >= begun(incident) - BEFORE else None
    return None


def adopt(draft: Draft, alone: Iterable[Alone]) -> None:
    """Make findings about an episode that were recorded before it was known its evidence."""
    for row in alone:
        incident = incident_of(draft.case, row.finding)
        if incident is None or incident.id != draft.case.head.adopting or draft.case.row(Alone, row.row_key) is None:
            continue
        loaded = draft.case.row(Finding, row.finding.row_key)
        adopted = (loaded or row.finding).model_copy(update={"incident_id": incident.id})
        if loaded is None:
            draft.file(adopted, adopted.row_key)
        else:
            draft.put(adopted)
        draft.remove(row)
        add_evidence(draft, incident, adopted)


def counts_as_on(finding: Finding) -> bool:
    """Return True for a decided record of *on* to decide again if it is later than its episode's end."""
    on = (finding.switch, finding.outcome) == (Switch.ON, Outcome.SUCCESS)
    return on and finding.state is FindingState.DECIDED and finding.verdict != "past"


def search_alone(draft: Draft, incident: Incident) -> None:
    """Mark the incident for a search of earlier findings without an incident, if there can be any."""
    alone_until = draft.case.head.alone_until
    if alone_until is not None and alone_until >= begun(incident) - BEFORE:
        draft.move_head(adopting=incident.id)


def begun(incident: Incident) -> datetime:
    """Return when the episode began, as far as it is known."""
    return min(incident.blind_from or incident.opened_at, incident.opened_at)


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
                "last_evidence_at": latest(incident.last_evidence_at, finding.effective_at),
                "last_on_at": latest(incident.last_on_at, finding.effective_at) if switched_on else incident.last_on_at,
                "changes": _changes(incident, finding),
            }
        )
    )
    if start != incident.blind_from:
        search_alone(draft, draft.case.incident(incident.id) or incident)


def _changes(incident: Incident, finding: Finding) -> tuple[tuple[datetime, Switch], ...]:
    """Return the incident's changes with this one. Above the limit, drops one between two of its kind."""
    if finding.source not in RECORDS or finding.outcome is not Outcome.SUCCESS or finding.reason == OWN:
        return incident.changes
    changes = sorted({*incident.changes, (finding.effective_at, finding.switch)})
    if len(changes) > MOST_CHANGES:
        kinds = [switch for _, switch in changes]
        between = (at for at in range(1, len(kinds) - 1) if kinds[at - 1] is kinds[at] is kinds[at + 1])
        del changes[next(between, len(kinds) // 2)]
    return tuple(changes)


def flaps(incident: Incident) -> bool:
    """Return True when the bypass was on again in an episode, or within a day of the previous one's end."""
    began = incident.blind_from or incident.opened_at
    if incident.followed and began - incident.followed <= BEFORE:
        return True
    on, off, again = Switch.ON, Switch.OFF, Switch.ON
    wanted = iter(switch for _, switch in incident.changes)
    return all(any(each is step for each in wanted) for step in (on, off, again))


RECORD_PRECISION = timedelta(seconds=1)
"""CreationTime of an audit record has whole seconds."""


def belongs_to_the_past(case: Case, finding: Finding) -> bool:
    """Return True for evidence of an ended episode: auditing restored since, or ended by a person."""
    if finding.source is Source.ACTOR:
        return False
    if any(_was_known(case, incident, finding) for incident in case.rows(Incident) if incident.closed_at is not None):
        return True
    restored = case.head.restored_at
    if restored is None or finding.dated_at > restored:
        return False
    return not _on_again(finding, restored)


def _was_known(case: Case, incident: Incident, finding: Finding) -> bool:
    """True when the person who ended the incident knew of this, or of the same episode by the same actor.

    Anything else, such as an attack of which they had not been shown a record, is decided like any other finding.
    """
    closed, end = incident.closed_at, end_of(case, incident)
    if closed is None or incident.about_actor or incident.status is IncidentStatus.CLOSED or finding.was_covered:
        return False  # an entry that has gone is news about a bypass that was dismissed as an allowed one
    if finding.source in STATES:
        began = incident.blind_from or incident.opened_at
        if finding.off_before is not None and finding.off_before > closed + LISTED_BY and not finding.first_run:
            return False  # a complete sweep since did not list it
        return finding.effective_at >= began and (end is None or finding.effective_at <= end)
    known = incident.known
    if known is None:
        return False
    if digest_of(finding) in known.events:
        return True
    inside = finding.dated_at >= known.since and (end is None or finding.dated_at <= end)
    return inside and str(finding.actor) in known.actors and finding.dated_at <= closed


def is_answered(case: Case, finding: Finding) -> bool:
    """Return True for an act from before a person released the actor, or dismissed an incident about them.

    Records come late: those of a bulk change arrive for a day after the person has decided about the first ones.
    """
    released, dismissed = IncidentStatus.RELEASED, IncidentStatus.DISMISSED
    decided = (
        row for row in case.rows(Incident) if row.status is released or (row.about_actor and row.status is dismissed)
    )
    return any(row.closed_at is not None and finding.dated_at <= row.closed_at for row in decided)


def known_of(incident: Incident, shown: Iterable[Finding]) -> Known:
    """Return what a person knew who was shown these findings of an incident."""
    shown = list(shown)
    began = incident.blind_from or incident.opened_at
    return Known(
        since=min((finding.effective_at for finding in shown), default=began),
        events=tuple(dict.fromkeys(digest for finding in shown if (digest := digest_of(finding)))),
        actors=tuple(dict.fromkeys(str(finding.actor) for finding in shown if str(finding.actor) != "unknown")),
    )


def digest_of(finding: Finding) -> str:
    """Return a digest that the same change has under any id; an empty text for an unknown actor."""
    if str(finding.actor) == "unknown":
        return ""
    change = f"{finding.dated_at.isoformat()}|{finding.actor}|{finding.switch}|{finding.outcome}"
    return hashlib.sha256(change.encode()).hexdigest()[:16]


def end_of(case: Case, incident: Incident) -> datetime | None:
    """Return when the episode of a person-ended incident was over: restoration or next proven off."""
    if incident.restored_at is not None:
        return incident.restored_at
    off_at, closed = case.head.off_at, incident.closed_at
    return off_at if off_at is not None and closed is not None and off_at > closed else None


def in_the_second_of_restoration(case: Case, finding: Finding) -> bool:
    """True when a record's whole second holds the restoration: only Exchange knows which came first."""
    restored = case.head.restored_at
    return restored is not None and finding.effective_at <= restored < finding.effective_at + RECORD_PRECISION


def _on_again(finding: Finding, restored: datetime) -> bool:
    """True when Exchange, asked after the restoration about a record of that very second, reports on."""
    if restored >= finding.effective_at + RECORD_PRECISION:
        return False
    return any(check.bypass_on and check.read_at is not None and check.read_at > restored for check in finding.checks)
