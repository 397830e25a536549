"""One event that a SIEM or Defender sent, read as a hint.

Anyone with the topic's key can write anything, so every field is checked here. An event is read as a whole or not at
all: one record in it that cannot be understood makes all of it unreadable.
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import Any

from pydantic import ValidationError

from bypass_responder.errors import InputError
from bypass_responder.model.alert import LONGEST_TEXT, Alert, Hint
from bypass_responder.model.base import guid_or_none
from bypass_responder.model.encoding import decoded, encoding_of
from bypass_responder.model.record import EXCERPT_LIMIT, AuditRecord, Unreadable, excerpt, printable
from bypass_responder.sensing.records.envelope import (
    Head,
    data_of,
    event_in,
    has,
    head_of,
    moment_or_none,
    must_say_once,
    optional_text,
    stated_head,
    text_of,
)
from bypass_responder.sensing.records.parsed import Fields, as_written
from bypass_responder.sensing.records.prefilter import may_matter
from bypass_responder.sensing.records.record import record_of
from bypass_responder.sensing.records.shapes import candidates

_MOST_RECORDS = 50
_LONGEST_ID = 200
_REQUIRED = ("tenantId", "target")
_PROBLEMS = {
    "string_too_short": ("no_target", "target is empty"),
    "string_pattern_mismatch": ("control_character", "target contains a control character"),
    "string_unicode": ("not_text", "target contains a lone surrogate"),
    "string_too_long": ("too_large", "target is longer than 1,024 characters"),
}


def read_alert(body: bytes, *, tenant_id: str) -> Alert | Unreadable:
    """The alert in the JSON of one event, or why there is none. Never raises for what the body holds.

    The body is UTF-8 or UTF-16. Takes CloudEvents 1.0, the Event Grid schema and the data alone. The data is the
    minimal form (a Hint), or what ``detect`` reads: a record or at most 50 of them, as JSON or as JSON text.
    ``tenant_id`` is a lower-case GUID.
    """
    head = Head()
    try:
        event = event_in(body)
        head = head_of(event)
        return _alert(head, data_of(event), raw=decoded(body), tenant_id=tenant_id)
    except InputError as error:
        problem = error
    except RecursionError:
        problem = InputError("too_deep", "the event is nested too deeply")
    text = body[: 4 * EXCERPT_LIMIT].decode(encoding_of(body) or "utf-8", "replace")
    head = head if head != Head() else stated_head(text)
    return Unreadable(
        reason=problem.reason,
        detail=excerpt(problem.detail),
        source=_source(head),
        where=f"event {printable(head.id[:_LONGEST_ID])}" if head.id else "the event",
        excerpt=excerpt(text),
    )


def _alert(head: Head, data: Any, *, raw: str, tenant_id: str) -> Alert:  # noqa: ANN401 - any JSON value
    key = _key(head, data)
    hints = (_hint(data, tenant_id),) if isinstance(data, Fields) and has(data, "target") else ()
    records = () if hints else _records(data, tenant_id)
    return Alert(id=key, source=_source(head), sent_at=head.sent_at, hints=hints, records=records, raw=raw)


def _source(head: Head) -> str:
    return printable(head.source[:LONGEST_TEXT])[:LONGEST_TEXT]


def _key(head: Head, data: Any) -> str:  # noqa: ANN401 - any JSON value
    """The same for the same event: of its source and id, and of its time and data as well.

    By source and id alone, a sender whose template has a fixed id would be accepted once, and an attacker who guesses
    the id of a future alert could use it up.
    """
    parts = [head.source, head.id, str(head.sent_at or head.time), as_written(data)]
    try:
        content = json.dumps(parts, sort_keys=True, allow_nan=False)
    except ValueError:
        raise InputError("not_json", "NaN and Infinity are not valid JSON") from None
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _hint(data: Fields, tenant_id: str) -> Hint:
    """Return the hint. An unreadable optional field is left out: the target must be checked anyway."""
    must_say_once(data, _REQUIRED)
    tenant, target = (text_of(data, name) for name in _REQUIRED)
    if tenant is None or target is None:
        raise InputError("missing_field", f"{'target' if target is None else 'tenantId'} is missing")
    if guid_or_none(tenant) is None:
        raise InputError("wrong_type", "tenantId is not a GUID")
    _must_be_ours(tenant, tenant_id)
    hint = partial(
        Hint,
        tenant_id=tenant_id,
        target=target,
        actor=printable(optional_text(data, "actor").strip()[:LONGEST_TEXT])[:LONGEST_TEXT] or None,
        occurred_at=moment_or_none(optional_text(data, "occurredAt")),
    )
    try:
        return hint(link=optional_text(data, "link").strip() or None)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    if first["loc"][0] == "link":
        return hint(link=None)
    raise InputError(*_PROBLEMS[first["type"]])


def _records(data: Any, tenant_id: str) -> tuple[AuditRecord, ...]:  # noqa: ANN401 - any JSON value
    found: list[AuditRecord] = []
    count = 0
    for element in data if isinstance(data, list) else [data]:
        if not isinstance(element, Fields):
            raise InputError("not_an_object", "expected a JSON object")
        text = json.dumps(as_written(element), separators=(",", ":"))
        matters = may_matter(text.encode())
        for candidate in candidates(element, text):
            count += 1
            if count > _MOST_RECORDS:
                raise InputError("too_many_records", f"there are more than {_MOST_RECORDS} records")
            record = record_of(candidate, text=text) if matters else None
            found += [record] if record else []
    for record in found:
        if record.organization_id is None:
            raise InputError("missing_field", "OrganizationId is missing")
        _must_be_ours(record.organization_id, tenant_id)
    if not found and isinstance(data, Fields) and has(data, "tenantId"):
        raise InputError("missing_field", "target is missing")
    if not found:
        raise InputError("no_record", "neither the minimal form nor a record of a relevant cmdlet")
    return tuple(found)


def _must_be_ours(given: str, tenant_id: str) -> None:
    if guid_or_none(given) != tenant_id:
        raise InputError("other_tenant", f"it is about the tenant {given}")
