"""No alert raises; what the schema accepts is read, and so are the examples of the document."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bypass_responder.model.alert import Alert
from bypass_responder.model.record import Unreadable
from bypass_responder.sensing.alert import read_alert
from tests.sensing.alerts import BAD_OPTIONAL, WRONG, Json, a_hint, body, cloud_event, grid_event, hint_of
from tests.sensing.builders import ORGANIZATION, a_bypass, elastic

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMA = json.loads((DOCS / "schemas" / "alert.schema.json").read_text(encoding="utf-8"))

# ---- any input -------------------------------------------------------------------------------------------------------

_MORE_NAMES = [
    "data_base64",
    "tenantId",
    "TenantId",
    "target",
    "actor",
    "occurredAt",
    "link",
    "AuditData",
    "RawEventData",
]
_MORE_NAMES += ["o365", "o365.audit", "audit", "value", "properties", "_source", "hits"]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([ORGANIZATION, "[]", "{}"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_NAMES = st.sampled_from([*cloud_event(...), *grid_event(...), *a_bypass(), *_MORE_NAMES])
_STARTS = st.sampled_from(
    [a_hint(), a_bypass(), cloud_event(a_hint()), grid_event(a_bypass()), elastic(a_bypass()), {}]
)


@given(data=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_raise(data: bytes) -> None:
    found = read_alert(data, tenant_id=ORGANIZATION)

    assert isinstance(found, Alert | Unreadable)


@settings(max_examples=300)
@given(start=_STARTS, change=st.dictionaries(_NAMES, _JSON | _STARTS, max_size=4), outer=_NAMES, wrapped=st.booleans())
def test_no_json_raises(start: Json, change: Json, outer: str, wrapped: bool) -> None:
    event = start | change
    found = read_alert(body({outer: event} if wrapped else event), tenant_id=ORGANIZATION)

    found.model_dump_json()


@settings(max_examples=200)
@given(data=st.data())
def test_a_body_that_is_cut_or_altered_anywhere_never_raises(data: st.DataObject) -> None:
    event = body(data.draw(_STARTS))
    at = data.draw(st.integers(0, len(event)))

    found = read_alert(event[:at] + data.draw(st.binary(max_size=3)) + event[at + 1 :], tenant_id=ORGANIZATION)

    assert isinstance(found, Alert | Unreadable)


# ---- the schema and the document -------------------------------------------------------------------------------------


def fits(data: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(data))


_TEXT = st.text(max_size=1100) | st.from_regex(SCHEMA["properties"]["target"]["pattern"])
_LINK = st.from_regex(SCHEMA["properties"]["link"]["anyOf"][0]["pattern"]) | st.none()
_FINITE = st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=4)
_WHEN = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat) | st.none()


@settings(max_examples=300)
@given(target=_TEXT, actor=_TEXT | st.none(), when=_WHEN, link=_LINK, more=_FINITE)
def test_what_the_schema_accepts_is_read(target: str, actor: Any, when: Any, link: Any, more: Any) -> None:
    data = a_hint(target=target, actor=actor, occurredAt=when, link=link, more=more)
    assume(fits(data))

    assert hint_of(data).target in target


REFUSED = {name: data for name, (data, _) in WRONG.items()} | BAD_OPTIONAL


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_the_schema_refuses_what_is_not_read(data: Json) -> None:
    assert not fits(data)


EXAMPLES = re.findall(r"```json\n(.*?)```", (DOCS / "alerts.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_document_is_read_and_fits_the_schema(example: str) -> None:
    event = json.loads(example)
    data = (event[0] if isinstance(event, list) else event)["data"]

    assert fits(data)
    assert hint_of(example.encode()).target == data["target"]
