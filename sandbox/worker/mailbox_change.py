"""``apply_mailbox``: one mailbox audits more, or is as it was recorded."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from bypass_responder.model.exchange_read import ReadOutcome
from bypass_responder.model.mailbox_audit import AuditSettings, LogonType
from bypass_responder.posture.loss import losses
from sandbox.tenant.mailbox import DEFAULT_SET
from sandbox.worker.exchange import CmdletError

if TYPE_CHECKING:
    from bypass_responder.model.exchange_read import ApplyMailbox
    from bypass_responder.model.mailbox_audit import AuditChange
    from sandbox.worker.exchange import ExchangeCalls
KNOWN = dict(DEFAULT_SET)
"""Microsoft's default set as the worker knows it. What Exchange really gives may be another."""


def settings_of(row: dict[str, Any]) -> AuditSettings:
    """The audit settings of a mailbox."""
    return AuditSettings(
        enabled=row["AuditEnabled"],
        age_limit=row["AuditLogAgeLimit"],
        default_set=tuple(row["DefaultAuditSet"]),
        admin=tuple(row["AuditAdmin"]),
        delegate=tuple(row["AuditDelegate"]),
        owner=tuple(row["AuditOwner"]),
    )


async def the_mailbox(object_id: str, exchange: ExchangeCalls) -> dict[str, Any]:
    """The one mailbox of an account. Raises CmdletError."""
    asked = f"ExternalDirectoryObjectId -eq '{object_id}'"
    users = await exchange.run("Get-User", Filter=asked, ResultSize=10)
    if len(users) != 1:
        raise CmdletError(f"No Exchange object with an Entra object id matches '{object_id}'.", "not_found")
    rows = await exchange.run("Get-Mailbox", Identity=users[0]["Guid"], ResultSize=2)
    return rows[0]


async def apply_change(
    wanted: ApplyMailbox, record: str | None, ended: str | None, exchange: ExchangeCalls, *, read_back_seconds: float
) -> dict[str, Any]:
    """Compare, set, read back: the facts of the answer. A change that has ``ended`` is not made again."""
    recorded = json.loads(record) if record else {}
    if recorded.get("object_id") != wanted.object_id:
        return _refused(f"There is no record {wanted.record} of this mailbox; record_mailbox makes one.")
    kept = AuditSettings.model_validate(recorded["settings"])
    row = await the_mailbox(wanted.object_id, exchange)
    before = settings_of(row)
    after = kept if wanted.change is None else changed(before, wanted.change)
    facts: dict[str, Any] = {"before": before, "exchange_guid": row["Guid"]}
    if before.same_as(after):
        return facts | {"outcome": ReadOutcome.ALREADY, "after": before}
    if ended == "undo" or (ended and not wanted.undo):
        return facts | {"outcome": ReadOutcome.CHANGED}
    if not before.same_as(wanted.expected) or not (wanted.undo or before.same_as(kept)):
        return facts | {"outcome": ReadOutcome.CHANGED}
    if not wanted.undo and (lost := losses(before, after)):
        return facts | _refused(f"The mailbox would no longer audit: {', '.join(lost)}.")
    if not wanted.undo and "MessageBind" in str(parameters(after, kept)):
        return facts | _refused("The change could not be undone: a list has MessageBind.")
    read, same = await _set(row["Guid"], wanted.object_id, before, after, exchange, read_back_seconds)
    facts |= {"outcome": ReadOutcome.APPLIED if same else ReadOutcome.UNVERIFIED, "after": read}
    lost = losses(before, read) if same and not wanted.undo else ()
    if not lost:
        return facts
    back, same = await _set(row["Guid"], wanted.object_id, read, kept, exchange, read_back_seconds)
    outcome = ReadOutcome.REVERTED if same else ReadOutcome.LESS
    error = f"Once it was set, the mailbox no longer audited: {', '.join(lost)}."
    return facts | {"outcome": outcome, "after": back, "error": error}


async def _set(
    guid: str, object_id: str, before: AuditSettings, after: AuditSettings, exchange: ExchangeCalls, seconds: float
) -> tuple[AuditSettings, bool]:
    """Set, and read back: the settings, and whether they are as wanted."""
    await exchange.run("Set-Mailbox", Identity=guid, **parameters(before, after))
    deadline = time.monotonic() + seconds
    while True:
        read = settings_of(await the_mailbox(object_id, exchange))
        if read.same_as(after) or time.monotonic() >= deadline:
            return read, read.same_as(after)
        await asyncio.sleep(0.5)


def _refused(reason: str) -> dict[str, Any]:
    return {"outcome": ReadOutcome.REFUSED, "error": reason}


def changed(before: AuditSettings, change: AuditChange) -> AuditSettings:
    """The settings after a change."""
    lists: dict[str, tuple[str, ...]] = {}
    follows = []
    for logon in LogonType:
        name = logon.value.lower()
        added = tuple(each for each in getattr(change, name) if each not in before.actions(logon))
        if logon in change.default_set or (logon in before.default_set and not added):
            follows.append(logon.value)
            lists[name] = before.actions(logon) if logon in before.default_set else KNOWN[logon]
        else:
            lists[name] = before.actions(logon) + added
    limit = f"{change.age_limit_days}.00:00:00" if change.age_limit_days else before.age_limit
    enabled = True if change.enable else before.enabled
    return AuditSettings(enabled=enabled, age_limit=limit, default_set=tuple(follows), **lists)


def parameters(before: AuditSettings, after: AuditSettings) -> dict[str, Any]:
    """The Audit parameters of Set-Mailbox that lead from one to the other."""
    given: dict[str, Any] = {}
    if after.enabled is not None and after.enabled != before.enabled:
        given["AuditEnabled"] = after.enabled
    if after.age_limit and after.age_limit != before.age_limit:
        given["AuditLogAgeLimit"] = after.age_limit
    reset = []
    for logon in LogonType:
        now, then = before.actions(logon), after.actions(logon)
        was, will = logon in before.default_set, logon in after.default_set
        more = [each for each in then if each not in now]
        if will:
            reset += [] if was else [logon.value]
        elif set(now) - set(then) or (was and not more):
            given[f"Audit{logon}"] = list(then) or "None"
        elif more:
            given[f"Audit{logon}"] = {"Add": more}
    return given | ({"DefaultAuditSet": reset} if reset else {})
