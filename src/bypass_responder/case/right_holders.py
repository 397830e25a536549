"""Who can set bypasses, as the daily read of the roles reads it: what an answer means. Pure.

A new holder has the right whether or not a record of it ever came. What could not be read is never taken as gone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.tasks import Task
from bypass_responder.model.base import counted
from bypass_responder.model.notification import Severity
from bypass_responder.model.right_holders import RightHolders
from bypass_responder.model.technique import Technique
from bypass_responder.tampering.repair import HOLDERS, IN_EXCHANGE

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.organization_read import OrganizationRead
    from bypass_responder.tampering.repair import Changed

MOST_HOLDERS = 200
"""Holders that are compared; the row is loaded with the tenant's case."""
MOST_NAMED = 10
_LONGEST = 160
_LOOK_TAKES = timedelta(hours=1)
"""A look that began so long before a change may have read its holders after it."""
_ROLE, _MEMBER = " the role ", " is in the role group "


def holders_of(answer: OrganizationRead) -> frozenset[str]:
    """Return who can set bypasses, or may give that right to others, each with how."""
    assigned = {
        f"{each.assignee} ({each.assignee_type}) {'may give' if each.delegating else 'has'}{_ROLE}{each.role}"
        for each in answer.assignments.items
        if each.can_bypass and each.enabled
    }
    members = {f"{each.member}{_MEMBER}{each.group}" for each in answer.members.items}
    return frozenset(sorted(text[:_LONGEST] for text in assigned | members)[:MOST_HOLDERS])


def is_whole(answer: OrganizationRead) -> bool:
    """Return True when the answer has every holder."""
    sections = (answer.assignments, answer.members)
    return all(each.error is None and each.total <= len(each.items) for each in sections)


def has_own(answer: OrganizationRead, group: str) -> bool:
    """Return True when the worker's role group can still remove a bypass."""
    able = (each.assignee.casefold() for each in answer.assignments.items if each.can_bypass and each.enabled)
    return group.casefold() in able


def is_certain(read: RightHolders) -> bool:
    """Return True when what a look does not name is not there: all of it was read, and no text was cut."""
    return read.whole and len(read.holders) < MOST_HOLDERS and all(len(text) < _LONGEST for text in read.holders)


def members_of(read: RightHolders, group: str) -> list[str]:
    """Return the members of a role group that can set bypasses, as Exchange names them."""
    ending = f"{_MEMBER}{group}".casefold()
    return [text[: -len(ending)] for text in read.holders if text.casefold().endswith(ending)]


def holding(read: RightHolders, given: Changed) -> list[str]:
    """Return who can set bypasses by what was given: an assignment, a role group, or a role."""
    name = given.target.rpartition("\\")[0] if given.operation == "Add-ManagementRoleEntry" else given.target
    if given.operation in {"New-ManagementRoleAssignment", "Set-ManagementRoleAssignment"} and name:
        return [f"the assignment {each}" for each in read.assignments if each.casefold() == name.casefold()]
    texts = {text: text.casefold() for text in read.holders}
    begin, end = f"{name} (rolegroup) ".casefold(), f"{_ROLE}{name}".casefold()
    return [text for text, low in texts.items() if low.startswith(begin) or low.endswith(end)] if name else []


def new_since(read: RightHolders, at: datetime) -> list[str]:
    """Return the holders that no read had before ``at``.

    A right that was granted then may have another name now.
    """
    first = dict(zip(read.holders, read.since, strict=False))
    return [text for text in read.holders if first.get(text, read.read_at) > at - _LOOK_TAKES]


def record_holders(
    draft: Draft, answer: OrganizationRead, *, read_at: datetime, own_group: str, reads_group: str
) -> None:
    """Notify of new holders, and of a lost right of the responder, since the answer before.

    The first answer only begins the comparison. The worker removes bypasses with ``own_group``, and reads this with
    ``reads_group``.
    """
    before = draft.case.row(RightHolders, RightHolders.key)
    if before is not None and before.read_at >= read_at:
        return
    now, whole = holders_of(answer), is_whole(answer)
    known = frozenset(before.holders) if before else now
    new, gone = sorted(now - known), sorted(known - now) if whole else []
    own = has_own(answer, own_group) if whole else before is not None and before.own
    kept = now if whole else now | known
    names = tuple(each.name for each in answer.assignments.items if each.can_bypass and each.enabled)[:MOST_HOLDERS]
    holders = tuple(sorted(kept))
    groups = {"own_group": own_group, "reads_group": reads_group}
    since = _first_seen(before, holders, read_at)
    draft.put(
        RightHolders(read_at=read_at, holders=holders, own=own, assignments=names, whole=whole, since=since, **groups)
    )
    if new:
        _notify_new(draft, new, read_at)
    if gone:
        taken = f"the right to set bypasses was taken from: {named(gone)}"
        draft.log("tampering", taken, technique=Technique.PRECURSOR)
    if before is not None and before.own and not own:
        _notify_lost(draft, read_at, own_group)


def _first_seen(before: RightHolders | None, holders: tuple[str, ...], read_at: datetime) -> tuple[datetime, ...]:
    known = dict.fromkeys(before.holders, before.read_at) if before else {}
    known |= dict(zip(before.holders, before.since, strict=False)) if before else {}
    return tuple(known.get(text, read_at) for text in holders)


def _notify_new(draft: Draft, new: list[str], read_at: datetime) -> None:
    draft.log("tampering", f"new holders of the right to set bypasses: {named(new)}", technique=Technique.PRECURSOR)
    draft.notify(
        "tampering",
        f"The right to set bypasses has {counted(len(new), 'new holder')}",
        f"Read in Exchange at {read_at:%Y-%m-%d %H:%M:%SZ}: {named(new)}. Anyone who has it can make any account "
        "invisible to mailbox auditing. No account was blocked.",
        key=f"holders-{read_at.isoformat()}",
        severity=Severity.CRITICAL,
        left_to_do=(Task(f"Unless it was intended, remove the right. Who has it, {_in_exchange()}", HOLDERS),),
        technique=Technique.PRECURSOR,
    )


def _notify_lost(draft: Draft, read_at: datetime, own_group: str) -> None:
    draft.log("tampering", f"{own_group} can no longer remove a bypass", technique=Technique.RESPONDER_REMOVED)
    draft.notify(
        "tampering",
        "Rights of the responder were removed",
        f"Read in Exchange at {read_at:%Y-%m-%d %H:%M:%SZ}: the role group {own_group} has no role any more "
        "that can remove a bypass.",
        key=f"own-{read_at.isoformat()}",
        severity=Severity.CRITICAL,
        left_to_do=(Task("Find out who removed them, then grant them again", "bypassctl grant --exchange-script"),),
        technique=Technique.RESPONDER_REMOVED,
    )


def named(holders: list[str]) -> str:
    """Return the holders for people, the first of many."""
    more = f"; and {len(holders) - MOST_NAMED} more" if len(holders) > MOST_NAMED else ""
    return "; ".join(holders[:MOST_NAMED]) + more


def _in_exchange() -> str:
    return f"{IN_EXCHANGE[0].lower()}{IN_EXCHANGE[1:]}"
