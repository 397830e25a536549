"""The part of OData that Graph's logs support: ``$filter`` with ``and``, ``any``, ``$top``, pages."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from starlette.requests import Request

Record = dict[str, Any]
_AND = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*\Z)")
_ANY = re.compile(r"(?P<list>\w+)/any\((?P<name>\w+):\s*(?P<clause>.+)\)\Z")
_CLAUSE = re.compile(r"(?P<path>[\w/]+) (?P<how>eq|ge|le) (?P<value>'(?:[^']|'')*'|[\w:.+-]+)\Z")


class FilterError(Exception):
    """The filter cannot be read, or names what this log cannot be filtered by."""


def select(records: Sequence[Record], text: str, allowed: Collection[str]) -> list[Record]:
    """Return the records that a ``$filter`` lets through; ``allowed`` are the paths that it may name."""
    clauses = [clause.strip() for clause in _AND.split(text)] if text else []
    for clause in clauses:
        found = _ANY.match(clause) or _CLAUSE.match(clause)
        if found is None or found[1] not in allowed:
            raise FilterError(f"Invalid filter clause: {clause}")
    return [record for record in records if all(_holds(record, clause) for clause in clauses)]


def _holds(record: Record, clause: str) -> bool:
    if found := _ANY.match(clause):
        inner = re.sub(rf"\b{found['name']}/?", "", found["clause"], count=1).strip()
        return any(_one(each, inner) for each in record.get(found["list"]) or ())
    return _one(record, clause)


def _one(element: object, clause: str) -> bool:
    if isinstance(element, dict):
        read = _CLAUSE.match(clause)
        if read is None:
            raise FilterError(f"Invalid filter clause: {clause}")
        return _compare(_value(element, read["path"]), read["how"], read["value"])
    how, _, value = clause.partition(" ")
    return _compare(element, how, value)


def _value(record: Record, path: str) -> object:
    found: Any = record
    for name in path.split("/"):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _compare(found: object, how: str, text: str) -> bool:
    wanted = text[1:-1].replace("''", "'") if text.startswith("'") else text
    if found is None:
        return False
    if how == "eq":
        return str(found).casefold() == wanted.casefold()
    left, right = datetime.fromisoformat(str(found)), datetime.fromisoformat(wanted)
    return left >= right if how == "ge" else left <= right


def page(request: Request, records: Sequence[Record], *, most: int, default: int) -> Record:
    """Return one page with its ``@odata.nextLink``; ``most`` is the longest that the service gives."""
    size = min(int(request.query_params.get("$top", default)), most)
    start = int(request.query_params.get("$skiptoken", 0))
    body: Record = {"value": list(records[start : start + size])}
    if start + size < len(records):
        body["@odata.nextLink"] = str(request.url.include_query_params(**{"$skiptoken": start + size}))
    return body


def newest_first(records: Sequence[Record], name: str) -> list[Record]:
    """Sort by a time, as the logs do."""
    return sorted(records, key=lambda record: str(record[name]), reverse=True)
