"""Attacks of the tampering family: ways to weaken auditing besides a bypass.

The feed carries records of Exchange only. Those of Purview and Entra are delivered with them, so that each can be
tried; in a real tenant hunting or an alert brings them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.tenant.account import made_up_guid
from sandbox.tenant.exchange_roles import Assignment
from sandbox.tenant.records import Record, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.tenant.scene import Scene

_GROUP = "Mailbox Audit Bypass Responder"


def ran(
    scene: Scene,
    operation: str,
    parameters: dict[str, str],
    object_id: str = "",
    **other: Any,  # noqa: ANN401 - any field of a record
) -> Record:
    """A record of a cmdlet that the scene's actor ran."""
    named = {"object_id": object_id, "parameters": parameters, "user_id": scene.actor}
    return record(scene.tenant.settings, operation, **named | other)


def _of_mailbox(scene: Scene, **parameters: str) -> list[Record]:
    given = {"Identity": scene.target.user_principal_name, **parameters}
    return [ran(scene, "Set-Mailbox", given, scene.target.exchange_name)]


def _audit_disabled(scene: Scene) -> list[Record]:
    """Set-OrganizationConfig -AuditDisabled $true: mailbox auditing off for all accounts."""
    scene.tenant.settings.audit_disabled = True
    return [ran(scene, "Set-OrganizationConfig", {"AuditDisabled": "True"}, scene.tenant.settings.domain)]


def _ingestion_off(scene: Scene) -> list[Record]:
    """Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $false: then the feed goes dark."""
    off = {"UnifiedAuditLogIngestionEnabled": "False"}
    done = ran(scene, "Set-AdminAuditLogConfig", off, "Admin Audit Log Settings")
    scene.deliver([done])
    scene.tenant.settings.unified_audit_log_ingestion_enabled = False
    return [done]


def _change_mailbox(scene: Scene, **changed: object) -> None:
    """Change what the target's mailbox audits, where it has one."""
    mailbox = scene.target.mailbox
    if mailbox is not None:
        scene.tenant.change(scene.target, "mailbox", mailbox.model_copy(update=changed), by=scene.actor)


def _action_list(scene: Scene) -> list[Record]:
    """Set-Mailbox -AuditOwner: reading mail is no longer recorded for one mailbox."""
    if (mailbox := scene.target.mailbox) is not None:
        left = [each for each in mailbox.audited("Owner") if each not in {"MailItemsAccessed", "HardDelete"}]
        _change_mailbox(scene, actions=mailbox.actions | {"Owner": left})
    return _of_mailbox(scene, AuditOwner="-MailItemsAccessed;-HardDelete")


def _audit_enabled_off(scene: Scene) -> list[Record]:
    """Set-Mailbox -AuditEnabled $false, which the organization's default overrides in most types."""
    _change_mailbox(scene, enabled=False)
    return _of_mailbox(scene, AuditEnabled="False")


def _age_limit(scene: Scene) -> list[Record]:
    """Set-Mailbox -AuditLogAgeLimit 0, which the service ignores."""
    _change_mailbox(scene, age_limit="0.00:00:00")
    return _of_mailbox(scene, AuditLogAgeLimit="00:00:00")


def _retention(scene: Scene) -> list[Record]:
    """New-UnifiedAuditLogRetentionPolicy with three months and the highest priority."""
    policy = {"Name": "short", "RetentionDuration": "ThreeMonths", "RecordTypes": "ExchangeItem", "Priority": "1"}
    text = " ".join(f'-{name} "{value}"' for name, value in policy.items())
    where: Record = {"RecordType": 18, "Workload": "SecurityComplianceCenter", "ResultStatus": "Success"}
    return [ran(scene, "New-UnifiedAuditLogRetentionPolicy", {}, "short", **where) | {"Parameters": text}]


def _license(scene: Scene) -> list[Record]:
    """A license loses Audit (Premium): the plan M365_ADVANCED_AUDITING is disabled."""
    sku = f"SkuName=DEVELOPERPACK_E5, AccountId={scene.tenant.settings.tenant_id}, SkuId={made_up_guid('sku')}"
    before, after = (f"[{sku}, DisabledPlans=[{plans}]]" for plans in ("", "M365_ADVANCED_AUDITING"))
    updated = json.dumps([{"Name": "AssignedLicense", "OldValue": [before], "NewValue": [after]}])
    details = json.dumps({"id": made_up_guid("event"), "b": json.dumps({"targetUpdatedProperties": updated})})
    target = scene.target
    return [
        _of_entra(
            scene,
            "Update user.",
            ObjectId=target.user_principal_name,
            ExtendedProperties=[{"Name": "additionalDetails", "Value": details}],
            Target=[{"ID": f"User_{target.object_id}", "Type": 2}, {"ID": target.object_id, "Type": 2}],
        )
    ]


def _of_entra(scene: Scene, operation: str, **other: Any) -> Record:  # noqa: ANN401 - any field of a record
    where: Record = {"RecordType": 8, "Workload": "AzureActiveDirectory", "ResultStatus": "Success"}
    done = ran(scene, operation, {}, **where, AzureActiveDirectoryEventType=1, ModifiedProperties=[])
    return {name: value for name, value in done.items() if name != "Parameters"} | other


def _role_group(scene: Scene) -> list[Record]:
    """New-RoleGroup with the role Audit Logs, for the actor."""
    roles = scene.tenant.roles
    roles.assignments.append(Assignment(role="Audit Logs", assignee="Help desk tools"))
    roles.members["Help desk tools"] = [scene.actor.partition("@")[0]]
    given = {"Name": "Help desk tools", "Roles": "Audit Logs", "Members": scene.actor}
    return [ran(scene, "New-RoleGroup", given, "Help desk tools")]


def _role_member(scene: Scene) -> list[Record]:
    """Add-RoleGroupMember: an account joins Organization Management."""
    scene.tenant.roles.members.setdefault("Organization Management", []).append(scene.target.exchange_name)
    given = {"Identity": "Organization Management", "Member": scene.target.user_principal_name}
    return [ran(scene, "Add-RoleGroupMember", given, "Organization Management")]


def _role_assignment(scene: Scene) -> list[Record]:
    """New-ManagementRoleAssignment: an account is given the role Audit Logs."""
    user = scene.target.user_principal_name
    given_to = Assignment(role="Audit Logs", assignee=scene.target.exchange_name, assignee_type="User")
    scene.tenant.roles.assignments.append(given_to)
    given = {"Name": f"Audit Logs-{user}", "Role": "Audit Logs", "User": user}
    return [ran(scene, "New-ManagementRoleAssignment", given, given["Name"])]


def _mailbox_permission(scene: Scene) -> list[Record]:
    """Add-MailboxPermission and, an hour later, Remove-MailboxPermission: one look at a mailbox."""
    mailbox = scene.target
    given = {"Identity": mailbox.user_principal_name, "User": scene.actor, "AccessRights": "FullAccess"}
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    return [
        ran(scene, "Add-MailboxPermission", given, mailbox.exchange_name, at=an_hour_ago),
        ran(scene, "Remove-MailboxPermission", given, mailbox.exchange_name),
    ]


def _responder_removed(scene: Scene) -> list[Record]:
    """Remove-RoleGroup: the role group of the responder's worker is deleted."""
    return [ran(scene, "Remove-RoleGroup", {"Identity": _GROUP}, _GROUP)]


def _diagnostic_settings(scene: Scene) -> list[Record]:
    """The diagnostic setting of a key vault is deleted, as Defender has it of the Azure activity log."""
    resource = f"/subscriptions/{made_up_guid('subscription')}/resourceGroups/soc/providers/Microsoft.KeyVault/vaults/v"
    setting = f"{resource}/providers/microsoft.insights/diagnosticSettings/to-sentinel"
    where: Record = {"Workload": "Azure", "RecordType": 0, "ResultStatus": "Success"}
    return [ran(scene, "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE", {}, setting, **where)]


def _many_ways(scene: Scene) -> list[Record]:
    """One actor takes a right, hides the target, and shortens its action list and its age limit."""
    scene.switch(scene.target, on=True)
    return [*_role_group(scene), scene.record(), *_action_list(scene), *_age_limit(scene)]


TAMPERING: dict[str, tuple[Callable[[Scene], list[Record]], str]] = {
    "audit-disabled": (_audit_disabled, "alex"),
    "ingestion-off": (_ingestion_off, "alex"),
    "action-list": (_action_list, "alex"),
    "audit-enabled-off": (_audit_enabled_off, "alex"),
    "age-limit": (_age_limit, "alex"),
    "retention": (_retention, "alex"),
    "license": (_license, "alex"),
    "role-group": (_role_group, "alex"),
    "role-member": (_role_member, "megan"),
    "role-assignment": (_role_assignment, "megan"),
    "mailbox-permission": (_mailbox_permission, "megan"),
    "responder-removed": (_responder_removed, "alex"),
    "diagnostic-settings": (_diagnostic_settings, "alex"),
    "many-ways": (_many_ways, "alex"),
}
"""By name: what happens, and the account it takes when none is named."""
