"""Which permissions a record gives or takes away, and which were granted for a while only."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bypass_responder.detection import detect_permissions
from bypass_responder.model.change import Actor
from bypass_responder.model.permission_change import PermissionChange
from bypass_responder.model.record import AuditRecord
from bypass_responder.sensing.records.reader import read_records
from tests.sensing.builders import Json
from tests.tampering.family import ALEX, ran

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CEO = "EURPR04A009.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/contoso.onmicrosoft.com/ceo"
EVE = "eve@contoso.onmicrosoft.com"


def found_in(record: Json) -> list[PermissionChange]:
    [item] = read_records(io.BytesIO(json.dumps(record).encode()), source="test")
    assert isinstance(item, AuditRecord)
    return detect_permissions(item)


def a_change(*, granted: bool, at: datetime = NOON, **fields: Any) -> PermissionChange:
    defaults: dict[str, Any] = {
        "record_id": f"{granted}-{at:%d%H%M%S}",
        "occurred_at": at,
        "operation": "Add-MailboxPermission" if granted else "Remove-MailboxPermission",
        "granted": granted,
        "right": "FullAccess",
        "target": "ceo",
        "parameter": "User",
        "trustee": EVE,
        "actor": Actor(user_id=ALEX),
    }
    return PermissionChange(**(defaults | fields))


def on_mailbox(verb: str, object_id: str = CEO, **parameters: str) -> Json:
    return ran(f"{verb}-MailboxPermission", object_id, User=EVE, **parameters)


def on_folder(verb: str, object_id: str = "", **parameters: str) -> Json:
    return ran(f"{verb}-MailboxFolderPermission", object_id, User=EVE, **parameters)


BOARD = "ceo:\\Inbox\\Board"
SEND_AS = {"Trustee": EVE, "AccessRights": "SendAs"}
DESK = {"Identity": "contoso\\Help desk", "Member": EVE}
CHANGES = [
    (on_mailbox("Add", Identity="ceo@x", AccessRights="FullAccess"), [(True, "FullAccess", "ceo", EVE)]),
    (on_mailbox("Remove", Identity="boss", AccessRights="{FullAccess}"), [(False, "FullAccess", "ceo", EVE)]),
    (
        on_mailbox("Add", AccessRights="FullAccess, ReadPermission"),
        [(True, "FullAccess", "ceo", EVE), (True, "ReadPermission", "ceo", EVE)],
    ),
    (ran("Add-RecipientPermission", CEO, **SEND_AS), [(True, "SendAs", "ceo", EVE)]),
    (ran("Remove-RecipientPermission", CEO, **SEND_AS), [(False, "SendAs", "ceo", EVE)]),
    (on_folder("Add", f"{CEO}:\\Inbox\\Board", AccessRights="Editor"), [(True, "folder", BOARD, EVE)]),
    (on_folder("Set", Identity=BOARD, AccessRights="None"), [(False, "folder", BOARD, EVE)]),
    (on_folder("Remove", Identity=BOARD), [(False, "folder", BOARD, EVE)]),
    (ran("Add-RoleGroupMember", **DESK), [(True, "member", "Help desk", EVE)]),
    (ran("Remove-RoleGroupMember", **DESK), [(False, "member", "Help desk", EVE)]),
    (on_folder("Remove", Identity="ceo:Inbox\\Board"), [(False, "folder", BOARD, EVE)]),
    (on_folder("Remove", Identity="ceo"), [(False, "folder", "ceo:\\", EVE)]),
    (on_mailbox("Add", AccessRights="FullAccess", Deny="True"), [(False, "FullAccess", "ceo", EVE)]),
]
LISTS = [
    (ran("Update-RoleGroupMember", "Tools", Members=f"{EVE};{ALEX}"), (True, "member", "Tools", (EVE, ALEX))),
    (ran("New-RoleGroup", Name="Tools", Roles="Journaling", Members=EVE), (True, "member", "Tools", (EVE,))),
    (ran("Remove-RoleGroup", Identity="Tools"), (False, "member", "Tools", ())),
    (ran("Remove-MailboxPermission", CEO, ResetDefault="True"), (False, "", "ceo", ())),
    (ran("Add-MailboxPermission", CEO, Owner=EVE), (True, "Owner", "ceo", (EVE,))),
]
SERVICE = {"UserId": "NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)", "UserType": 2}
NOTHING = [
    on_mailbox("Remove", AccessRights="FullAccess", Deny="True"),
    ran("Remove-MailboxPermission", CEO, ResetDefault="False"),
    ran("Add-MailboxPermission", CEO, User="", AccessRights="FullAccess"),
    ran("New-RoleGroup", Name="Tools", Roles="Journaling"),
    ran("Set-Mailbox", CEO, AuditOwner="-Update", User=EVE),
    on_mailbox("Add", AccessRights="FullAccess") | {"ResultStatus": "False"},
    on_mailbox("Add", AccessRights="FullAccess") | {"Workload": "SharePoint"},
    on_mailbox("Add", AccessRights="FullAccess") | SERVICE,
]


@pytest.mark.parametrize(("record", "changes"), CHANGES, ids=[record["Operation"] for record, _ in CHANGES])
def test_a_record_gives_or_takes_away(record: Json, changes: list[tuple[bool, str, str, str]]) -> None:
    assert [(it.granted, it.right, it.target, it.trustee) for it in found_in(record)] == changes


@pytest.mark.parametrize(("record", "change"), LISTS, ids=[record["Operation"] for record, _ in LISTS])
def test_a_list_is_one_change_about_everybody(record: Json, change: tuple[bool, str, str, tuple[str, ...]]) -> None:
    [it] = found_in(record)

    assert (it.granted, it.right, it.target, it.trustees) == change
    assert (it.whole, it.trustee) == (True, "")


def test_of_a_list_that_is_too_long_the_first_are_kept_and_the_others_counted() -> None:
    [it] = found_in(ran("Update-RoleGroupMember", "Tools", Members=";".join(f"user{n:05}" for n in range(5000))))

    assert (len(it.trustees), it.unlisted, it.whole) == (2222, 2778, False)


@pytest.mark.parametrize("record", NOTHING)
def test_the_end_of_a_denial_a_failure_a_service_and_what_names_nobody_are_nothing(record: Json) -> None:
    assert found_in(record) == []
