"""What was done besides to weaken auditing, by the actors of an incident or with its account: one story."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.tampering import repair_of
from bypass_responder.case.tampering_state import read_back_of
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Outcome
from bypass_responder.model.finding import Evidence, Source
from bypass_responder.model.health import Tampering
from bypass_responder.model.notification import Severity
from bypass_responder.model.read_back import Persists, ReadBack
from bypass_responder.model.technique import Technique
from bypass_responder.operating.incidents.chronology import TimelineRow
from bypass_responder.operating.timeline import Kind
from bypass_responder.tampering.family import FAMILY, severity_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bypass_responder.model.case import Case
    from bypass_responder.model.change import Actor
    from bypass_responder.model.incident import Incident
    from bypass_responder.ports import Ledger

STORY = timedelta(days=30)
"""How long before the bypass, and after its end, another change still belongs to the story."""
MOST_CHANGES = 500
"""Of these changes in that time, the newest: however many others there are."""
MOST_NAMES, LONGEST_NAME = 10, 160
"""Names of the account in records, and characters of one, by which changes to it are found."""


class TamperingView(Value):
    """One change of the tampering family."""

    id: str
    at: Utc
    technique: Technique
    severity: Severity
    title: str
    meaning: str
    who: str
    change: str
    """The command, with the parameter that matters."""
    target: str
    extent: str
    outcome: Outcome
    source: Source
    received_at: Utc | None
    read_by: str
    """What reads the state later."""
    read_back: ReadBack | None
    """Whether it is still in effect; None when it failed or weakens nothing."""
    repair: str
    """What undoes it; empty when it failed, weakens nothing, or is undone."""
    raw: Evidence


async def read_tampering(
    incident: Incident, ledger: Ledger, now: datetime, *, tenant: Case
) -> tuple[TamperingView, ...]:
    """Return what its actors and the account itself changed around the incident, and anyone to the account.

    The earliest first. ``tenant``: its own case.
    """
    actors, account = actor_names(incident.actors), _account_names(incident)
    to = account | _typed_names(incident)
    if not actors | to:
        return ()
    begin = (incident.blind_from or incident.opened_at) - STORY
    end = (incident.closed_at or now) + STORY
    case = await ledger.tampering(TENANT_TARGET, since=begin, until=end, limit=MOST_CHANGES, by=actors | account, to=to)
    rows = sorted(case.rows(Tampering), key=lambda row: (row.occurred_at, row.id))
    return tuple(view_of_change(row, tenant) for row in rows)


def actor_names(actors: Iterable[Actor]) -> frozenset[str]:
    """Return all names of the actors."""
    return frozenset().union(*(actor.names for actor in actors))


def _account_names(incident: Incident) -> frozenset[str]:
    account = incident.account
    return frozenset({account.object_id, account.user_principal_name.casefold()}) if account else frozenset()


def _typed_names(incident: Incident) -> frozenset[str]:
    """Return what records call the account, without case: no more and no longer than a few queries take."""
    return frozenset([name.casefold() for name in incident.names if len(name) <= LONGEST_NAME][:MOST_NAMES])


def view_of_change(row: Tampering, tenant: Case) -> TamperingView:
    """Return one change with what the last reads showed of it. ``tenant``: its own case."""
    way, read_back = FAMILY[row.technique], read_back_of(row, tenant)
    undone = read_back is not None and read_back.state is Persists.UNDONE
    return TamperingView(
        id=row.id,
        at=row.occurred_at,
        technique=row.technique,
        severity=severity_of(row),
        title=way.title if row.took_effect else row.change,
        meaning=way.meaning,
        who=str(row.actor),
        change=row.change,
        target=row.target,
        extent=row.extent,
        outcome=row.outcome,
        source=row.source,
        received_at=row.received_at,
        read_by=way.read_by,
        read_back=read_back,
        repair=str(repair_of(row)) if row.took_effect and not undone else "",
        raw=row.evidence,
    )


def with_tampering(rows: Sequence[TimelineRow], changes: Sequence[TamperingView]) -> tuple[TimelineRow, ...]:
    """Return the rows of the incident's timeline with those of the changes, by time."""
    added = [
        TimelineRow(
            at=each.at,
            happened_at=each.at,
            reported_at=each.received_at,
            kind=Kind.CLAIMED if each.source is Source.HINT else Kind.HAPPENED,
            what=f"Tampering: {each.change}{f' of {each.target}' if each.target else ''} ({each.outcome.value})",
            source=each.source.value,
            who=each.who,
        )
        for each in changes
    ]
    return tuple(sorted([*rows, *added], key=lambda row: row.at))
