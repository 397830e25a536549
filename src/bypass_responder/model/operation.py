"""The operations that detection reads, named once for sensing and for detection.

Names are compared folded: exporters and people add spaces, other dashes and characters of no width. The bytes prefilter
folds with the same tables, so that it and detection agree on what is the same name.
"""

from __future__ import annotations

from collections.abc import Mapping

BYPASS_OPERATION = "Set-MailboxAuditBypassAssociation"
BYPASS_PARAMETER = "AuditBypassEnabled"
IDENTITY_PARAMETER = "Identity"

LOWERED = bytes(range(256)).lower()
DROPPED = bytes([*range(0x21), ord("-"), *range(0x7F, 0x100)])
"""Bytes that do not count in a name: white space, controls, the dash, and everything outside ASCII."""


def folded(name: str) -> str:
    """Return the name in lower case, without white space, dashes and characters outside ASCII."""
    return name.encode("ascii", "ignore").translate(LOWERED, DROPPED).decode()


FAMILY_OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "Set-OrganizationConfig": ("AuditDisabled",),
    "Set-AdminAuditLogConfig": ("UnifiedAuditLogIngestionEnabled",),
    "Set-Mailbox": ("AuditOwner", "AuditDelegate", "AuditAdmin", "AuditEnabled", "AuditLogAgeLimit"),
    "New-RoleGroup": (),
    "Add-RoleGroupMember": (),
    "Update-RoleGroupMember": (),
    "New-ManagementRole": (),
    "Add-ManagementRoleEntry": (),
    "New-ManagementRoleAssignment": (),
    "Set-ManagementRoleAssignment": (),
    "Set-ManagementRoleEntry": (),
    "Set-RoleGroup": (),
    "Remove-RoleGroup": (),
    "Remove-RoleGroupMember": (),
    "Remove-ManagementRole": (),
    "Remove-ManagementRoleAssignment": (),
    "Remove-ManagementRoleEntry": (),
    "Remove-ServicePrincipal": (),
    "New-UnifiedAuditLogRetentionPolicy": (),
    "Set-UnifiedAuditLogRetentionPolicy": (),
    "Remove-UnifiedAuditLogRetentionPolicy": (),
    "Update user.": ("AssignedLicense",),
    "Remove app role assignment from service principal.": (),
    "Microsoft.Insights/diagnosticSettings/delete": (),
    "Microsoft.Insights/diagnosticSettings/write": (),
    "microsoft.aadiam/diagnosticSettings/delete": (),
    "microsoft.aadiam/diagnosticSettings/write": (),
}
"""Operations by which auditing is weakened otherwise, each with the names of which a record of interest has one.

``bypass_responder.tampering`` says which values weaken it.
"""
PERMISSION_OPERATIONS = (
    *("Add-MailboxPermission", "Remove-MailboxPermission", "Add-RecipientPermission", "Remove-RecipientPermission"),
    *("Add-MailboxFolderPermission", "Set-MailboxFolderPermission", "Remove-MailboxFolderPermission"),
    *("Add-RoleGroupMember", "Remove-RoleGroupMember", "Update-RoleGroupMember", "New-RoleGroup", "Remove-RoleGroup"),
)
"""Operations that give a permission to somebody, or take one away."""
_WANTED = {folded(name): tuple(map(folded, markers)) for name, markers in FAMILY_OPERATIONS.items()}
OPERATIONS = frozenset({folded(BYPASS_OPERATION), *_WANTED, *map(folded, PERMISSION_OPERATIONS)})
"""The operations of interest, folded."""
CANONICAL = {folded(name): name for name in (BYPASS_OPERATION, *FAMILY_OPERATIONS, *PERMISSION_OPERATIONS)}
"""The operation as Microsoft writes it, by its folded name."""
SWITCHES = ("AuditDisabled", "UnifiedAuditLogIngestionEnabled")
"""Parameters that switch auditing of the whole organization."""

READ_PARAMETERS = frozenset(map(folded, (BYPASS_PARAMETER, IDENTITY_PARAMETER, *SWITCHES)))
"""The parameters whose value must be text, folded."""


def is_wanted(operation: str, text: str) -> bool:
    """True unless the text of a record lacks what its operation needs to be of interest."""
    markers = _WANTED.get(folded(operation))
    return not markers or any(map(folded(text).__contains__, markers))


_TRUE = frozenset({"true", "$true", "1"})
_FALSE = frozenset({"false", "$false", "0"})


def truth(text: str) -> bool | None:
    """The value of a parameter's text: True, False, or None when it is neither."""
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None
