"""Alerts as Event Grid delivers them, and what is read of them."""

from __future__ import annotations

import base64
import json
from typing import Any

from bypass_responder.model.alert import Alert, Hint
from bypass_responder.model.record import Unreadable
from bypass_responder.sensing.alert import read_alert
from tests.sensing.builders import ORGANIZATION

OTHER_TENANT = "11111111-2222-3333-4444-555555555555"
Json = dict[str, Any]


def a_hint(**fields: Any) -> Json:
    """The minimal form; a field that is ``...`` is left out."""
    said = {"tenantId": ORGANIZATION, "target": "alex@contoso.onmicrosoft.com"} | fields
    return {name: value for name, value in said.items() if value is not ...}


def cloud_event(data: Any, **fields: Any) -> Json:
    head = {"specversion": "1.0", "id": "a-1", "source": "siem/soc", "type": "t", "time": "2026-03-02T09:20:00Z"}
    return head | ({} if data is ... else {"data": data}) | fields


def grid_event(data: Any, **fields: Any) -> Json:
    head = {"id": "a-1", "topic": "/topics/t", "subject": "soc", "eventType": "t", "eventTime": "2026-03-02T09:20:00Z"}
    return head | {"data": data, "dataVersion": "1", "metadataVersion": "1"} | fields


def in_base64(data: Any) -> Json:
    return cloud_event(..., data_base64=base64.b64encode(json.dumps(data).encode()).decode())


def body(event: Any) -> bytes:
    return event if isinstance(event, bytes) else json.dumps(event).encode()


def read(event: Any) -> Alert:
    alert = read_alert(body(event), tenant_id=ORGANIZATION)
    assert isinstance(alert, Alert), alert
    return alert


def hint_of(event: Any) -> Hint:
    (hint,) = read(event).hints
    return hint


def unread(event: Any) -> Unreadable:
    item = read_alert(body(event), tenant_id=ORGANIZATION)
    assert isinstance(item, Unreadable), item
    return item


WRONG: dict[str, tuple[Json, str]] = {
    "no tenant": (a_hint(tenantId=...), "missing_field"),
    "tenant null": (a_hint(tenantId=None), "missing_field"),
    "tenant in other case": (a_hint(tenantId=...) | {"TenantId": ORGANIZATION}, "missing_field"),
    "tenant of our own spelling": (a_hint(tenantId=..., tenant_id=ORGANIZATION), "missing_field"),
    "tenant a name": (a_hint(tenantId="contoso.onmicrosoft.com"), "wrong_type"),
    "tenant empty": (a_hint(tenantId=""), "wrong_type"),
    "tenant a number": (a_hint(tenantId=7), "wrong_type"),
    "no target": (a_hint(target=...), "missing_field"),
    "target in other case": (a_hint(target=...) | {"Target": "alex"}, "missing_field"),
    "target null": (a_hint(target=None), "missing_field"),
    "target empty": (a_hint(target=""), "no_target"),
    "target spaces": (a_hint(target=" \t\u00a0\n"), "no_target"),
    "target an empty list": (a_hint(target=[]), "wrong_type"),
    "target an object": (a_hint(target={"id": "alex"}), "wrong_type"),
    "target a number": (a_hint(target=7), "wrong_type"),
    "target true": (a_hint(target=True), "wrong_type"),
    "target NUL": (a_hint(target="a\0b"), "control_character"),
    "target escape": (a_hint(target="a\x1b[31mb"), "control_character"),
    "target two lines": (a_hint(target="a\nb"), "control_character"),
    "target C1": (a_hint(target="a\x9bb"), "control_character"),
    "target too long": (a_hint(target="x" * 1025), "too_large"),
}
"""Minimal forms that the schema refuses, too."""

BAD_OPTIONAL: dict[str, Json] = {
    "actor a list": a_hint(actor=["mallory", "trent"]),
    "actor a number": a_hint(actor=7),
    "when a number": a_hint(occurredAt=1772442930),
    "link a number": a_hint(link=7),
    "link http": a_hint(link="http://siem.contoso.com/1"),
    "link a script": a_hint(link="javascript:alert(1)"),
    "link with a name before the host": a_hint(link="https://portal.azure.com@evil.example/"),
    "link that ends an attribute": a_hint(link='https://siem.contoso.com/"onclick="x'),
    "link on two lines": a_hint(link="https://siem.contoso.com/\nx"),
    "link too long": a_hint(link="https://siem.contoso.com/" + "x" * 2048),
}
"""Minimal forms with an optional field that the schema refuses; it is left out."""
