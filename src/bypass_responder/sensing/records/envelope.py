"""What Event Grid puts around an alert: CloudEvents 1.0, the Event Grid schema, or nothing at all.

Distinguished by their fields, never by a declared type or version. The names of an envelope count in their exact letter
case: an audit record has fields that differ from them in nothing else.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bypass_responder.errors import InputError
from bypass_responder.sensing.records.moments import moment
from bypass_responder.sensing.records.parsed import Fields, parse

if TYPE_CHECKING:
    from datetime import datetime

_LARGEST = 1 << 20
"""Bytes of an event; Event Grid takes no larger one."""
_DEEPEST = 16
"""Levels of nesting. Real records have at most 12, and each level of a list is written out again to be read."""


@dataclass(frozen=True)
class Head:
    """The properties of an envelope; empty for data without one."""

    source: str = ""
    id: str = ""
    sent_at: datetime | None = None


def event_in(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The one event in the body, parsed. Raises InputError."""
    event = _opened(_read(body))
    if isinstance(event, list) and len(event) == 1:
        return event[0]
    if isinstance(event, list) and any(_is_envelope(element) for element in event):
        raise InputError("too_many_events", "several events came in one, and each has to come alone")
    return event


def head_of(event: Any) -> Head:  # noqa: ANN401 - any JSON value
    """Who sent it, under which id, and when. Raises InputError."""
    if not _is_envelope(event):
        return Head()
    must_say_once(event)
    cloud = has(event, "specversion")
    stated = [text_of(event, name) for name in ("source" if cloud else "topic", "subject")]
    time = text_of(event, "time" if cloud else "eventTime")
    return Head(
        source=" ".join(word for word in stated if word),
        id=text_of(event, "id") or "",
        sent_at=moment(time) if time else None,
    )


def data_of(event: Any) -> Any:  # noqa: ANN401 - any JSON value
    """What the envelope is around; of data without one, the event itself. Raises InputError."""
    if not _is_envelope(event):
        return event
    encoded = text_of(event, "data_base64")
    data = event["data"] if has(event, "data") else None
    if encoded is not None and data is not None:
        raise InputError("duplicate_key", "data stands there twice, once as data_base64")
    if encoded is not None:
        data = _decoded(encoded)
    if data is None:
        raise InputError("missing_field", "data is missing")
    return _opened(data)


def has(fields: Fields, name: str) -> bool:
    """Whether the name stands there, in exactly this letter case, or several times."""
    low = name.lower()
    return fields.names.get(low) == name or low in fields.repeated


def must_say_once(fields: Fields) -> None:
    """Raises InputError ``duplicate_key`` for a name that stands twice, whatever its case."""
    if fields.repeated:
        names = ", ".join(sorted(fields.repeated))[:200]
        raise InputError("duplicate_key", f"{names} stands more than once, whatever its case")


def text_of(fields: Fields, name: str) -> str | None:
    """The text under exactly this name; None for null and for nothing. Raises InputError ``wrong_type``."""
    value = fields[name.lower()] if has(fields, name) else None
    if value is None or type(value) is str:
        return value
    raise InputError("wrong_type", f"{name} is no text")


def _is_envelope(event: Any) -> bool:  # noqa: ANN401 - any JSON value
    if not isinstance(event, Fields):
        return False
    return has(event, "specversion") or (has(event, "eventType") and has(event, "data"))


def _read(data: bytes | str) -> Any:  # noqa: ANN401 - any JSON value
    if len(data) > _LARGEST:
        raise InputError("too_large", f"the event is longer than {_LARGEST:,} bytes")
    try:
        value = parse(data if isinstance(data, str) else data.decode())
    except UnicodeDecodeError:
        raise InputError("not_json", "the event is not UTF-8") from None
    _must_be_shallow(value)
    return value


def _opened(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Logic Apps put JSON as text into JSON."""
    return _read(value) if type(value) is str else value


def _decoded(text: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return _read(base64.b64decode(text, validate=True))
    except ValueError:
        raise InputError("wrong_type", "data_base64 is no base64") from None


def _must_be_shallow(value: Any) -> None:  # noqa: ANN401 - any JSON value
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    raise InputError("too_deep", f"the event is nested more than {_DEEPEST} levels deep")


def _inside(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    if isinstance(value, Fields):
        return [*value.values(), *(each for values in value.repeated.values() for each in values)]
    return value if isinstance(value, list) else []
