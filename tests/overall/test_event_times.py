"""An event of Event Grid, through the converter of the Functions library and the app's own function."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.functions import get_binding_registry
from azure.functions.meta import Datum

import function_app
from tests.sensing.alerts import a_hint, cloud_event, grid_event, hint_of, read

SCHEMAS = {
    "cloudevents": lambda time: cloud_event(a_hint(), time=time),
    "event grid": lambda time: grid_event(a_hint(), eventTime=time),
}


def delivered(event: Any) -> bytes:
    """What ``receive_alert`` reads of an event that the host hands over."""
    converter: Any = get_binding_registry().get("eventGridTrigger")  # type: ignore[no-untyped-call]
    decoded = converter.decode(Datum(json.dumps(event), "json"), trigger_metadata=None)
    return function_app._as_json(decoded)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
@pytest.mark.parametrize("time", ["2026-03-02T10:20:00+01:00", "2026-03-02T09:20:00Z", "2026-03-02T09:20:00.0000000Z"])
def test_an_event_time_may_have_an_offset(schema: Any, time: str) -> None:
    assert read(delivered(schema(time))).sent_at == datetime(2026, 3, 2, 9, 20, tzinfo=UTC)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_an_event_time_that_is_none_costs_only_itself(schema: Any) -> None:
    assert hint_of(delivered(schema("yesterday"))) == hint_of(a_hint())
