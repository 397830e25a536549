"""A row of CloudAppEvents is read like a record of the feed, however the service spells it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.model.record import AuditRecord, Unreadable
from bypass_responder.sensing.hunting.rows import hunted, records_of
from tests.sensing.builders import RECORD_ID, a_bypass, another

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def a_row(record: Any = None, **cells: Any) -> dict[str, Any]:
    raw = a_bypass() if record is None else record
    defaults = {
        "Timestamp": "2026-03-02T09:15:30.1234567Z",
        "ReportId": "1_20893_0",
        "ActionType": "Set-MailboxAuditBypassAssociation",
        "AccountObjectId": "",
        "RecordId": RECORD_ID,
        "RawEventData": raw,
    }
    return defaults | cells


def read(row: dict[str, Any]) -> list[AuditRecord | Unreadable]:
    return records_of(hunted(row, read_at=NOW))


def test_a_row_is_the_record_that_the_feed_has() -> None:
    [record] = read(a_row())

    assert isinstance(record, AuditRecord)
    assert (record.id, json.loads(record.raw)) == (RECORD_ID, a_bypass())


@pytest.mark.parametrize(
    "row",
    [
        a_row(RawEventData=json.dumps(a_bypass())),
        {name.lower(): cell for name, cell in a_row().items()},
        {name.upper(): cell for name, cell in a_row().items()},
    ],
    ids=["as text", "lower case", "upper case"],
)
def test_the_same_record_in_another_spelling_is_the_same(row: dict[str, Any]) -> None:
    [record], [plain] = read(row), read(a_row())

    assert isinstance(record, AuditRecord)
    assert isinstance(plain, AuditRecord)
    assert record.model_copy(update={"raw": plain.raw}) == plain


def test_the_time_of_a_row_is_its_timestamp() -> None:
    assert hunted(a_row(), read_at=NOW).at == datetime(2026, 3, 2, 9, 15, 30, 123456, tzinfo=UTC)


@pytest.mark.parametrize("timestamp", [None, "", "soon", 17])
def test_a_row_without_a_time_counts_as_of_now(timestamp: object) -> None:
    assert hunted(a_row(Timestamp=timestamp), read_at=NOW).at == NOW


def test_a_row_of_another_operation_has_no_record() -> None:
    assert read(a_row(another())) == []


@pytest.mark.parametrize("raw", [None, "", 17, ["a"]])
def test_a_row_without_its_record_is_unreadable_and_names_the_cmdlet(raw: object) -> None:
    [item] = read(a_row(RawEventData=raw))

    assert isinstance(item, Unreadable)
    assert (item.reason, item.names_cmdlet) == ("missing_field", True)


def test_a_record_that_is_cut_off_is_unreadable() -> None:
    [item] = read(a_row(RawEventData=json.dumps(a_bypass())[:-20]))

    assert isinstance(item, Unreadable)
    assert item.names_cmdlet


@pytest.mark.parametrize("as_text", [True, False])
def test_rows_without_an_id_are_the_same_by_actor_operation_object_time_and_parameters(as_text: bool) -> None:
    first, again = (a_bypass(Id=None, SessionId=session) for session in ("one", "two"))
    rows = [a_row(json.dumps(raw) if as_text else raw, RecordId="") for raw in (first, again)]

    assert len({hunted(row, read_at=NOW).id for row in rows}) == 1


def test_rows_without_an_id_that_differ_in_the_parameters_are_two() -> None:
    rows = [a_row(a_bypass(Id=None, Parameters=[{"Name": "Identity", "Value": name}]), RecordId="") for name in "ab"]

    assert len({hunted(row, read_at=NOW).id for row in rows}) == 2


@given(st.dictionaries(st.text(max_size=20), st.recursive(st.none() | st.text() | st.integers(), st.lists), max_size=6))
def test_any_row_can_be_read(row: dict[str, Any]) -> None:
    assert len(read(row)) <= 1
