"""The answer to ``read_account``: where an account's mail goes, and who can open what.

Names and addresses only: neither subjects, bodies nor the words that a rule looks for.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from pydantic import Field

from bypass_responder.model.base import Value
from bypass_responder.model.mailbox_audit import AuditSettings
from bypass_responder.model.message import ErrorClass, Guid

T = TypeVar("T")


class Section(Value, Generic[T]):
    """One part of an answer, read by separate cmdlets.

    ``error`` is None where it was read: no items then means that there are none.
    """

    items: tuple[T, ...] = ()
    total: Annotated[int, Field(ge=0)] = 0
    """How many there are; more than ``items`` has when the bound was reached."""
    error: str | None = None
    """Why it could not be read; of a missing permission, with the cmdlet."""
    error_class: ErrorClass | None = None
    not_enumerated: tuple[str, ...] = ()
    """What this part does not cover, each in a few words."""


class MailboxState(Value):
    """The properties of the account's own mailbox."""

    type: str
    forwarding_address: str = ""
    """ForwardingAddress: a recipient of the organization, such as a mail contact."""
    forwarding_smtp_address: str = ""
    deliver_and_forward: bool | None = None
    """True: a copy stays in the mailbox."""
    send_on_behalf: tuple[str, ...] = ()
    """GrantSendOnBehalfTo: who may send on behalf of the account."""
    audit: AuditSettings


class InboxRule(Value):
    """One inbox rule. ``conditions`` names the conditions, without the words that they look for."""

    id: str
    name: str
    enabled: bool | None
    hidden: bool
    """True: no client shows it. Listed with -IncludeHidden only."""
    forward_to: tuple[str, ...] = ()
    redirect_to: tuple[str, ...] = ()
    forward_as_attachment_to: tuple[str, ...] = ()
    delete: bool = False
    """DeleteMessage or SoftDeleteMessage."""
    move_to: str = ""
    mark_as_read: bool = False
    stop_processing: bool = False
    conditions: tuple[str, ...] = ()


class Permission(Value):
    """Who may do what in which mailbox or folder."""

    mailbox: str
    folder: str = ""
    """Of a folder permission, such as ``\\Inbox``."""
    trustee: str
    rights: tuple[str, ...]
    inherited: bool = False
    deny: bool = False


class AccountSection(StrEnum):
    """What can be asked of an account, each read by separate cmdlets."""

    MAILBOX = "mailbox"
    """Forwarding, and what it audits: one item, or none where the account has no mailbox."""
    INBOX_RULES = "inbox_rules"
    OPENED_BY = "opened_by"
    """Who can open this mailbox."""
    SENT_AS_BY = "sent_as_by"
    """Who can send as this account."""
    FOLDER_PERMISSIONS = "folder_permissions"
    """Of the root, the inbox, the sent items and the calendar."""
    CAN_SEND_AS = "can_send_as"
    """Recipients as which the account can send."""
    CAN_SEND_ON_BEHALF = "can_send_on_behalf"
    """Mailboxes on whose behalf the account can send."""
    CAN_OPEN = "can_open"
    """Mailboxes that the account can open, among the shared ones that were checked."""


class AccountRead(Value):
    """The one line of the blob.

    ``exchange_guid`` is the object that was read; None: a section that was not asked.
    """

    object_id: Guid
    exchange_guid: Guid
    mailbox: Section[MailboxState] | None = None
    inbox_rules: Section[InboxRule] | None = None
    opened_by: Section[Permission] | None = None
    sent_as_by: Section[Permission] | None = None
    folder_permissions: Section[Permission] | None = None
    can_send_as: Section[Permission] | None = None
    can_send_on_behalf: Section[Permission] | None = None
    can_open: Section[Permission] | None = None
