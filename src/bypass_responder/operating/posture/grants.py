"""Mailbox permissions that were granted or removed: what bypassctl, the page and the API answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.model.base import Utc, Value
from bypass_responder.tampering.permissions import WITHIN
from bypass_responder.tampering.short_grants import removed_soon

if TYPE_CHECKING:
    from bypass_responder.model.permission_change import PermissionChange
    from bypass_responder.services import Services
    from bypass_responder.tampering.short_grants import Removed

MOST_CHANGES = 1000
"""The newest, of which a removal finds its grant."""


class GrantLine(Value):
    """One permission that was granted or removed."""

    at: Utc
    granted: bool
    right: str
    """``FullAccess``, ``SendAs``, ``folder`` with the rights, or ``member``."""
    target: str
    trustee: str
    who: str
    operation: str


class RemovedLine(Value):
    """A permission that was removed within seven days of its grant."""

    granted_at: Utc
    removed_at: Utc
    right: str
    target: str
    trustee: str
    granted_by: str
    removed_by: str


class Grants(Value):
    """What the audit feed showed of permissions, the newest first."""

    read_at: Utc
    since: Utc
    removed: tuple[RemovedLine, ...]
    changes: tuple[GrantLine, ...]
    complete: bool
    """False: there are more. The oldest are left out, or new ones wait for the next run of ``read_posture``."""

    @property
    def clean(self) -> bool:
        """True when no grant was removed within seven days, and all of them are known."""
        return self.complete and not self.removed


async def read_grants(services: Services, *, days: int = WITHIN.days) -> Grants:
    """Return the changes of the last days, and what was granted and soon removed in them."""
    now = services.clock()
    since = now - timedelta(days=days)
    found = await services.permissions.newest(since - WITHIN, MOST_CHANGES + 1)
    removed = [each for each in removed_soon(found) if each.removal.occurred_at >= since]
    recent = [line for each in found if each.occurred_at >= since for line in _lines(each)]
    waiting = await services.permissions.deferred(1)
    return Grants(
        read_at=now,
        since=since,
        removed=tuple(map(_removed, reversed(removed))),
        changes=tuple(recent[:MOST_CHANGES]),
        complete=max(len(found), len(recent)) <= MOST_CHANGES and not waiting,
    )


def _lines(change: PermissionChange) -> list[GrantLine]:
    """Return a line for each trustee, up to the limit of all; one for a change that names nobody."""
    names = [*change.trustees[:MOST_CHANGES], *([f"and {change.unlisted} more"] if change.unlisted else [])]
    return [_line(change, name) for name in names or [change.trustee or "all"]]


def _line(change: PermissionChange, trustee: str) -> GrantLine:
    return GrantLine(
        at=change.occurred_at,
        granted=change.granted,
        right=f"{change.right or 'all'} {change.detail}".strip(),
        target=change.target,
        trustee=trustee,
        who=str(change.actor),
        operation=change.operation,
    )


def _removed(found: Removed) -> RemovedLine:
    grant, removal = found
    return RemovedLine(
        granted_at=grant.occurred_at,
        removed_at=removal.occurred_at,
        right=f"{grant.right} {grant.detail}".strip(),
        target=removal.target,
        trustee=removal.trustee,
        granted_by=str(grant.actor),
        removed_by=str(removal.actor),
    )
