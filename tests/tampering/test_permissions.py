"""Which permissions a record gives or takes away, and which were granted for a while only."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.detection import detect_permissions
from bypass_responder.model.change import Actor
from bypass_responder.model.permission_change import PermissionChange
from bypass_responder.model.record import AuditRecord
from bypass_responder.sensing.records.reader import read_records
from bypass_responder.tampering.permissions import WITHIN, removed_soon
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
    (
        ran("Update-RoleGroupMember", "Tools", Members=f"{EVE};{ALEX}"),
        [(True, "member", "Tools", EVE), (True, "member", "Tools", ALEX)],
    ),
    (ran("New-RoleGroup", Name="Tools", Roles="Journaling", Members=EVE), [(True, "member", "Tools", EVE)]),
]
SERVICE = {"UserId": "NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)", "UserType": 2}
NOTHING = [
    on_mailbox("Add", AccessRights="FullAccess", Deny="True"),
    ran("Remove-MailboxPermission", CEO, ResetDefault="True"),
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


@pytest.mark.parametrize("record", NOTHING)
def test_a_denial_a_failure_a_service_and_what_names_nobody_are_nothing(record: Json) -> None:
    assert found_in(record) == []


def test_letter_case_makes_no_other_pair() -> None:
    assert a_change(granted=True).pair == a_change(granted=False, target="CEO", trustee=EVE.upper()).pair


@pytest.mark.parametrize("field", ["right", "target", "trustee"])
def test_another_right_mailbox_or_trustee_is_another_pair(field: str) -> None:
    removal = a_change(granted=False, at=NOON + timedelta(hours=1), **{field: "another"})

    assert removed_soon([a_change(granted=True), removal]) == []


@pytest.mark.parametrize(
    ("after", "found"),
    [(timedelta(0), 1), (timedelta(hours=1), 1), (WITHIN, 1), (WITHIN + timedelta(seconds=1), 0), (-timedelta(1), 0)],
)
def test_a_removal_counts_within_seven_days_after_the_grant(after: timedelta, found: int) -> None:
    changes = [a_change(granted=True), a_change(granted=False, at=NOON + after)]

    assert len(removed_soon(changes)) == found


def test_a_removal_is_of_the_last_grant_before_it() -> None:
    grants = [a_change(granted=True, at=NOON + timedelta(hours=hours)) for hours in (0, 2, 4)]
    [found] = removed_soon([*grants, a_change(granted=False, at=NOON + timedelta(hours=3))])

    assert found.grant is grants[1]


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 20 * 24)), max_size=8, unique=True).flatmap(
        lambda some: st.tuples(st.just(some), st.permutations(some))
    )
)
def test_the_order_of_records_never_matters(orders: tuple[list[tuple[bool, int]], list[tuple[bool, int]]]) -> None:
    sorted_, other = (
        [a_change(granted=granted, at=NOON + timedelta(hours=hours)) for granted, hours in order] for order in orders
    )

    assert removed_soon(sorted_) == removed_soon(other)
