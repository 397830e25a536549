"""One command in, one answer out, by the worker's contract.

First the one object, then only its Exchange GUID, which every row read must carry: a null or unknown identity makes
Get-MailboxAuditBypassAssociation return every object.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from bypass_responder.model.base import first_problem, guid_or_none
from bypass_responder.model.message import (
    MOST_CANDIDATES,
    SCHEMA_VERSION,
    CommandKind,
    ExchangeCommand,
    ExchangeObject,
    ExchangeOutcome,
    ExchangeResult,
)
from bypass_responder.model.sweep import SweepCommand
from sandbox.worker.exchange import CmdletError, ExchangeCalls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bypass_responder.model.message import ErrorClass

WORKER = "python stand-in"
READ_BACK_SECONDS = 10.0
_READ_EVERY_SECONDS = 0.5
_WILD = re.compile(r"[*?\x00-\x1f\x7f]")


class Ended(Exception):  # noqa: N818 - not an error: the command ended before its last step
    """The command ends here with an outcome and a reason."""

    def __init__(self, outcome: ExchangeOutcome, reason: str, error_class: ErrorClass | None = None) -> None:
        """Keep outcome and class beside the reason."""
        super().__init__(reason)
        self.outcome = outcome
        self.error_class = error_class


@dataclass
class _Found:
    """What is known so far; becomes the answer however the command ends."""

    resolved: ExchangeObject | None = None
    candidates: tuple[str, ...] = ()
    before: bool | None = None
    after: bool | None = None
    read_at: datetime | None = None
    attempts: int = 0


async def answer(
    command: Mapping[str, Any],
    exchange: ExchangeCalls,
    *,
    read_back_seconds: float = READ_BACK_SECONDS,
    deliveries: int = 1,
) -> dict[str, Any]:
    """Carry out ``command`` (JSON of an ``ExchangeCommand``) and give the JSON of its ``ExchangeResult``.

    ``deliveries``: how many times the queue gave it out. Never raises for what the command holds.
    ``command`` must have a ``command_id``. A kind that is unknown is answered as ``check_bypass``, refused.
    """
    started = time.monotonic()
    found = _Found()
    error: str | None = None
    error_class: ErrorClass | None = None
    try:
        outcome = await _carry_out(accepted(ExchangeCommand, command, exchange), exchange, found, read_back_seconds)
    except Ended as end:
        outcome, error, error_class = end.outcome, str(end), end.error_class
    except CmdletError as failure:
        outcome = ExchangeOutcome.AMBIGUOUS if failure.ambiguous else ExchangeOutcome.FAILED
        error, error_class = str(failure), failure.error_class
    result = ExchangeResult(
        command_id=str(command["command_id"]),
        kind=_kind_of(command),
        tenant_id=guid_or_none(str(command.get("tenant_id"))) or exchange.tenant_id,
        target=str(command.get("target", "")),
        outcome=outcome,
        **vars(found),
        deliveries=deliveries,
        duration_seconds=round(time.monotonic() - started, 3),
        worker=WORKER,
        error=error,
        error_class=error_class,
    )
    return result.model_dump(mode="json")


def _kind_of(command: Mapping[str, Any]) -> CommandKind:
    return CommandKind.DISABLE_BYPASS if command.get("kind") == "disable_bypass" else CommandKind.CHECK_BYPASS


class _Refused(Ended):
    """The command is not one that this worker carries out."""

    def __init__(self, reason: str, error_class: ErrorClass | None = None) -> None:
        super().__init__(ExchangeOutcome.REFUSED, reason, error_class)


C = TypeVar("C", ExchangeCommand, SweepCommand)


def accepted(kind: type[C], given: Mapping[str, Any], exchange: ExchangeCalls) -> C:
    """The command, if this worker may carry it out."""
    version = given.get("schema_version")
    if type(version) is not int or version not in {SCHEMA_VERSION, max(1, SCHEMA_VERSION - 1)}:
        reason = f"schema_version {version!r} is not one that this worker knows."
        raise _Refused(reason, "transient")
    try:
        command = kind.model_validate(given)
    except ValidationError as error:
        reason = f"The command is not valid: {first_problem(error)}."
        raise _Refused(reason) from error
    if command.tenant_id != exchange.tenant_id:
        raise _Refused(f"The command is for tenant {command.tenant_id}, this worker serves {exchange.tenant_id}.")
    if exchange.clock() > command.not_after:
        raise _Refused(f"The command came after its time ({command.not_after:%Y-%m-%dT%H:%M:%SZ}).", "transient")
    return command


async def _carry_out(
    command: ExchangeCommand, exchange: ExchangeCalls, found: _Found, read_back_seconds: float
) -> ExchangeOutcome:
    if command.identity is not None and (not command.identity.strip() or _WILD.search(command.identity)):
        reason = "The identity is empty or has a wildcard or control character."
        raise _Refused(reason)
    found.resolved = resolved = await _resolve(command, exchange, found)
    found.before = await _read(resolved, exchange, found)
    if command.kind is CommandKind.CHECK_BYPASS:
        return ExchangeOutcome.CHECKED
    if not found.before:
        found.after = found.before
        return ExchangeOutcome.ALREADY_OFF
    found.attempts = 1
    await exchange.run("Set-MailboxAuditBypassAssociation", Identity=resolved.exchange_guid, AuditBypassEnabled=False)
    deadline = time.monotonic() + read_back_seconds
    while True:
        found.after = await _read(resolved, exchange, found)
        if not found.after:
            return ExchangeOutcome.VERIFIED
        if time.monotonic() >= deadline:
            return ExchangeOutcome.UNVERIFIED
        await asyncio.sleep(min(_READ_EVERY_SECONDS, read_back_seconds))


async def _resolve(command: ExchangeCommand, exchange: ExchangeCalls, found: _Found) -> ExchangeObject:
    """The one object that the command names; of several, the candidates."""
    if command.object_id is not None:
        text = command.object_id
        asked = f"ExternalDirectoryObjectId -eq '{text}'"
        rows = await exchange.run("Get-User", Filter=asked, ResultSize=MOST_CANDIDATES)
    else:
        text = str(command.identity)
        try:
            rows = await exchange.run("Get-User", Identity=text, ResultSize=MOST_CANDIDATES)
        except CmdletError as error:
            if error.error_class != "not_found":
                raise
            rows = []
    object_ids = [guid_or_none(str(row.get("ExternalDirectoryObjectId"))) for row in rows]
    if len(rows) > 1:
        found.candidates = tuple(filter(None, object_ids))
        raise Ended(ExchangeOutcome.AMBIGUOUS, f"More than one object in Exchange is called {text!r}.")
    if not rows or object_ids[0] is None or command.object_id not in {None, object_ids[0]}:
        raise Ended(
            ExchangeOutcome.NOT_FOUND, f"No object in Exchange with an Entra id is called {text!r}.", "not_found"
        )
    return ExchangeObject(object_id=object_ids[0], exchange_guid=str(rows[0]["Guid"]).lower(), name=rows[0]["Name"])


async def _read(resolved: ExchangeObject, exchange: ExchangeCalls, found: _Found) -> bool:
    """AuditBypassEnabled of this object and no other."""
    read_at = exchange.clock()
    rows = await exchange.run("Get-MailboxAuditBypassAssociation", Identity=resolved.exchange_guid, ResultSize=2)
    if len(rows) != 1 or str(rows[0].get("Guid")).lower() != resolved.exchange_guid:
        reason = (
            f"Exchange did not answer for {resolved.exchange_guid} alone; the object may have been deleted meanwhile."
        )
        raise Ended(ExchangeOutcome.FAILED, reason, "not_found")
    value = rows[0].get("AuditBypassEnabled")
    if not isinstance(value, bool):
        raise Ended(ExchangeOutcome.FAILED, f"AuditBypassEnabled is neither true nor false but {value!r}.", "other")
    found.read_at = read_at
    return value
