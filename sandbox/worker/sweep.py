"""``list_bypassed`` in one pass over all accounts, by the worker's contract."""

from __future__ import annotations

import hashlib
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from bypass_responder.model.base import guid_or_none
from bypass_responder.model.message import SCHEMA_VERSION, CommandKind
from bypass_responder.model.sweep import BypassedObject, SweepCommand, SweepContent, SweepResult, warning_form
from sandbox.worker.answer import WORKER, Ended, accepted
from sandbox.worker.exchange import CmdletError, ExchangeCalls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bypass_responder.model.message import ErrorClass


async def sweep(
    command: Mapping[str, Any], exchange: ExchangeCalls, *, blob: str
) -> tuple[dict[str, Any], bytes | None]:
    """Carry out ``command``; return the JSON of its ``SweepResult``, and the content of ``blob``.

    ``command`` is the JSON of a ``SweepCommand``. Never raises for what the command holds, which must have a
    ``command_id``.
    """
    started, started_at = time.monotonic(), exchange.clock()
    content: bytes | None = None
    facts: dict[str, Any] = {"complete": False, "scanned": 0, "bypassed": 0}
    outcome: Literal["listed", "refused", "failed"] = "failed"
    error: str | None = None
    error_class: ErrorClass | None = None
    try:
        wanted = accepted(SweepCommand, command, exchange)
        content, facts = await _listed(wanted, exchange, started_at)
        facts |= {"blob": blob, "sha256": hashlib.sha256(content).hexdigest()}
        outcome = "listed"
    except Ended as end:
        outcome, error, error_class = "refused", str(end), end.error_class
    except CmdletError as failure:
        error, error_class = str(failure), failure.error_class
    result = SweepResult(
        command_id=str(command["command_id"]),
        kind=CommandKind.LIST_BYPASSED,
        tenant_id=guid_or_none(str(command.get("tenant_id"))) or exchange.tenant_id,
        outcome=outcome,
        started_at=started_at,
        duration_seconds=round(time.monotonic() - started, 3),
        worker=WORKER,
        error=error,
        error_class=error_class,
        **facts,
    )
    return result.model_dump(mode="json"), content


async def _listed(command: SweepCommand, exchange: ExchangeCalls, started_at: datetime) -> tuple[bytes, dict[str, Any]]:
    """The content, and the answer that describes it."""
    rows, warnings = await exchange.read("Get-MailboxAuditBypassAssociation", ResultSize="Unlimited")
    users, more = await exchange.read("Get-User", ResultSize="Unlimited")
    [organization], of_organization = await exchange.read("Get-OrganizationConfig")
    [log], of_log = await exchange.read("Get-AdminAuditLogConfig")
    warnings += more + of_organization + of_log
    ids = {str(user["Guid"]).lower(): guid_or_none(str(user["ExternalDirectoryObjectId"])) for user in users}
    content = SweepContent(
        schema_version=SCHEMA_VERSION,
        command_id=command.command_id,
        tenant_id=command.tenant_id,
        started_at=started_at,
        complete=not warnings,
        scanned=len(rows),
        bypassed=tuple(
            BypassedObject(object_id=ids.get(guid), exchange_guid=guid, name=str(row["Name"]))
            for row in rows
            if row["AuditBypassEnabled"] is True
            for guid in [str(row["Guid"]).lower()]
        ),
    )
    facts = {
        "complete": content.complete,
        "scanned": content.scanned,
        "bypassed": len(content.bypassed),
        "audit_disabled": organization["AuditDisabled"],
        "unified_audit_log_ingestion_enabled": log["UnifiedAuditLogIngestionEnabled"],
        "warnings": tuple({warning_form(warning): warning for warning in reversed(warnings)}.values()),
    }
    return content.model_dump_json().encode(), facts
