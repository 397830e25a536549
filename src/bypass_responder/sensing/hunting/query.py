"""The queries of the hunting sensor, which select by operation and parameter.

Detection alone judges values.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bypass_responder.model.operation import BYPASS_OPERATION, FAMILY_OPERATIONS
from bypass_responder.tampering.family import EXCHANGE, content_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bypass_responder.model.feed import Window

ROWS = 5_000
"""Rows of one answer. A window with more is read in two halves."""
OPERATIONS = (BYPASS_OPERATION, *FAMILY_OPERATIONS)
"""The operations with which auditing, or the right to change it, is changed."""
ELSEWHERE = tuple(name for name in FAMILY_OPERATIONS if content_of(name) != EXCHANGE)
"""Those of Entra, Purview and Azure: the table has them under other applications."""
COMMON = tuple(name for name, markers in FAMILY_OPERATIONS.items() if markers)
"""Those that run every day; only with one of ``AUDITING`` do they concern auditing."""
AUDITING = tuple(dict.fromkeys(marker for markers in FAMILY_OPERATIONS.values() for marker in markers))
IN_EXCHANGE = 'Application == "Microsoft Exchange Online"'


def records_query(window: Window) -> str:
    """Return the query for the records of a window, the oldest first."""
    return "\n| ".join(
        (
            "CloudAppEvents",
            within(window),
            f"where {IN_EXCHANGE} or ActionType in~ ({quoted(ELSEWHERE)})",
            f"where ActionType in~ ({quoted(OPERATIONS)})",
            f"extend P = iff({IN_EXCHANGE}, tostring(RawEventData.Parameters), tostring(RawEventData))",
            f"where ActionType !in~ ({quoted(COMMON)}) or P has_any ({quoted(AUDITING)})",
            "extend RecordId = tostring(RawEventData.Id)",
            "project Timestamp, ReportId, ActionType, AccountObjectId, RecordId, RawEventData",
            "order by Timestamp asc, ReportId asc",
            f"take {ROWS}",
        )
    )


def any_row_query(window: Window) -> str:
    """Return the query for one row of Exchange: without any, an empty answer proves nothing."""
    return "\n| ".join(("CloudAppEvents", within(window), f"where {IN_EXCHANGE}", "project Timestamp", "take 1"))


def within(window: Window) -> str:
    """Return the part of a query that lets a window through."""
    start, end = (f"datetime({moment:%Y-%m-%dT%H:%M:%S.%fZ})" for moment in (window.start, window.end))
    return f"where Timestamp >= {start} and Timestamp < {end}"


def quoted(names: Iterable[str]) -> str:
    """Return texts as a list of KQL."""
    return ", ".join(json.dumps(name) for name in names)
