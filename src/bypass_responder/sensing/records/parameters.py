"""``Parameters`` of a record: an array of Name and Value, or what exporters make of it."""

from __future__ import annotations

import json
import re
from typing import Any

from bypass_responder.errors import InputError
from bypass_responder.model.operation import READ_PARAMETERS, folded
from bypass_responder.sensing.records.parsed import Fields, as_written, parse_inside

_FREE = re.compile(
    r"""[-\u2010-\u2015\u2212](?P<name>[A-Za-z]\w*)                                   # -AuditBypassEnabled
        (?:(?:\s*:\s*|\s+)(?P<value>"(?:[^"`]|`.|"")*"|'(?:[^']|'')*'|[^\s\-"'][^\s"']*))?   # "x", 'x', $true
        (?:\s+|\Z)""",
    re.VERBOSE | re.DOTALL,
)

_CUT_OFF = re.compile(r"\s*(?:@\{|System\.(?:Object|Collections|Management)\b|Deserialized\.)")


def are_cut_off(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Return True for the text that ``ConvertTo-Json -Depth`` writes in place of deeply nested objects."""
    texts = value if isinstance(value, list) else [value]
    return any(isinstance(text, str) and _CUT_OFF.match(text) for text in texts)


def parameters(value: Any) -> dict[str, str]:  # noqa: ANN401 - any JSON value
    """Parameter names as typed, and their values as text. Raises InputError.

    Takes an array of {Name, Value}, one such object, an object of names, JSON text of these, and free text
    (``-Identity "x" -AuditBypassEnabled $true``). One parameter given twice with two values is ``duplicate_parameter``:
    the shell refuses such a call, so it is unknown which one counted.
    """
    named: dict[str, tuple[str, str]] = {}
    for name, given in _pairs(value):
        text = _text(name, given)
        if named.setdefault(folded(name), (name, text))[1] != text:
            raise InputError(reason="duplicate_parameter", detail=f"{name!r} appears twice with different values")
    return dict(named.values())


def _pairs(value: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - any JSON value
    match value:
        case None | "":
            return []
        case str():
            return _of_text(value.strip())
        case list():
            return [_of_element(element) for element in value]
        case Fields() if set(value) == {"_raw"}:
            return _pairs(value["_raw"])
        case Fields() if set(value) == {"name", "value"}:
            return [_of_element(value)]
        case Fields():
            return [(value.names[low], v) for low in value for v in value.repeated.get(low, [value[low]])]
    raise InputError(reason="wrong_type", detail="Parameters is not a list, an object or text")


def _of_element(element: Any) -> tuple[str, Any]:  # noqa: ANN401 - any JSON value
    if not isinstance(element, Fields) or type(element.get("name")) is not str:
        raise InputError(reason="wrong_type", detail="an element of Parameters has no Name")
    if element.repeated:
        raise InputError(reason="duplicate_key", detail="an element of Parameters has Name or Value twice")
    return element["name"], element.get("value")


def _of_text(text: str) -> list[tuple[str, Any]]:
    if text[:1] in {"[", "{"}:
        inside = parse_inside(text)
        if isinstance(inside, list | Fields):
            return _pairs(inside)
    pairs, at = [], 0
    while at < len(text) and (found := _FREE.match(text, at)):
        pairs.append((found["name"], _unquoted(found["value"] or "$true")))
        at = found.end()
    if at < len(text):
        raise InputError(reason="wrong_type", detail="the text of Parameters cannot be parsed")
    return pairs


def _unquoted(text: str) -> str:
    if text.startswith('"'):
        return re.sub(r'`(.)|""', lambda found: found[1] or '"', text[1:-1], flags=re.DOTALL)
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def _text(name: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
    match value:
        case str():
            return str(value)
        case bool():
            return str(value)
        case None:
            return ""
        case [str() as only]:
            return str(only)
    if folded(name) in READ_PARAMETERS:
        raise InputError(reason="wrong_type", detail=f"the value of {name!r} is not text")
    return json.dumps(as_written(value), separators=(",", ":"))
