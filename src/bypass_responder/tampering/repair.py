"""The commands that repair a change.

A name from a record becomes part of a command only where it can be nothing but a name.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bypass_responder.tampering.elsewhere import ASSIGNED_LICENSE
from bypass_responder.tampering.match import last_part

if TYPE_CHECKING:
    from bypass_responder.model.change import Actor
    from bypass_responder.model.technique import Technique

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._'+@-]{0,127}\Z")
_CMDLET = re.compile(r"[A-Za-z]+-[A-Za-z0-9]+\Z")
_RESOURCE = re.compile(r"/[A-Za-z0-9._()/-]{1,500}\Z")
IN_EXCHANGE = "In Exchange Online PowerShell"
_IN_PURVIEW = "By hand. Compare the policies in Security & Compliance PowerShell with what you had"
HOLDERS = "Get-ManagementRoleAssignment -Role 'Audit Logs' -GetEffectiveUsers"


class Changed(Protocol):
    """What a repair needs of a change, as it was detected or as it is stored."""

    @property
    def technique(self) -> Technique:
        """The row of the family."""

    @property
    def operation(self) -> str:
        """The canonical name."""

    @property
    def parameter(self) -> str:
        """The parameter that matters most."""

    @property
    def value(self) -> str:
        """The text given for it."""

    @property
    def target(self) -> str:
        """The object, as the record names it."""

    @property
    def actor(self) -> Actor:
        """Who ran it."""


class Repair(NamedTuple):
    """What a person does, and the command; no command where the object's name is unsafe in one."""

    text: str
    command: str = ""


def switch_on(command: str) -> Repair:
    """Return the repair of a switch, which needs no name."""
    return Repair(f"{IN_EXCHANGE}, switch it on again", command)


def mailbox(found: Changed, setting: str) -> Repair:
    """Return the command that sets a mailbox back."""
    name = _quoted(found.target)
    if not name:
        return Repair(f"{IN_EXCHANGE}, set the mailbox that is named here back, with {setting}")
    return Repair(f"{IN_EXCHANGE}, set the mailbox back", f"Set-Mailbox -Identity {name} {setting}")


def right(found: Changed) -> Repair:
    """Return the command that takes a given right away."""
    is_member = found.operation in {"Add-RoleGroupMember", "Update-RoleGroupMember"}
    name = _quoted(last_part(found.target) if is_member else found.target)
    text = f"Unless it was intended, remove the right {IN_EXCHANGE[0].lower()}{IN_EXCHANGE[1:]}"
    if not name:
        return Repair(f"{text}. Who has it", HOLDERS)
    match found.operation:
        case "New-RoleGroup":
            return Repair(text, f"Remove-RoleGroup -Identity {name}")
        case "New-ManagementRole":
            return Repair(text, f"Remove-ManagementRole -Identity {name}")
        case "New-ManagementRoleAssignment":
            return Repair(text, f"Remove-ManagementRoleAssignment -Identity {name}")
        case "Set-ManagementRoleAssignment":
            return Repair(text, f"Set-ManagementRoleAssignment -Identity {name} -Enabled $false")
        case _ if is_member and (member := _quoted(found.value)):
            return Repair(text, f"Remove-RoleGroupMember -Identity {name} -Member {member}")
    return Repair(f"{text}. Who has it", HOLDERS)


def role_entry(found: Changed) -> Repair:
    r"""Return the command that takes a cmdlet out of a role again. Its name has the form ``role\cmdlet``."""
    role = _quoted(found.target.rpartition("\\")[0])
    entry = f"'{role[1:-1]}\\Set-MailboxAuditBypassAssociation'"
    return Repair(f"{IN_EXCHANGE}", f"Remove-ManagementRoleEntry -Identity {entry}") if role else right(found)


def own_right(found: Changed) -> Repair:
    """Return the command that gives a right back to the responder: its scripts make nothing that is there."""
    text, name = "Find out who did it, then undo it", _quoted(found.target)
    match found.operation, found.parameter:
        case "Set-ManagementRoleAssignment", "Enabled" if name:
            return Repair(text, f"Set-ManagementRoleAssignment -Identity {name} -Enabled $true")
        case "Set-RoleGroup", "Name" if name and (renamed := _quoted(found.value)):
            return Repair(text, f"Set-RoleGroup -Identity {renamed} -Name {name}")
        case ("Remove-ManagementRoleEntry" | "Set-ManagementRoleEntry") as operation, _ if entry := _entry(
            found.target
        ):
            overwrite = " -Overwrite" if operation == "Set-ManagementRoleEntry" else ""
            more = ", and run the script of bypassctl grant --exchange-script, which removes anything extra"
            return Repair(f"{text}{more}", f"Add-ManagementRoleEntry -Identity {entry}{overwrite}")
    grants = "bypassctl grant" if found.operation.endswith(".") else "bypassctl grant --exchange-script"
    return Repair("Find out who did it, then grant the right again", grants)


def _entry(name: str) -> str:
    role, _, cmdlet = name.rpartition("\\")
    return f"'{name}'" if _quoted(role) and _CMDLET.match(cmdlet) else ""


def retention(_: Changed) -> Repair:
    """Return the command that shows the policies: the record does not have what was there before."""
    return Repair(_IN_PURVIEW, "Get-UnifiedAuditLogRetentionPolicy | Sort-Object Priority")


def license_plan(found: Changed) -> Repair:
    """Return the command that shows the licenses of the account."""
    name = _quoted(found.target)
    command = f"Get-MgUserLicenseDetail -UserId {name}" if name else ""
    way = "enable the plan M365_ADVANCED_AUDITING in the account's license"
    if found.parameter == ASSIGNED_LICENSE:
        way = "assign the license again, or another one with the plan M365_ADVANCED_AUDITING, unless the account leaves"
    return Repair(f"By hand: {way}. What it has now", command)


def diagnostic_settings(found: Changed) -> Repair:
    """Return the command that shows the settings of the resource."""
    resource, found_one, _ = found.target.partition("/providers/microsoft.insights/diagnosticSettings/")
    is_one = bool(found_one) and _RESOURCE.match(resource)
    command = f"az monitor diagnostic-settings list --resource {shlex.quote(resource)}" if is_one else ""
    return Repair("By hand: create the setting again. Those of the responder: azd provision. What is there", command)


def look_of_trustee(_: Changed) -> Repair:
    """Return the command that shows the grant and the removal: nothing is left to undo."""
    text = (
        "Ask the people who granted and removed it for the reason, and search what the trustee did in the mailbox "
        "in that time"
    )
    return Repair(text, "bypassctl posture grants --removed")


def _quoted(name: str) -> str:
    """Return the name as PowerShell takes it; empty for a text that may be more than a name."""
    return f"'{name.replace(chr(39), chr(39) * 2)}'" if _NAME.match(name) else ""
