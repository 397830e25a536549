"""One time without records, from incidents and the organization's switches. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.model.base import Utc, Value, moment
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Outcome
from bypass_responder.model.health import HealthAlert, Tampering
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.operating.status import SWITCHES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bypass_responder.model.case import Case

EVERYBODY = "every account"
_LOST = {
    "audit_disabled": "Records of actions in mailboxes, by anyone,",
    "ingestion_disabled": "Records of the unified audit log, by anyone and of any service,",
}


class Moment(NamedTuple):
    """A time at which records were known to be missing (``off``), or not to be."""

    at: datetime
    off: bool
    known: bool = False
    """Of one that is off: it was not off just before."""


class KnownWindow(Value):
    """A time for which records of an account's actions do not exist."""

    name: str
    """The account, or ``every account``."""
    target: str
    """Its ledger key; ``tenant`` for a switch of the organization."""
    start: Utc | None
    start_known: bool
    """False: the true start lies before ``start``, or is unknown."""
    end: Utc | None
    """None: until now, because auditing is not proven restored."""
    why: str
    incident: str = ""
    action_types: tuple[str, ...] = ()
    """The actions without records; empty: every type of mailbox auditing."""
    text: str
    """The warning, for a report."""

    def overlaps(self, start: datetime | None, end: datetime | None) -> bool:
        """Return True unless the window is known to lie before ``start`` or after ``end``. None has no bound."""
        began_later = end is not None and self.start is not None and self.start_known and self.start > end
        ended_before = start is not None and self.end is not None and self.end < start
        return not (began_later or ended_before)


def of_account(
    name: str, target: str, span: tuple[datetime | None, datetime | None, bool], *, why: str, incident: str = ""
) -> KnownWindow:
    """Return the window of a bypassed account. ``span``: start, end, and whether the start is known."""
    start, end, known = span
    text = f"Records of actions by {name}, in every mailbox it can open, do not exist for {span_text(*span)}: {why}."
    return KnownWindow(
        name=name, target=target, start=start, start_known=known, end=end, why=why, incident=incident, text=text
    )


def of_incident(incident: Incident) -> KnownWindow | None:
    """Return the window of an incident; None where the bypass was never on, or a person dismissed it."""
    if incident.about_actor:
        return None
    if incident.status is IncidentStatus.DISMISSED and incident.blind_from is None:
        return None
    name = incident.account.user_principal_name if incident.account else (incident.names or (incident.target,))[-1]
    span = (incident.blind_from, incident.restored_at, incident.blind_from is not None and incident.blind_from_proven)
    why = f"the account was bypassed (incident {incident.id})"
    return of_account(name, incident.target, span, why=why, incident=incident.id)


def of_tenant(tenant: Case, tampering: Sequence[Tampering]) -> Iterator[KnownWindow]:
    """Yield the windows in which a switch of the organization was off, from records and sweeps."""
    for alert_id, parameter in SWITCHES.items():
        records = [row for row in tampering if row.parameter == parameter and row.outcome is not Outcome.FAILED]
        alerts = [row for row in tenant.rows(HealthAlert) if row.id == alert_id]
        for start, end, known in dark(_of_switch(records, alerts)):
            why = f"{parameter} was changed"
            yield KnownWindow(
                name=EVERYBODY,
                target=TENANT_TARGET,
                start=start,
                start_known=known,
                end=end,
                why=why,
                text=f"{_LOST[alert_id]} do not exist for {span_text(start, end, known)}: {why}.",
            )


def _of_switch(records: Sequence[Tampering], alerts: Sequence[HealthAlert]) -> Iterator[Moment]:
    """Yield what is known of a switch. A record knows the moment; a read, that it is not later."""
    for row in records:
        yield Moment(row.occurred_at, off=row.weakens, known=True)
    for alert in alerts:
        yield Moment(alert.since, off=True)
        if alert.recovered_at:
            yield Moment(alert.recovered_at, off=False)


def dark(moments: Iterable[Moment]) -> Iterator[tuple[datetime, datetime | None, bool]]:
    """Yield start, end and whether the start is known. Of moments at one time, the last one counts."""
    began: Moment | None = None
    for each in sorted(moments, key=lambda each: each.at):
        if each.off and began is None:
            began = each
        elif not each.off and began is not None:
            yield began.at, each.at, began.known
            began = None
    if began is not None:
        yield began.at, None, began.known


def span_text(start: datetime | None, end: datetime | None, known: bool) -> str:  # noqa: FBT001 - a span
    """Return a span for people."""
    until = f"to {moment(end)}" if end else "until now"
    if start is None:
        return f"an unknown time {until}"
    return f"{moment(start)} {until}" if known else f"an unknown time before {moment(start)} {until}"


def overlapping(
    windows: Iterable[KnownWindow], start: datetime | None, end: datetime | None, *, besides: str | None = None
) -> tuple[KnownWindow, ...]:
    """Return the windows that overlap a time, those of the target ``besides`` left out."""
    return tuple(each for each in windows if each.target != besides and each.overlaps(start, end))
