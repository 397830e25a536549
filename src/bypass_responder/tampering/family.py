"""The family as a table: for each way its match, its severity, its meaning and its repair.

Nothing of it is repaired automatically: a right to write the organization's configuration would make the worker the
best target of the tenant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from bypass_responder.model.change import ActorKind
from bypass_responder.model.notification import Severity
from bypass_responder.model.operation import folded
from bypass_responder.model.technique import Technique
from bypass_responder.tampering import elsewhere, mailbox, repair, roles
from bypass_responder.tampering.match import Matcher
from bypass_responder.tampering.repair import Changed, Repair
from bypass_responder.tampering.switches import switch

EXCHANGE = "Audit.Exchange"
CONTENT = {
    **{f"{verb}-UnifiedAuditLogRetentionPolicy": "Audit.General" for verb in ("New", "Set", "Remove")},
    "Update user.": "Audit.AzureActiveDirectory",
    "Remove app role assignment from service principal.": "Audit.AzureActiveDirectory",
    **{
        f"{provider}/diagnosticSettings/{verb}": "Azure activity log"
        for provider in ("Microsoft.Insights", "microsoft.aadiam")
        for verb in ("delete", "write")
    },
}
"""Where the records of an operation are, if not among those of Exchange. The feed reads Audit.Exchange only."""


class Way(NamedTuple):
    """One row of the family.

    ``read_by``: what reads the state later, as a sentence; empty when nothing is left.
    """

    operations: tuple[str, ...]
    match: Matcher
    severity: Severity
    title: str
    meaning: str
    read_by: str
    repair: Callable[[Changed], Repair]


_BY_HAND = "The responder cannot read its state: check it yourself."
_DAILY = "The daily read of the roles shows its state."
_MAILBOXES = "The daily read of all mailboxes shows its state."
FAMILY: Mapping[Technique, Way] = {
    Technique.ORGANIZATION_OFF: Way(
        operations=("Set-OrganizationConfig",),
        match=switch("AuditDisabled", weakened_by=True),
        severity=Severity.CRITICAL,
        title="Mailbox auditing of the whole organization was switched off",
        meaning="While AuditDisabled is on, no mailbox is audited.",
        read_by="Each sweep reads its state.",
        repair=lambda _: repair.switch_on("Set-OrganizationConfig -AuditDisabled $false"),
    ),
    Technique.UNIFIED_LOG_OFF: Way(
        operations=("Set-AdminAuditLogConfig",),
        match=switch("UnifiedAuditLogIngestionEnabled", weakened_by=False),
        severity=Severity.CRITICAL,
        title="The unified audit log was switched off",
        meaning="While ingestion is off, the unified audit log records nothing: the audit feed and hunting go dark.",
        read_by="Each sweep reads its state.",
        repair=lambda _: repair.switch_on("Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true"),
    ),
    Technique.RESPONDER_REMOVED: Way(
        operations=(
            *("Remove-RoleGroup", "Remove-RoleGroupMember", "Update-RoleGroupMember", "Remove-ServicePrincipal"),
            *("Remove-ManagementRole", "Remove-ManagementRoleAssignment", "Remove-ManagementRoleEntry"),
            *("Set-RoleGroup", "Set-ManagementRoleAssignment", "Set-ManagementRoleEntry"),
            "Remove app role assignment from service principal.",
        ),
        match=roles.responder_removed,
        severity=Severity.CRITICAL,
        title="Rights of the responder were removed or changed",
        meaning="Without its rights it cannot see or remove a bypass.",
        read_by="The worker's answers and the hourly self-check show its state.",
        repair=repair.own_right,
    ),
    Technique.PRECURSOR: Way(
        operations=(
            *("New-RoleGroup", "New-ManagementRoleAssignment", "New-ManagementRole", "Add-ManagementRoleEntry"),
            *("Add-RoleGroupMember", "Update-RoleGroupMember", "Set-ManagementRoleAssignment"),
        ),
        match=roles.precursor,
        severity=Severity.CRITICAL,
        title="The right to set bypasses was granted",
        meaning="Anyone who has it can make any account invisible to mailbox auditing.",
        read_by=_DAILY,
        repair=lambda found: (
            repair.role_entry(found) if found.operation == "Add-ManagementRoleEntry" else repair.right(found)
        ),
    ),
    Technique.ACTION_LIST: Way(
        operations=("Set-Mailbox",),
        match=mailbox.action_list,
        severity=Severity.CRITICAL,
        title="A mailbox is audited less",
        meaning="The actions that are missing are no longer recorded for this mailbox.",
        read_by=_MAILBOXES,
        repair=lambda found: repair.mailbox(found, "-DefaultAuditSet Admin,Delegate,Owner"),
    ),
    Technique.RETENTION: Way(
        operations=tuple(f"{verb}-UnifiedAuditLogRetentionPolicy" for verb in ("New", "Set", "Remove")),
        match=elsewhere.retention,
        severity=Severity.WARNING,
        title="Audit records are kept for a shorter time",
        meaning="Records that the policy covers are deleted earlier.",
        read_by=_BY_HAND,
        repair=repair.retention,
    ),
    Technique.LICENSE: Way(
        operations=("Update user.",),
        match=elsewhere.license_reduced,
        severity=Severity.WARNING,
        title="Audit (Premium) was taken from an account",
        meaning="Its records are kept for a shorter time, and actions of Audit (Premium) are no longer recorded.",
        read_by=_MAILBOXES,
        repair=repair.license_plan,
    ),
    Technique.DIAGNOSTIC_SETTINGS: Way(
        operations=tuple(
            f"{provider}/diagnosticSettings/{verb}"
            for provider in ("Microsoft.Insights", "microsoft.aadiam")
            for verb in ("delete", "write")
        ),
        match=elsewhere.diagnostic_settings,
        severity=Severity.WARNING,
        title="Diagnostic settings were removed or reduced",
        meaning="Logs of this resource no longer reach where they are kept and searched.",
        read_by=_BY_HAND,
        repair=repair.diagnostic_settings,
    ),
    Technique.GRANT_REMOVED: Way(
        operations=(),
        match=lambda *_: None,  # one record alone is none: see ``tampering.permissions``
        severity=Severity.WARNING,
        title="A permission was granted and removed within 7 days",
        meaning="It may have been granted only for a brief look at a mailbox, and removed to hide that.",
        read_by="",
        repair=repair.look_of_trustee,
    ),
    Technique.AGE_LIMIT: Way(
        operations=("Set-Mailbox",),
        match=mailbox.age_limit,
        severity=Severity.WARNING,
        title="AuditLogAgeLimit of a mailbox was shortened",
        meaning="The service has ignored it since March 2025: no record is lost, but it is a sign of intent.",
        read_by=_MAILBOXES,
        repair=lambda found: repair.mailbox(found, f"-AuditLogAgeLimit {mailbox.DEFAULT_DAYS}"),
    ),
    Technique.AUDIT_ENABLED: Way(
        operations=("Set-Mailbox",),
        match=mailbox.audit_enabled,
        severity=Severity.INFO,
        title="AuditEnabled of a mailbox was switched off",
        meaning=(
            "Room, equipment, public folder and discovery mailboxes are no longer audited. Other types follow the "
            "organization: it has no effect on them while auditing of the organization is on."
        ),
        read_by=_MAILBOXES,
        repair=lambda found: repair.mailbox(found, "-AuditEnabled $true"),
    ),
}
"""By technique, the most severe first: a record that matches several is the first of them."""
_WAYS: Mapping[str, tuple[tuple[Technique, Way], ...]] = {
    operation: tuple(item for item in FAMILY.items() if operation in map(folded, item[1].operations))
    for operation in {folded(name) for way in FAMILY.values() for name in way.operations}
}
_CONTENT = {folded(name): content for name, content in CONTENT.items()}


def ways_of(operation: str) -> tuple[tuple[Technique, Way], ...]:
    """Return the rows that an operation may be, in the order of the table."""
    return _WAYS.get(folded(operation), ())


def content_of(operation: str) -> str:
    """Return where the records of an operation are: the feed's content type, or another log."""
    return _CONTENT.get(folded(operation), EXCHANGE)


def severity_of(found: Changed) -> Severity:
    """Return the severity of the row.

    A right that a service of Microsoft gives follows a role given in Entra.
    """
    severity = FAMILY[found.technique].severity
    by_service = found.technique is Technique.PRECURSOR and found.actor.kind is ActorKind.MICROSOFT
    return Severity.WARNING if by_service else severity
