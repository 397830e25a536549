"""An account as Entra ID has it, and the allowlist entry that may exempt it."""

from __future__ import annotations

from bypass_responder.model.base import Stored, Utc, Value


class Account(Stored):
    """One Entra account, read with User.Read.All. Times are UTC."""

    object_id: str
    user_principal_name: str
    display_name: str = ""
    account_enabled: bool
    on_premises_sync_enabled: bool = False
    """True: the next sync cycle (about 30 minutes) undoes a block that was set in the cloud."""
    guest: bool = False
    """True: Microsoft documents that revoking sessions does nothing for external users."""
    sessions_valid_from: Utc | None = None

    def __str__(self) -> str:
        """Name and object id, as a person needs both."""
        return f"{self.user_principal_name} ({self.object_id})"


class AllowlistEntry(Value):
    """A service account that may be bypassed: why, who owns it, under which ticket, until when.

    ``edited_at`` is the storage service's own Timestamp of the row, so that nobody can set it.
    """

    object_id: str
    display_name: str = ""
    reason_class: str
    justification: str
    owner: str
    ticket: str
    approved_by: str = ""
    expires_at: Utc
    edited_at: Utc | None = None


class MalformedEntry(Value):
    """A row for this account that cannot be read as an entry. It neither exempts nor condemns: containment is held."""

    object_id: str
    problem: str
    edited_at: Utc | None = None
