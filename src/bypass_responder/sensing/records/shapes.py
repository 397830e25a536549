"""Where a record stands inside what the services and SIEMs make of it.

=============================  ====================================================================================
Management Activity API        the record itself
Search-UnifiedAuditLog,        ``AuditData``, as text or object, in a wrapper with ``Operations``, ``CreationDate``,
Purview portal                 ``UserIds`` and ``Identity`` (the record's Id)
Microsoft Graph                ``auditData`` object in an ``auditLogRecord``
Defender CloudAppEvents        ``RawEventData``, as object or text; ``properties`` around it when streamed
Sentinel OfficeActivity        flat, some names changed, ``Parameters`` as JSON text
Elastic ECS                    ``o365.audit.*``, dotted or nested (some pipelines: ``o365audit.*``), ``_source``
pages                          ``{"value": [...]}``, ``{"records": [...]}``, Elasticsearch ``hits.hits``
=============================  ====================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bypass_responder.errors import InputError
from bypass_responder.model.operation import OPERATIONS
from bypass_responder.sensing.records.parsed import Fields, as_written, parse_inside

_PAYLOADS = ("auditdata", "raweventdata")
_ELASTIC = ("o365.audit", "o365audit")
_WRAPPER_OPERATIONS = ("operations", "operation", "actiontype", "event.action")
_NOTHING = Fields([])


@dataclass(frozen=True)
class Candidate:
    """One record and the wrapper around it, both unchecked.

    ``problem``: why the record inside could not be read. The operation is then known from the wrapper alone.
    """

    inner: Fields
    outer: Fields
    raw: str
    problem: InputError | None = None

    def operations(self) -> list[Any]:
        """The record's operation, every value when it is given twice; otherwise the wrapper's."""
        stated = _every(self.inner, "operation")
        for name in _WRAPPER_OPERATIONS if not stated else ():
            stated += _every(self.outer, name) or [v for v in (dig(self.outer, name),) if v]
        return stated

    def repeated(self) -> list[str]:
        """Names that stand more than once in the record or in its wrapper."""
        return sorted({*self.inner.repeated, *self.outer.repeated})


def candidates(value: Any, raw: str) -> Iterator[Candidate]:  # noqa: ANN401 - any JSON value
    """Every record in a parsed JSON value or CSV row; ``raw`` is its text."""
    if isinstance(value, list):
        for element in value:
            yield from candidates(element, _text(element))
    elif not isinstance(value, Fields):
        return
    elif (inside := _contents(value)) is not None:
        yield from candidates(inside, _text(inside) if isinstance(inside, list) else raw)
    elif name := next((name for name in _PAYLOADS if name in value), None):
        yield _unwrapped(value, value[name], raw)
    elif elastic := _elastic(value):
        yield Candidate(elastic, value, raw)
    else:
        yield Candidate(value, _NOTHING, raw)


def dig(fields: Fields, path: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value at a dotted path, spelt with dots in one name or nested; a list of one is its element."""
    value: Any = fields.get(path)
    if value is None and "." in path:
        first, _, rest = path.partition(".")
        inside = fields.get(first)
        value = dig(inside, rest) if isinstance(inside, Fields) else None
    return _single(value)


def _contents(value: Fields) -> Any:  # noqa: ANN401 - any JSON value
    """What a page, a search hit or a streamed event is wrapped around; None for a record."""
    if isinstance(value.get("_source"), Fields):
        return value["_source"]
    if isinstance(inside := value.get("properties"), Fields) and "raweventdata" in inside:
        return inside
    if "operation" in value:
        return None
    pages = (value.get("value"), value.get("records"), dig(value, "hits.hits"))
    return next((page for page in pages if isinstance(page, list | Fields)), None)


def _unwrapped(wrapper: Fields, payload: Any, raw: str) -> Candidate:  # noqa: ANN401 - any JSON value
    if isinstance(payload, str):
        try:
            raw, payload = payload or raw, parse_inside(payload) if payload else None
        except InputError as error:
            return Candidate(_NOTHING, wrapper, raw, error)
    if not isinstance(payload, Fields):
        problem = InputError(reason="missing_field", detail="AuditData is empty") if payload is None else None
        return Candidate(
            _NOTHING, wrapper, raw, problem or InputError(reason="wrong_type", detail="AuditData is no object")
        )
    return Candidate(payload, wrapper, raw)


def _elastic(value: Fields) -> Fields | None:
    """The record under Elastic's namespace, its dotted names put back together."""
    pairs: list[tuple[str, Any]] = []
    parameters: list[tuple[str, Any]] = []
    for namespace in _ELASTIC:
        nested = dig(value, namespace)
        if isinstance(nested, Fields):
            pairs += _pairs(nested)
        dotted = [
            (name[len(namespace) + 1 :], v) for name, v in _pairs(value) if name.lower().startswith(f"{namespace}.")
        ]
        for name, inner in dotted:
            if name.lower().startswith("parameters."):
                parameters.append((name[len("parameters.") :], inner))
            else:
                pairs.append((name, inner))
    if parameters:
        pairs.append(("Parameters", Fields(parameters)))
    return Fields(pairs) if pairs else None


def _pairs(fields: Fields) -> list[tuple[str, Any]]:
    """The names and values of an object, with every value of a name that stands more than once."""
    return [(fields.names[low], _single(v)) for low in fields for v in fields.repeated.get(low, [fields[low]])]


def _every(fields: Fields, name: str) -> list[Any]:
    values = fields.repeated.get(name, [fields.get(name)])
    return [_single(value) for value in values if value not in (None, "")]


def _single(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Elasticsearch's ``fields`` answers with lists of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) else value


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(as_written(value), separators=(",", ":"))


def is_of_interest(operation: Any) -> bool:  # noqa: ANN401 - any JSON value
    """True for an operation that detection reads."""
    return isinstance(operation, str) and operation.lower() in OPERATIONS
