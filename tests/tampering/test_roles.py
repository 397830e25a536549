"""Who is given the right to set bypasses, and when the responder loses its own."""

from __future__ import annotations

import pytest

from bypass_responder.model.technique import Technique
from bypass_responder.rights import CMDLETS, ROLE_GROUPS
from bypass_responder.tampering.match import Own
from bypass_responder.tampering.roles import PERHAPS_US
from tests.sensing.builders import Json
from tests.tampering.family import ALEX, GROUP, WORKER_ID, in_entra, ran
from tests.tampering.test_family import found_in

OWN = Own(ROLE_GROUPS, frozenset({WORKER_ID}), CMDLETS)
ROLE = f"{GROUP} - Audit Logs"
BYPASS = "Set-MailboxAuditBypassAssociation"
ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
PATH = "NAMPR01A001.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/contoso.onmicrosoft.com"
DN = "CN={},OU=contoso,OU=Microsoft Exchange Hosted Organizations,DC=PROD,DC=OUTLOOK,DC=COM"
BY_ID = {
    "membership of a built-in group": ran(
        "Add-RoleGroupMember", f"{PATH}/Organization Management", Identity=ID, Member=ALEX
    ),
    "membership by replacement": ran("Update-RoleGroupMember", "Records Management", Identity=ID, Members=ALEX),
    "membership of our group": ran("Add-RoleGroupMember", f"{PATH}/{GROUP}", Identity=ID, Member=ALEX),
    "a role": ran("New-ManagementRoleAssignment", "Audit Logs-alex", Role=ID, User=ALEX),
    "a role of ours": ran("New-ManagementRoleAssignment", f"{ROLE}-alex", Role=ID, User=ALEX),
    "a role's entry": ran("Add-ManagementRoleEntry", f"contoso\\Tools\\{BYPASS}", Identity=f"{ID}-1"),
}
BY_DN = {
    "membership of a built-in group": ran(
        "Add-RoleGroupMember", Identity=DN.format("Organization Management"), Member=ALEX
    ),
    "membership of our group": ran("Add-RoleGroupMember", Identity=DN.format(GROUP), Member=ALEX),
    "a role": ran("New-ManagementRoleAssignment", Role=DN.format("Audit Logs"), User=ALEX),
    "a role in a new group": ran("New-RoleGroup", Name="Tools", Roles=DN.format("Audit Logs")),
    "a new role": ran("New-ManagementRole", Name="Tools", Parent=DN.format("Audit\\20Logs")),
}
GIVEN = {
    **{f"{name}, by id": record for name, record in BY_ID.items()},
    **{f"{name}, by distinguished name": record for name, record in BY_DN.items()},
    "a role": ran("New-ManagementRoleAssignment", Name="x", Role="Audit Logs", User=ALEX),
    "a role by its path": ran("New-ManagementRoleAssignment", Name="x", Role="contoso/Roles/Audit Logs", User=ALEX),
    "a role in other case": ran("New-ManagementRoleAssignment", Name="x", Role="AUDIT LOGS", User=ALEX),
    "a role of ours": ran("New-ManagementRoleAssignment", Name="x", Role=ROLE, User=ALEX),
    "membership of a built-in group": ran("Add-RoleGroupMember", Identity="Organization Management", Member=ALEX),
    "membership by replacement": ran("Update-RoleGroupMember", Identity="Records Management", Members=f"a;{ALEX}"),
    "membership of our group": ran("Add-RoleGroupMember", Identity=GROUP, Member=ALEX),
    "a group under our name, with members": ran("New-RoleGroup", Name=GROUP, Roles=ROLE, Members=ALEX),
    "a group under our name, with more": ran("New-RoleGroup", Name=GROUP, Roles=f"{ROLE};Audit Logs"),
    "a new role": ran("New-ManagementRole", Name="Tools", Parent="Audit Logs"),
    "a new role of this cmdlet": ran("New-ManagementRole", Name="T", Parent="Audit Logs", EnabledCmdlets=BYPASS),
    "our installation's assignment, by a path": ran(
        "New-ManagementRoleAssignment", Role=ROLE, SecurityGroup=f"x\\{GROUP}"
    ),
    "a role to a group that looks like ours": ran(
        "New-ManagementRoleAssignment", Role=ROLE, SecurityGroup=f"{GROUP}\u0430"
    ),
    "a role of ours to our group that only reads": ran(
        "New-ManagementRoleAssignment", Role=ROLE, SecurityGroup=f"{GROUP} Reads"
    ),
    "a built-in role to our group": ran("New-ManagementRoleAssignment", Role="Audit Logs", SecurityGroup=GROUP),
    "a role to our group and somebody": ran("New-ManagementRoleAssignment", Role=ROLE, SecurityGroup=GROUP, User=ALEX),
    "a role with our name in its own": ran("New-ManagementRole", Name=f"{GROUP} X", Parent="Audit Logs"),
    "a role that is named like ours": ran("New-ManagementRole", Name=f"{GROUP} - X", Parent="Audit Logs"),
    "a role under the name of those that only read": ran(
        "New-ManagementRole", Name=f"{GROUP} Reads - Audit Logs", Parent="Audit Logs"
    ),
    "a group with our name in its own": ran("New-RoleGroup", Name=f"{GROUP} 2", Roles=ROLE),
    "a member with our name in its own": ran("Add-RoleGroupMember", Identity=GROUP, Member=f"{GROUP} 2"),
    "a member under our name": ran("Add-RoleGroupMember", Identity=GROUP, Member=GROUP),
    "a member with our id in its name": ran("Add-RoleGroupMember", Identity=GROUP, Member=f"m-{WORKER_ID}@contoso.com"),
    "ourselves in a built-in group": ran("Add-RoleGroupMember", Identity="Records Management", Member=WORKER_ID),
    "our name in a built-in group": ran("Add-RoleGroupMember", Identity="Organization Management", Member=GROUP),
    "somebody beside us": ran("Update-RoleGroupMember", Identity=GROUP, Members=f"{WORKER_ID};{GROUP} 2"),
    "a role's entry": ran("Add-ManagementRoleEntry", Identity=f"Help desk\\{BYPASS}"),
    "all entries of the parent": ran("Add-ManagementRoleEntry", Identity="Help desk\\*"),
    "entries by a wildcard": ran("Add-ManagementRoleEntry", Identity="Help desk\\Set-Mailbox*"),
    "an assignment that is enabled": ran(
        "Set-ManagementRoleAssignment", "contoso/Audit Logs-alex", Identity=ID, Enabled="True"
    ),
    "an assignment of our role that is enabled": ran(
        "Set-ManagementRoleAssignment", Identity=f"{ROLE}-alex", Enabled="True"
    ),
    "an entry of the parent": ran("Add-ManagementRoleEntry", ParentRoleEntry=f"Audit Logs\\{BYPASS}", Role="Tools"),
}
NOT_GIVEN = {
    "another role": ran("New-ManagementRoleAssignment", Name="Audit Logs-x", Role="Journaling", User=ALEX),
    "a role to our group": ran("New-ManagementRoleAssignment", Name="x", Role=ROLE, SecurityGroup=GROUP),
    "a role of ours that only reads": ran(
        "New-ManagementRoleAssignment", Name="x", Role=f"{GROUP} Reads - A", User=ALEX
    ),
    "our own role": ran("New-ManagementRole", Name=ROLE, Parent="Audit Logs", EnabledCmdlets=BYPASS),
    "our own group": ran("New-RoleGroup", Name=GROUP, Roles=ROLE),
    "ourselves in our group": ran("Add-RoleGroupMember", Identity=GROUP, Member=WORKER_ID),
    "ourselves, in capitals": ran("Add-RoleGroupMember", Identity=GROUP, Member=f"{{{WORKER_ID.upper()}}}"),
    "another group": ran("Add-RoleGroupMember", Identity="Help desk", Member=ALEX),
    "a new role without the cmdlet": ran(
        "New-ManagementRole", Name="T", Parent="Audit Logs", EnabledCmdlets="Get-User"
    ),
    "another entry": ran("Add-ManagementRoleEntry", Identity="Help desk\\Set-Mailbox"),
    "an assignment of another role that is enabled": ran(
        "Set-ManagementRoleAssignment", Identity="View-Only Audit Logs-alex", Enabled="True"
    ),
    "an assignment that is disabled": ran("Set-ManagementRoleAssignment", Identity="Audit Logs-alex", Enabled="False"),
    "our assignment, enabled again": ran("Set-ManagementRoleAssignment", Identity=f"{ROLE}-{GROUP}", Enabled="True"),
    "our assignment, under the name that Exchange cuts off": ran(
        "Set-ManagementRoleAssignment", Identity=f"{ROLE}-{GROUP}"[:64], Enabled="True"
    ),
    "other entries": ran("Add-ManagementRoleEntry", Identity="Help desk\\Get-*"),
    "another entry of the parent": ran(
        "Add-ManagementRoleEntry", ParentRoleEntry="Audit Logs\\Get-User", Role=f"{BYPASS}"
    ),
    "another group, by id": ran("Add-RoleGroupMember", f"{PATH}/Help desk", Identity=ID, Member=ALEX),
    "another group, by distinguished name": ran(
        "Add-RoleGroupMember", Identity="CN=Help desk\\, Organization Management,OU=contoso", Member=ALEX
    ),
    "another role, by id": ran("New-ManagementRoleAssignment", "View-Only Audit Logs-alex", Role=ID, User=ALEX),
}
REMOVED = {
    "the group": ran("Remove-RoleGroup", Identity=GROUP),
    "the member": ran("Remove-RoleGroupMember", Identity=GROUP, Member=WORKER_ID),
    "the member by name": ran("Remove-RoleGroupMember", Identity=GROUP, Member=GROUP),
    "members with our name in theirs": ran("Update-RoleGroupMember", Identity=GROUP, Members=f"{GROUP} 2"),
    "members with our id in their names": ran("Update-RoleGroupMember", Identity=GROUP, Members=f"{WORKER_ID}-2"),
    "all members": ran("Update-RoleGroupMember", Identity=GROUP, Members=""),
    "the service principal": ran("Remove-ServicePrincipal", Identity=WORKER_ID),
    "an assignment": ran("Remove-ManagementRoleAssignment", Identity=f"{ROLE}-{GROUP}"),
    "a role": ran("Remove-ManagementRole", f"{PATH}/{ROLE}", Identity=ID, Recurse="True"),
    "an entry": ran("Remove-ManagementRoleEntry", Identity=f"{ROLE}\\{BYPASS}"),
    "an entry of the role that reads": ran(
        "Remove-ManagementRoleEntry", Identity=f"contoso\\{GROUP} Reads - View-Only Recipients\\Get-Mailbox"
    ),
    "all entries": ran("Remove-ManagementRoleEntry", Identity=f"{ROLE}\\*"),
    "a parameter": ran(
        "Set-ManagementRoleEntry", Identity=f"{ROLE}\\{BYPASS}", Parameters="Debug", RemoveParameter="True"
    ),
    "all parameters but one": ran("Set-ManagementRoleEntry", Identity=f"{ROLE}\\{BYPASS}", Parameters="Identity"),
    "an assignment that is disabled": ran(
        "Set-ManagementRoleAssignment", f"{ROLE}-{GROUP}", Identity=ID, Enabled="$false"
    ),
    "the reach of an assignment": ran(
        "Set-ManagementRoleAssignment", Identity=f"{ROLE}-{GROUP}", CustomRecipientWriteScope="Nobody"
    ),
    "the name of the group": ran("Set-RoleGroup", f"{PATH}/{GROUP}", Identity=ID, Name="Tools"),
    "the control of the group": ran("Set-RoleGroup", Identity=GROUP, ManagedBy=ALEX),
    "the group, by id": ran("Remove-RoleGroup", f"{PATH}/{GROUP}", Identity=ID),
    "the group, by distinguished name": ran("Remove-RoleGroup", Identity=DN.format(GROUP)),
    "the member of the group, by its id": ran(
        "Remove-RoleGroupMember", f"{PATH}/{GROUP}", Identity=ID, Member=WORKER_ID
    ),
    "all members, by the group's id": ran("Update-RoleGroupMember", f"{PATH}/{GROUP}", Identity=ID, Members=ALEX),
    "an assignment, by id": ran("Remove-ManagementRoleAssignment", f"{ROLE}-{GROUP}", Identity=ID),
    "a permission": in_entra(
        "Remove app role assignment from service principal.",
        ModifiedProperties=[{"Name": "ServicePrincipal.AppId", "OldValue": WORKER_ID, "NewValue": ""}],
    ),
}
KEPT = {
    "another group": ran("Remove-RoleGroup", Identity="Help desk"),
    "another role": ran("Remove-ManagementRole", Identity=f"Tools, not {ROLE}"),
    "an entry of another role": ran("Remove-ManagementRoleEntry", Identity=f"Tools\\{BYPASS}"),
    "an entry that we do not need": ran("Remove-ManagementRoleEntry", Identity=f"{ROLE}\\Search-AdminAuditLog"),
    "another parameter of an entry": ran(
        "Set-ManagementRoleEntry", Identity=f"{ROLE}\\{BYPASS}", Parameters="Debug", AddParameter="True"
    ),
    "the parameters that our installation sets": ran(
        "Set-ManagementRoleEntry", Identity=f"{GROUP} Changes - Mail Recipients\\Set-Mailbox", Parameters="Identity"
    ),
    "another assignment that is disabled": ran(
        "Set-ManagementRoleAssignment", Identity="Audit Logs-Help desk", Enabled="False"
    ),
    "the whole reach of an assignment": ran(
        "Set-ManagementRoleAssignment", Identity=f"{ROLE}-{GROUP}", RecipientRelativeWriteScope="Organization"
    ),
    "the name of another group": ran("Set-RoleGroup", Identity="Help desk", Name="Tools"),
    "the name of our group, set back": ran("Set-RoleGroup", GROUP, Identity="Tools", Name=GROUP),
    "the description of our group": ran("Set-RoleGroup", Identity=GROUP, Description="x"),
    "another group, by id": ran("Remove-RoleGroup", f"{PATH}/Help desk, not {GROUP}", Identity=ID),
    "another member": ran("Remove-RoleGroupMember", Identity=GROUP, Member=ALEX),
    "another service principal": ran("Remove-ServicePrincipal", Identity="backup"),
    "another assignment": ran("Remove-ManagementRoleAssignment", Identity="Audit Logs-Help desk"),
    "a permission of another app": in_entra("Remove app role assignment from service principal."),
    "members with us": ran("Update-RoleGroupMember", Identity=GROUP, Members=WORKER_ID),
}


@pytest.mark.parametrize("record", GIVEN.values(), ids=GIVEN)
def test_the_right_is_given(record: Json) -> None:
    assert [each.technique for each in found_in(record, OWN)] == [Technique.PRECURSOR]


@pytest.mark.parametrize("record", NOT_GIVEN.values(), ids=NOT_GIVEN)
def test_the_right_is_not_given_to_anybody_else(record: Json) -> None:
    assert found_in(record, OWN) == []


@pytest.mark.parametrize("record", REMOVED.values(), ids=REMOVED)
def test_the_responder_loses_a_right(record: Json) -> None:
    assert [each.technique for each in found_in(record, OWN)] == [Technique.RESPONDER_REMOVED]


@pytest.mark.parametrize("record", KEPT.values(), ids=KEPT)
def test_the_responder_loses_nothing(record: Json) -> None:
    assert found_in(record, OWN) == []


def test_without_known_ids_any_member_that_leaves_our_group_counts() -> None:
    record = ran("Remove-RoleGroupMember", Identity=GROUP, Member=WORKER_ID)

    assert len(found_in(record, Own((GROUP,)))) == 1


def test_while_the_cmdlets_are_unknown_every_entry_of_our_roles_counts() -> None:
    record = ran("Remove-ManagementRoleEntry", Identity=f"{ROLE}\\Search-AdminAuditLog")

    assert len(found_in(record, Own((GROUP,)))) == 1


def test_without_known_ids_members_are_us_by_our_very_name() -> None:
    names = {name: ran("Update-RoleGroupMember", Identity=GROUP, Members=name) for name in (GROUP, f"{GROUP} 2")}

    assert [len(found_in(record, Own((GROUP,)))) for record in names.values()] == [0, 1]


def test_an_attackers_membership_in_place_of_ours_is_the_loss_of_a_right() -> None:
    [found] = found_in(ran("Update-RoleGroupMember", Identity=GROUP, Members=ALEX), OWN)

    assert (found.technique, found.value) == (Technique.RESPONDER_REMOVED, ALEX)


@pytest.mark.parametrize(
    ("own", "group", "member", "extent"),
    [
        (Own((GROUP,)), GROUP, WORKER_ID, PERHAPS_US),
        (Own((GROUP,)), GROUP, "mallory@contoso.com", ""),
        (Own((GROUP,)), "Organization Management", WORKER_ID, ""),
        (OWN, GROUP, ALEX, ""),
    ],
)
def test_without_known_ids_a_member_by_id_may_be_the_worker(own: Own, group: str, member: str, extent: str) -> None:
    [found] = found_in(ran("Add-RoleGroupMember", Identity=group, Member=member), own)

    assert found.extent == extent
