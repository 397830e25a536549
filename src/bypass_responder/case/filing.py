"""Move finished rows out of those loaded, so that the history does not slow a containment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.control import BLOCK, MOST_PROJECTED, WANTED, ended
from bypass_responder.case.evidence import counts_as_on, end_of
from bypass_responder.case.listing import digest_of, entry_of, has_entry
from bypass_responder.model.base import Row, latest
from bypass_responder.model.finding import Finding, FindingState
from bypass_responder.model.incident import Incident, PersonDecision
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.message import Command, CommandKind
from bypass_responder.model.notification import Notification
from bypass_responder.model.step import WAITING, Recheck, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case

    Waits = Callable[[Notification], bool]

MOST_OPERATIONS = 90
"""Operations per transaction, which holds 100: a row that moves takes two."""
MOST_REOPENED = 20
"""Records of *on* of an incident that may still turn out to be later than its end."""
KEPT_FOR = timedelta(days=30)
"""How long delivered notifications are kept."""
KEPT_LOADED = timedelta(days=1)
"""How long delivered notifications and answered questions without an incident stay loaded, to prevent repeats."""
SUPERSEDED = "superseded"
"""Result of a re-check that a newer incident of the account makes."""
UNTIL_DECIDED = frozenset({"undecided", "worker_failed"})


def file_what_is_over(draft: Draft, listed: Mapping[str, Row], *, waits: Waits = lambda _: True) -> None:
    """Move rows out of what is loaded, as many as one transaction takes.

    ``listed``: the rows as they were when the index got their entries. One whose entry has changed since stays.
    ``waits``: whether a notification that is not delivered has a receiver; one without waits for nothing.
    """
    _file_findings(draft, listed)
    _file_notifications(draft, waits)
    _file_commands(draft)
    _file_approvals(draft)
    for incident in _over(draft.case, waits):
        if _is_listed(incident, listed):
            _file_incident(draft, incident)
    for incident in draft.case.rows(Incident):
        if _is_listed(incident, listed) and draft.size < MOST_OPERATIONS:
            draft.put(_as_listed(incident))


def file_decided(draft: Draft) -> None:
    """Move decided findings without an index entry, in the transaction that decides them."""
    _file_findings(draft, {})


def _is_listed(incident: Incident, listed: Mapping[str, Row]) -> bool:
    """Return True when the index has the entry that the incident gives now."""
    row = listed.get(incident.row_key)
    return isinstance(row, Incident) and (row == incident or entry_of(row) == entry_of(incident))


def _as_listed(incident: Incident) -> Incident:
    return incident.model_copy(update={"listed": digest_of(entry_of(incident))})


def take_back(draft: Draft, incident_id: str) -> None:
    """Load an incident of the history again, for a person's decision about it."""
    for row in (draft.case.incident(incident_id), *draft.case.steps(incident_id)):
        if row is not None and row.row_key in draft.case.kept:
            draft.file(row, "")
    for check in draft.case.rows(Recheck):
        if check.incident_id == incident_id and check.result == SUPERSEDED:
            draft.file(check.model_copy(update={"done": False, "result": ""}), "")


def take_over(draft: Draft) -> None:
    """Load the newest incident again that wants the block, after one that wanted it too no longer does."""
    draft.move_head(taking_over=False)
    wanting = [incident for incident in draft.case.rows(Incident) if _wants(draft.case, incident)]
    if wanting:
        take_back(draft, max(wanting, key=lambda incident: incident.opened_at).id)


def _file_findings(draft: Draft, listed: Mapping[str, Row]) -> None:
    case = draft.case
    reopened = {key for incident in case.rows(Incident) for key in _may_be_reopened(case, incident)}
    for finding in case.rows(Finding):
        key = finding.row_key
        if finding.state is not FindingState.DECIDED or key in case.kept or key in reopened:
            continue
        if (listed.get(key) == finding or not has_entry(finding)) and draft.size < MOST_OPERATIONS:
            draft.file(finding, key)
            _remember_on(draft, finding)


def _remember_on(draft: Draft, finding: Finding) -> None:
    incident = draft.case.incident(finding.incident_id)
    if incident is not None and incident.restored_at is None and counts_as_on(finding):
        until = latest(incident.filed_on_until, finding.effective_at)
        draft.put(incident.model_copy(update={"filed_on_until": until}))


def _may_be_reopened(case: Case, incident: Incident) -> list[str]:
    """Return keys of records of *on* that are, or may become, later than the end of their incident."""
    found = [
        finding
        for finding in case.rows(Finding)
        if finding.incident_id == incident.id
        and counts_as_on(finding)
        and (incident.restored_at is None or finding.effective_at > incident.restored_at)
    ]
    found.sort(key=lambda finding: finding.effective_at)
    return [finding.row_key for finding in found[-MOST_REOPENED:]]


def _file_notifications(draft: Draft, waits: Waits) -> None:
    """Move day-old notifications without a loaded incident; delete any after 30 days."""
    case = draft.case
    deciding = any(finding.state is not FindingState.DECIDED for finding in case.rows(Finding))
    for note in case.rows(Notification):
        if note.row_key in case.kept or draft.size >= MOST_OPERATIONS:
            continue
        over_at = note.sent_at or (None if waits(note) else note.created_at)
        age = draft.now - (over_at or note.created_at)
        about_loaded = note.incident_id is not None and case.incident(note.incident_id) is not None
        repeated = note.about in UNTIL_DECIDED and deciding
        at_once = note.about == "attempt" and over_at is not None
        if over_at is not None and age >= KEPT_FOR:
            draft.remove(note)
        elif not about_loaded and not repeated and (at_once or age >= KEPT_LOADED):
            if over_at is None:
                draft.file(note, f"unsent-{note.created_at:%Y%m%dT%H%M%S}-{note.row_key}")
            else:
                _file_sent(draft, note, over_at)


def file_delivered(draft: Draft, note: Notification) -> None:
    """Move a notification of the history that was undelivered until now."""
    _file_sent(draft, note, note.sent_at or draft.now)


def _file_sent(draft: Draft, note: Notification, over_at: datetime) -> None:
    draft.file(note, f"sent-{over_at:%Y%m%dT%H%M%S}-{note.row_key}")
    since = draft.case.head.sent_since
    draft.move_head(sent_since=min(since, over_at) if since else over_at)


def deletes_sent(case: Case, now: datetime) -> bool:
    """Return True when notifications of the history may be old enough to be deleted."""
    since = case.head.sent_since
    return since is not None and now - since >= KEPT_FOR


def delete_sent(draft: Draft, old: Mapping[str, Row]) -> None:
    """Delete notifications of the history that are old enough. The next check is a day later."""
    for key in old:
        if (note := draft.case.row(Notification, key)) is not None:
            draft.remove(note)
    draft.move_head(sent_since=draft.now - KEPT_FOR + KEPT_LOADED if old else None)


def _file_commands(draft: Draft) -> None:
    """Move questions that ended a day ago. A remediation stays with its incident."""
    case = draft.case
    for command in case.rows(Command):
        remedy = command.command is CommandKind.DISABLE_BYPASS
        about_loaded = remedy and case.incident(command.incident_id) is not None
        if command.state == "outstanding" or command.row_key in case.kept or about_loaded:
            continue
        if draft.now - command.not_after >= KEPT_LOADED:
            _file(draft, command, f"done-{command.row_key}")


def _file_approvals(draft: Draft) -> None:
    """Move a day-old decision without a loaded incident; the entry's own row keeps an approval."""
    for decision in draft.case.rows(PersonDecision):
        old = draft.now - decision.at >= KEPT_LOADED
        if old and draft.case.incident(decision.incident_id) is None and decision.row_key not in draft.case.kept:
            _file(draft, decision, f"done-{decision.row_key}")


def _file(draft: Draft, row: Row, place: str) -> None:
    if draft.size < MOST_OPERATIONS:
        draft.file(row, place)


def _over(case: Case, undelivered: Waits) -> list[Incident]:
    """Return the incidents that have nothing left to do or waiting and are superseded by a newer one."""
    head = case.head
    busy = {_busy_with(row, undelivered) for row in case.by_key.values()}
    waits = {step.incident_id for step in case.rows(Step) if step.state in WAITING}
    loaded = sorted(
        (row for row in case.rows(Incident) if row.row_key not in case.kept),
        key=lambda row: row.opened_at,
        reverse=True,
    )
    over, newer_wants, newer_stands = [], False, False
    for number, incident in enumerate(loaded):
        wants, stands = _wants(case, incident), _stands(case, incident)
        is_open = incident.status is IncidentStatus.OPEN  # until its block has been read again
        stays = is_open or incident.id in busy or (incident.id in waits and number < MOST_PROJECTED)
        named = incident.id in {head.last_incident, head.active_incident, head.adopting, head.reopening}
        superseded = not wants or newer_stands or (newer_wants and not stands)
        if number > 0 and superseded and not stays and not named and _ended_at(case, incident) is not None:
            over.append(incident)
        newer_wants, newer_stands = newer_wants or wants, newer_stands or (wants and stands)
    return over


def _busy_with(row: Row, undelivered: Waits) -> str | None:
    """Return the incident for which a row still has something to do or to deliver."""
    match row:
        case Step() if row.state.running:
            return row.incident_id
        case Command(state="outstanding"):
            return row.incident_id
        case Notification(sent_at=None) if undelivered(row):
            return row.incident_id
        case _:
            return None


def _ended_at(case: Case, incident: Incident) -> datetime | None:
    """Return the end of its episode; without an episode, or an account, the time of a person's decision."""
    return incident.closed_at if incident.account is None or incident.about_actor else end_of(case, incident)


def _wants(case: Case, incident: Incident) -> bool:
    """Return True when the account is to stay blocked because of the incident."""
    block = case.step(incident.id, BLOCK)
    return block is not None and block.state in WANTED and not ended(case, incident)


def _stands(case: Case, incident: Incident) -> bool:
    """Return True when a read has shown the block of the incident."""
    block = case.step(incident.id, BLOCK)
    return block is not None and block.stands


def _file_incident(draft: Draft, incident: Incident) -> None:
    """Move the rows of an incident; the incident and its steps come last, in one transaction."""
    end = _ended_at(draft.case, incident)
    if end is None:
        return
    place = f"closed-{end:%Y%m%dT%H%M%S%f}-{incident.id}"
    loaded = [row for key, row in draft.case.by_key.items() if key not in draft.case.kept]
    of_it = [
        row
        for row in loaded
        if isinstance(row, (Command, Recheck, PersonDecision, Notification)) and row.incident_id == incident.id
    ]
    for row in of_it:
        superseded = isinstance(row, Recheck) and not row.done
        over = row.model_copy(update={"done": True, "result": SUPERSEDED}) if superseded else row
        _file(draft, over, f"{place}-{row.row_key}")
    last = (_as_listed(incident), *draft.case.steps(incident.id))
    if draft.size + 2 * len(last) > MOST_OPERATIONS:
        return
    for each in last:
        draft.file(each, f"{place}-{each.row_key}")
    draft.move_head(filed_through=latest(draft.case.head.filed_through, end))
