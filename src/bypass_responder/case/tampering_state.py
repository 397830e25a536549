"""Whether a change of the tampering family is still in effect. Pure.

It is decided from the later reads that the tenant's case holds.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case import right_holders, sweep_row
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.operation import folded
from bypass_responder.model.read_back import Persists, ReadBack
from bypass_responder.model.right_holders import RightHolders
from bypass_responder.model.technique import Technique
from bypass_responder.tampering.family import EXCHANGE, content_of
from bypass_responder.tampering.match import last_part, listed

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.model.case import Case
    from bypass_responder.model.health import Tampering

SESSIONS_KEEP_RIGHTS = timedelta(hours=1)
"""How long the worker's session may keep rights that were removed."""
_SHOWN = {"Identity", "Member", "Members", "Enabled"}
"""Parameters of which the reads show that a change is undone. They do not show scopes, managers and parameters."""
_NOT_PROVED = "nothing has proved it since, and a session may keep its rights for an hour"
_BY_DOCTOR = "to compare the worker's rights: bypassctl doctor"
NOT_READABLE = {
    Technique.RETENTION: "they are in Security & Compliance PowerShell, to which no managed identity can sign in",
    Technique.DIAGNOSTIC_SETTINGS: "the responder has no right to read settings of Azure resources or of Entra",
}
"""Why nothing reads the state of a row."""
_RIGHT_ALERTS = ("permission_lost", "permission_missing", "response_permission_missing")
_STILL, _UNDONE, _UNKNOWN = Persists.STILL_SO, Persists.UNDONE, Persists.UNKNOWN


def read_back_of(row: Tampering, tenant: Case) -> ReadBack | None:
    """Return whether the change is still in effect; None if it weakened nothing or nothing is left.

    ``tenant``: the tenant's own case.
    """
    if not row.took_effect or row.technique is Technique.GRANT_REMOVED:
        return None
    if why := NOT_READABLE.get(row.technique):
        return _unknown(why)
    match row.technique:
        case Technique.ORGANIZATION_OFF | Technique.UNIFIED_LOG_OFF:
            return _of_switch(row, tenant)
        case Technique.PRECURSOR:
            return _of_right(row, tenant)
        case Technique.RESPONDER_REMOVED:
            return _of_responder(row, tenant)
    return row.read_back or _unknown("the mailboxes were not read since; to read them now: bypassctl posture read")


def _unknown(detail: str) -> ReadBack:
    return ReadBack(state=_UNKNOWN, detail=detail)


def _of_switch(row: Tampering, tenant: Case) -> ReadBack:
    sweep = sweep_row.current(tenant)
    is_organization = row.technique is Technique.ORGANIZATION_OFF
    value = sweep.audit_disabled if is_organization else sweep.ingestion_enabled
    if value is None or sweep.switches_at is None or sweep.switches_at <= row.occurred_at:
        return _unknown("no sweep has read the switch since")
    state = _STILL if value is is_organization else _UNDONE
    return ReadBack(state=state, read_at=sweep.switches_at, detail=f"{row.parameter} is {value}")


def _of_right(row: Tampering, tenant: Case) -> ReadBack:
    """Compare with the daily read of the roles, in the terms in which Exchange lists rights."""
    read = tenant.row(RightHolders, RightHolders.key)
    if read is None or read.read_at <= row.occurred_at:
        return _unknown("the roles of the organization were not read since")
    if folded(row.operation) in {"addrolegroupmember", "updaterolegroupmember"}:
        return _of_members(row, read)
    if not row.target:
        return _unknown("the record does not name what was given; who has the right: bypassctl status")
    held = right_holders.holding(read, row)
    if held:
        return ReadBack(state=_STILL, read_at=read.read_at, detail=held[0])
    if not right_holders.is_certain(read):
        return ReadBack(state=_UNKNOWN, read_at=read.read_at, detail="the roles were not read completely")
    return _undone_unless_new(row, read, f"nobody can set bypasses through {row.target}")


def _of_members(row: Tampering, read: RightHolders) -> ReadBack:
    group = last_part(row.target)
    members = right_holders.members_of(read, group)
    given = {folded(text) for name in listed(row.value) for text in (last_part(name), name.partition("@")[0])}
    known = [member for member in members if folded(member) in given]
    if known:
        return ReadBack(state=_STILL, read_at=read.read_at, detail=f"{', '.join(known)} is in the role group {group}")
    if members or not right_holders.is_certain(read):
        names = (
            f"its members, as Exchange names them: {', '.join(members)}" if members else "they were not read completely"
        )
        return ReadBack(state=_UNKNOWN, read_at=read.read_at, detail=f"compare the members of {group}; {names}")
    return _undone_unless_new(row, read, f"{group} has no members that can set bypasses")


def _undone_unless_new(row: Tampering, read: RightHolders, detail: str) -> ReadBack:
    """Return that the right is gone, unless there are new holders.

    What was granted may have another name by now.
    """
    new = right_holders.new_since(read, row.occurred_at)
    if not new:
        return ReadBack(state=_UNDONE, read_at=read.read_at, detail=detail)
    detail = f"{detail}; new holders since the change: {right_holders.named(new)}"
    return ReadBack(state=_UNKNOWN, read_at=read.read_at, detail=detail)


def _of_responder(row: Tampering, tenant: Case) -> ReadBack:
    if content_of(row.operation) != EXCHANGE:
        return _of_permission(row, tenant)
    read, swept = tenant.row(RightHolders, RightHolders.key), sweep_row.current(tenant).complete_at
    if read is None or not read.whole or read.read_at <= row.occurred_at:
        return _unknown(f"the roles of the organization were not read completely since; {_BY_DOCTOR}")
    removes, reads = _is_of(row, read.own_group) or _is_worker(row), _is_group(row, read.reads_group)
    if removes and not read.own:
        return ReadBack(state=_STILL, read_at=read.read_at, detail="the worker's role group cannot remove a bypass")
    sessions_ended = row.occurred_at + SESSIONS_KEEP_RIGHTS
    is_late = read.read_at > sessions_ended and row.parameter in _SHOWN
    if removes and is_late and swept is not None and swept > sessions_ended:
        detail = "the worker's role group can remove a bypass, and the worker sweeps with it"
        return ReadBack(state=_UNDONE, read_at=min(read.read_at, swept), detail=detail)
    if reads and is_late:
        detail = f"the worker read the roles with {read.reads_group}"
        return ReadBack(state=_UNDONE, read_at=read.read_at, detail=detail)
    detail = f"{_NOT_PROVED}; {_BY_DOCTOR}"
    return ReadBack(state=_UNKNOWN, read_at=read.read_at, detail=detail)


def _is_group(row: Tampering, group: str) -> bool:
    return bool(group) and folded(last_part(row.target)) == folded(group)


def _is_of(row: Tampering, group: str) -> bool:
    """Return True for the role group, and for an assignment of its custom role: ``GROUP - PARENT-GROUP``."""
    begins = last_part(row.target).casefold().startswith(f"{group} - ".casefold())
    return _is_group(row, group) or (bool(group) and begins)


def _is_worker(row: Tampering) -> bool:
    return folded(row.operation) == "removeserviceprincipal"


def _of_permission(row: Tampering, tenant: Case) -> ReadBack:
    alerts = [each for each in tenant.rows(HealthAlert) if each.id in _RIGHT_ALERTS and each.ongoing]
    since = [each for each in alerts if _seen(each) > row.occurred_at]
    if since:
        return ReadBack(state=_STILL, read_at=max(map(_seen, since)), detail=since[0].detail.rstrip("."))
    return _unknown("no call of the responder has failed for it; to compare its permissions: bypassctl doctor")


def _seen(alert: HealthAlert) -> datetime:
    return alert.seen_at or alert.since
