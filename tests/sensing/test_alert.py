"""An alert is read as a hint or kept as unreadable with its reason; nothing that it holds raises."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from bypass_responder.model.alert import Alert, Hint
from tests.sensing.alerts import (
    BAD_OPTIONAL,
    OTHER_TENANT,
    WRONG,
    a_hint,
    body,
    cloud_event,
    grid_event,
    hint_of,
    in_base64,
    read,
    unread,
)
from tests.sensing.builders import (
    ORGANIZATION,
    RECORD_ID,
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
)

ENVELOPES: dict[str, Any] = {
    "cloudevents": cloud_event,
    "cloudevents, data as text": lambda data: cloud_event(json.dumps(data)),
    "cloudevents, base64": in_base64,
    "cloudevents, base64 beside null": lambda data: in_base64(data) | {"data": None},
    "cloudevents of another version": lambda data: cloud_event(data, specversion="2.0"),
    "cloudevents of a version that is no text": lambda data: cloud_event(data, specversion=1.0),
    "cloudevents in an array": lambda data: [cloud_event(data)],
    "event grid": grid_event,
    "event grid, data as text": lambda data: grid_event(json.dumps(data)),
    "event grid in an array": lambda data: [grid_event(data)],
    "event grid of no type": lambda data: grid_event(data, eventType=None),
    "bare": lambda data: data,
    "bare, as text": json.dumps,
    "bare in an array": lambda data: [data],
}
RECORDS: dict[str, Any] = {
    "management api": lambda record: record,
    "sentinel": sentinel,
    "cloudappevents": cloud_app_event,
    "cloudappevents, text": lambda record: cloud_app_event(record, as_text=True),
    "cloudappevents streamed": lambda record: {"properties": cloud_app_event(record)},
    "elastic": elastic,
    "elastic dotted": elastic_dotted,
    "search-ual": search_ual,
    "graph": graph,
    "page": lambda record: {"value": [record]},
    "elastic search answer": lambda record: {"took": 3, "hits": {"total": 1, "hits": [{"_source": elastic(record)}]}},
}


# ---- what is read ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
def test_the_minimal_form_in_every_envelope_is_one_hint(envelope: Any) -> None:
    alert = read(envelope(a_hint()))

    assert alert.hints == (Hint(tenant_id=ORGANIZATION, target="alex@contoso.onmicrosoft.com"),)
    assert alert.records == ()


@pytest.mark.parametrize("shape", RECORDS.values(), ids=RECORDS)
@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
def test_a_record_of_every_shape_in_every_envelope_is_one_record(envelope: Any, shape: Any) -> None:
    alert = read(envelope(shape(a_bypass())))

    assert [(record.id, record.object_id) for record in alert.records] == [(RECORD_ID, TARGET)]
    assert alert.hints == ()


@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
def test_an_array_of_records_is_read_and_another_operation_in_it_is_passed_over(envelope: Any) -> None:
    alert = read(envelope([a_bypass(Id="one"), another(), a_bypass(Id="two")]))

    assert [record.id for record in alert.records] == ["one", "two"]


def test_fifty_records_are_read() -> None:
    assert len(read(cloud_event([a_bypass()] * 50)).records) == 50


def test_a_record_of_an_organization_switch_is_a_record() -> None:
    assert [record.operation for record in read(a_tampering()).records] == ["Set-AdminAuditLogConfig"]


@pytest.mark.parametrize("name", ["TenantId", "tenantId"])
def test_a_tenant_beside_a_record_is_not_read(name: str) -> None:
    """Sentinel's TenantId is the workspace."""
    assert len(read(cloud_event(a_bypass(**{name: OTHER_TENANT}))).records) == 1


def test_every_field_of_the_minimal_form_is_read() -> None:
    link = "https://portal.azure.com/#view/incident/4711?x=(a:!t)&y=%20"

    hint = hint_of(a_hint(actor=" mallory ", occurredAt="2026-03-02T10:15:30+01:00", link=link))

    assert (hint.actor, hint.occurred_at, hint.link) == ("mallory", datetime(2026, 3, 2, 9, 15, 30, tzinfo=UTC), link)


ODD_FIELDS: dict[str, Any] = BAD_OPTIONAL | {
    "when a number in text": a_hint(occurredAt="1772442930"),
    "when a word": a_hint(occurredAt="yesterday"),
    "when no moment": a_hint(occurredAt="0001-01-01T00:00:00+14:00"),
    "link half a character": a_hint(link="https://siem.contoso.com/\ud800"),
    "link twice": a_hint(link="https://siem.contoso.com/1", Link="https://siem.contoso.com/2"),
    "a further field twice": a_hint(note=1, Note=2),
    "id a number": cloud_event(a_hint(), id=7),
    "source an object": cloud_event(a_hint(), source={}),
    "topic an object": grid_event(a_hint(), topic={}),
    "subject true": grid_event(a_hint(), subject=True),
    "time a number": cloud_event(a_hint(), time=1772442930),
    "time a word": grid_event(a_hint(), eventTime="yesterday"),
}


@pytest.mark.parametrize("event", ODD_FIELDS.values(), ids=ODD_FIELDS)
def test_an_optional_field_that_cannot_be_read_costs_only_itself(event: Any) -> None:
    assert hint_of(event) == Hint(tenant_id=ORGANIZATION, target="alex@contoso.onmicrosoft.com")


IN_LISTS: dict[str, Any] = {
    "the data": cloud_event([a_hint()]),
    "the data as text": cloud_event([json.dumps(a_hint())]),
    "the list as text": cloud_event(json.dumps([json.dumps(a_hint())])),
    "each value": {name: [value] for name, value in a_hint().items()},
    "each value as text": {name: json.dumps([value]) for name, value in a_hint().items()},
}


@pytest.mark.parametrize("event", IN_LISTS.values(), ids=IN_LISTS)
def test_a_list_of_one_is_its_element(event: Any) -> None:
    assert hint_of(event) == hint_of(a_hint())


def test_a_name_that_begins_with_a_bracket_stays_as_it_is() -> None:
    assert hint_of(a_hint(target="[contoso] alex")).target == "[contoso] alex"


@pytest.mark.parametrize("data", [[json.dumps(a_bypass())], {"Row": [json.dumps(a_bypass())], "Target": ["alex"]}])
def test_a_record_as_text_in_a_list_is_read(data: Any) -> None:
    assert len(read(cloud_event(data)).records) == 1


def test_events_with_different_times_that_cannot_be_read_are_different_events() -> None:
    assert read(cloud_event(a_hint(), time="one")).id != read(cloud_event(a_hint(), time="two")).id


def test_further_fields_are_ignored() -> None:
    assert hint_of(a_hint(severity="High", entities=[{"a": 1}], tenant_id="x")) == hint_of(a_hint())


@pytest.mark.parametrize("name", ["eventType", "data", "data_base64", "source"])
def test_a_field_of_an_envelope_alone_makes_no_envelope(name: str) -> None:
    assert hint_of(a_hint(**{name: "x"})) == hint_of(a_hint())


@pytest.mark.parametrize("name", ["actor", "occurredAt", "link"])
@pytest.mark.parametrize("empty", [None, ""])
def test_an_optional_field_may_be_empty(name: str, empty: Any) -> None:
    assert hint_of(a_hint(**{name: empty})) == hint_of(a_hint())


@pytest.mark.parametrize("tenant", [ORGANIZATION.upper(), f"{{{ORGANIZATION}}}", f" {ORGANIZATION}\n"])
def test_the_tenant_is_compared_as_a_guid(tenant: str) -> None:
    assert hint_of(a_hint(tenantId=tenant)).tenant_id == ORGANIZATION


@pytest.mark.parametrize(
    "target",
    [
        TARGET,
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "'; DROP TABLE Ledger; --",
        "Ärzte, Köln (Archiv)",
        "../../x",
        "$(Get-Mailbox)",
        "x" * 1024,
    ],
)
def test_a_target_is_text_and_kept_as_it_is(target: str) -> None:
    assert hint_of(a_hint(target=f" {target}\n")).target == target


def test_the_head_of_a_cloud_event_is_read() -> None:
    alert = read(cloud_event(a_hint(), subject="rule 7"))

    assert (alert.source, alert.sent_at) == ("siem/soc rule 7", datetime(2026, 3, 2, 9, 20, tzinfo=UTC))


def test_the_head_of_an_event_grid_event_is_read() -> None:
    alert = read(grid_event(a_hint()))

    assert (alert.source, alert.sent_at) == ("/topics/t soc", datetime(2026, 3, 2, 9, 20, tzinfo=UTC))


def test_data_alone_has_no_head() -> None:
    alert = read(a_hint())

    assert (alert.source, alert.sent_at) == ("", None)


def test_the_event_is_kept_as_it_came() -> None:
    event = json.dumps(cloud_event(a_hint()), indent=3).replace("/", "\\/")

    assert read(b"\xef\xbb\xbf" + event.encode()).raw == "\ufeff" + event


def test_the_source_has_a_bound_and_no_control_character() -> None:
    source = read(cloud_event(a_hint(), source="\x1b[31m\ud800" + "x" * 1000)).source

    assert source.startswith(r"\x1b[31m\ud800x")
    assert len(source) == 512


def test_the_actor_has_a_bound_and_no_control_character() -> None:
    actor = hint_of(a_hint(actor="a\x07\ud800" + "x" * 1000)).actor or ""

    assert actor.startswith(r"a\x07\ud800x")
    assert len(actor) == 512


@pytest.mark.parametrize("form", [{}, {"records": (), "hints": ()}])
def test_an_alert_that_says_nothing_cannot_be_built(form: Any) -> None:
    with pytest.raises(ValidationError, match="either records or hints"):
        Alert(id="a", source="", sent_at=None, raw="", **form)


def test_an_alert_that_says_two_things_cannot_be_built() -> None:
    with pytest.raises(ValidationError, match="either records or hints"):
        Alert(id="a", source="", sent_at=None, raw="", hints=read(a_hint()).hints, records=read(a_bypass()).records)


# ---- the same event --------------------------------------------------------------------------------------------------

EVENTS: dict[str, Any] = {
    "cloudevents": cloud_event(a_hint()),
    "event grid": grid_event(a_hint()),
    "no id": cloud_event(a_hint(), id=None),
    "bare": a_hint(),
    "records": cloud_event([a_bypass(), a_bypass(Id="two")]),
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_an_event_that_comes_again_has_the_same_id(event: Any) -> None:
    assert re.fullmatch("[0-9a-f]{32}", read(event).id)
    assert read(event).id == read(event).id


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_order_spacing_and_array_make_no_other_event(event: Any) -> None:
    turned = json.dumps([dict(reversed(event.items()))], indent=4).encode()

    assert read(turned).id == read(event).id


def test_fields_of_the_envelope_that_are_not_read_make_no_other_event() -> None:
    traced = cloud_event(a_hint(), traceparent="00-1", type="other", specversion="2.0")

    assert read(traced).id == read(cloud_event(a_hint())).id


@pytest.mark.parametrize(
    "other",
    [
        cloud_event(a_hint(), id="A-1"),
        cloud_event(a_hint(), source="Siem/soc"),
        cloud_event(a_hint(), time="2026-03-02T09:20:01Z"),
        cloud_event(a_hint(actor="mallory")),
        cloud_event(a_bypass()),
    ],
    ids=["id", "source", "time", "data", "form"],
)
def test_another_event_has_another_id(other: Any) -> None:
    """The key includes time and data: a template may have a fixed id, and an attacker may guess one."""
    assert read(other).id != read(cloud_event(a_hint())).id


# ---- what is not read ------------------------------------------------------------------------------------------------

TWICE = json.dumps(a_hint())[:-1]
BAD: dict[str, tuple[Any, str]] = WRONG | {
    "nothing": (b"", "not_json"),
    "no JSON": (b"<html>", "not_json"),
    "half of it": (json.dumps(cloud_event(a_hint())).encode()[:-5], "not_json"),
    "two one after the other": (json.dumps(a_hint()).encode() * 2, "not_json"),
    "no UTF-8": (b'{"target":"\xff\xfe"}', "not_json"),
    "UTF-16 that is cut": (json.dumps(a_hint()).encode("utf-16")[:-1], "not_json"),
    "NaN": (a_hint(score=float("nan")), "not_json"),
    "Infinity in text": (cloud_event(json.dumps(a_hint(score=float("-inf")))), "not_json"),
    "text that is no JSON": (cloud_event("hello"), "not_json"),
    "base64 of no JSON": (cloud_event(..., data_base64="aGVsbG8="), "not_json"),
    "base64 of no text": (cloud_event(..., data_base64="//79"), "not_json"),
    "null": (b"null", "not_an_object"),
    "a number": (b"7", "not_an_object"),
    "data a number": (cloud_event(7), "not_an_object"),
    "data true": (grid_event(data=True), "not_an_object"),
    "an array with a number": ([a_bypass(), 7], "not_an_object"),
    "no base64": (cloud_event(..., data_base64="?"), "wrong_type"),
    "base64 with letters of elsewhere": (cloud_event(..., data_base64="ä"), "wrong_type"),
    "base64 a number": (cloud_event(..., data_base64=7), "wrong_type"),
    "no data": (cloud_event(...), "missing_field"),
    "data null": (cloud_event(None), "missing_field"),
    "event grid data null": (grid_event(None), "missing_field"),
    "target an enormous number": (
        TWICE.replace('"alex@contoso.onmicrosoft.com"', "9" * 6000).encode() + b"}",
        "wrong_type",
    ),
    "target half a character": (a_hint(target="a\ud800b"), "not_text"),
    "another tenant": (a_hint(tenantId=OTHER_TENANT), "other_tenant"),
    "a record of another tenant": (cloud_event(a_bypass(OrganizationId=OTHER_TENANT)), "other_tenant"),
    "a record of a tenant by name": (cloud_event(a_bypass(OrganizationId="contoso")), "other_tenant"),
    "one record of another tenant": ([a_bypass(), a_bypass(OrganizationId=OTHER_TENANT)], "other_tenant"),
    "a record of nobody": (cloud_event(a_bypass(OrganizationId=None)), "missing_field"),
    "a record without Id": (cloud_event(a_bypass(Id=None)), "missing_field"),
    "a record with ObjectId a list": (cloud_event(a_bypass(ObjectId=["alex"])), "wrong_type"),
    "one bad record": ([a_bypass(), a_bypass(CreationTime="x")], "wrong_type"),
    "a record with two identities": (a_bypass(Parameters=named(Identity="a", identity="b")), "duplicate_parameter"),
    "a record with a NUL": (cloud_event(a_bypass(ObjectId="a\0b")), "nul_character"),
    "a record with half a character": (cloud_event(a_bypass(UserId="\ud800")), "not_text"),
    "a record whose text is a depth bomb": (search_ual(a_bypass()) | {"AuditData": "[" * 100_000}, "too_deep"),
    "an object": ({}, "no_record"),
    "an empty array": ([], "no_record"),
    "data an empty array": (cloud_event([]), "no_record"),
    "data an empty page": (cloud_event({"value": []}), "no_record"),
    "a record of another operation": (cloud_event(another()), "no_record"),
    "records of other operations": ([another(), another(Operation="Get-Mailbox")], "no_record"),
    "the read cmdlet": (a_bypass(Operation="Get-MailboxAuditBypassAssociation", Parameters=[]), "no_record"),
    "an alert of something else": (cloud_event({"alertId": "7", "severity": "High"}), "no_record"),
    "an array of hints": (cloud_event([a_hint(), a_hint()]), "no_record"),
    "51 records": (cloud_event([a_bypass()] * 51), "too_many_records"),
    "51 records in a page": (cloud_event({"value": [a_bypass()] * 51}), "too_many_records"),
    "a thousand targets": (cloud_event([a_hint(target=f"a{n}") for n in range(1000)]), "too_many_records"),
    "a thousand targets in one": (a_hint(target=[f"a{n}" for n in range(1000)]), "wrong_type"),
    "two events": ([cloud_event(a_hint()), cloud_event(a_hint())], "too_many_events"),
    "an event among records": ([a_bypass(), grid_event(a_hint())], "too_many_events"),
    "target twice": (f'{TWICE},"target":"mallory"}}'.encode(), "duplicate_key"),
    "target twice in other case": (f'{TWICE},"Target":"mallory"}}'.encode(), "duplicate_key"),
    "id twice": (json.dumps(cloud_event(a_hint())).encode()[:-1] + b',"id":"a-2"}', "duplicate_key"),
    "data twice": (json.dumps(grid_event(a_hint())).encode()[:-1] + b',"Data":{}}', "duplicate_key"),
    "data and base64": (in_base64(a_hint()) | {"data": a_hint()}, "duplicate_key"),
    "ObjectId twice": (cloud_event(a_bypass(objectid="mallory")), "duplicate_key"),
    "more than 1 MiB": (a_hint(note="x" * (1 << 20)), "too_large"),
    "10 MiB of no JSON": (b"[" * (10 << 20), "too_large"),
    "a depth bomb": (b"[" * 100_000, "too_deep"),
    "a depth bomb of objects": (b'{"a":' * 100_000, "too_deep"),
    "a depth bomb that closes": (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
    "a depth bomb in text": (cloud_event("[" * 100_000), "too_deep"),
    "a depth bomb in base64": (cloud_event(..., data_base64=base64.b64encode(b"[" * 100_000).decode()), "too_deep"),
    "a deep field": (a_hint(note=json.loads("[" * 20 + "]" * 20)), "too_deep"),
    "a deep field that stands twice": (f'{TWICE},"n":{"[" * 20}{"]" * 20},"n":1}}'.encode(), "too_deep"),
    "deep parameters": (
        search_ual(a_bypass())
        | {"AuditData": json.dumps(a_bypass(Parameters={"x": "@"})).replace('"@"', "[" * 100_000 + "]" * 100_000)},
        "too_deep",
    ),
}


@pytest.mark.parametrize(("event", "reason"), BAD.values(), ids=BAD)
def test_everything_else_is_unreadable_with_its_reason(event: Any, reason: str) -> None:
    assert unread(event).reason == reason


@pytest.mark.parametrize("event", [event for event, _ in BAD.values()], ids=BAD)
def test_what_is_unreadable_can_be_kept_and_shown(event: Any) -> None:
    item = unread(event)

    assert item.detail.isprintable()
    assert item.excerpt.isprintable()
    assert len(item.detail) <= 4000 >= len(item.excerpt)
    assert unread(event) == item


def test_an_unreadable_event_says_who_sent_it_and_which_it_was() -> None:
    item = unread(cloud_event(a_hint(target=7), id="a\x1b-1"))

    assert (item.source, item.where, item.detail) == ("siem/soc", r"event a\x1b-1", "target is not text")


def test_an_unreadable_event_whose_data_cannot_be_opened_says_who_sent_it() -> None:
    assert unread(cloud_event("hello")).source == "siem/soc"


@pytest.mark.parametrize("event", [cloud_event(a_hint()), grid_event(a_hint())])
def test_a_cut_event_says_who_sent_it_and_which_it_was(event: Any) -> None:
    item = unread(json.dumps(event)[:-3].encode("utf-16"))

    assert (item.source.rpartition("/")[0] != "", item.where) == (True, "event a-1")


def test_names_in_the_data_of_a_cut_event_are_not_its_head() -> None:
    cut = json.dumps({"specversion": "1.0", "data": {"source": "forged", "id": "forged"}})[:-1]

    assert (unread(cut.encode()).source, unread(cut.encode()).where) == ("", "the event")


def test_a_cut_record_has_no_head() -> None:
    assert unread(json.dumps(a_bypass())[:-1].encode()).where == "the event"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("data", [a_hint(), cloud_event(a_bypass())])
def test_an_event_in_every_encoding_is_read(encoding: str, data: Any) -> None:
    alert = read(json.dumps(data).encode(encoding))

    assert len(alert.hints) + len(alert.records) == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_the_excerpt_of_utf_16_is_its_text(encoding: str) -> None:
    assert unread('{"target": '.encode(encoding)).excerpt.endswith('{"target": ')


def test_an_unreadable_event_without_a_head_says_so() -> None:
    item = unread(b"?")

    assert (item.source, item.where, item.excerpt) == ("", "the event", "?")


def test_the_excerpt_counts_characters_and_not_bytes() -> None:
    assert unread(("\U0001f600" * 5000).encode()).excerpt == "\U0001f600" * 4000


def test_an_event_of_one_mebibyte_is_read() -> None:
    event = body(a_hint(note=""))
    filled = event.replace(b'""', b'"' + b"x" * ((1 << 20) - len(event)) + b'"')

    assert len(filled) == 1 << 20
    assert read(filled).hints
