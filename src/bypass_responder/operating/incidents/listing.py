"""One page of the list of incidents, by filters; and the incidents that need a decision, oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.errors import NotFoundError
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.case import IndexEntry
from bypass_responder.model.listing import MOST_COUNTED, NEEDS_DECISION, IndexFilter

if TYPE_CHECKING:
    from bypass_responder.session import Services

PAGE = 50
MOST_NAMED = 5


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
    """Return one page, newest first unless ``wanted`` has another order. Raises InputError on a wrong ``after``."""
    page = await services.index.page(wanted, after=after, limit=limit)
    total = len(page.entries) if page.next is None and not after else None
    if total is None and wanted.oldest_first:
        total = await services.index.count(wanted, MOST_COUNTED)
    return IncidentPage(entries=page.entries, next=page.next, total=total, read_at=services.clock())


async def needing_decision(services: Services, *, after: str = "", limit: int = PAGE) -> IncidentPage:
    """Return one page of the held and failed incidents, oldest first."""
    wanted = IndexFilter(kinds=("incident",), statuses=tuple(sorted(NEEDS_DECISION)), oldest_first=True)
    return await list_incidents(wanted, services, after=after, limit=limit)


async def find_one(text: str, services: Services) -> IndexEntry:
    """Return the one entry that an id, a part of it, or an account's name stands for. Raises NotFoundError.

    A user principal name or an object id stands for the account's only incident that nobody has ended, or its only one.
    """
    text = text.strip()
    found = await services.index.get(text)
    if found is not None:
        return found
    ids = await services.index.matching(text, MOST_COUNTED)
    if not ids and text:
        entries = (await services.index.page(IndexFilter(kinds=("incident",), account=text), limit=PAGE)).entries
        unended = [entry for entry in entries if entry.status not in _ENDED]
        if len(one := unended or list(entries)) == 1:
            return one[0]
        ids = [entry.id for entry in unended or entries]
    if not ids:
        raise NotFoundError(f"{text} matches no incident. List them: bypassctl incidents list.")
    named = ", ".join(ids[:MOST_NAMED]) + (", …" if len(ids) > MOST_NAMED else "")
    raise NotFoundError(f"{text} matches {len(ids)} incidents: {named}. Name one of them.")


_ENDED = frozenset({"dismissed", "released", "closed"})
