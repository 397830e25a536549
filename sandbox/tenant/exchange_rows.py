"""Which rows a cmdlet of the stand-in Exchange returns: filters of its OPATH subset, and how many."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

Parameters = dict[str, Any]
Rows = list[dict[str, Any]]
DEFAULT_RESULT_SIZE = 1000
_TERM = re.compile(r"\s*(\w+)\s+-(eq|ne|ge|lt)\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)


class UnknownFilterError(Exception):
    """The stand-in does not understand the filter."""


def limited(rows: Rows, parameters: Parameters) -> tuple[Rows, list[str]]:
    """The first rows, as many as ``ResultSize`` says, and the warning that there are more."""
    size = str(parameters.get("ResultSize") or DEFAULT_RESULT_SIZE)
    if size.casefold() == "unlimited" or len(rows) <= int(size):
        return rows, []
    return rows[: int(size)], ["There are more results available than are currently displayed."]


def matching(rows: Rows, text: str) -> Rows:
    """The rows for which every term of the filter holds. Raises UnknownFilterError."""
    terms = []
    for part in re.split(r"\s-and\s", text, flags=re.IGNORECASE):
        term = _TERM.fullmatch(part)
        if term is None:
            raise UnknownFilterError(part)
        terms.append((term[1], term[2].lower(), term[3].replace("''", "'")))
    return [row for row in rows if all(_holds(row.get(name), how, value) for name, how, value in terms)]


def _holds(value: Any, how: str, wanted: str) -> bool:  # noqa: ANN401 - any property
    if how in {"ge", "lt"}:
        if value is None:
            return False
        at, bound = datetime.fromisoformat(value), datetime.strptime(wanted, "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
        return at >= bound if how == "ge" else at < bound
    texts = [str(each).casefold() for each in (value if isinstance(value, list) else [value])]
    return (wanted.casefold() in texts) is (how == "eq")
