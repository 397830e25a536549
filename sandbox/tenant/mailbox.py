"""The mailbox of a stand-in account: audit settings, rules, forwarding, and who may open it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

EVERY = ("ApplyRecord", "HardDelete", "MailItemsAccessed", "MoveToDeletedItems", "SoftDelete", "Update",
         "UpdateFolderPermissions", "UpdateInboxRules")  # fmt: skip
DEFAULT_SET = {
    "Admin": (*EVERY, "Create", "SendAs", "SendOnBehalf", "Send", "UpdateCalendarDelegation"),
    "Delegate": (*EVERY, "Create", "SendAs", "SendOnBehalf"),
    "Owner": (*EVERY, "Send", "UpdateCalendarDelegation"),
}
"""Microsoft's default actions by logon type."""
CREATED = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)


class Rule(BaseModel):
    """An inbox rule; ``properties`` are those of Get-InboxRule, by name."""

    model_config = ConfigDict(extra="forbid")

    id: str
    name: str
    hidden: bool = False
    properties: dict[str, Any] = {}


class Mailbox(BaseModel):
    """What is true of a mailbox. Accounts are named by object id, folders by their English names."""

    model_config = ConfigDict(extra="forbid")

    type: str = "UserMailbox"
    created_at: datetime = CREATED
    capabilities: list[str] = []
    enabled: bool = True
    age_limit: str = "90.00:00:00"
    actions: dict[str, list[str]] = {}
    """By logon type that does not follow Microsoft's default set: its pinned actions."""
    forwarding_address: str = ""
    forwarding_smtp_address: str = ""
    deliver_and_forward: bool = False
    send_on_behalf: list[str] = []
    full_access: list[str] = []
    send_as: list[str] = []
    folders: dict[str, dict[str, list[str]]] = {}
    """Rights by account, by folder such as ``\\Inbox``."""
    renamed: dict[str, str] = {}
    """Names of folders in the language of the mailbox, such as ``\\Posteingang`` by ``\\Inbox``."""
    rules: list[Rule] = []

    def audited(self, logon: str) -> list[str]:
        """Return the audited actions of a logon type."""
        return list(self.actions.get(logon, DEFAULT_SET[logon]))
