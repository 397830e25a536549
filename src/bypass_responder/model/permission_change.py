"""A permission to a mailbox, or membership of a role group, that was granted or removed."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from bypass_responder.model.base import Stored, Utc
from bypass_responder.model.change import Actor


class PermissionChange(Stored):
    """What one audit record says of one right, and of one trustee or a list. Failed attempts are none."""

    record_id: str
    """As a table key."""
    occurred_at: Utc
    operation: str
    """The canonical name, such as ``Add-MailboxPermission``."""
    granted: bool
    """False: removed."""
    right: str
    """``FullAccess``, ``SendAs``, ``folder`` for any right to a folder, or ``member`` of a role group."""
    detail: str = ""
    """Of a folder: the rights, such as ``Editor``."""
    target: str
    """The mailbox, ``mailbox:\\folder``, or the role group, without its path."""
    parameter: str
    """The parameter that names the trustee."""
    trustee: str = ""
    """One trustee. Empty where the record has a list, or takes from everybody."""
    trustees: tuple[str, ...] = ()
    """The list, where the record has one. One row has all of it: a role group may have thousands of members."""
    whole: bool = False
    """True: who is not in the list has the right no more. Without a right: no right at all."""
    unlisted: int = 0
    """How many trustees were too many to keep."""
    actor: Actor

    @property
    def object(self) -> str:
        """The mailbox, folder or role group, as a table key. Letter case does not count."""
        noun = self.operation.partition("-")[2].removesuffix("Member")
        return _key(noun, self.target)

    @property
    def pair(self) -> str:
        """The right and its trustee, as a table key."""
        return _key(self.right, self.target, self.trustee)


class Deferred(NamedTuple):
    """Changes that are kept, and not yet compared with others. ``key`` is the store's."""

    key: str
    changes: tuple[PermissionChange, ...]


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(each.casefold() for each in parts).encode(errors="replace")).hexdigest()[:40]
