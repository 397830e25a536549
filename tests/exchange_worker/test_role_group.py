"""The script that an Exchange administrator runs, under PowerShell.

It runs on a stand-in for Exchange's role cmdlets.
"""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bypass_responder.cli.grant import script
from bypass_responder.rights import EXCHANGE_GRANTS, EXCHANGE_ROLE_GROUP, WORKER_CMDLETS, ExchangeSet
from bypass_responder.settings import GrantSettings
from sandbox.exchange_online.powershell import missing
from tests.sampling import sampled

STAND_IN = Path(__file__).with_name("roles.ps1")
APPLICATION, WORKER = "55555555-5555-4555-8555-555555555555", "66666666-6666-4666-8666-666666666666"
BUILT_IN = {
    "Audit Logs": ["Get-AdminAuditLogConfig", "Set-AdminAuditLogConfig", "Get-MailboxAuditBypassAssociation"],
    "Journaling": ["Get-MailboxAuditBypassAssociation", "Set-MailboxAuditBypassAssociation", "New-JournalRule"],
    "Mail Recipients": [
        "Get-User",
        "Set-User",
        "Get-Mailbox",
        "Set-Mailbox",
        "Get-InboxRule",
        "Get-MailboxPermission",
        "Get-RecipientPermission",
        "Get-MailboxFolderPermission",
        "Get-MailboxFolderStatistics",
    ],
    "Role Management": [
        "Get-ManagementRole",
        "Get-ManagementRoleAssignment",
        "Get-ManagementRoleEntry",
        "Get-RoleGroupMember",
        "New-ManagementRole",
    ],
    "Organization Configuration": ["Get-OrganizationConfig", "Set-OrganizationConfig"],
    "View-Only Configuration": ["Get-OrganizationConfig", "Get-AdminAuditLogConfig", "Get-JournalRule"],
    "View-Only Recipients": ["Get-User", "Get-Mailbox"],
}
NOTHING: dict[str, Any] = {
    "roles": BUILT_IN,
    "made": [],
    "groups": {},
    "principals": [],
    "journal": [],
    "dehydrated": False,
    "lag": 0,
    "late": {},
    "trimmed": {},
    "parameters": {"Set-Mailbox": ["Identity", "AuditEnabled", "ForwardingSmtpAddress", "Confirm", "WhatIf"]},
    "member_property": "ExternalDirectoryObjectId",
}

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "pwsh is there")


class Exchange:
    """The organization's roles, in a file that each run reads and writes."""

    def __init__(self, folder: Path, granted: ExchangeSet = ExchangeSet.RESPONSE) -> None:
        self.state, self.script = folder / "state.json", folder / "script.ps1"
        ids = {"tenant_id": WORKER, "responder_principal_id": WORKER, "responder_client_id": WORKER}
        given = GrantSettings(**ids, worker_principal_id=WORKER, worker_client_id=APPLICATION)
        self.script.write_text(script(given, granted), encoding="utf-8")
        self.is_now(NOTHING)

    def is_now(self, state: dict[str, Any]) -> None:
        self.state.write_text(json.dumps(state | {"journal": []}), encoding="utf-8")

    @property
    def now(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.state.read_text(encoding="utf-8"))
        return state

    @property
    def own_roles(self) -> dict[str, list[str]]:
        return {name: may for name, may in self.now["roles"].items() if name.startswith(EXCHANGE_ROLE_GROUP)}

    @property
    def may(self) -> list[str]:
        return sorted({cmdlet for cmdlets in self.own_roles.values() for cmdlet in cmdlets})

    def run(self, arguments: str = "") -> subprocess.CompletedProcess[str]:
        command = (
            f"$ErrorActionPreference = 'Stop'; . '{STAND_IN}' -State '{self.state}'; . '{self.script}' {arguments}"
        )
        return subprocess.run(["pwsh", "-Command", command], capture_output=True, text=True, check=False)

    def changed_by(self, arguments: str = "") -> list[str]:
        """What a run changed; it must end well."""
        self.is_now(self.now)
        ended = self.run(arguments)
        assert ended.returncode == 0, ended.stderr
        return list(self.now["journal"])


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return Exchange(tmp_path)


def test_from_nothing_the_worker_may_run_its_cmdlets_and_no_other(exchange: Exchange) -> None:
    said = exchange.run()
    group = exchange.now["groups"][EXCHANGE_ROLE_GROUP]

    assert said.returncode == 0, said.stderr
    assert "and nothing else" in said.stdout
    assert (exchange.may, group["members"]) == (sorted(WORKER_CMDLETS), [WORKER])
    assert sorted(group["roles"]) == sorted(exchange.own_roles)


def test_each_role_is_made_by_one_call(exchange: Exchange) -> None:
    changed = exchange.changed_by()

    assert [line for line in changed if "Entry" in line] == []


def test_an_object_that_is_not_found_yet_is_tried_again(exchange: Exchange) -> None:
    exchange.is_now(NOTHING | {"lag": 2})
    said = exchange.run("-PauseSeconds 0")

    assert said.returncode == 0, said.stderr
    assert exchange.may == sorted(WORKER_CMDLETS)


def test_an_object_that_is_never_found_ends_it(exchange: Exchange) -> None:
    exchange.is_now(NOTHING | {"lag": 99})
    said = exchange.run("-PauseSeconds 0 -Attempts 3")

    assert said.returncode == 1
    assert "couldn't be found" in " ".join(said.stderr.split())


def test_an_organization_without_custom_roles_is_named_before_anything_changes(exchange: Exchange) -> None:
    exchange.is_now(NOTHING | {"dehydrated": True})
    said = exchange.run()

    assert (said.returncode, exchange.now["journal"]) == (1, [])
    assert "Run Enable-OrganizationCustomization once" in " ".join(said.stderr.split())


@pytest.mark.slow
def test_it_makes_no_more_roles_than_it_must(exchange: Exchange) -> None:
    exchange.run()

    assert len(exchange.own_roles) == 3


@pytest.mark.slow
def test_built_in_roles_stay_as_they_are(exchange: Exchange) -> None:
    exchange.run()

    assert {name: exchange.now["roles"][name] for name in BUILT_IN} == BUILT_IN


@pytest.mark.slow
def test_a_second_run_changes_nothing(exchange: Exchange) -> None:
    exchange.changed_by()

    assert exchange.changed_by() == []


def test_what_if_changes_nothing(exchange: Exchange) -> None:
    assert exchange.changed_by("-WhatIf") == []


def spoil_member(state: dict[str, Any]) -> None:
    state["groups"][EXCHANGE_ROLE_GROUP]["members"] = []


def spoil_group(state: dict[str, Any]) -> None:
    state["groups"] = {}


def spoil_principal(state: dict[str, Any]) -> None:
    state["principals"] = []
    spoil_member(state)


def spoil_assignment(state: dict[str, Any]) -> None:
    state["groups"][EXCHANGE_ROLE_GROUP]["roles"].pop()


def spoil_entries(state: dict[str, Any]) -> None:
    own = next(name for name in state["roles"] if name.startswith(EXCHANGE_ROLE_GROUP))
    state["roles"][own].append("Remove-Mailbox")


def spoil_role(state: dict[str, Any]) -> None:
    own = next(name for name in state["roles"] if name.startswith(EXCHANGE_ROLE_GROUP))
    del state["roles"][own]
    state["groups"][EXCHANGE_ROLE_GROUP]["roles"].remove(own)


SPOILED = [spoil_member, spoil_group, spoil_principal, spoil_assignment, spoil_entries, spoil_role]


@pytest.mark.parametrize("spoil", sampled(SPOILED, quick=[spoil_entries]), ids=lambda spoil: spoil.__name__)
def test_from_every_partial_state_it_completes(exchange: Exchange, spoil: Any) -> None:
    exchange.changed_by()
    complete = exchange.now
    state = copy.deepcopy(complete)
    spoil(state)
    exchange.is_now(state)

    assert exchange.changed_by() != []
    assert (exchange.may, exchange.now["principals"]) == (sorted(WORKER_CMDLETS), [WORKER])
    assert exchange.now["groups"][EXCHANGE_ROLE_GROUP]["members"] == [WORKER]
    assert sorted(exchange.now["groups"][EXCHANGE_ROLE_GROUP]["roles"]) == sorted(exchange.own_roles)


@pytest.mark.slow
def test_remove_takes_everything_back_and_can_be_run_again(exchange: Exchange) -> None:
    exchange.changed_by()
    exchange.changed_by("-Remove")
    left = exchange.now

    assert {name: left[name] for name in ("roles", "groups", "principals")} == {
        "roles": BUILT_IN,
        "groups": {},
        "principals": [],
    }
    assert exchange.changed_by("-Remove") == []


@pytest.mark.slow
def test_a_member_that_is_not_the_worker_fails_it(exchange: Exchange) -> None:
    exchange.changed_by()
    state = exchange.now
    state["groups"][EXCHANGE_ROLE_GROUP]["members"].append(APPLICATION)
    exchange.is_now(state)
    ended = exchange.run()

    assert ended.returncode != 0
    assert "has 2 members" in ended.stderr


@pytest.mark.slow
def test_a_cmdlet_that_no_role_holds_is_named(exchange: Exchange) -> None:
    exchange.is_now(NOTHING | {"roles": {name: may for name, may in BUILT_IN.items() if name != "Journaling"}})
    ended = exchange.run()

    assert ended.returncode != 0
    assert "No built-in role of this organization contains Set-MailboxAuditBypassAssociation." in ended.stderr


def with_roles(**roles: list[str]) -> dict[str, Any]:
    return NOTHING | {"roles": BUILT_IN | {name.replace("_", " "): may for name, may in roles.items()}}


@pytest.mark.slow
def test_a_role_of_end_users_is_no_parent(exchange: Exchange) -> None:
    """It holds more of the cmdlets than any other, and a role group does not take it."""
    exchange.is_now(with_roles(MyBaseOptions=["Get-User", "Get-OrganizationConfig", "Get-AdminAuditLogConfig"]))
    exchange.changed_by()

    assert not [name for name in exchange.own_roles if "MyBaseOptions" in name]


@pytest.mark.slow
def test_a_role_that_somebody_made_is_no_parent(exchange: Exchange) -> None:
    exchange.is_now(with_roles(Ours_too=list(WORKER_CMDLETS)) | {"made": ["Ours too"]})
    exchange.changed_by()

    assert not [name for name in exchange.own_roles if "Ours too" in name]


@pytest.mark.slow
def test_the_name_of_a_role_fits_exchange_and_is_found_again(exchange: Exchange) -> None:
    exchange.is_now(with_roles(Security_Group_Creation_and_Membership_of_All_Kinds=list(WORKER_CMDLETS)))
    exchange.changed_by()

    assert (len(exchange.own_roles), max(map(len, exchange.own_roles))) == (1, 64)
    assert exchange.changed_by() == []


@pytest.mark.slow
def test_a_role_that_somebody_gave_to_the_group_is_named(exchange: Exchange) -> None:
    exchange.changed_by()
    state = exchange.now
    state["groups"][EXCHANGE_ROLE_GROUP]["roles"].append("Mail Recipients")
    exchange.is_now(state)
    ended = exchange.run()

    assert ended.returncode != 0
    assert "nothing else" not in ended.stdout
    assert "Set-User" in ended.stderr


@pytest.mark.parametrize("listed_as", sampled(["Name", "Guid", "Identity"]))
def test_a_member_is_known_however_exchange_lists_it(exchange: Exchange, listed_as: str) -> None:
    exchange.is_now(NOTHING | {"member_property": listed_as})
    exchange.changed_by()

    assert exchange.changed_by() == []


def test_the_set_for_reads_is_a_separate_group_with_get_cmdlets_only(tmp_path: Path) -> None:
    """No role names Get-EXOMailbox here: the script says so and goes on."""
    exchange = Exchange(tmp_path, ExchangeSet.READS)
    said = exchange.run()
    [group] = exchange.now["groups"]

    assert said.returncode == 0, said.stderr
    assert group == EXCHANGE_GRANTS[ExchangeSet.READS].group
    assert exchange.may == sorted({*EXCHANGE_GRANTS[ExchangeSet.READS].cmdlets} - {"Get-EXOMailbox"})
    assert all(name.startswith("Get-") for name in exchange.may)


def test_the_set_for_changes_has_one_cmdlet_with_its_audit_parameters_only(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, ExchangeSet.CHANGES)
    said = exchange.run()
    [role] = exchange.own_roles

    assert said.returncode == 0, said.stderr
    assert exchange.may == ["Set-Mailbox"]
    assert set(exchange.now["trimmed"][role]) == set(EXCHANGE_GRANTS[ExchangeSet.CHANGES].parameters)
    assert exchange.changed_by() == []


def test_removing_one_set_leaves_the_worker_to_the_others(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    exchange.run()
    granted = exchange.now
    reads = Exchange(tmp_path, ExchangeSet.READS)
    reads.is_now(granted)
    reads.changed_by()
    reads.changed_by("-Remove")

    assert (list(reads.now["groups"]), reads.now["principals"]) == ([EXCHANGE_ROLE_GROUP], [WORKER])
