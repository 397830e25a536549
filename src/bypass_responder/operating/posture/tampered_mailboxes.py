"""What a read of all mailboxes shows of the changes to them: stored with each change, for its report."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.health import Tampering
from bypass_responder.model.read_back import Persists, ReadBack
from bypass_responder.posture.tampered import read_backs
from bypass_responder.session import change_if_needed, open_session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bypass_responder.case.draft import Draft
    from bypass_responder.posture.comparison import Comparison
    from bypass_responder.services import Services

LOOKED_BACK = timedelta(days=90)
MOST_CHANGES = 500
"""Changes of anyone in that time that are compared, the newest."""
ROWS_PER_TRANSACTION = 40
"""Each with a log entry: a transaction holds 100 rows."""


async def record_read_backs(found: Comparison, services: Services) -> None:
    """Store with each change of a mailbox before the read whether it is still in effect."""
    if found.read_at is None:
        return
    now = services.clock()
    changes = partial(services.ledger.tampering, TENANT_TARGET, since=now - LOOKED_BACK, until=now, limit=MOST_CHANGES)
    session = await open_session(TENANT_TARGET, services)
    rows = (await session.read_besides(changes)).rows(Tampering)
    shown = read_backs(rows, (row.mailbox for row in found.rows), found.read_at, partial=found.partial)
    for begin in range(0, len(shown), ROWS_PER_TRANSACTION):
        ids = [*shown][begin : begin + ROWS_PER_TRANSACTION]
        await change_if_needed(session, partial(_put, ids=ids, shown=shown), services)


def _put(draft: Draft, *, ids: Sequence[str], shown: Mapping[str, ReadBack]) -> None:
    """Write what was read.

    A read that does not have the mailbox leaves what one before showed, and the first read that shows a change undone
    stands: the time without records ends there.
    """
    for row in draft.case.rows(Tampering):
        if row.id not in ids:
            continue
        now, before = shown[row.id], row.read_back
        if before and (
            now.state is Persists.UNKNOWN
            or before.state is now.state is Persists.UNDONE
            or (before.read_at and now.read_at and now.read_at <= before.read_at)
        ):
            continue
        draft.put(row.model_copy(update={"read_back": now}))
        if now.state is Persists.UNDONE and (before is None or before.state is not Persists.UNDONE):
            about = f"{row.change}{f' of {row.target}' if row.target else ''}"
            draft.log("tampering", f"undone: {about}; {now.detail}", record=row.id, technique=row.technique)
