"""What the responder found out about an account that a person asked about in the console."""

from __future__ import annotations

from bypass_responder.model.account import Account
from bypass_responder.model.base import Stored, Utc


class Inspection(Stored):
    """The answer to one question. ``account`` None without a ``problem``: the tenant has no such account."""

    name: str
    """As it was asked: an object id, or a user principal name."""
    at: Utc
    account: Account | None = None
    problem: str = ""
    """Why Entra gave no answer."""
    bypassed: bool | None = None
    """As the last complete sweep read it; None: not known."""
    bypass_as_of: Utc | None = None
    bypassed_since: Utc | None = None
    """The start of the first sweep that saw it on."""
    protected: bool = False
    explanation: str = ""
    """What would happen if its bypass were switched on at ``at``, in one sentence."""

    @property
    def names(self) -> frozenset[str]:
        """What it is found by, see ``folded``."""
        ids = (self.account.object_id, self.account.user_principal_name) if self.account else ()
        return frozenset(map(folded, (self.name, *ids)))


def folded(name: str) -> str:
    """Return a name as it is compared: without case and surrounding space."""
    return name.strip().casefold()
