"""The permission with which an actor opened a mailbox, if the watch of permissions has it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import moment
from bypass_responder.model.mailbox_access import NOBODY
from bypass_responder.tampering.permissions import FOLDER, MEMBER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bypass_responder.model.mailbox_access import MailboxAccess
    from bypass_responder.model.permission_change import PermissionChange

_IN_FOLDER = ":\\"


def grant_for(access: MailboxAccess, granted: Iterable[PermissionChange]) -> str:
    """Return the newest grant that names both by a name that they have; empty without one.

    Records name a mailbox by Exchange's name and a trustee as it was typed, so that one by another name is not found.
    """
    mailbox = _names(access.mailbox, access.object_id, access.mailbox_id)
    actor = _names(access.actor, access.actor_id, access.app_id)
    fitting = [
        each
        for each in granted
        if each.right != MEMBER
        and each.target.partition(_IN_FOLDER)[0].casefold() in mailbox
        and each.trustee.casefold() in actor
    ]
    newest = max(fitting, key=lambda each: each.occurred_at, default=None)
    if newest is None:
        return ""
    right = f"a right to {newest.target}" if newest.right == FOLDER else newest.right
    return f"{right} given by {newest.actor} at {moment(newest.occurred_at)}"


def _names(user_principal_name: str, *ids: str) -> set[str]:
    """Return the names of an account; of an application its ids alone."""
    upn = "" if user_principal_name in NOBODY else user_principal_name
    return {name.casefold() for name in (upn, upn.partition("@")[0], *ids) if name}
