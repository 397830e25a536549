"""Audit record to bypass change: pure, by value, and never by the position of a parameter.

Detects: ``Set-MailboxAuditBypassAssociation``, on, off, of unknown value, and attempts that failed; and as evidence the
two organization-wide audit switches. Misses: what the log does not hold. Mistakes: nothing by operation name alone, so
the services' own ``Set-AdminAuditLogConfig -AdminAuditLogEnabled`` is no tampering.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.change import Actor, AuditTampering, BypassChange, Outcome, Switch
from bypass_responder.model.operation import (
    AUDIT_SWITCHES,
    BYPASS_OPERATION,
    BYPASS_PARAMETER,
    IDENTITY_PARAMETER,
    AuditSwitch,
    folded,
    truth,
)

if TYPE_CHECKING:
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


def detect(record: AuditRecord) -> BypassChange | AuditTampering | None:
    """Return the change that the record reports, or None when it does not concern auditing.

    A parameter that is given twice in different spellings counts if both agree; else its value is unknown (the switch)
    or empty (the identity). A record without OrganizationId gives an empty ``organization_id``.
    """
    operation = folded(record.operation)
    if operation == folded(BYPASS_OPERATION):
        return _bypass_change(record) if folded(record.workload or "exchange") == "exchange" else None
    switch = AUDIT_SWITCHES.get(operation)
    return _tampering(record, switch) if switch else None


def _bypass_change(record: AuditRecord) -> BypassChange:
    stated = {truth(value) for value in _values(record, BYPASS_PARAMETER)}
    identities = set(_values(record, IDENTITY_PARAMETER))
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


def _tampering(record: AuditRecord, switch: AuditSwitch) -> AuditTampering | None:
    values = _values(record, switch.parameter)
    if not values:
        return None
    return AuditTampering(
        record_id=record.id,
        occurred_at=record.creation_time,
        operation=switch.operation,
        parameter=switch.parameter,
        value=", ".join(values),
        weakens=any(truth(value) is switch.weakened_by for value in values),
        outcome=_outcome(record),
        organization_id=record.organization_id or "",
        actor=_actor(record),
        raw=record.raw,
        note=record.note,
    )


def _values(record: AuditRecord, parameter: str) -> list[str]:
    return sorted(value for name, value in record.parameters.items() if folded(name) == folded(parameter))


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
