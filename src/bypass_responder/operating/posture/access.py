"""Who else than its owner opened which watched mailbox: what bypassctl, the page and the API answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from bypass_responder.errors import InputError
from bypass_responder.model.base import Utc, Value, counted, first_problem, moment
from bypass_responder.model.mailbox_access import AccessFilter, AccessLogon, MailboxAccess
from bypass_responder.operating.blind_windows.read_windows import windows_besides
from bypass_responder.operating.posture.access_gaps import gaps_of
from bypass_responder.operating.posture.access_grants import grant_for
from bypass_responder.sensing.access.days import BACK
from bypass_responder.tampering.permissions import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bypass_responder.model.permission_change import PermissionChange
    from bypass_responder.services import Services

PERIOD = BACK
"""What is listed unless somebody asks otherwise: the days that are read at first, today included."""
MOST_ROWS = 1000
MOST_GRANTS = 1000
NOT_WATCHED = "No mailbox is watched, as of the responder's last run."
WATCH = "Set WATCHED_MAILBOXES to the mailboxes that matter (docs/settings.md)"


class AccessLine(Value):
    """One actor's operation in one mailbox on one day of UTC."""

    day: date
    mailbox: str
    mailbox_id: str
    actor: str
    actor_id: str
    app_id: str
    logon: AccessLogon
    operation: str
    count: int
    """Of records; one of MailItemsAccessed may stand for many messages."""
    first: Utc
    last: Utc
    clients: tuple[str, ...]
    addresses: tuple[str, ...]


class ActorLine(Value):
    """What one actor did in one mailbox, over all days that are listed."""

    mailbox: str
    mailbox_id: str
    actor: str
    logons: tuple[AccessLogon, ...]
    days: int
    count: int
    first: Utc
    last: Utc
    operations: tuple[str, ...]
    """Each with its number of records, the most frequent first."""
    clients: tuple[str, ...]
    addresses: tuple[str, ...]
    grant: str
    """The permission that the watch of permissions recorded for them; empty without one in 30 days."""


class Asked(Value):
    """What the list was asked for."""

    mailbox: str
    actor: str
    logon: AccessLogon | None


class Accesses(Value):
    """What is known, and what is not.

    ``found``, ``empty``: nobody, in what was read; ``unavailable``: nothing was.
    """

    read_at: Utc
    since: Utc
    until: Utc
    asked: Asked
    watched: tuple[str, ...]
    state: Literal["found", "empty", "unavailable"]
    problem: str
    """Why the source cannot be read now; empty while it can."""
    fix: str
    unknown: tuple[str, ...]
    """What is not in the list, and why."""
    windows: tuple[str, ...]
    """Times for which records of somebody's actions do not exist, so that they are not in the list."""
    actors: tuple[ActorLine, ...]
    """The last that acted first."""
    rows: tuple[AccessLine, ...]
    """The newest day first."""
    complete: bool
    """False: there are more rows; the oldest are left out."""

    @property
    def whole(self) -> bool:
        """True when all of the period is known, and listed."""
        return self.complete and not self.unknown and self.state != "unavailable"

    @property
    def sentence(self) -> str:
        """The answer, for people."""
        since = f"since {moment(self.since)}"
        match self.state:
            case "unavailable":
                why = self.problem or "No day was read yet."
                return f"UNAVAILABLE: it is not known who else opened a mailbox. {why}"
            case "empty":
                watched = counted(len(self.watched), "watched mailbox", "watched mailboxes")
                return f"Nobody else{'' if self.whole else ', in what was read'}: {watched}, {since}."
            case "found":
                actors = counted(len({each.actor for each in self.actors}), "other actor")
                opened = {each.mailbox_id or each.mailbox for each in self.actors}
                mailboxes = counted(len(opened), "watched mailbox", "watched mailboxes")
                return f"{actors} opened {mailboxes}, {since}.{'' if self.whole else ' There may be more.'}"

    @property
    def advice(self) -> str:
        """The fix, after the problem where the sentence does not name it; empty when nothing is to be fixed."""
        problem = "" if self.problem in self.sentence else f"{self.problem} "
        return f"{problem}Fix: {self.fix}." if self.fix else ""


async def read_access(
    services: Services,
    *,
    mailbox: str = "",
    actor: str = "",
    logon: AccessLogon | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = MOST_ROWS,
) -> Accesses:
    """Return who else opened watched mailboxes, newest first.

    Raises InputError for a period that is none.
    """
    now = services.clock()
    end = min(until or now, now)
    try:
        wanted = AccessFilter(mailbox=mailbox, actor=actor, logon=logon, since=since or end - PERIOD, until=end)
    except ValidationError as problem:
        raise InputError("filter", first_problem(problem)) from problem
    state = await services.access.state()
    watched = state.watched
    days = await services.access.days(wanted.since.date())
    found = await services.access.newest(wanted, limit + 1)
    rows = found[:limit]
    besides = await windows_besides(services, None, wanted.since, wanted.until)
    changes = await services.permissions.newest(now - KEPT, MOST_GRANTS) if rows else []
    read = any(not each.silent for each in days if each.day <= end.date())
    return Accesses(
        read_at=now,
        since=wanted.since,
        until=wanted.until,
        asked=Asked(mailbox=mailbox, actor=actor, logon=logon),
        watched=watched,
        state="found" if rows else "empty" if watched and read else "unavailable",
        problem=_since(state.problem, state.problem_since) if watched else NOT_WATCHED,
        fix=state.fix if watched else WATCH,
        unknown=tuple(gaps_of(days, state, watched, wanted)) if watched else (),
        windows=(
            *(each.text for each in besides.windows),
            *(f"There may be more such times: {each}." for each in besides.incomplete),
        ),
        actors=tuple(_by_actor(rows, changes)),
        rows=tuple(map(_line, rows)),
        complete=len(found) <= limit,
    )


def _since(problem: str, at: datetime | None) -> str:
    return f"Since {moment(at)}: {problem}" if problem and at else problem


def _line(row: MailboxAccess) -> AccessLine:
    fields = {name: getattr(row, name) for name in AccessLine.model_fields}
    return AccessLine(**fields | {"actor": row.who})


def _by_actor(rows: Sequence[MailboxAccess], changes: Iterable[PermissionChange]) -> list[ActorLine]:
    groups: dict[str, list[MailboxAccess]] = {}
    for row in rows:
        groups.setdefault(row.pair, []).append(row)
    granted = [each for each in changes if each.granted]
    lines = [_actor(group, grant_for(group[0], granted)) for group in groups.values()]
    return sorted(lines, key=lambda line: line.last, reverse=True)


def _actor(group: Sequence[MailboxAccess], grant: str) -> ActorLine:
    whole = group[0]
    for row in group[1:]:
        whole = whole.plus(row)
    operations: dict[str, int] = {}
    for row in group:
        operations[row.operation] = operations.get(row.operation, 0) + row.count
    ordered = sorted(operations.items(), key=lambda item: (-item[1], item[0]))
    return ActorLine(
        mailbox=whole.mailbox,
        mailbox_id=whole.mailbox_id,
        actor=whole.who,
        logons=tuple(sorted({row.logon for row in group})),
        days=len({row.day for row in group}),
        count=whole.count,
        first=whole.first,
        last=whole.last,
        operations=tuple(f"{name} {number:,}" for name, number in ordered),
        clients=whole.clients,
        addresses=whole.addresses,
        grant=grant,
    )
