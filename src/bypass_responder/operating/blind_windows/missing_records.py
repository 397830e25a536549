"""Which records a bypass keeps from being written, and which are written all the same."""

from __future__ import annotations

from bypass_responder.model.base import Value

ACTION_TYPES = (
    "AddFolderPermissions",
    "ApplyRecord",
    "Copy",
    "Create",
    "FolderBind",
    "HardDelete",
    "MailboxLogin",
    "MailItemsAccessed",
    "ModifyFolderPermissions",
    "Move",
    "MoveToDeletedItems",
    "RecordDelete",
    "RemoveFolderPermissions",
    "SearchQueryInitiated",
    "Send",
    "SendAs",
    "SendOnBehalf",
    "SoftDelete",
    "Update",
    "UpdateCalendarDelegation",
    "UpdateComplianceTag",
    "UpdateFolderPermissions",
    "UpdateInboxRules",
)
"""Actions of mailbox auditing in Exchange Online, for owner, delegate and administrator."""
STILL_RECORDED = (
    "Sign-ins and changes of the directory (Microsoft Entra ID)",
    "Commands of Exchange, such as Set-Mailbox and New-InboxRule (audit log, ExchangeAdmin)",
    "Sent and received messages without their content (message trace of Exchange, 90 days)",
    "Files in SharePoint and OneDrive (audit log)",
)


class MissingRecords(Value):
    """The statement about the records that do not exist."""

    statement: str
    """For which time, by whom."""
    action_types: tuple[str, ...] = ACTION_TYPES
    mailboxes: str
    still_recorded: tuple[str, ...] = STILL_RECORDED
    """Where else to look."""


def missing_records(statement: str, name: str) -> MissingRecords:
    """Return the statement with what it covers."""
    mailboxes = (
        f"The mailbox of {name}, and every other mailbox that it could open: shared mailboxes, and those with "
        "delegated or application access. Actions of other people in these mailboxes are recorded."
    )
    return MissingRecords(statement=statement, mailboxes=mailboxes)
