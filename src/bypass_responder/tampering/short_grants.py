"""Which permissions were given for a while only. Pure.

The changes are played in order, on a state for each mailbox, folder or role group.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.model.permission_change import PermissionChange
from bypass_responder.tampering.permissions import OWNER, WITHIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Holder = tuple[str, str]
"""A right and a trustee, without letter case."""
_MAY_KEEP = {"Update-RoleGroupMember", "Set-MailboxFolderPermission"}
"""Operations that also name who had the right before."""
_ALWAYS_THERE = {"default", "anonymous"}
"""Trustees of a folder that are set, never added."""


class Removed(NamedTuple):
    """A permission that was taken away soon after it was given."""

    grant: PermissionChange
    removal: PermissionChange


def removed_soon(changes: Iterable[PermissionChange]) -> list[Removed]:
    """Return each removal within ``WITHIN`` of its grant, with the last grant before it, in any order.

    A removal in the second of a grant is taken to be before it: nobody reads a mailbox in less than a second.
    """
    states: dict[str, _State] = {}
    found: list[Removed] = []
    for change in sorted(changes, key=_order):
        found += states.setdefault(change.object, _State()).play(change)
    return found


@dataclass
class _State:
    """What is known of one object. Of what was before the first change, nothing."""

    given: dict[Holder, PermissionChange] = field(default_factory=dict)
    """Who was given a right by a change that we have, and has it."""
    absent: set[Holder] = field(default_factory=set)
    members: set[Holder] | None = None
    """Who holds what the last list was about. None: there was no list, or it was too long."""

    def play(self, change: PermissionChange) -> Iterator[Removed]:
        """Move on by one change, and yield what it takes away."""
        if change.trustee:
            yield from self._give(change) if change.granted else self._take(change)
        else:
            yield from self._take_unlisted(change)
            for name in change.trustees:
                yield from self._give(_about(change, change.right, name))
            listed = {(change.right.casefold(), name.casefold()) for name in change.trustees}
            self.members = listed if change.whole else None

    def _give(self, change: PermissionChange) -> Iterator[Removed]:
        holder = _holder(change)
        if change.operation not in _MAY_KEEP or self._was_absent(holder, change):
            self.given[holder] = change
        self.absent.discard(holder)
        if self.members is not None:
            self.members.add(holder)
        yield from ()

    def _was_absent(self, holder: Holder, change: PermissionChange) -> bool:
        if change.operation.startswith("Set-"):
            return holder in self.absent or (holder not in self.given and holder[1] in _ALWAYS_THERE)
        return holder in self.absent or (self.members is not None and holder not in self.members)

    def _take(self, change: PermissionChange) -> Iterator[Removed]:
        holder = _holder(change)
        grant = self.given.pop(holder, None) or self.given.pop((OWNER.casefold(), holder[1]), None)
        self.absent.add(holder)
        if self.members is not None:
            self.members.discard(holder)
        if grant and change.occurred_at - grant.occurred_at <= WITHIN:
            yield Removed(grant, change)

    def _take_unlisted(self, change: PermissionChange) -> Iterator[Removed]:
        """Remove the right from all who are not in a whole list, if their names can be compared."""
        if not change.whole:
            return
        right, names = change.right.casefold(), {name.casefold() for name in change.trustees}
        for holder, grant in list(self.given.items()):
            comparable = change.operation not in _MAY_KEEP or grant.operation in {*_MAY_KEEP, "New-RoleGroup"}
            if holder[1] not in names and right in {"", holder[0]} and comparable:
                yield from self._take(_about(change, grant.right, grant.trustee, granted=False))


def _about(change: PermissionChange, right: str, trustee: str, *, granted: bool = True) -> PermissionChange:
    """Return what a list says of one trustee."""
    about = {"right": right, "trustee": trustee, "trustees": (), "whole": False, "unlisted": 0}
    return change.model_copy(update=about | {"granted": granted})


def _holder(change: PermissionChange) -> Holder:
    return change.right.casefold(), change.trustee.casefold()


def _order(change: PermissionChange) -> tuple[object, ...]:
    return change.occurred_at, change.granted, change.record_id, change.pair
