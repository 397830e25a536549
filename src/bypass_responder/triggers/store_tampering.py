"""Stores changes of the tampering family in the tenant's case.

Records of any source, and alerts, are stored the same way.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.case.tampering import record
from bypass_responder.model.base import EARLIEST, record_key
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.health import LONGEST_TEXT, Tampering
from bypass_responder.rights import CMDLETS, ROLE_GROUPS
from bypass_responder.session import announced, open_session
from bypass_responder.tampering.match import Own
from bypass_responder.triggers.planned_changes import without_planned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.change import AuditTampering
    from bypass_responder.model.finding import Evidence, Source
    from bypass_responder.services import Services
    from bypass_responder.settings import Settings

ROWS_PER_TRANSACTION = 20
"""Each with a log entry and a notification: a transaction holds 100 rows."""
_SAME_SECOND = 1000
"""Rows of one second that are searched for a record that was stored before."""
_FIELDS = {
    *("technique", "operation", "parameter", "value", "target", "object_id_text", "extent", "weakens", "outcome"),
    "actor",
}


def own_of(settings: Settings) -> Own:
    """Return the names under which the responder and the worker hold their rights."""
    own = {settings.azure_client_id} if settings.azure_client_id else set()
    return Own(ROLE_GROUPS, frozenset(settings.exchange_worker_ids | own), CMDLETS)


async def store_tampering(found: Sequence[AuditTampering], services: Services, *, source: Source) -> None:
    """Record each change once, with its raw record as evidence, and notify people of it.

    What a posture plan, or its undo, asked of a mailbox is left out: the response log has it as ``mailbox_changed``.
    """
    found = await without_planned(found, services)
    for begin in range(0, len(found), ROWS_PER_TRANSACTION):
        batch = found[begin : begin + ROWS_PER_TRANSACTION]
        rows = [_row(each, await services.evidence.keep(each.raw), services, source) for each in batch]
        await _record(rows, services)


def _row(found: AuditTampering, evidence: Evidence, services: Services, source: Source) -> Tampering:
    fields = {name: getattr(found, name) for name in _FIELDS}
    texts = {name: text[:LONGEST_TEXT] for name, text in fields.items() if type(text) is str}
    return Tampering(
        id=record_key(found.record_id),
        source=source,
        occurred_at=max(found.occurred_at, EARLIEST),
        received_at=services.clock(),
        evidence=evidence,
        **fields | texts,
    )


async def record_all(rows: Sequence[Tampering], services: Services) -> None:
    """Record rows in the tenant's case, each once, and notify people of what is new."""
    for begin in range(0, len(rows), ROWS_PER_TRANSACTION):
        await _record(rows[begin : begin + ROWS_PER_TRANSACTION], services)


async def _record(rows: Sequence[Tampering], services: Services) -> None:
    ledger = services.ledger

    def transition(draft: Draft) -> None:
        for row in rows:
            record(draft, row)

    async with announced(TENANT_TARGET, services):
        session = await open_session(TENANT_TARGET, services)
        for at in {row.occurred_at for row in rows}:
            same = partial(ledger.tampering, TENANT_TARGET, since=at, until=at, limit=_SAME_SECOND)
            await session.read_besides(same)
        await session.apply(transition)
