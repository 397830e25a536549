"""The cmdlets of the stand-in Exchange for mailboxes, permissions and roles.

All of them read, except Set-Mailbox with its parameters -Audit….

Quirks kept: what a property set does not have is not returned, an unknown identity of a permission returns every
object, hidden rules need -IncludeHidden, the default set is Microsoft's, a role lets only some parameters pass,
public folder mailboxes need -PublicFolder, and MessageBind cannot be set any more.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from sandbox.tenant.exchange_roles import AUDIT_PARAMETERS
from sandbox.tenant.exchange_rows import Parameters, Rows, limited, matching
from sandbox.tenant.mailbox import DEFAULT_SET, Mailbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.tenant.account import Account
    from sandbox.tenant.state import Tenant

    Answer = tuple[Rows, list[str]]

MINIMUM = ("DisplayName", "DistinguishedName", "ExternalDirectoryObjectId", "Guid", "Id", "Identity", "Name",
           "PrimarySmtpAddress", "RecipientTypeDetails", "UserPrincipalName")  # fmt: skip
AUDIT = ("AuditAdmin", "AuditDelegate", "AuditEnabled", "AuditLogAgeLimit", "AuditOwner", "DefaultAuditSet")
FOLDERS = {"Inbox": "\\Inbox", "SentItems": "\\Sent Items", "Calendar": "\\Calendar"}
"""Default folders by their type, with their English names."""
LISTED_APART = {"GroupMailbox", "PublicFolderMailbox"}


class CmdletFailure(Exception):  # noqa: N818 - how a cmdlet ended
    """The exception that Exchange names, with its message."""

    def __init__(self, name: str, message: str) -> None:
        """Keep the name of Exchange's own exception."""
        super().__init__(message)
        self.name = name


def distinguished_name(account: Account) -> str:
    """The account's DN, with an apostrophe where its alias has one."""
    return f"CN={account.exchange_name},OU=contoso.onmicrosoft.com,DC=EURPR01A001,DC=prod,DC=outlook,DC=com"


def with_mailbox(tenant: Tenant) -> Iterable[tuple[Account, Mailbox]]:
    """Every account with a mailbox: members have one by default."""
    for account in tenant.accounts.values():
        if not account.deleted and account.mailbox is not None:
            yield account, account.mailbox


def _row(tenant: Tenant, account: Account, mailbox: Mailbox) -> dict[str, Any]:
    dns = [distinguished_name(tenant.accounts[each]) for each in mailbox.send_on_behalf if each in tenant.accounts]
    return {
        "Identity": account.exchange_name,
        "Id": account.exchange_name,
        "Name": account.exchange_name,
        "Guid": account.exchange_guid,
        "ExternalDirectoryObjectId": account.object_id,
        "UserPrincipalName": account.user_principal_name,
        "PrimarySmtpAddress": account.user_principal_name,
        "DisplayName": account.display_name,
        "DistinguishedName": distinguished_name(account),
        "RecipientTypeDetails": mailbox.type,
        "WhenCreated": mailbox.created_at.isoformat(),
        "PersistedCapabilities": mailbox.capabilities,
        "AuditEnabled": mailbox.enabled,
        "AuditLogAgeLimit": mailbox.age_limit,
        "DefaultAuditSet": [each for each in DEFAULT_SET if each not in mailbox.actions],
        **{f"Audit{each}": mailbox.audited(each) for each in DEFAULT_SET},
        "ForwardingAddress": mailbox.forwarding_address or None,
        "ForwardingSmtpAddress": mailbox.forwarding_smtp_address or None,
        "DeliverToMailboxAndForward": mailbox.deliver_and_forward,
        "GrantSendOnBehalfTo": dns,
    }


def _named(tenant: Tenant, identity: str) -> tuple[Account, Mailbox]:
    wanted = identity.strip().casefold()
    for account, mailbox in with_mailbox(tenant):
        if wanted in {account.exchange_guid, account.object_id, account.user_principal_name.casefold()}:
            return account, mailbox
    raise _not_found(identity)


def _not_found(identity: str) -> CmdletFailure:
    text = f"The operation couldn't be performed because object '{identity}' couldn't be found."
    return CmdletFailure("ManagementObjectNotFoundException", text)


def _listed(tenant: Tenant, parameters: Parameters) -> Rows:
    wanted = "GroupMailbox" if parameters.get("GroupMailbox") else ""
    wanted = "PublicFolderMailbox" if parameters.get("PublicFolder") else wanted
    rows = [
        _row(tenant, account, mailbox)
        for account, mailbox in with_mailbox(tenant)
        if (mailbox.type == wanted if wanted else mailbox.type not in LISTED_APART)
    ]
    types = parameters.get("RecipientTypeDetails")
    if types:
        rows = [row for row in rows if row["RecipientTypeDetails"] in ([types] if isinstance(types, str) else types)]
    return matching(rows, str(parameters["Filter"])) if parameters.get("Filter") else rows


def get_mailbox(tenant: Tenant, parameters: Parameters) -> Answer:
    """Every property of one mailbox, or of those that are listed."""
    if identity := parameters.get("Identity"):
        account, mailbox = _named(tenant, str(identity))
        if mailbox.type == "PublicFolderMailbox" and not parameters.get("PublicFolder"):
            raise _not_found(str(identity))
        return [_row(tenant, account, mailbox)], []
    return limited(_listed(tenant, parameters), parameters)


def get_exo_mailbox(tenant: Tenant, parameters: Parameters) -> Answer:
    """The properties of the named sets only; neither groups nor public folders."""
    rows, warnings = limited(_listed(tenant, parameters | {"GroupMailbox": None, "PublicFolder": None}), parameters)
    names = {*MINIMUM, *(parameters.get("Properties") or ())}
    names |= set(AUDIT) if "Audit" in (parameters.get("PropertySets") or ()) else set()
    return [{name: value for name, value in row.items() if name in names} for row in rows], warnings


def get_inbox_rule(tenant: Tenant, parameters: Parameters) -> Answer:
    """The rules of a mailbox; a hidden one does not say that it is."""
    account, mailbox = _named(tenant, str(parameters.get("Mailbox")))
    empty = {"ForwardTo": None, "RedirectTo": None, "DeleteMessage": False, "SubjectContainsWords": None}
    rows = [
        {
            "Identity": f"{account.exchange_name}\\{rule.id}",
            "RuleIdentity": rule.id,
            "Name": rule.name,
            "Enabled": True,
            **empty,
            **rule.properties,
        }
        for rule in mailbox.rules
        if parameters.get("IncludeHidden") or not rule.hidden
    ]
    return limited(rows, parameters)


def _name_of(tenant: Tenant, object_id: str) -> str:
    account = tenant.accounts.get(object_id)
    return account.user_principal_name if account else object_id


def get_mailbox_permission(tenant: Tenant, parameters: Parameters) -> Answer:
    """Who can open a mailbox; ``User`` asks about one of them."""
    account, mailbox = _named(tenant, str(parameters.get("Identity")))
    asked = str(parameters.get("User") or "").casefold()
    rows = [
        {
            "Identity": account.exchange_name,
            "User": _name_of(tenant, each),
            "AccessRights": ["FullAccess"],
            "IsInherited": False,
            "Deny": False,
        }
        for each in mailbox.full_access
        if not asked or asked in _names(tenant, each)
    ]
    own = {"User": "NT AUTHORITY\\SELF", "AccessRights": ["FullAccess", "ReadPermission"], "IsInherited": False}
    return ([] if asked else [{"Identity": account.exchange_name, **own, "Deny": False}]) + rows, []


def _names(tenant: Tenant, object_id: str) -> set[str]:
    account = tenant.accounts.get(object_id)
    own = {account.exchange_guid, account.user_principal_name.casefold()} if account else set[str]()
    return own | {object_id}


def get_recipient_permission(tenant: Tenant, parameters: Parameters) -> Answer:
    """Return SendAs permissions of one recipient, or of one trustee in all recipients.

    An unknown identity returns every object.
    """
    identity, trustee = str(parameters.get("Identity") or ""), str(parameters.get("Trustee") or "").casefold()
    try:
        found = [_named(tenant, identity)] if identity else list(with_mailbox(tenant))
    except CmdletFailure:
        found = list(with_mailbox(tenant))
    rows = [
        {
            "Identity": account.exchange_name,
            "Trustee": _name_of(tenant, each),
            "AccessControlType": "Allow",
            "AccessRights": ["SendAs"],
            "IsInherited": False,
        }
        for account, mailbox in found
        for each in mailbox.send_as
        if not trustee or trustee in _names(tenant, each)
    ]
    own = [] if trustee else [_self(account) for account, _ in found]
    return limited(own + rows, parameters)


def _self(account: Account) -> dict[str, Any]:
    return {
        "Identity": account.exchange_name,
        "Trustee": "NT AUTHORITY\\SELF",
        "AccessControlType": "Allow",
        "AccessRights": ["SendAs"],
        "IsInherited": False,
    }


def get_mailbox_folder_permission(tenant: Tenant, parameters: Parameters) -> Answer:
    """Who can open one folder, by its id or by its name in the mailbox's language."""
    name, _, asked = str(parameters.get("Identity")).partition(":")
    account, mailbox = _named(tenant, name)
    known = {"\\", *FOLDERS.values(), *mailbox.folders}
    by_name = {mailbox.renamed.get(each, each): each for each in known}
    folder = by_name.get(asked) or {_folder_id(each): each for each in known}.get(asked)
    if folder is None:
        text = f"The specified mailbox folder {asked} couldn't be found."
        raise CmdletFailure("ManagementObjectNotFoundException", text)
    standard = {"Default": ["AvailabilityOnly"] if folder == "\\Calendar" else ["None"], "Anonymous": ["None"]}
    granted = {_name_of(tenant, each): rights for each, rights in mailbox.folders.get(folder, {}).items()}
    return [
        {
            "Identity": f"{account.exchange_name}:{folder}",
            "FolderName": folder.strip("\\") or "Top of Information Store",
            "User": user,
            "AccessRights": rights,
        }
        for user, rights in (standard | granted).items()
    ], []


def get_mailbox_folder_statistics(tenant: Tenant, parameters: Parameters) -> Answer:
    """Return the folders of one scope, the one of this type among them.

    The names are in the mailbox's language.
    """
    scope = str(parameters.get("FolderScope"))
    account, mailbox = _named(tenant, str(parameters.get("Identity")))
    english = FOLDERS[scope]
    path = mailbox.renamed.get(english, english).replace("\\", "/")
    return [
        {
            "Identity": f"{account.exchange_name}{place.replace('/', chr(92))}",
            "FolderPath": place,
            "FolderType": kind,
            "FolderId": _folder_id(of),
        }
        for place, kind, of in ((f"{path}/Old", "User Created", f"{english}\\Old"), (path, scope, english))
    ], []


def _folder_id(folder: str) -> str:
    return base64.b64encode(f"folder {folder}".encode()).decode()


def set_mailbox(tenant: Tenant, parameters: Parameters, *, by: str) -> Answer:
    """Change what a mailbox audits. The role has no other parameters."""
    if more := sorted(set(parameters) - set(AUDIT_PARAMETERS)):
        text = f"Some of the parameters specified ({', '.join(more)}) aren't present in the role definition"
        raise CmdletFailure("ParameterBindingException", text)
    account, mailbox = _named(tenant, str(parameters.get("Identity")))
    actions = dict(mailbox.actions)
    for logon in DEFAULT_SET:
        given = parameters.get(f"Audit{logon}")
        if "MessageBind" in str(given):
            raise CmdletFailure("ParameterBindingException", "The audit operation MessageBind is not valid.")
        if isinstance(given, dict):
            actions[logon] = list(dict.fromkeys([*mailbox.audited(logon), *given["Add"]]))
        elif given is not None:
            listed = [given] if isinstance(given, str) else list(given)
            actions[logon] = [] if listed == ["None"] else listed
    reset = parameters.get("DefaultAuditSet") or ()
    for logon in [reset] if isinstance(reset, str) else reset:
        actions.pop(logon, None)
    limit = str(parameters.get("AuditLogAgeLimit") or mailbox.age_limit)
    if not re.fullmatch(r"\d+\.\d\d:\d\d:\d\d", limit):
        raise CmdletFailure("ParameterBindingException", "AuditLogAgeLimit is not a time span.")
    changed = {"actions": actions, "enabled": parameters.get("AuditEnabled", mailbox.enabled), "age_limit": limit}
    tenant.change(account, "mailbox", mailbox.model_copy(update=changed), by=by)
    return [], []


def get_management_role(tenant: Tenant, parameters: Parameters) -> Answer:
    """Every role, or those that contain a cmdlet."""
    wanted = str(parameters.get("Cmdlet") or "")
    names = [name for name, entries in tenant.roles.entries.items() if not wanted or wanted in entries]
    return [{"Name": name, "IsRootRole": " - " not in name} for name in names], []


def get_management_role_assignment(tenant: Tenant, _parameters: Parameters) -> Answer:
    """Every assignment."""
    return [
        {
            "Name": f"{each.role}-{each.assignee}{'-Delegating' if each.delegation != 'Regular' else ''}",
            "Role": each.role,
            "RoleAssigneeName": each.assignee,
            "RoleAssigneeType": each.assignee_type,
            "RoleAssignmentDelegationType": each.delegation,
            "Enabled": True,
        }
        for each in tenant.roles.assignments
    ], []


def get_management_role_entry(tenant: Tenant, parameters: Parameters) -> Answer:
    """The cmdlets of a role; the identity is its name, a backslash and a star."""
    role = str(parameters.get("Identity")).partition("\\")[0]
    entries = tenant.roles.entries.get(role, {})
    return [{"Role": role, "Name": name, "Parameters": given} for name, given in entries.items()], []


def get_role_group_member(tenant: Tenant, parameters: Parameters) -> Answer:
    """The members of a role group."""
    rows = []
    for name in tenant.roles.members.get(str(parameters.get("Identity")), []):
        account = tenant.find(name) or tenant.find(f"{name}@{tenant.settings.domain}")
        known = {"ExternalDirectoryObjectId": account.object_id, "RecipientType": "UserMailbox"} if account else {}
        rows.append({"Name": account.display_name if account else name, "RecipientType": "ServicePrincipal"} | known)
    return limited(rows, parameters)


READS: dict[str, Callable[[Tenant, Parameters], Answer]] = {
    "Get-Mailbox": get_mailbox,
    "Get-EXOMailbox": get_exo_mailbox,
    "Get-InboxRule": get_inbox_rule,
    "Get-MailboxPermission": get_mailbox_permission,
    "Get-RecipientPermission": get_recipient_permission,
    "Get-MailboxFolderPermission": get_mailbox_folder_permission,
    "Get-MailboxFolderStatistics": get_mailbox_folder_statistics,
    "Get-ManagementRole": get_management_role,
    "Get-ManagementRoleAssignment": get_management_role_assignment,
    "Get-ManagementRoleEntry": get_management_role_entry,
    "Get-RoleGroupMember": get_role_group_member,
}
