"""Audit record to bypass change: pure, by value, and never by the position of a parameter.

Detects: ``Set-MailboxAuditBypassAssociation``, on, off, of unknown value, and attempts that failed; and as evidence the
tampering family (``bypass_responder.tampering``). Misses: what the log does not hold. Mistakes: nothing by operation
name alone, so the services' own ``Set-AdminAuditLogConfig -AdminAuditLogEnabled`` is no tampering.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.change import Actor, ActorKind, AuditTampering, BypassChange, Outcome, Switch
from bypass_responder.model.operation import (
    BYPASS_OPERATION,
    BYPASS_PARAMETER,
    CANONICAL,
    IDENTITY_PARAMETER,
    folded,
    truth,
)
from bypass_responder.tampering.family import EXCHANGE, content_of, ways_of
from bypass_responder.tampering.match import Own, all_given
from bypass_responder.tampering.permissions import permission_changes

if TYPE_CHECKING:
    from bypass_responder.model.permission_change import PermissionChange
    from bypass_responder.model.record import AuditRecord

OUTCOMES = {
    "true": Outcome.SUCCESS,
    "succeeded": Outcome.SUCCESS,
    "success": Outcome.SUCCESS,
    "false": Outcome.FAILED,
    "failed": Outcome.FAILED,
    "failure": Outcome.FAILED,
}
"""Words for the result of a cmdlet, in lower case."""
_SWITCH = {True: Switch.ON, False: Switch.OFF, None: Switch.UNKNOWN}
_NOBODY = Own()


def detect(record: AuditRecord, own: Own = _NOBODY) -> BypassChange | AuditTampering | None:
    """Return the change that the record reports, or None when it does not concern auditing.

    A parameter that is given twice in different spellings counts if both agree; else its value is unknown (the switch)
    or empty (the identity). A record without OrganizationId gives an empty ``organization_id``. ``own`` names the
    rights of the responder, of which the removal is tampering.
    """
    if folded(record.operation) == folded(BYPASS_OPERATION):
        return _bypass_change(record) if _is_exchange(record) else None
    return _tampering(record, own)


def detect_permissions(record: AuditRecord) -> list[PermissionChange]:
    """Return the permissions that the record grants or removes.

    None if it failed, or a Microsoft service ran it.
    Exchange itself gives permissions all day, to what it provisions.
    """
    actor = _actor(record)
    if not _is_exchange(record) or _outcome(record) is Outcome.FAILED or actor.kind is ActorKind.MICROSOFT:
        return []
    return permission_changes(record, actor)


def _is_exchange(record: AuditRecord) -> bool:
    return folded(record.workload or "exchange") == "exchange"


def _bypass_change(record: AuditRecord) -> BypassChange:
    stated = {truth(value) for value in all_given(record.parameters, BYPASS_PARAMETER)}
    identities = set(all_given(record.parameters, IDENTITY_PARAMETER))
    return BypassChange(
        record_id=record.id,
        occurred_at=record.creation_time,
        switch=_SWITCH[stated.pop() if len(stated) == 1 else None],
        outcome=_outcome(record),
        object_id_text=record.object_id or "",
        identity_text=identities.pop() if len(identities) == 1 else "",
        organization_id=record.organization_id or "",
        actor=_actor(record),
        raw=record.raw,
        note=record.note,
    )


def _tampering(record: AuditRecord, own: Own) -> AuditTampering | None:
    if content_of(record.operation) == EXCHANGE and not _is_exchange(record):
        return None
    for technique, way in ways_of(record.operation):
        if not (match := way.match(record, own)):
            continue
        return AuditTampering(
            record_id=record.id,
            occurred_at=record.creation_time,
            technique=technique,
            operation=CANONICAL[folded(record.operation)],
            **match._asdict(),
            object_id_text=record.object_id or "",
            outcome=_outcome(record),
            organization_id=record.organization_id or "",
            actor=_actor(record),
            raw=record.raw,
            note=record.note,
        )
    return None


def _outcome(record: AuditRecord) -> Outcome:
    return OUTCOMES.get(folded(record.result_status or ""), Outcome.UNKNOWN)


def _actor(record: AuditRecord) -> Actor:
    return Actor(
        user_id=record.user_id or None,
        object_id=record.token_object_id or None,
        app_id=record.app_id or None,
        client_ip=record.client_ip or None,
        user_type=record.user_type or None,
        external=record.external_access is True,
    )
