"""Microsoft Graph: advanced hunting.

Of a query it follows the table, ``ActionType in~``, ids and ``take`` only.

Records of mailboxes are counted as the daily query of watched mailboxes asks (``hunting_counts``).

The time comes from ``Timespan``. Rows are in the order of their time.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from sandbox.tenant.graph import graph_error
from sandbox.tenant.hunting_counts import counted, mailboxes_of
from sandbox.tenant.hunting_rows import CLOUD_APP_EVENTS, HuntingRow, moment_of
from sandbox.tenant.identity import GRAPH, claims_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from sandbox.tenant.state import Tenant

PERMISSION = "ThreatHunting.Read.All"
LONGEST_ANSWER = 100_000
_ACTIONS = re.compile(r"ActionType in~ \(([^)]*)\)")
_ID = re.compile(r'== "([0-9a-f-]{36})"')
_TAKE = re.compile(r"\btake (\d+)")


async def run_query(request: Request, tenant: Tenant) -> Response:
    """``POST /v1.0/security/runHuntingQuery``."""
    claims = claims_for(request, GRAPH)
    if claims is None or claims["tid"] != tenant.settings.tenant_id:
        return graph_error(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
    if PERMISSION not in claims["roles"]:
        return graph_error(403, "Forbidden", "The application does not have any of the required permissions.")
    body = {name.casefold(): value for name, value in (await request.json()).items()}
    query = str(body.get("query", ""))
    table = re.split(r"[|\n]", query, maxsplit=1)[0].strip()
    if not table or (table == CLOUD_APP_EVENTS and not tenant.settings.hunting_table):
        text = f"'where' operator: Failed to resolve table or column expression named '{table}'. Fix semantic errors."
        return graph_error(400, "BadRequest", text)
    found = _found(tenant, table, query, str(body.get("timespan", "")))
    return JSONResponse(_answer(found, tenant))


def _found(tenant: Tenant, table: str, query: str, timespan: str) -> list[dict[str, Any]]:
    start, end = (moment_of(part.replace("Z", "+00:00")) for part in timespan.partition("/")[::2])
    actions = {word.strip(' "').casefold() for each in _ACTIONS.findall(query) for word in each.split(",")}
    ids = set(_ID.findall(query))
    rows = [
        row
        for row in (*tenant.hunting, *_traces(tenant, table))
        if row.table == table
        and row.visible_at <= tenant.clock()
        and (start is None or row.at >= start)
        and (end is None or row.at < end)
        and (not actions or str(row.cells.get("ActionType")).casefold() in actions)
        and (not ids or any(cell in ids for cell in row.cells.values() if isinstance(cell, str)))
    ]
    rows.sort(key=lambda row: row.at)
    mailboxes = mailboxes_of(query)
    cells = [row.cells for row in rows] if mailboxes is None else counted(rows, mailboxes)
    most = min([LONGEST_ANSWER, *map(int, _TAKE.findall(query))])
    return cells[:most]


def _traces(tenant: Tenant, table: str) -> Iterator[HuntingRow]:
    """Rows that were put into a table as they are."""
    now = tenant.clock()
    for cells in tenant.traces.hunting.get(table, []):
        yield HuntingRow(table, moment_of(cells.get("Timestamp")) or now, now, cells)


def _answer(rows: list[dict[str, Any]], tenant: Tenant) -> dict[str, Any]:
    settings = tenant.settings
    if settings.hunting_raw_as_text:
        rows = [
            {name: json.dumps(cell) if isinstance(cell, dict) else cell for name, cell in row.items()} for row in rows
        ]
    columns = [{"name": name, "type": "String"} for name in (rows[0] if rows else ())]
    if settings.hunting_capitalized:
        return {"Schema": [{"Name": each["name"], "Type": each["type"]} for each in columns], "Results": rows}
    return {"schema": columns, "results": rows}
