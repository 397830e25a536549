"""A permission to a mailbox, or membership of a role group, that was granted or removed."""

from __future__ import annotations

import hashlib

from bypass_responder.model.base import Stored, Utc
from bypass_responder.model.change import Actor


class PermissionChange(Stored):
    """What one audit record says of one right, one mailbox or role group, and one trustee. Failed attempts are none."""

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
    trustee: str
    actor: Actor

    @property
    def pair(self) -> str:
        """What a grant and its removal have in common, as a table key. Letter case does not count."""
        same = "\0".join(each.casefold() for each in (self.right, self.target, self.trustee))
        return hashlib.sha256(same.encode()).hexdigest()[:40]
