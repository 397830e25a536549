"""The commands of ``exchange-reads``, by the worker's contract."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bypass_responder.model.base import first_problem, guid_or_none
from bypass_responder.model.exchange_read import (
    READ_COMMAND,
    ApplyMailbox,
    ReadAccount,
    ReadKind,
    ReadMailboxes,
    ReadOrganization,
    ReadOutcome,
    ReadResult,
    Recipients,
    RecordMailbox,
    Shard,
)
from bypass_responder.model.message import SCHEMA_VERSION
from sandbox.worker.access import account_access, organization_rights
from sandbox.worker.answer import WORKER
from sandbox.worker.exchange import CmdletError, ExchangeCalls
from sandbox.worker.mailbox_change import apply_change, settings_of, the_mailbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bypass_responder.model.exchange_read import ReadCommand
    from bypass_responder.model.message import ErrorClass

KINDS = frozenset(ReadKind)
_ENDS = {ReadOutcome.APPLIED, ReadOutcome.ALREADY, ReadOutcome.REVERTED, ReadOutcome.LESS}


@dataclass(frozen=True)
class Read:
    """What the function puts on its bindings.

    These are the answer, the blob that it names, a record, and how a change ended.
    """

    answer: dict[str, Any]
    content: bytes | None = None
    record: bytes | None = None
    ended: str | None = None


class _Ended(Exception):  # noqa: N818 - not an error: the command ended early
    def __init__(self, outcome: ReadOutcome, reason: str, error_class: ErrorClass | None = None) -> None:
        super().__init__(reason)
        self.outcome, self.error_class = outcome, error_class


async def read(
    command: Mapping[str, Any],
    exchange: ExchangeCalls,
    *,
    message_id: str,
    deliveries: int = 1,
    record: str | None = None,
    ended: str | None = None,
    read_back_seconds: float = 0.0,
) -> Read:
    """Carry out one command; ``record`` and ``ended`` are what the input bindings found.

    Never raises for what the command holds.
    """
    started, started_at = time.monotonic(), exchange.clock()
    facts: dict[str, Any] = {}
    content = kept = now_ended = None
    try:
        wanted = _accepted(command, exchange)
        match wanted:
            case ReadAccount() | ReadOrganization():
                content, facts = await _one_line(wanted, exchange)
            case ReadMailboxes():
                content, facts = await _shard(wanted, exchange)
            case RecordMailbox():
                _refuse_again(deliveries)
                row = await the_mailbox(wanted.object_id, exchange)
                before = settings_of(row)
                stored = {"object_id": wanted.object_id, "settings": before.model_dump(mode="json")}
                kept = json.dumps(stored).encode()
                facts = {"outcome": ReadOutcome.RECORDED, "before": before, "record": message_id}
                facts["exchange_guid"] = row["Guid"]
            case ApplyMailbox():
                facts = await apply_change(wanted, record, ended, exchange, read_back_seconds=read_back_seconds)
                if facts["outcome"] in _ENDS and ended != "undo":
                    now_ended = "undo" if wanted.undo or facts["outcome"] is ReadOutcome.REVERTED else "apply"
        if content is not None:
            sha256 = hashlib.sha256(content).hexdigest()
            facts |= {"outcome": ReadOutcome.READ, "blob": f"{message_id}.jsonl.gz", "sha256": sha256}
    except _Ended as end:
        facts = {"outcome": end.outcome, "error": str(end), "error_class": end.error_class}
    except CmdletError as failure:
        outcome = ReadOutcome.NOT_FOUND if failure.error_class == "not_found" else ReadOutcome.FAILED
        facts = {"outcome": outcome, "error": str(failure), "error_class": failure.error_class}
    kind = command.get("kind")
    answer = ReadResult(
        command_id=str(command["command_id"]),
        kind=ReadKind(kind) if kind in KINDS else ReadKind.ACCOUNT,
        tenant_id=guid_or_none(str(command.get("tenant_id"))) or exchange.tenant_id,
        started_at=started_at,
        deliveries=deliveries,
        duration_seconds=round(time.monotonic() - started, 3),
        worker=WORKER,
        **facts,
    )
    return Read(answer.model_dump(mode="json"), content, kept, now_ended)


def _refuse_again(deliveries: int) -> None:
    """A change may have followed the first delivery, and the record has the settings before it."""
    if deliveries > 1:
        reason = "The command was delivered before, and may have made its record. Ask with a new one."
        raise _Ended(ReadOutcome.REFUSED, reason, "transient")


def _accepted(command: Mapping[str, Any], exchange: ExchangeCalls) -> ReadCommand:
    version = command.get("schema_version")
    if version != SCHEMA_VERSION:
        raise _Ended(ReadOutcome.REFUSED, f"This worker does not support schema_version {version!r}.", "transient")
    try:
        wanted = READ_COMMAND.validate_python(dict(command), strict=False)
    except ValidationError as problem:
        raise _Ended(ReadOutcome.REFUSED, f"The command is not valid: {first_problem(problem)}") from None
    if wanted.tenant_id != exchange.tenant_id:
        raise _Ended(ReadOutcome.REFUSED, f"The command is for tenant {wanted.tenant_id}.")
    if exchange.clock() > wanted.not_after:
        raise _Ended(ReadOutcome.REFUSED, "The command has expired (not_after).", "transient")
    return wanted


def _packed(lines: list[dict[str, Any]]) -> bytes:
    return gzip.compress("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode(), mtime=0)


async def _one_line(wanted: ReadAccount | ReadOrganization, exchange: ExchangeCalls) -> tuple[bytes, dict[str, Any]]:
    if isinstance(wanted, ReadAccount):
        line = await account_access(wanted, exchange)
    else:
        line = await organization_rights(wanted, exchange)
    sections = {name: each for name, each in line.items() if isinstance(each, dict)}
    problem = next((f"{name}: {each['error']}" for name, each in sections.items() if each["error"]), None)
    return _packed([line]), {"complete": problem is None, "partial": problem, "rows": 1, "scanned": 1}


async def _shard(wanted: ReadMailboxes, exchange: ExchangeCalls) -> tuple[bytes, dict[str, Any]]:
    if wanted.shard.recipients is Recipients.BYPASSED:
        rows, warnings = await exchange.read("Get-MailboxAuditBypassAssociation", ResultSize="Unlimited")
        users = await exchange.run("Get-User", ResultSize="Unlimited")
        ids = {str(user["Guid"]): guid_or_none(str(user["ExternalDirectoryObjectId"])) for user in users}
        lines = [
            {"object_id": ids.get(row["Guid"]), "exchange_guid": row["Guid"], "name": row["Name"]}
            for row in rows
            if row["AuditBypassEnabled"]
        ]
        return _packed(lines), _counts(len(lines), len(rows), None, warnings)
    cmdlet, asked = _question(wanted.shard)
    rows, warnings = await exchange.read(cmdlet, **asked)
    inside = [row for row in rows if _is_inside(row, wanted.shard)]
    more = len(inside) > wanted.most_rows
    lines = [_line(row) for row in inside[: wanted.most_rows]]
    partial = f"the shard has more than {wanted.most_rows} mailboxes" if more else None
    return _packed(lines), _counts(len(lines), len(rows), partial, warnings)


def _counts(rows: int, scanned: int, partial: str | None, warnings: list[str]) -> dict[str, Any]:
    complete = partial is None and not warnings
    return {"rows": rows, "scanned": scanned, "partial": partial, "complete": complete, "warnings": tuple(warnings)}


def _question(shard: Shard) -> tuple[str, dict[str, Any]]:
    asked: dict[str, Any] = {"ResultSize": "Unlimited"}
    types = {Recipients.USER: "UserMailbox", Recipients.SHARED: "SharedMailbox"}
    if shard.recipients in {Recipients.GROUP, Recipients.PUBLIC_FOLDER}:
        return "Get-Mailbox", asked | {
            "GroupMailbox" if shard.recipients is Recipients.GROUP else "PublicFolder": True,
        }
    asked |= {"PropertySets": ["Minimum", "Audit"], "Properties": ["WhenCreated", "PersistedCapabilities"]}
    if shard.recipients in types:
        return "Get-EXOMailbox", asked | {"RecipientTypeDetails": types[shard.recipients]}
    others = " -and ".join(f"RecipientTypeDetails -ne '{each}'" for each in types.values())
    return "Get-EXOMailbox", asked | {"Filter": others}


def _is_inside(row: dict[str, Any], shard: Shard) -> bool:
    created = str(row["WhenCreated"])
    since = shard.since.isoformat() if shard.since else ""
    return created >= since and (shard.until is None or created < shard.until.isoformat())


def _line(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "object_id": row["ExternalDirectoryObjectId"],
        "exchange_guid": row["Guid"],
        "upn": row["UserPrincipalName"],
        "address": row["PrimarySmtpAddress"],
        "display_name": row["DisplayName"],
        "type": row["RecipientTypeDetails"],
        "created_at": row["WhenCreated"],
        "capabilities": row["PersistedCapabilities"],
        "audit": settings_of(row).model_dump(mode="json"),
    }
