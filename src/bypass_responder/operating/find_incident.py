"""The one incident that a person means by an id, a part of it, or the name of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.errors import NotFoundError
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.listing import MOST_COUNTED, IndexFilter

if TYPE_CHECKING:
    from bypass_responder.model.listing import IndexEntry
    from bypass_responder.services import Services

MOST_READ, MOST_NAMED = 50, 5
_ENDED = frozenset(status.value for status in IncidentStatus if status.final)


async def find_one(text: str, services: Services) -> IndexEntry:
    """Return the one entry that an id, the beginning of it or of its second half, or an account's name stands for.

    Raises NotFoundError.
    A user principal name or an object id stands for the account's only incident that nobody has ended, or its only one.
    """
    text = text.strip()
    ids: list[str] = []
    for spelled in dict.fromkeys((text, text.lower())):
        found = await services.index.get(spelled)
        if found is not None:
            return found
        ids = ids or await services.index.matching(spelled, MOST_COUNTED)
    ids = ids or await _of_account(text, services)
    if len(ids) == 1 and (found := await services.index.get(ids[0])):
        return found
    if not ids:
        raise NotFoundError(f"{text} matches no incident. List them: bypassctl incidents list.")
    named = ", ".join(ids[:MOST_NAMED]) + (", …" if len(ids) > MOST_NAMED else "")
    raise NotFoundError(f"{text} matches {len(ids)} incidents: {named}. Name one of them.")


async def _of_account(text: str, services: Services) -> list[str]:
    """Return the incidents of an account that nobody has ended; all of them where there are none."""
    if not text:
        return []
    entries = (await services.index.page(IndexFilter(kinds=("incident",), account=text), limit=MOST_READ)).entries
    unended = [entry.id for entry in entries if entry.status not in _ENDED]
    return unended or [entry.id for entry in entries]
