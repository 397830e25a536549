"""Where a record stands inside what the services and SIEMs make of it.

=============================  ====================================================================================
Management Activity API        the record itself
Search-UnifiedAuditLog,        ``AuditData``, as text or object, in a wrapper with ``Operations``, ``CreationDate``,
Purview portal                 ``UserIds`` and ``Identity`` (the record's Id)
Microsoft Graph                ``auditData`` object in an ``auditLogRecord``
Defender CloudAppEvents        ``RawEventData``, as object or text; ``properties`` around it when streamed
Sentinel OfficeActivity        flat, some names changed, ``Parameters`` as JSON text
Log Analytics, Kusto           tables of ``columns`` and ``rows``
Elastic ECS                    ``o365.audit.*``, dotted or nested (some pipelines: ``o365audit.*``)
Splunk                         ``_raw`` has the record; without it, ``Parameters{}.Name`` and ``Parameters{}.Value``
Azure activity log             flat, ``operationName`` or, in Log Analytics, ``OperationNameValue``
anything around these          pages (``value``, ``records``, ``Results``), ``_source``, ``fields``, ``event.original``,
                               Wazuh's ``data.office365``: whatever inside names a cmdlet of interest is opened
=============================  ====================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bypass_responder.errors import InputError
from bypass_responder.model.operation import OPERATIONS, folded
from bypass_responder.sensing.records.parsed import Fields, as_written, parse_inside
from bypass_responder.sensing.records.prefilter import may_matter

_PAYLOADS = ("auditdata", "raweventdata")
_ELASTIC = ("o365.audit", "o365audit")
_TEXTS = ("_raw",)
_WRAPPER_OPERATIONS = ("operations", "operation", "actiontype", "event.action")
_AZURE_OPERATIONS = ("operationnamevalue", "operationname")
_COMPANIONS = frozenset(
    {"creationtime", "creationdate", "createddatetime", "timegenerated", "timestamp", "@timestamp", "_time"}
    | {"id", "recordid", "officeid", "reportid", "workload", "officeworkload", "recordtype", "userid", "userids"}
)
_DEEPEST = 8
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
    is_row: bool = False
    """A row or document of a database, which may have no id."""

    def operations(self) -> list[Any]:
        """The record's operation, every value when it is given twice; otherwise the wrapper's."""
        return _every(self.inner, "operation") or self.wrapper_operations()

    def wrapper_operations(self) -> list[Any]:
        """Every operation that the wrapper names."""
        stated = []
        for name in _WRAPPER_OPERATIONS:
            stated += _every(self.outer, name) or [v for v in (dig(self.outer, name),) if v]
        return stated or _azure_operations(self.outer)

    def parameters(self) -> Any:  # noqa: ANN401 - any JSON value
        """The record's parameters; Splunk has names and values in two lists, or in two cells line by line."""
        names, values = (_lines(self.inner.get(f"parameters{{}}.{part}")) for part in ("name", "value"))
        if names and "parameters" not in self.inner:
            if len(names) != len(values):
                raise InputError("wrong_type", detail="Parameters{} has not as many values as names")
            return [Fields([("Name", name), ("Value", value)]) for name, value in zip(names, values, strict=True)]
        return self.inner.get("parameters")

    def repeated(self) -> list[str]:
        """Names that stand more than once in the record or in its wrapper."""
        return sorted({*self.inner.repeated, *self.outer.repeated})


def candidates(value: Any, raw: str, *, is_row: bool = False) -> Iterator[Candidate]:  # noqa: ANN401 - any JSON value
    """Every record in a parsed JSON value or CSV row; ``raw`` is its text. Raises InputError."""
    yield from _candidates(value, raw, 0, is_row=is_row)


def _candidates(value: Any, raw: str, depth: int, *, is_row: bool = False) -> Iterator[Candidate]:  # noqa: ANN401
    if depth > _DEEPEST:
        raise InputError(reason="too_deep", detail=f"the record stands more than {_DEEPEST} levels deep")
    if isinstance(value, list):
        for element in value:
            opened = _opened(element)
            text = element if opened else _text(element)
            if _may_matter(text):
                yield from _candidates(opened or element, text, depth + 1)
    elif not isinstance(value, Fields):
        raise InputError(reason="not_an_object", detail="a record is a JSON object")
    elif record := _wrapped(value, raw):
        yield record
    elif inside := next(_json_texts(value), None):
        found = list(_candidates(parse_inside(inside), inside, depth + 1))
        yield from found
        flat = _flat(value, raw, is_row=is_row)
        if flat and _is_ours(flat) and not any(map(_is_ours, found)):
            yield flat
    elif flat := _flat(value, raw, is_row=is_row):
        yield flat
    else:
        yield from _inside(value, raw, depth)


def _wrapped(value: Fields, raw: str) -> Candidate | None:
    """The record that a wrapper of Microsoft's is around."""
    name = next((name for name in _PAYLOADS if name in value), "")
    return _unwrapped(value, value[name], raw) if name else None


def _flat(value: Fields, raw: str, *, is_row: bool) -> Candidate | None:
    """The object itself, or what it has under Elastic's names, if it names an operation."""
    if "operation" in value:
        return Candidate(value, _NOTHING, raw, is_row=is_row)
    if elastic := _elastic(value):
        return Candidate(elastic, value, raw, is_row=True)
    if any(dig(value, name) for name in _WRAPPER_OPERATIONS) or any(map(is_of_interest, _azure_operations(value))):
        return Candidate(value, value, raw, is_row=is_row)
    return None


def _azure_operations(value: Fields) -> list[str]:
    """Return the operations under the names of the Azure activity log.

    Other logs have more than a text there.
    """
    return [value[name] for name in _AZURE_OPERATIONS if isinstance(value.get(name), str) and value[name]]


def _is_ours(candidate: Candidate) -> bool:
    return any(map(is_of_interest, candidate.operations()))


def _json_texts(value: Fields) -> Iterator[str]:
    """Splunk's text of the whole record, if it is one."""
    for name in _TEXTS:
        if _opened(value.get(name)) and _may_matter(value[name]):
            yield value[name]


def _may_matter(text: str) -> bool:
    return may_matter(text.encode("utf-8", "replace"))


def _inside(value: Fields, raw: str, depth: int) -> Iterator[Candidate]:
    """Return the values in an object that is no record itself, or the object if none can be opened."""
    is_wrapper = False
    for row in _rows(value):
        if _may_matter(text := _text(row)):
            is_wrapper = True
            yield from _candidates(row, text, depth + 1, is_row=True)
    others = [inner for inner in value.every_value() if inner is not value.get("rows") or not is_wrapper]
    for inner in others:
        opened = inner if isinstance(inner, Fields | list) else _opened(inner)
        text = _text(opened) if opened else ""
        if _may_matter(text):
            is_wrapper = True
            yield from _candidates(opened, text if opened is inner else inner, depth + 1)
    if not is_wrapper:
        yield Candidate(value, _NOTHING, raw)


def _opened(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The object or list in a JSON text; None for any other value."""
    if not isinstance(value, str) or value.lstrip()[:1] not in {"{", "["}:
        return None
    try:
        return parse_inside(value)
    except InputError:
        return None


def _rows(value: Fields) -> Iterator[Fields]:
    """The rows of a table as Log Analytics, Application Insights and Kusto answer with."""
    columns, rows = value.get("columns"), value.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list):
        return
    names = [(c.get("name") or c.get("columnname")) if isinstance(c, Fields) else c for c in columns]
    for row in rows:
        if not isinstance(row, list) or len(row) != len(names):
            raise InputError(reason="wrong_columns", detail="a row of the table does not fit its columns")
        yield Fields([(str(name), cell) for name, cell in zip(names, row, strict=True)])


def is_audit_record(value: Any, depth: int = 0) -> bool:  # noqa: ANN401 - any JSON value
    """Whether a record of the audit log, of any operation, stands in the value."""
    if isinstance(value, list):
        return depth < _DEEPEST and any(is_audit_record(element, depth + 1) for element in value[:100])
    if isinstance(value, str) and depth:
        return depth < _DEEPEST and is_audit_record(_opened(value), depth + 1)
    if not isinstance(value, Fields):
        return False
    names = {column_and_zone(name)[0] for name in value}
    if any(dig(value, name) for name in (*_WRAPPER_OPERATIONS, *_PAYLOADS)) and not _COMPANIONS.isdisjoint(names):
        return True
    if _elastic(value) or any(map(is_audit_record, _rows(value))):
        return True
    return depth < _DEEPEST and any(is_audit_record(inner, depth + 1) for inner in value.values())


def column_and_zone(name: str) -> tuple[str, str]:
    """The name of a column without its time zone (``TimeGenerated [UTC]``), and the zone."""
    column, bracket, zone = name.partition("[")
    return (column.rstrip(), zone.removesuffix("]")) if bracket and zone.endswith("]") else (name, "")


def dig(fields: Fields, path: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value at a dotted path, spelled with dots in one name or nested; a list of one is its element."""
    value: Any = fields.get(path)
    if value is None and "." in path:
        first, _, rest = path.partition(".")
        inside = fields.get(first)
        value = dig(inside, rest) if isinstance(inside, Fields) else None
    return _single(value)


def _unwrapped(wrapper: Fields, payload: Any, raw: str) -> Candidate:  # noqa: ANN401 - any JSON value
    if isinstance(payload, str):
        try:
            raw, payload = payload or raw, parse_inside(payload) if payload else None
        except InputError as error:
            return Candidate(_NOTHING, wrapper, raw, error)
    if not isinstance(payload, Fields):
        problem = InputError(reason="missing_field", detail="AuditData is empty") if payload is None else None
        return Candidate(
            _NOTHING, wrapper, raw, problem or InputError(reason="wrong_type", detail="AuditData is not an object")
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


def _lines(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    """A list as it is, a text as its lines."""
    return value if isinstance(value, list) else value.split("\n") if isinstance(value, str) and value else []


def _single(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Elasticsearch's ``fields`` answers with lists of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str | bool) else value


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(as_written(value), separators=(",", ":"))


def is_of_interest(operation: Any) -> bool:  # noqa: ANN401 - any JSON value
    """True for an operation that detection reads."""
    return isinstance(operation, str) and folded(operation) in OPERATIONS
