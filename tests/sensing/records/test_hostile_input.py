"""Input that was made to be passed over, to hide its neighbors, or to never end."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from bypass_responder.model.record import AuditRecord, Unreadable
from bypass_responder.sensing.alert import read_alert
from bypass_responder.sensing.records import rows, text_buffer
from bypass_responder.sensing.records.reader import read_records
from tests.sensing.builders import ORGANIZATION, a_bypass, another, search_ual, to_csv

ON = json.dumps(a_bypass())
OTHER = json.dumps(another(Parameters=[]))
SECOND = json.dumps(a_bypass(Id="2"))
SEPARATORS = (",", ":")


def read(content: str) -> list[str]:
    """The id of each record, the reason of each unreadable part."""
    found = read_records(io.BytesIO(content.encode()), source="test")
    return [item.id if isinstance(item, AuditRecord) else item.reason for item in found]


def repeated_inside(depth: int, core: str) -> str:
    """Objects in objects, each under a name that stands twice."""
    for _ in range(depth):
        core = f'{{"a":0,"a":{core}}}'
    return core


def an_event(data: str) -> bytes:
    return f'{{"specversion":"1.0","id":"1","source":"siem","type":"t","data":{data}}}'.encode()


# ---- where a record can hide ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "content",
    [
        f'{{"extra":[{ON}],"value":[{OTHER}]}}',
        f'{{"extra":{ON},"value":[{OTHER}]}}',
        f'{{"extra":{json.dumps(ON)},"value":[{OTHER}]}}',
        f'{{"value":[{OTHER}],"extra":{json.dumps(" " + ON)}}}',
    ],
    ids=["a list before", "an object before", "JSON text before", "JSON text after"],
)
def test_a_record_beside_the_list_of_a_page_is_read(content: str) -> None:
    assert read(content) == [a_bypass()["Id"]]


def test_a_query_that_a_page_states_is_no_record() -> None:
    page = {"@odata.nextLink": "https://graph.example/?$filter=operation eq 'Set-MailboxAuditBypassAssociation'"}

    assert read(json.dumps(page | {"value": [another(Parameters=[])]})) == []


def test_the_fields_beside_a_raw_text_of_another_record_are_read() -> None:
    assert read(json.dumps([{"_raw": json.dumps(another())} | a_bypass()])) == [a_bypass()["Id"]]


def test_the_fields_beside_the_raw_text_of_the_same_record_are_not_a_second_one() -> None:
    assert read(json.dumps([{"_raw": ON} | a_bypass()])) == [a_bypass()["Id"]]


def test_a_record_in_surplus_cells_is_unreadable() -> None:
    """As when the line break between two rows is lost."""
    head, other, on = to_csv(search_ual(another(Parameters=[])), search_ual(a_bypass())).decode().splitlines()

    assert read(f"{head}\r\n{other},{on}\r\n") == ["wrong_columns"]


def test_a_record_in_the_first_of_two_columns_of_one_name_is_unreadable() -> None:
    content = to_csv({"AuditData": ON, "AuditDat": OTHER}).replace(b"AuditDat\r", b"AuditData\r")

    assert read(content.decode()) == ["duplicate_key"]


# ---- what stands beside something broken ----------------------------------------------------------------------------
def test_reading_goes_on_behind_a_broken_object_that_is_in_no_list() -> None:
    pretty = [json.dumps(record, indent=2) for record in (another(), another(), a_bypass(), a_bypass(Id="2"))]
    pretty[1] = pretty[1][:-30]

    assert read("\n".join(pretty)) == ["not_json", a_bypass()["Id"], "2"]


def test_reading_goes_on_behind_a_broken_line_when_the_first_one_is_longer_than_a_block() -> None:
    assert read("\n".join([json.dumps(another(Long="x" * 100_000)), "{bro", ON])) == ["not_json", a_bypass()["Id"]]


def test_a_byte_order_mark_inside_of_lines_breaks_none() -> None:
    assert read(f"{OTHER}\n\ufeff{OTHER}\n\ufeff{ON}") == [a_bypass()["Id"]]


def moved(number: int, items: int) -> dict[str, Any]:
    """A record that begins as the items inside of it do."""
    return {"Id": f"r{number}", "CreationTime": "2026-03-02T09:15:30", "Operation": "SoftDelete"} | {
        "AffectedItems": [{"Id": f"{number}-{item}", "Subject": "s"} for item in range(items)]
    }


@pytest.mark.parametrize("is_page", [False, True])
def test_what_stands_between_records_may_stand_inside_of_one(is_page: bool) -> None:
    some = [moved(number, 0 if number < 3 else 3) for number in range(3000)]
    content = json.dumps([*some, {"Id": "on"} | a_bypass(Id="on"), *some[3:2000]], separators=SEPARATORS)

    assert read(f'{{"value":{content}}}' if is_page else content) == ["on"]


# ---- what takes time or memory --------------------------------------------------------------------------------------
@pytest.mark.timeout(20)
def test_names_that_stand_twice_at_each_level_are_read_in_time() -> None:
    record = another(Parameters=[], X="auditbypass")

    assert read(f'[{json.dumps(record)[:-1]},"Y":{repeated_inside(60, "1")}}}]') == []


@pytest.mark.timeout(20)
def test_an_alert_with_names_that_stand_twice_at_each_level_takes_no_memory() -> None:
    alert = read_alert(an_event(repeated_inside(14, f"[{'1,' * 300_000}1]")), tenant_id=ORGANIZATION)

    assert isinstance(alert, Unreadable)


@pytest.mark.timeout(20)
def test_a_name_of_many_spaces_is_read_in_time() -> None:
    assert read(json.dumps([a_bypass(**{" " * 200_000: 1})])) == [a_bypass()["Id"]]


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that the input of a test exceeds soon."""
    for module in (rows, text_buffer):
        monkeypatch.setattr(module, "LIMIT", 1 << 19)


@pytest.mark.timeout(20)
@pytest.mark.usefixtures("small_limit")
def test_quotes_that_never_close_are_read_in_time() -> None:
    found = read("Operation,Id,AuditData\n" + 'b",""",x\na,b,c\n' * 30_000)

    assert set(found) == {"not_csv", "too_large"}


@pytest.mark.timeout(20)
@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize(
    "group",
    ['{"q":1 x' + ',{"a":[1' * 900 + ",2" * 20_000 + "!," + OTHER + ",", '{"k":[{"a":1},{"Operation":1},' * 300],
    ids=["objects that break late", "records inside of records that break"],
)
def test_elements_that_break_late_are_read_in_time(group: str) -> None:
    assert "not_json" in read(f"[{group * 60}{ON}]")
