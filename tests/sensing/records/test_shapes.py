"""One record, whatever it is wrapped in."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bypass_responder.detection import detect
from bypass_responder.model.change import BypassChange
from bypass_responder.model.record import AuditRecord, Unreadable
from bypass_responder.sensing.records.reader import read_records
from tests.sensing.builders import (
    ORGANIZATION,
    RECORD_ID,
    SHAPES,
    TARGET,
    a_bypass,
    a_tampering,
    another,
    cloud_app_event,
    elastic,
    elastic_dotted,
    graph,
    named,
    search_ual,
    sentinel,
    to_csv,
)


def read(content: bytes) -> list[AuditRecord | Unreadable]:
    return list(read_records(io.BytesIO(content), source="test"))


def read_one(record: Any) -> AuditRecord:
    (found,) = read(json.dumps([record]).encode())
    assert isinstance(found, AuditRecord), found
    return found


def facts(found: AuditRecord) -> dict[str, Any]:
    change = detect(found)
    assert isinstance(change, BypassChange)
    return change.model_dump(exclude={"raw", "actor", "note"}) | {"actor": change.actor.user_id}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_says_the_same(shape: Any) -> None:
    (found,) = read(shape(a_bypass()))

    assert isinstance(found, AuditRecord), found
    assert facts(found) == facts(read_one(a_bypass()))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_has_what_the_decision_needs(shape: Any) -> None:
    (found,) = read(shape(a_bypass()))

    assert isinstance(found, AuditRecord)
    assert (found.id, found.organization_id, found.object_id) == (RECORD_ID, ORGANIZATION, TARGET)
    assert found.creation_time == datetime(2026, 3, 2, 9, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize(
    "record", [another(), a_bypass(Operation="Get-MailboxAuditBypassAssociation", Parameters=named(Identity="x"))]
)
def test_another_operation_is_passed_over_in_every_shape(shape: Any, record: Any) -> None:
    assert read(shape(record)) == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"AuditBypassEnabled": "True", "Identity": "adele"},
        {"AuditBypassEnabled": True, "Identity": "adele"},
        json.dumps(named(AuditBypassEnabled="True", Identity="adele")),
        json.dumps({"Identity": "adele", "AuditBypassEnabled": True}),
        '-Identity "adele" -AuditBypassEnabled $true',
        "-AuditBypassEnabled:$true -Identity 'adele'",
        {"_raw": '-Identity "adele" -AuditBypassEnabled "True"'},
        [*named(DomainController="", Confirm=False), *named(AuditBypassEnabled=1, Identity="adele")],
        [*named(Identity="adele", AuditBypassEnabled="True"), *named(identity="adele")],
        [{"value": "True", "name": "AuditBypassEnabled"}, *named(Identity="adele", Other={"a": [1]})],
    ],
)
def test_parameters_in_every_form(parameters: Any) -> None:
    change = detect(read_one(a_bypass(Parameters=parameters)))

    assert isinstance(change, BypassChange)
    assert (change.switch.value, change.identity_text) == ("on", "adele")


def test_one_parameter_that_was_flattened_to_an_object() -> None:
    found = read_one(a_bypass(Parameters={"Name": "AuditBypassEnabled", "Value": "False"}))

    assert dict(found.parameters) == {"AuditBypassEnabled": "False"}


def test_quotes_inside_free_text_are_undone() -> None:
    found = read_one(a_bypass(Parameters='-Identity "a `"b`" ""c""" -AuditBypassEnabled'))

    assert dict(found.parameters) == {"Identity": 'a "b" "c"', "AuditBypassEnabled": "$true"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T09:15:30", (9, 15, 30, 0)),
        ("2026-03-02T09:15:30Z", (9, 15, 30, 0)),
        ("2026-03-02 09:15:30", (9, 15, 30, 0)),
        ("2026-03-02T09:15:30.1234567Z", (9, 15, 30, 123456)),
        ("2026-03-02T10:15:30+01:00", (9, 15, 30, 0)),
        ("3/2/2026 9:15:30 AM", (9, 15, 30, 0)),
        ("3/2/2026, 12:15:30.000 AM", (0, 15, 30, 0)),
        ("3/2/2026 3:15:30\u202fPM", (15, 15, 30, 0)),
        ("3/2/2026 15:15:30", (15, 15, 30, 0)),
        ("/Date(1772442930000)/", (9, 15, 30, 0)),
    ],
)
def test_times(text: str, expected: tuple[int, int, int, int]) -> None:
    hour, minute, second, micro = expected

    found = read_one(a_bypass(CreationTime=text))

    assert found.creation_time == datetime(2026, 3, 2, hour, minute, second, micro, tzinfo=UTC)


def test_the_wrapper_fills_in_what_the_record_lacks() -> None:
    inner = a_bypass(Id=None, CreationTime=None, UserId=None)
    wrapper = search_ual(inner) | {"Identity": "outer-id", "UserIds": "mallory", "AuditData": json.dumps(inner)}

    (found,) = read(to_csv(wrapper))

    assert isinstance(found, AuditRecord)
    assert (found.id, found.user_id, found.creation_time.hour) == ("outer-id", "mallory", 9)


def test_the_records_own_word_on_the_operation_counts_unless_the_wrapper_says_ours() -> None:
    inside = search_ual(a_bypass()) | {"Operations": "New-InboxRule"}
    outside = search_ual(another()) | {"Operations": "Set-MailboxAuditBypassAssociation"}

    assert [type(found) for found in read(to_csv(inside, outside))] == [AuditRecord, Unreadable]


RESULTS: dict[str, Any] = {
    "ecs": lambda record, word: elastic(record) | {"event": elastic(record)["event"] | {"outcome": word}},
    "ecs, an answer of fields": lambda record, word: {
        "fields": {name: [value] for name, value in elastic_dotted(record)["_source"].items()}
        | {"event.outcome": [word]}
    },
    "kibana": lambda record, word: elastic_dotted(record)["_source"] | {"event.outcome": word},
    "sentinel": lambda record, word: sentinel(record) | {"ResultStatus": word},
    "sentinel, normalized": lambda record, word: sentinel(record) | {"ResultStatus": "", "EventResult": word},
    "sentinel, operation result": lambda record, word: sentinel(record) | {"ResultStatus": "", "OperationResult": word},
    "splunk": lambda record, word: {"result": record | {"status": word}},
    "splunk, _raw": lambda record, word: {"result": {"_raw": json.dumps(record | {"ResultStatus": word})}},
    "advanced hunting": lambda record, word: cloud_app_event(record) | {"ResultStatus": word},
    "advanced hunting, raw": lambda record, word: cloud_app_event(record | {"ResultStatus": word}, as_text=True),
}


def outcomes(content: bytes) -> list[str]:
    return [str(change.outcome) for item in read(content) if (change := detect(item))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "outcome"), [("success", "success"), ("Failure", "failed"), ("unknown", "unknown"), ("", "unknown")]
)
@pytest.mark.parametrize("shape", RESULTS.values(), ids=RESULTS)
def test_the_result_counts_under_the_name_that_each_exporter_has(shape: Any, word: str, outcome: str) -> None:
    assert outcomes(json.dumps(shape(a_bypass(ResultStatus=None), word)).encode()) == [outcome]


def test_result_status_counts_before_an_exporters_word() -> None:
    assert outcomes(json.dumps(RESULTS["kibana"](a_bypass(ResultStatus="False"), "success")).encode()) == ["failed"]


def test_a_result_of_another_name_is_noted() -> None:
    """Elastic calls a missing status a success."""
    (found,) = read(json.dumps(RESULTS["kibana"](a_bypass(ResultStatus=None), "success")).encode())

    assert isinstance(found, AuditRecord)
    assert found.note == "the result is from event.outcome; ResultStatus is missing"


@pytest.mark.parametrize("status", [200, "New", ["a", "b"], None, {"code": 1}])
def test_a_status_that_is_no_result_is_unknown(status: Any) -> None:
    assert outcomes(json.dumps(a_bypass(ResultStatus=None, status=status)).encode()) == ["unknown"]


def test_numbers_and_truths_where_exporters_write_them() -> None:
    found = read_one(a_bypass(UserType="Admin", RecordType="ExchangeAdmin", ResultStatus=True, ExternalAccess="TRUE"))

    assert (found.user_type, found.result_status, found.external_access) == ("Admin", "True", True)


def test_the_raw_text_is_the_records_own() -> None:
    text = json.dumps(a_bypass()).replace("/", "\\/")

    (found,) = read(f"[ {text} ]".encode())

    assert isinstance(found, AuditRecord)
    assert found.raw == text


def test_a_switch_of_the_organization_is_read() -> None:
    assert read_one(a_tampering()).operation == "Set-AdminAuditLogConfig"


_SWAPPED = st.sampled_from((str.upper, str.lower, str))
_EXTRA = st.dictionaries(
    st.text(max_size=6).map("zz{}".format), st.recursive(st.none() | st.text() | st.integers(), st.lists), max_size=3
)


@settings(max_examples=60)
@given(swap=_SWAPPED, swap_value=_SWAPPED, extra=_EXTRA, order=st.randoms(), ascii_only=st.booleans(), data=st.data())
def test_order_case_unrelated_fields_and_wrapping_never_change_the_result(
    swap: Any, swap_value: Any, extra: dict[str, Any], order: Any, ascii_only: bool, data: st.DataObject
) -> None:
    extra = {name: value for name, value in extra.items() if name == name.lower()}
    plain = a_bypass(Operation=swap_value("Set-MailboxAuditBypassAssociation"))
    fields = [(swap(name), value) for name, value in plain.items()] + list(extra.items())
    order.shuffle(fields)
    content = json.dumps([dict(fields)], ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    shape = data.draw(st.sampled_from(sorted(SHAPES)))

    (found,) = read(content)
    (wrapped,) = read(SHAPES[shape](plain))

    assert isinstance(found, AuditRecord)
    assert isinstance(wrapped, AuditRecord)
    assert facts(found) == facts(wrapped) == facts(read_one(a_bypass()))


_TEXT = json.dumps(a_bypass())
_PARTS = {"Parameters{}.Name": ["Identity", "AuditBypassEnabled"], "Parameters{}.Value": ["adele", "True"]}
_FLAT = {name: value for name, value in a_bypass().items() if name != "Parameters"}
WRAPPED: dict[str, Any] = {
    "advanced hunting": {"Stats": {"a": 1}, "Schema": [{"Name": "x"}], "Results": [cloud_app_event(a_bypass())]},
    "graph hunting": {"@odata.context": "x", "schema": [], "results": [cloud_app_event(a_bypass(), as_text=True)]},
    "log analytics": {
        "tables": [
            {"columns": [{"name": name} for name in sentinel(a_bypass())], "rows": [[*sentinel(a_bypass()).values()]]}
        ]
    },
    "kusto": [{"Columns": [{"ColumnName": name} for name in a_bypass()], "Rows": [[*a_bypass().values()]]}],
    "wazuh": {"rule": {"id": "91532"}, "data": {"integration": "office365", "office365": a_bypass()}},
    "event.original": {"@timestamp": "x", "event": {"original": _TEXT}},
    "message": {"message": _TEXT, "tags": ["a"]},
    "elasticsearch fields": {
        "fields": {name: [value] for name, value in elastic_dotted(a_bypass())["_source"].items()}
    },
    "splunk export": {"preview": False, "result": {"_raw": _TEXT, "Operation": "Set-MailboxAuditBypassAssociation"}},
    "splunk without _raw": {"result": _FLAT | _PARTS},
    "splunk csv cells": _FLAT | {name: "\n".join(values) for name, values in _PARTS.items()},
    "graph audit log query": {"value": [graph(a_bypass())]},
    "event hub": {"records": [{"time": "x", "properties": cloud_app_event(a_bypass())}]},
}


@pytest.mark.parametrize("wrapped", WRAPPED.values(), ids=WRAPPED)
def test_what_services_and_siems_put_around_a_record_is_opened(wrapped: Any) -> None:
    found = read(json.dumps(wrapped).encode())

    assert [(type(item), item.object_id) for item in found if isinstance(item, AuditRecord)] == [(AuditRecord, TARGET)]


@pytest.mark.parametrize(
    "lost",
    [
        ["@{Name=Identity; Value=adele}", "@{Name=AuditBypassEnabled; Value=True}"],
        "@{Name=Identity; Value=adele} @{Name=AuditBypassEnabled; Value=True}",
        "System.Object[]",
        "System.Collections.Hashtable",
    ],
)
def test_parameters_that_an_export_cut_off_leave_the_switch_unknown(lost: Any) -> None:
    change = detect(read_one(a_bypass(Parameters=lost)))

    assert isinstance(change, BypassChange)
    assert (change.switch.value, change.object_id_text, change.note != "") == ("unknown", TARGET, True)


def test_a_splunk_row_with_more_names_than_values_is_unreadable() -> None:
    odd = _FLAT | {"Parameters{}.Name": ["Identity", "AuditBypassEnabled"], "Parameters{}.Value": ["True"]}

    assert [type(item) for item in read(json.dumps(odd).encode())] == [Unreadable]


@pytest.mark.parametrize(
    "spelling",
    [
        "Set-MailboxAuditBypassAssociation ",
        "Set\u2011MailboxAuditBypassAssociation",
        "Set-Mailbox\u200bAuditBypass\u00a0Association",
    ],
)
def test_spaces_dashes_and_characters_of_no_width_do_not_count_in_a_name(spelling: str) -> None:
    named_oddly = [{"Name": "Audit\u200bBypass\u00a0Enabled", "Value": "True"}]

    change = detect(read_one(a_bypass(Operation=spelling, Parameters=named_oddly)))

    assert isinstance(change, BypassChange)
    assert change.switch.value == "on"
