"""One page of the list of incidents, by filters; and those that need a decision, oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import Utc, Value
from bypass_responder.model.incident_status import NEEDS_DECISION
from bypass_responder.model.listing import MOST_COUNTED, IndexEntry, IndexFilter

if TYPE_CHECKING:
    from bypass_responder.services import Services

PAGE = 50


class IncidentPage(Value):
    """One page of a list, as of ``read_at``."""

    entries: tuple[IndexEntry, ...]
    next: str | None
    """Pass it as ``after`` for the next page; None: there are no more."""
    total: int | None
    """Of all pages, where it is cheap to know."""
    read_at: Utc

    @property
    def shown(self) -> str:
        """How much of the list this is, such as ``50 of 312``, or ``50, and more``."""
        count = len(self.entries)
        if self.total is not None:
            return f"{count} of {self.total}"
        return f"{count}, and more" if self.next else str(count)


async def list_incidents(
    wanted: IndexFilter, services: Services, *, after: str = "", limit: int = PAGE
) -> IncidentPage:
    """Return one page, newest first unless ``wanted`` has another order.

    Raises InputError on a wrong ``after``.
    """
    page = await services.index.page(wanted, after=after, limit=limit)
    total = len(page.entries) if page.next is None and not after else None
    if total is None and wanted.oldest_first:
        total = await services.index.count(wanted, MOST_COUNTED)
    return IncidentPage(entries=page.entries, next=page.next, total=total, read_at=services.clock())


async def needing_decision(services: Services, *, after: str = "", limit: int = PAGE) -> IncidentPage:
    """Return one page of the held and failed incidents, oldest first."""
    wanted = IndexFilter(kinds=("incident",), statuses=tuple(sorted(NEEDS_DECISION)), oldest_first=True)
    return await list_incidents(wanted, services, after=after, limit=limit)
