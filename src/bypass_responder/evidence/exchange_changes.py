"""Exchange changes that keep access open, or hide it: rules, forwarding, permissions, auditing. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bypass_responder.evidence.audit_fields import (
    Record,
    answer_of,
    detail,
    leaves_home,
    moment,
    objects,
    outside_of,
    pairs,
    quoted_text,
    takes_away,
    text,
)
from bypass_responder.evidence.own_acts import OURS, is_own_change
from bypass_responder.model.operation import truth
from bypass_responder.model.question import Empty, Found, Item, Question

FORWARDS = ("ForwardTo", "RedirectTo", "ForwardAsAttachmentTo", "ForwardingSmtpAddress", "ForwardingAddress",
            "RedirectMessageTo", "BlindCopyTo", "CopyTo", "AddToRecipients", "JournalEmailAddress",
            "JournalingReportNdrTo")  # fmt: skip
GIVEN_TO = ("User", "Trustee", "GrantSendOnBehalfTo", "Delegate")
DELETES = ("DeleteMessage", "SoftDeleteMessage")
ACTIONS = (*DELETES, "MoveToFolder", "MarkAsRead", "DeliverToMailboxAndForward")
OUTLOOK_ACTIONS = "RuleActions"
"""What a rule of Outlook does, in a record of UpdateInboxRules: JSON with ActionType and Recipients."""
_MARKS = re.compile(r'"ActionType"\s*:\s*"(?>\w*?Mark)\w*Read', re.IGNORECASE)
_DELETES = re.compile(r'"ActionType"\s*:\s*"\w*Delete', re.IGNORECASE)
AUDITING = ("AuditBypassEnabled", "AuditEnabled", "AuditOwner", "AuditDelegate", "AuditAdmin", "AuditLogAgeLimit",
            "AuditDisabled", "UnifiedAuditLogIngestionEnabled")  # fmt: skip
SHOWN = (*FORWARDS, "SmartHosts", *GIVEN_TO, "AccessRights", *ACTIONS, *AUDITING)
"""Parameters of an item, in this order. The conditions of a rule are in the raw record only."""
DELEGATION = ("Add-MailboxPermission", "Add-RecipientPermission", "Add-MailboxFolderPermission",
              "Set-MailboxFolderPermission", "AddFolderPermissions", "ModifyFolderPermissions",
              "UpdateFolderPermissions", "UpdateCalendarDelegation")  # fmt: skip
RULES = ("New-InboxRule", "Set-InboxRule", "Enable-InboxRule", "UpdateInboxRules")
FLOW = ("New-TransportRule", "Set-TransportRule", "Enable-TransportRule", "New-JournalRule", "Set-JournalRule",
        "Enable-JournalRule", "New-InboundConnector", "Set-InboundConnector", "New-OutboundConnector",
        "Set-OutboundConnector", "New-RemoteDomain", "Set-RemoteDomain", "Set-TransportConfig")  # fmt: skip
EXPORTS = ("New-MailboxExportRequest", "New-ComplianceSearchAction", "New-MailboxSearch")
OPERATIONS = (*RULES, "Set-Mailbox", *DELEGATION, *FLOW, *EXPORTS, "Set-CASMailbox",
              "Set-MailboxAuditBypassAssociation", "Set-OrganizationConfig", "Set-AdminAuditLogConfig")  # fmt: skip
"""What an audit log query is asked for."""


def changes_of(records: Sequence[Record], question: Question, *, complete: bool = True) -> Found | Empty:
    """Return one item for each change."""
    return answer_of(records, question, _item, complete=complete)


def _item(record: Record, question: Question) -> Item:
    operation, parameters = text(record, "Operation"), pairs(record, "Parameters", "OperationProperties")
    shown = {name: parameters[name] for name in SHOWN if parameters.get(name)}
    failed = text(record, "ResultStatus").casefold() in {"false", "failed"}
    ours = is_own_change(record, question)
    reasons = [] if ours else _reasons(operation, parameters, question.account.user_principal_name)
    return Item(
        at=moment(record.get("CreationTime")),
        what=operation or "change",
        detail=detail(
            by=text(record, "UserId"),
            object=text(record, "ObjectId", "MailboxOwnerUPN"),
            address=text(record, "ClientIP", "ClientIPAddress"),
            result="failed" if failed else "",
            note=OURS if ours else "",
        )
        | shown,
        notable="; ".join([*reasons, *(["failed attempt"] if failed and reasons else [])]) or None,
    )


def _reasons(operation: str, parameters: dict[str, str], account: str) -> list[str]:
    found = [_forward(name, parameters[name], account) for name in FORWARDS if parameters.get(name)]
    actions = parameters.get(OUTLOOK_ACTIONS, "")
    found += [f"forwards mail outside: {quoted_text(each)}" for each in _sent_outside(actions, account)]
    if operation in DELEGATION or parameters.get("GrantSendOnBehalfTo"):
        whom = next((parameters[name] for name in GIVEN_TO if parameters.get(name)), "")
        found.append(f"new delegate: {quoted_text(whom)}" if whom else "new permission on a mailbox")
    deletes = any(truth(parameters.get(name, "")) for name in DELETES) or _DELETES.search(actions)
    if operation in RULES and deletes:
        found.append("rule that deletes mail")
    if operation in RULES:
        found += filter(None, [_takes_away(parameters)])
    if operation in FLOW:
        found.append("changes the mail flow of the organization")
    if operation in EXPORTS:
        found.append("search or export of mailboxes")
    if any(parameters.get(name) for name in AUDITING):
        found.append("changes auditing")
    return found


def _takes_away(parameters: dict[str, str]) -> str:
    read = bool(truth(parameters.get("MarkAsRead", "")) or _MARKS.search(parameters.get(OUTLOOK_ACTIONS, "")))
    return takes_away(parameters.get("MoveToFolder", ""), marks_as_read=read)


def _sent_outside(actions: str, account: str) -> list[str]:
    """Return the outside addresses in the actions of a rule of Outlook, and its recipients without an address."""
    found = [each.get("Recipients") for each in objects({OUTLOOK_ACTIONS: actions}, OUTLOOK_ACTIONS)]
    recipients = [str(each) for listed in found for each in (listed if isinstance(listed, list) else [listed]) if each]
    contacts = [each for each in recipients if leaves_home(each, account) and not outside_of(each, account)]
    return list(dict.fromkeys([*outside_of(actions, account), *contacts]))


def _forward(name: str, to: str, account: str) -> str:
    """Return the reason of one parameter that sends mail elsewhere."""
    verb = "redirects" if name.startswith("Redirect") else "forwards"
    return f"{verb} mail {'outside: ' if leaves_home(to, account) else 'to '}{quoted_text(to)}"
