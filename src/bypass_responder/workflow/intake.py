"""Records become stored findings. Nothing is decided here; only when it is stored does the cursor move."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bypass_responder.detection import detect
from bypass_responder.errors import InputError
from bypass_responder.model.base import guid_or_none, target_key
from bypass_responder.model.case import TENANT_TARGET, Finding, Severity, Source, Tampering
from bypass_responder.model.change import AuditTampering, BypassChange
from bypass_responder.model.record import AuditRecord, Unreadable
from bypass_responder.workflow.services import open_session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder.model.case import Evidence
    from bypass_responder.response.draft import Draft
    from bypass_responder.workflow.services import Services

EXCERPT = 4000


async def store_records(
    records: Sequence[AuditRecord | Unreadable],
    services: Services,
    *,
    source: str,
    available_at: datetime | None,
    first_run: bool,
) -> tuple[list[Finding], int]:
    """Store every finding, keep every unreadable record. Returns the findings and how much unreadable input was new."""
    findings: list[Finding] = []
    unreadable: list[Unreadable] = []
    for record in records:
        try:
            found = _read(record, services.settings.tenant_id)
        except InputError as error:
            unreadable.append(_unreadable(record, error, source))
            continue
        match found:
            case Unreadable():
                unreadable.append(found)
            case BypassChange():
                findings.append(await _store(found, services, available_at=available_at, first_run=first_run))
            case AuditTampering():
                await _store_tampering(found, services)
            case None:
                pass
    new = await services.feed_store.keep_unreadable(unreadable, received_at=services.clock()) if unreadable else 0
    return findings, new


def _read(record: AuditRecord | Unreadable, tenant_id: str) -> BypassChange | AuditTampering | Unreadable | None:
    if isinstance(record, Unreadable):
        return record
    found = detect(record)
    if found is None:
        return None
    if guid_or_none(found.organization_id) != tenant_id:
        raise InputError("other_tenant", f"the record belongs to the tenant {found.organization_id or '(none)'}")
    if isinstance(found, BypassChange) and not (found.object_id_text.strip() or found.identity_text.strip()):
        raise InputError("no_target", "the record names no account")
    return found


def _unreadable(record: AuditRecord | Unreadable, error: InputError, source: str) -> Unreadable:
    if isinstance(record, Unreadable):
        return record
    return Unreadable(
        reason=error.reason,
        detail=error.detail,
        source=source,
        where=f"record {record.id}",
        excerpt=record.raw[:EXCERPT],
    )


def record_key(record_id: str) -> str:
    """The record's Id as a part of a table key: a GUID as it is, anything else as a hash."""
    return guid_or_none(record_id) or hashlib.sha256(record_id.encode()).hexdigest()[:32]


async def _store(
    change: BypassChange, services: Services, *, available_at: datetime | None, first_run: bool
) -> Finding:
    target = guid_or_none(change.object_id_text) or target_key(change.object_id_text, change.identity_text)
    finding = Finding(
        id=record_key(change.record_id),
        target=target,
        source=Source.FEED,
        switch=change.switch,
        outcome=change.outcome,
        effective_at=change.occurred_at,
        object_id_text=change.object_id_text,
        identity_text=change.identity_text,
        actor=change.actor,
        first_run=first_run,
        received_at=services.clock(),
        available_at=available_at,
        evidence=await services.evidence.keep(change.raw),
    )
    await services.work.touch(target, services.clock())
    await services.ledger.add_finding(finding)
    return finding


async def _store_tampering(found: AuditTampering, services: Services) -> None:
    evidence = await services.evidence.keep(found.raw)
    await services.work.touch(TENANT_TARGET, services.clock())
    session = await open_session(TENANT_TARGET, services)
    await session.apply(lambda draft: _tampering(draft, found, evidence))


def _tampering(draft: Draft, found: AuditTampering, evidence: Evidence) -> None:
    row = Tampering(
        id=record_key(found.record_id),
        occurred_at=found.occurred_at,
        operation=found.operation,
        parameter=found.parameter,
        value=found.value,
        weakens=found.weakens,
        outcome=found.outcome,
        actor=found.actor,
        evidence=evidence,
    )
    if draft.row(Tampering, row.row_key) is not None:
        return
    draft.put(row)
    draft.log("tampering", f"{found.actor}: {found.operation} -{found.parameter} {found.value}", record=found.record_id)
    if found.weakens:
        draft.note(
            "tampering",
            f"Auditing of the whole organisation: {found.parameter} set to {found.value}",
            f"{found.actor} ran {found.operation} ({found.outcome.value}). Nobody was blocked for it.",
            key=row.id,
            severity=Severity.CRITICAL,
            left_to_do=(f"Investigate the actor: {found.actor}", f"Undo it: {found.operation} -{found.parameter}"),
        )
