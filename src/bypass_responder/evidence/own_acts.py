"""What the responder itself did: audit records have it beside what an attacker did. Pure.

By ids alone, as the record has them: anybody can choose a name.
"""

from __future__ import annotations

from bypass_responder.evidence.audit_fields import Record, pairs, text
from bypass_responder.model.base import EARLIEST, guid_or_none
from bypass_responder.model.operation import BYPASS_OPERATION, BYPASS_PARAMETER, folded, truth
from bypass_responder.model.question import Question
from bypass_responder.model.record import AuditRecord
from bypass_responder.model.technique import Technique
from bypass_responder.rights import EXCHANGE_GRANTS, ROLE_GROUPS, ExchangeSet
from bypass_responder.tampering.family import ways_of
from bypass_responder.tampering.match import Own
from bypass_responder.tampering.roles import precursor

OURS = "by the responder"
_GROUP = ROLE_GROUPS[0].casefold()
_CHANGES = {folded(each) for each in EXCHANGE_GRANTS[ExchangeSet.CHANGES].parameters}


def is_own_change(record: Record, question: Question) -> bool:
    """Return True for what our worker does: it ends bypasses and carries out plans for mailboxes.

    What it does to a mailbox without a plan is notified as tampering; that it sets a bypass, as an incident.
    """
    ids = {guid_or_none(text(record, name)) for name in ("AppId", "TokenObjectId")}
    if not ids & question.own_ids:
        return False
    operation = folded(text(record, "Operation"))
    parameters = {folded(name): value for name, value in pairs(record, "Parameters").items()}
    if operation == folded(BYPASS_OPERATION):
        return truth(parameters.get(folded(BYPASS_PARAMETER), "")) is False
    return operation == folded("Set-Mailbox") and parameters.keys() <= _CHANGES


def is_own_installation(record: Record, question: Question) -> bool:
    """Return True for a role, a role group or an assignment that our installation makes for itself."""
    parameters = pairs(record, "Parameters")
    named = any(value.strip().casefold().startswith(_GROUP) for value in parameters.values())
    if not named or Technique.PRECURSOR not in dict(ways_of(text(record, "Operation"))):
        return False
    audit_record = AuditRecord(
        id="",
        creation_time=EARLIEST,
        operation=text(record, "Operation"),
        object_id=text(record, "ObjectId"),
        parameters=parameters,
        raw="",
    )
    return precursor(audit_record, Own(ROLE_GROUPS, question.own_ids)) is None
