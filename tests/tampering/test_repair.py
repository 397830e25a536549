"""The commands that undo a change name its object exactly, or leave it out.

They leave it out where the name may be more than a name.
"""

from __future__ import annotations

import pytest

from bypass_responder.model.technique import Technique
from bypass_responder.tampering.family import FAMILY
from tests.sensing.builders import TARGET, Json
from tests.tampering.family import ALEX, GROUP, REMOVED_LICENSE, RESOURCE, ran
from tests.tampering.family import FAMILY as RECORDS
from tests.tampering.test_family import found_in

BYPASS = "Set-MailboxAuditBypassAssociation"
COMMANDS = {
    Technique.ORGANIZATION_OFF: "Set-OrganizationConfig -AuditDisabled $false",
    Technique.UNIFIED_LOG_OFF: "Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true",
    Technique.RESPONDER_REMOVED: "bypassctl grant --exchange-script",
    Technique.PRECURSOR: "Remove-RoleGroup -Identity 'Tools'",
    Technique.ACTION_LIST: f"Set-Mailbox -Identity '{ALEX}' -DefaultAuditSet Admin,Delegate,Owner",
    Technique.RETENTION: "Get-UnifiedAuditLogRetentionPolicy | Sort-Object Priority",
    Technique.LICENSE: f"Get-MgUserLicenseDetail -UserId '{TARGET}'",
    Technique.DIAGNOSTIC_SETTINGS: f"az monitor diagnostic-settings list --resource {RESOURCE}",
    Technique.AGE_LIMIT: f"Set-Mailbox -Identity '{ALEX}' -AuditLogAgeLimit 90",
    Technique.AUDIT_ENABLED: f"Set-Mailbox -Identity '{ALEX}' -AuditEnabled $true",
}
RIGHTS = {
    "Set-ManagementRoleAssignment -Identity 'Audit Logs-x' -Enabled $false": ran(
        "Set-ManagementRoleAssignment", Identity="Audit Logs-x", Enabled="True"
    ),
    f"Remove-RoleGroupMember -Identity 'Records Management' -Member '{ALEX}'": ran(
        "Add-RoleGroupMember", "contoso/Records Management", Identity=TARGET, Member=ALEX
    ),
    f"Remove-ManagementRoleEntry -Identity 'Tools\\{BYPASS}'": ran(
        "Add-ManagementRoleEntry", ParentRoleEntry=f"Audit Logs\\{BYPASS}", Role="Tools"
    ),
    "Remove-ManagementRole -Identity 'T'": ran("New-ManagementRole", Name="T", Parent="Audit Logs"),
    "Remove-ManagementRoleAssignment -Identity 'x'": ran("New-ManagementRoleAssignment", Name="x", Role="Audit Logs"),
    f"Remove-RoleGroupMember -Identity '{GROUP}' -Member '{ALEX}'": ran(
        "Add-RoleGroupMember", Identity=GROUP, Member=ALEX
    ),
    f"Remove-ManagementRoleEntry -Identity 'Desk\\{BYPASS}'": ran(
        "Add-ManagementRoleEntry", Identity=f"Desk\\{BYPASS}"
    ),
}

ROLE = f"{GROUP} - Audit Logs"
OF_OURS = {
    f"Set-ManagementRoleAssignment -Identity '{ROLE}-x' -Enabled $true": ran(
        "Set-ManagementRoleAssignment", f"contoso/{ROLE}-x", Identity=TARGET, Enabled="False"
    ),
    f"Set-RoleGroup -Identity 'Tools' -Name '{GROUP}'": ran("Set-RoleGroup", Identity=GROUP, Name="Tools"),
    f"Add-ManagementRoleEntry -Identity '{ROLE}\\{BYPASS}'": ran(
        "Remove-ManagementRoleEntry", Identity=f"{ROLE}\\{BYPASS}"
    ),
    f"Add-ManagementRoleEntry -Identity '{ROLE}\\{BYPASS}' -Overwrite": ran(
        "Set-ManagementRoleEntry", Identity=f"{ROLE}\\{BYPASS}", Parameters="Identity"
    ),
    "bypassctl grant --exchange-script": ran("Remove-ManagementRoleEntry", Identity=f"{ROLE}\\*"),
    "bypassctl grant --exchange-script ": ran("Set-RoleGroup", Identity=GROUP, ManagedBy=ALEX),
}


def command_of(record: Json) -> str:
    [found] = found_in(record)
    return FAMILY[found.technique].repair(found).command


@pytest.mark.parametrize(("technique", "command"), COMMANDS.items(), ids=COMMANDS)
def test_each_row_has_its_command(technique: Technique, command: str) -> None:
    assert command_of(RECORDS[technique].positive) == command


@pytest.mark.parametrize(("command", "record"), RIGHTS.items())
def test_each_way_to_give_the_right_is_undone_in_its_own_way(command: str, record: Json) -> None:
    assert command_of(record) == command


@pytest.mark.parametrize(("command", "record"), OF_OURS.items())
def test_each_right_of_ours_is_given_back_in_its_own_way(command: str, record: Json) -> None:
    assert command_of(record) == command.strip()


@pytest.mark.parametrize("name", ["x'; Remove-Mailbox y; '", "a\u202eb", "$(x)", "a|b", "-WhatIf", "x" * 200])
def test_a_name_that_may_be_more_than_a_name_is_in_no_command(name: str) -> None:
    record = ran("Set-Mailbox", Identity=name, AuditEnabled="False")

    assert command_of(record) == ""


def test_a_quote_in_a_name_is_doubled() -> None:
    record = ran("Set-Mailbox", Identity="o'neil@contoso.com", AuditEnabled="False")

    assert command_of(record) == "Set-Mailbox -Identity 'o''neil@contoso.com' -AuditEnabled $true"


def test_a_license_that_was_taken_away_is_assigned_again() -> None:
    [found] = found_in(REMOVED_LICENSE.positive)
    repair = FAMILY[Technique.LICENSE].repair(found)

    assert "assign the license again" in repair.text
    assert repair.command == COMMANDS[Technique.LICENSE]
