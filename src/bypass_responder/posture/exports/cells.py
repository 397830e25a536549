"""Values of an export, as PowerShell, JSON and spreadsheets write them. Pure.

The values are lists, flags, time spans and times.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from bypass_responder.posture.age_limit import days_of

_TRUE = {"true", "$true", "1", "wahr", "vrai", "verdadero", "vero", "verdadeiro", "waar", "prawda", "sand", "истина"}
_FALSE = {"false", "$false", "0", "falsch", "faux", "falso", "onwaar", "fałsz", "falsk", "falskt", "ложь"}
"""As spreadsheets write them in the language of their user."""
_TYPE_NAME = re.compile(r"\s*(?:System|Microsoft|Deserialized)\.[\w.`]+(?:\[.*\])?\s*\Z")
_EPOCH = re.compile(r"/Date\((-?\d{1,16})(?:[+-]\d{4})?\)/\Z")
_MOST_TICKS = 100_000 * 24 * 3600 * 10**7
_SEPARATOR = re.compile(r"[,;|\s]+")
_ACTION = re.compile(r"[A-Za-z]{1,64}")
_CAPABILITY = re.compile(r"\w{1,64}", re.ASCII)
_NOTHING = {"", "-", "none", "null", "$null", "@()"}
_NO_NAMES = _TRUE | _FALSE | {"nan"}
_JOIN = "Join lists before Export-Csv, or use ConvertTo-Json -Depth 3"
_LOST = f"the cell has only a type name, not its values. {_JOIN}"


class CellError(ValueError):
    """A cell that cannot be read. The sentence says why, and what to do."""


def as_actions(value: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - any cell
    """Return a list of audited actions or logon types, known or not. Raises CellError for what can be none."""
    return _named(as_list(value), _ACTION)


def as_capabilities(value: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - any cell
    """Return a list of capabilities such as BPOS_S_Standard. Raises CellError for what can be none."""
    return _named(as_list(value), _CAPABILITY)


def _named(words: tuple[str, ...] | None, name: re.Pattern[str]) -> tuple[str, ...] | None:
    for word in words or ():
        if not name.fullmatch(word) or word.casefold() in _NO_NAMES:
            raise CellError(f"the list has {word!r:.60}, which cannot be a name. {_JOIN}")
    return words


def as_list(value: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - any cell
    """Return a list of words, None where there is none. Raises CellError where the export has lost it."""
    if isinstance(value, dict):
        if not value.keys() & {"value", "Value"}:
            raise CellError(f"the cell has an object without the values of the list. {_JOIN}")
        value = value.get("value", value.get("Value"))
    if value is None:
        return None
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _loaded(value)
    if isinstance(value, list | tuple):
        return tuple(word for each in value for word in _words(_text_of(each)))
    return _words(str(value))


def _loaded(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the array of a JSON text, or the text where it is none: a name may begin with a bracket."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _text_of(value: Any) -> str:  # noqa: ANN401 - any element of a list
    """Return the text of an element; Windows PowerShell writes an enumeration as a number and its name."""
    return str(value.get("Value", value) if isinstance(value, dict) else value)


def _words(text: str) -> tuple[str, ...]:
    if _TYPE_NAME.match(text):
        raise CellError(_LOST)
    inner = text.strip().removeprefix("{").removesuffix("}").strip()
    if inner.endswith(("...", "…")):
        raise CellError("the list was cut off for the screen (…). Export it with Export-Csv or ConvertTo-Json")
    words = [word.strip("\"'") for word in _SEPARATOR.split(inner)]
    return tuple(word for word in words if word.lower() not in _NOTHING)


def as_flag(value: Any) -> bool | None:  # noqa: ANN401 - any cell
    """Return a flag, None where there is none. Raises CellError for another text."""
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().casefold()
    if not word:
        return None
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise CellError(f"{str(value)!r:.60} is neither true nor false")


def as_span(value: Any) -> str | None:  # noqa: ANN401 - any cell
    """Return a time span as Exchange writes it, None where there is none. Raises CellError."""
    if isinstance(value, dict):
        ticks = value.get("Ticks")
        if isinstance(ticks, int):
            if not 0 <= ticks < _MOST_TICKS:
                raise CellError(f"{ticks!r:.40} ticks are no time span of Exchange")
            return _span(ticks // 10**7)
        value = value.get("value", value.get("Value"))
    if value is None:
        return None
    if isinstance(value, dict | list) or _TYPE_NAME.match(str(value)):
        raise CellError(_LOST)
    text = str(value).strip()
    if not text:
        return None
    if (days := days_of(text)) is None:
        raise CellError(f"{text!r:.60} is not a time span such as 90.00:00:00")
    return _span(round(days * 24 * 3600))


def _span(seconds: int) -> str:
    """Return a time span in the one form of .NET: the worker compares texts."""
    span = timedelta(seconds=seconds)
    hours, rest = divmod(span.seconds, 3600)
    days = f"{span.days}." if span.days else ""
    return f"{days}{hours:02}:{rest // 60:02}:{rest % 60:02}"


def as_time(value: Any) -> str | None:  # noqa: ANN401 - any cell
    """Return a time in ISO 8601 where the cell has one that can be read for sure, else None."""
    if isinstance(value, dict):
        value = value.get("value", value.get("DateTime"))
    text = str(value or "").strip()
    if found := _EPOCH.match(text):
        return _of_epoch(int(found[1]))
    try:
        moment = datetime.fromisoformat(text)
        return f"{moment.astimezone(UTC) if moment.tzinfo else moment:%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError):
        return None


def _of_epoch(milliseconds: int) -> str | None:
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def as_text(value: Any) -> str:  # noqa: ANN401 - any cell
    """Return a text, empty where there is none."""
    if isinstance(value, dict):
        value = value.get("Value", value.get("value"))
    return "" if value is None else str(value).strip()
