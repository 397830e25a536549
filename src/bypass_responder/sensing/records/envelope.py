"""What Event Grid puts around an alert: CloudEvents 1.0, the Event Grid schema, or nothing at all.

Distinguished by their fields, never by a declared type or version. The names of an envelope count in their exact letter
case: an audit record has fields that differ from them in nothing else.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bypass_responder.errors import InputError
from bypass_responder.model.encoding import decoded
from bypass_responder.sensing.records.moments import moment
from bypass_responder.sensing.records.parsed import Fields, parse

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_LARGEST = 1 << 20
"""Bytes of an event; Event Grid takes no larger one."""
_DEEPEST = 16
"""Levels of nesting. Real records have at most 12, and each level of a list is written out again to be read."""
_PROPERTY = re.compile(r'"(specversion|eventType|source|topic|subject|id)"\s*:\s*"([^"\\]{1,200})"')


@dataclass(frozen=True)
class Head:
    """The properties of an envelope; empty for data without one."""

    source: str = ""
    id: str = ""
    time: str = ""
    """The event's own time as written; it may be no time."""

    @property
    def sent_at(self) -> datetime | None:
        """The event's own time, None where there is none that can be read."""
        return moment_or_none(self.time)


def event_in(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The one event in the body, parsed. Raises InputError."""
    event = _opened(_read(body))
    if isinstance(event, list) and len(event) == 1:
        return event[0]
    if isinstance(event, list) and any(_is_envelope(element) for element in event):
        raise InputError("too_many_events", "it holds several events: send each one alone")
    return event


def head_of(event: Any) -> Head:  # noqa: ANN401 - any JSON value
    """Return the sender, id and time, as far as they can be read.

    Raises InputError for a name given twice.
    """
    if not _is_envelope(event):
        return Head()
    must_say_once(event, event.repeated)
    cloud = has(event, "specversion")
    stated = [optional_text(event, name) for name in ("source" if cloud else "topic", "subject")]
    return Head(
        source=" ".join(word for word in stated if word),
        id=optional_text(event, "id"),
        time=optional_text(event, "time" if cloud else "eventTime"),
    )


def stated_head(text: str) -> Head:
    """Return the sender and id that an unparsable event states before its data."""
    stated = dict(reversed(_PROPERTY.findall(text.partition('"data"')[0])))
    if not stated.keys() & {"specversion", "eventType"}:
        return Head()
    names = ("source" if "specversion" in stated else "topic", "subject")
    return Head(source=" ".join(stated[name] for name in names if name in stated), id=stated.get("id", ""))


def data_of(event: Any) -> Any:  # noqa: ANN401 - any JSON value
    """What the envelope is around; of data without one, the event itself. Raises InputError."""
    if not _is_envelope(event):
        return event
    encoded = text_of(event, "data_base64")
    data = event["data"] if has(event, "data") else None
    if encoded is not None and data is not None:
        raise InputError("duplicate_key", "data appears twice, once as data_base64")
    if encoded is not None:
        data = _decoded(encoded)
    if data is None:
        raise InputError("missing_field", "data is missing")
    return _opened(_single(_opened(data)))


def has(fields: Fields, name: str) -> bool:
    """Whether the name stands there, in exactly this letter case, or several times."""
    low = name.lower()
    return fields.names.get(low) == name or low in fields.repeated


def must_say_once(fields: Fields, names: Iterable[str]) -> None:
    """Raises InputError ``duplicate_key`` for one of these names that stands twice, whatever its case."""
    if twice := fields.repeated.keys() & {name.lower() for name in names}:
        raise InputError("duplicate_key", f"{', '.join(sorted(twice))[:200]} appears more than once (case-insensitive)")


def text_of(fields: Fields, name: str) -> str | None:
    """The text under exactly this name; None for null and for nothing. Raises InputError ``wrong_type``.

    A list of one text counts as that text, as JSON and as JSON text: Sentinel writes custom details as such lists.
    """
    value = _single(fields[name.lower()]) if has(fields, name) else None
    if type(value) is str and value.lstrip().startswith("["):
        value = _single_in(value)
    if value is None or type(value) is str:
        return value
    raise InputError("wrong_type", f"{name} is not text")


def optional_text(fields: Fields, name: str) -> str:
    """The text under exactly this name; empty for anything else, and for a name that stands twice."""
    try:
        return "" if name.lower() in fields.repeated else text_of(fields, name) or ""
    except InputError:
        return ""


def moment_or_none(text: str) -> datetime | None:
    """The moment in the text, None where there is none."""
    try:
        return moment(text)
    except InputError:
        return None


def _single(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _single_in(text: str) -> str:
    """Return the only text in the JSON text of a list, else the text itself.

    An Exchange name may begin with a bracket.
    """
    try:
        value = _single(parse(text))
    except InputError:
        return text
    return value if type(value) is str else text


def _is_envelope(event: Any) -> bool:  # noqa: ANN401 - any JSON value
    if not isinstance(event, Fields):
        return False
    return has(event, "specversion") or (has(event, "eventType") and has(event, "data"))


def _read(data: bytes | str) -> Any:  # noqa: ANN401 - any JSON value
    if len(data) > _LARGEST:
        raise InputError("too_large", f"the event is longer than {_LARGEST:,} bytes")
    try:
        value = parse(data if isinstance(data, str) else decoded(data))
    except UnicodeDecodeError:
        raise InputError("not_json", "the event is neither UTF-8 nor intact UTF-16: send it in UTF-8") from None
    _must_be_shallow(value)
    return value


def _opened(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Logic Apps put JSON as text into JSON."""
    return _read(value) if type(value) is str else value


def _decoded(text: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return _read(base64.b64decode(text, validate=True))
    except ValueError:
        raise InputError("wrong_type", "data_base64 is not valid base64") from None


def _must_be_shallow(value: Any) -> None:  # noqa: ANN401 - any JSON value
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    raise InputError("too_deep", f"the event is nested more than {_DEEPEST} levels deep")


def _inside(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    if isinstance(value, Fields):
        return value.every_value()
    return value if isinstance(value, list) else []
