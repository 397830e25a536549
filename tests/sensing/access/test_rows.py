"""Who is no owner, and what a counted row of Defender says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.errors import InputError
from bypass_responder.model.feed import Window
from bypass_responder.model.mailbox_access import AccessLogon, MailboxAccess
from bypass_responder.sensing.access.query import access_query
from bypass_responder.sensing.access.rows import combined, counted_access, logon_of, read_rows
from tests.sensing.access.records import APP, CEO, CEO_BOX, CEO_ID, EVE, an_access

DAY = date(2026, 3, 1)


def a_row(**cells: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "Mailbox": CEO,
        "MailboxId": CEO_BOX,
        "UserId": EVE,
        "ActorId": "",
        "AppId": "",
        "LogonType": "2",
        "Same": "no",
        "ActionType": "Send",
        "Count": 3,
        "First": "2026-03-01T08:00:00Z",
        "Last": "2026-03-01T09:00:00.1234567Z",
        "Clients": ["Client=OWA"],
        "Addresses": '["203.0.113.9"]',
    }
    return defaults | cells


def read(**cells: Any) -> MailboxAccess | None:
    return counted_access(a_row(**cells), DAY, {CEO: CEO_ID})


@pytest.mark.parametrize(
    ("logon", "same", "user", "expected"),
    [
        ("1", False, EVE, AccessLogon.ADMIN),
        ("1", True, CEO, AccessLogon.ADMIN),
        ("6", None, EVE, AccessLogon.ADMIN),
        ("2", False, EVE, AccessLogon.DELEGATE),
        ("Delegated", None, EVE, AccessLogon.DELEGATE),
        ("0", True, "renamed@contoso.onmicrosoft.com", None),
        ("0", False, EVE, AccessLogon.OTHER),
        ("0", None, CEO.upper(), None),
        ("0", None, EVE, AccessLogon.OTHER),
        ("", None, "", AccessLogon.OTHER),
        ("3", False, "", None),
        ("4", False, "S-1-5-18", None),
    ],
)
def test_who_is_no_owner(logon: str, same: bool | None, user: str, expected: AccessLogon | None) -> None:
    assert logon_of(logon, same=same, user=user, mailbox=CEO) == expected


def test_a_row_has_its_fields() -> None:
    row = read()

    assert row is not None
    assert row.model_dump(exclude={"first", "last"}) == {
        "day": DAY,
        "mailbox": CEO,
        "mailbox_id": CEO_BOX,
        "object_id": CEO_ID,
        "actor": EVE,
        "actor_id": "",
        "app_id": "",
        "operation": "Send",
        "logon": AccessLogon.DELEGATE,
        "count": 3,
        "clients": ("Client=OWA",),
        "addresses": ("203.0.113.9",),
    }
    assert row.last - row.first == timedelta(hours=1, microseconds=123456)


def test_names_of_columns_may_have_other_capitals() -> None:
    assert counted_access({name.lower(): cell for name, cell in a_row().items()}, DAY, {CEO: CEO_ID}) == read()


def test_the_owners_row_is_none() -> None:
    assert read(UserId=CEO, LogonType="0", Same="yes") is None


@pytest.mark.parametrize("user", ["", "S-1-5-18", "Not-Found"])
def test_an_application_without_a_user_is_named_by_its_id(user: str) -> None:
    row = read(UserId=user, AppId=APP.upper())

    assert row is not None
    assert row.who == f"application {APP}"


def test_a_service_principal_keeps_its_name() -> None:
    row = read(UserId=f"ServicePrincipal_{APP}")

    assert row is not None
    assert row.who == f"serviceprincipal_{APP}"


@pytest.mark.parametrize(
    "cells", [{"Mailbox": ""}, {"ActionType": None}, {"Count": "many"}, {"First": None}, {"Last": "yesterday"}]
)
def test_a_row_without_what_it_needs_is_unreadable(cells: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        read(**cells)


def test_an_unreadable_row_costs_only_itself() -> None:
    rows, unreadable = read_rows([a_row(Count="many"), a_row()], DAY, {})

    assert (len(rows), unreadable) == (1, 1)


def test_two_mailboxes_of_one_name_are_two() -> None:
    rows, _ = read_rows([a_row(), a_row(MailboxId="another")], DAY, {})

    assert len({row.pair for row in rows}) == 2


def test_parts_of_a_day_are_added() -> None:
    rows, _ = read_rows([a_row(), a_row(First="2026-03-01T07:00:00Z", Addresses=["198.51.100.1"])], DAY, {})
    [row] = rows

    assert (row.count, row.first.hour, row.addresses) == (6, 7, ("203.0.113.9", "198.51.100.1"))


@given(st.permutations([an_access(DAY, operation=name, count=number) for number, name in enumerate("aabbc", 1)]))
def test_the_order_of_parts_does_not_count(rows: list[MailboxAccess]) -> None:
    assert {row.operation: row.count for row in combined(rows)} == {"a": 3, "b": 7, "c": 5}


def test_the_query_counts_the_records_of_these_mailboxes() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    query = access_query(Window(start=noon, end=noon + timedelta(hours=1)), ["B@x.example", 'a"\\@x.example'])

    assert 'where Mailbox in ("a\\"\\\\@x.example", "b@x.example")' in query
    assert "Timestamp >= datetime(2026-03-01T12:00:00.000000Z)" in query
    assert query.endswith("take 5000")
