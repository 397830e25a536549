"""An unreadable record of interest is kept with a reason; a record of another operation never is."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from bypass_responder.model.record import AuditRecord, Unreadable
from bypass_responder.sensing.records.reader import read_records
from tests.sensing.builders import a_bypass, a_tampering, another, named, search_ual

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no Id": ({"Id": None}, "missing_field"),
    "empty Id": ({"Id": ""}, "missing_field"),
    "no CreationTime": ({"CreationTime": None}, "missing_field"),
    "Id a number": ({"Id": 5}, "wrong_type"),
    "CreationTime a number": ({"CreationTime": 1772442930}, "wrong_type"),
    "CreationTime no time": ({"CreationTime": "yesterday"}, "wrong_type"),
    "CreationTime no day": ({"CreationTime": "2026-02-30T00:00:00"}, "wrong_type"),
    "CreationTime out of range": ({"CreationTime": "0001-01-01T00:00:00+14:00"}, "wrong_type"),
    "CreationTime no hour": ({"CreationTime": "3/2/2026 13:00:00 PM"}, "wrong_type"),
    "CreationTime out of range in ms": ({"CreationTime": "/Date(999999999999999)/"}, "wrong_type"),
    "ObjectId a number": ({"ObjectId": 5}, "wrong_type"),
    "ObjectId an object": ({"ObjectId": {"a": 1}}, "wrong_type"),
    "ObjectId a list": ({"ObjectId": ["a"]}, "wrong_type"),
    "OrganizationId a number": ({"OrganizationId": 1}, "wrong_type"),
    "ResultStatus a number": ({"ResultStatus": 1}, "wrong_type"),
    "UserType a list": ({"UserType": []}, "wrong_type"),
    "ExternalAccess a word": ({"ExternalAccess": "maybe"}, "wrong_type"),
    "UserId an object": ({"UserId": {}}, "wrong_type"),
    "Parameters a number": ({"Parameters": 5}, "wrong_type"),
    "Parameters a word": ({"Parameters": "AuditBypassEnabled"}, "wrong_type"),
    "Parameters text without an end": ({"Parameters": '-Identity "adele -AuditBypassEnabled $true'}, "wrong_type"),
    "Parameters broken JSON": ({"Parameters": '[{"Name":"Identity"'}, "wrong_type"),
    "Parameters a list of words": ({"Parameters": ["Identity"]}, "wrong_type"),
    "a parameter without a name": ({"Parameters": [{"Value": "x"}]}, "wrong_type"),
    "Identity an object": ({"Parameters": named(Identity={"a": "b"})}, "wrong_type"),
    "a parameter with two values": (
        {"Parameters": named(Identity="a", identity="b")},
        "duplicate_parameter",
    ),
    "a NUL in ObjectId": ({"ObjectId": "a\0b"}, "nul_character"),
    "a NUL in a parameter": ({"Parameters": named(Identity="a\0b")}, "nul_character"),
    "half a character": ({"UserId": "\ud800"}, "not_text"),
}


def read(content: str) -> list[str]:
    found = read_records(io.BytesIO(content.encode()), source="test")
    return ["read" if isinstance(record, AuditRecord) else record.reason for record in found]


@pytest.mark.parametrize(("fields", "reason"), BAD.values(), ids=BAD)
def test_a_bad_record_is_unreadable_and_stops_nobody(fields: dict[str, Any], reason: str) -> None:
    assert read(json.dumps([a_bypass(**fields), a_bypass()])) == [reason, "read"]


@pytest.mark.parametrize("field", ["UserKey", "SessionId"])
def test_a_field_that_nothing_reads_makes_no_record_unreadable(field: str) -> None:
    assert read(json.dumps(a_bypass(**{field: {"a": 1}}))) == ["read"]


@pytest.mark.parametrize(("fields", "reason"), BAD.values(), ids=BAD)
def test_the_same_in_a_record_of_another_operation_is_passed_over(fields: dict[str, Any], reason: str) -> None:
    other = {"Operation": "New-InboxRule", "Note": "Set-MailboxAuditBypassAssociation", "Parameters": named(Name="x")}
    odd = a_bypass(**(other | {name: value for name, value in fields.items() if name != "Parameters"}))

    assert read(json.dumps([odd])) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"Parameters": named(AuditBypassEnabled="True")},
        {"Parameters": {"AuditBypassEnabled": True}},
        {"Parameters": "-AuditBypassEnabled $true"},
        {"Parameters": '-Name "no end -AuditBypassEnabled $true'},
        {"Parameters": named(), "ModifiedProperties": [{"Name": "AuditBypassEnabled", "NewValue": "True"}]},
        {"Parameters": named(), "inside": {"deep": a_bypass()}},
    ],
)
def test_another_operation_that_names_our_parameter_is_unreadable(fields: dict[str, Any]) -> None:
    assert read(json.dumps([a_bypass(Operation="Set-Something", **fields)])) == ["other_operation"]


@pytest.mark.parametrize(
    "spelling",
    ["Exchange.Set-MailboxAuditBypassAssociation", "Set-Mailboxes", "S\u0435t-MailboxAuditBypassAssociation"],
)
def test_a_cmdlet_that_is_almost_ours_is_unreadable(spelling: str) -> None:
    assert read(json.dumps([a_bypass(Operation=spelling)])) == ["other_operation"]


def test_a_cmdlet_that_has_our_name_in_it_is_unreadable_without_parameters_too() -> None:
    odd = a_bypass(Operation="Exchange.Set-MailboxAuditBypassAssociation", Parameters=None)

    assert read(json.dumps([odd])) == ["other_operation"]


def test_our_parameters_name_as_a_text_that_anybody_may_write_is_passed_over() -> None:
    assert read(json.dumps([a_bypass(Operation="New-InboxRule", Parameters=named(Name="AuditBypassEnabled"))])) == []


def test_a_record_of_another_workload_is_unreadable() -> None:
    assert read(json.dumps([a_bypass(Workload="SharePoint")])) == ["other_workload"]


def test_a_bad_record_of_an_organization_switch_is_unreadable() -> None:
    assert read(json.dumps([a_tampering(Id=None)])) == ["missing_field"]


def test_a_bad_record_of_the_same_cmdlet_without_the_switch_is_passed_over() -> None:
    odd = a_tampering(Id=None, Parameters=named(AdminAuditLogEnabled="True"), Note="AuditDisabled")

    assert read(json.dumps([odd])) == []


@pytest.mark.parametrize("operation", [None, ""])
def test_a_record_without_operation_that_says_our_parameter_is_unreadable(operation: str | None) -> None:
    assert read(json.dumps([a_bypass(Operation=operation)])) == ["missing_field"]


@pytest.mark.parametrize("operation", [5, [], {}, ["Set-MailboxAuditBypassAssociation"] * 2, {"a": 1}])
def test_an_operation_that_is_no_text_is_unreadable(operation: Any) -> None:
    record = a_bypass(Operation=operation, Note="Set-MailboxAuditBypassAssociation")

    assert read(json.dumps([record])) == ["wrong_type"]


@pytest.mark.parametrize(
    "twice",
    [
        '"Operation":"New-InboxRule"',
        '"operation":"New-InboxRule"',
        '"OPERATION":"Set-MailboxAuditBypassAssociation"',
        '"objectid":"somebody else"',
        '"Parameters":[]',
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_name_that_stands_twice_is_unreadable(twice: str, *, first: bool) -> None:
    text = json.dumps(a_bypass())
    text = f"{{{twice},{text[1:]}" if first else f"{text[:-1]},{twice}}}"

    assert read(f"[{text},{json.dumps(a_bypass())}]") == ["duplicate_key", "read"]


@pytest.mark.parametrize(
    "document",
    [
        '{"o365":{"audit":@}}',
        '{"o365.audit":@}',
        '{"o365.audit.Operation":"Set-MailboxAuditBypassAssociation","o365.audit.operation":"New-InboxRule"}',
    ],
)
def test_a_name_that_stands_twice_in_an_elastic_document_is_unreadable(document: str) -> None:
    twice = json.dumps(a_bypass())[:-1] + ',"operation":"New-InboxRule"}'

    assert read(document.replace("@", twice)) == ["duplicate_key"]


def test_a_value_that_stands_twice_in_a_parameter_is_unreadable() -> None:
    text = json.dumps(a_bypass()).replace('"Value": "True"', '"Value": "True", "value": "False"')

    assert read(f"[{text}]") == ["duplicate_key"]


def test_a_parameter_that_stands_twice_in_an_object_is_unreadable() -> None:
    text = json.dumps(a_bypass(Parameters={"Identity": "a"})).replace(
        '"Identity": "a"', '"Identity":"a","identity":"b"'
    )

    assert read(f"[{text}]") == ["duplicate_parameter"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [("", "missing_field"), ("{", "wrong_type"), ("[" * 200_000, "too_deep"), ("[]", "wrong_type"), (7, "wrong_type")],
)
def test_a_wrapper_of_ours_without_a_record_is_unreadable(data: Any, reason: str) -> None:
    assert read(json.dumps([search_ual(a_bypass()) | {"AuditData": data}])) == [reason]


def test_a_wrapper_of_another_operation_without_a_record_is_passed_over() -> None:
    wrapper = search_ual(a_bypass()) | {"AuditData": "{", "Operations": "x", "UserIds": "AuditDisabled"}

    assert read(json.dumps([wrapper])) == []


def test_an_unreadable_record_says_where_it_stood() -> None:
    content = json.dumps([another(), a_bypass(Id=None)]).encode()

    (found,) = read_records(io.BytesIO(content), source="export.json")

    assert isinstance(found, Unreadable)
    assert (found.source, found.where, found.detail) == ("export.json", "record 2", "Id is missing")
