"""One time without records, from incidents, the sweep and the organization's switches. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import Utc, Value, moment
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Outcome
from bypass_responder.model.health import HealthAlert, Tampering
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.operating.status import SWITCHES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from bypass_responder.model.case import Case
    from bypass_responder.model.sweep import BaselineEntry

EVERYBODY = "every account"
_OF_SWITCH = {
    "audit_disabled": "Records of actions in mailboxes, by anyone,",
    "ingestion_disabled": "Records of the unified audit log, by anyone and of any service,",
}


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
    text: str
    """The warning, for a report."""

    def overlaps(self, start: datetime | None, end: datetime | None) -> bool:
        """Return True unless the window is known to lie before ``start`` or after ``end``. None has no bound."""
        began_later = end is not None and self.start is not None and self.start_known and self.start > end
        ended_before = start is not None and self.end is not None and self.end < start
        return not (began_later or ended_before)


def of_incident(incident: Incident) -> KnownWindow | None:
    """Return the window of an incident; None where the bypass was never on, or a person dismissed it."""
    if incident.status is IncidentStatus.DISMISSED and incident.blind_from is None:
        return None
    name = incident.account.user_principal_name if incident.account else (incident.names or (incident.target,))[-1]
    return KnownWindow(
        name=name,
        target=incident.target,
        start=incident.blind_from,
        start_known=incident.blind_from is not None and incident.blind_from_proven,
        end=incident.restored_at,
        why=f"the account was bypassed (incident {incident.id})",
        incident=incident.id,
        text=_of_account(
            name, _span(incident.blind_from, incident.restored_at, known=incident.blind_from_proven), "it was bypassed"
        ),
    )


def of_baseline(entry: BaselineEntry, name: str) -> KnownWindow:
    """Return the window of an account that the last complete sweep had on, and the allowlist covered."""
    name = name or entry.name or entry.object_id or "unknown"
    why = "its bypass is allowlisted"
    text = _of_account(name, _span(entry.on_since, None, known=False), why)
    return KnownWindow(
        name=name,
        target=entry.object_id or "",
        start=entry.on_since,
        start_known=False,
        end=None,
        why=why,
        text=text,
    )


def of_tenant(tenant: Case, tampering: Sequence[Tampering]) -> Iterator[KnownWindow]:
    """Yield the windows in which a switch of the organization was off, from records and sweeps."""
    for alert_id, parameter in SWITCHES.items():
        records = [row for row in tampering if row.parameter == parameter and row.outcome is not Outcome.FAILED]
        alerts = [row for row in tenant.rows(HealthAlert) if row.id == alert_id]
        for start, end, known in _dark(records, alerts):
            why = f"{parameter} was changed"
            yield KnownWindow(
                name=EVERYBODY,
                target=TENANT_TARGET,
                start=start,
                start_known=known,
                end=end,
                why=why,
                text=f"{_OF_SWITCH[alert_id]} do not exist for {_span(start, end, known=known)}: {why}.",
            )


def _dark(
    records: Sequence[Tampering], alerts: Sequence[HealthAlert]
) -> Iterator[tuple[datetime, datetime | None, bool]]:
    """Yield start, end and whether the start is known.

    A record knows the moment; a read, that it is not later.
    """
    moments = [(row.occurred_at, row.weakens, True) for row in records]
    for alert in alerts:
        moments.append((alert.since, True, False))
        if alert.recovered_at:
            moments.append((alert.recovered_at, False, False))
    began: tuple[datetime, bool] | None = None
    for at, off, known in sorted(moments, key=lambda each: each[0]):
        if off and began is None:
            began = (at, known)
        elif not off and began is not None:
            yield began[0], at, began[1]
            began = None
    if began is not None:
        yield began[0], None, began[1]


def _of_account(name: str, span: str, why: str) -> str:
    return f"Records of actions by {name}, in every mailbox it can open, do not exist for {span}: {why}."


def _span(start: datetime | None, end: datetime | None, *, known: bool) -> str:
    until = f"to {moment(end)}" if end else "until now"
    if start is None:
        return f"an unknown time {until}"
    return f"{moment(start)} {until}" if known else f"an unknown time before {moment(start)} {until}"


def overlapping(
    windows: Iterable[KnownWindow], start: datetime | None, end: datetime | None, *, besides: str = ""
) -> tuple[KnownWindow, ...]:
    """Return the windows that overlap a time, those of the target ``besides`` left out."""
    return tuple(each for each in windows if each.target != besides and each.overlaps(start, end))
