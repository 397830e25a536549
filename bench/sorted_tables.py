"""A table service for one bench, which reads a range of keys in order, without a scan.

The real service does the same. Azurite filters and sorts every row of a table for each query, so it cannot show whether
a page is one range. This one takes rows in the same process and answers queries over HTTP. It knows the filters of the
index, and nothing else.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

_BOUND = re.compile(r"RowKey (ge|lt) '([^']*)'")
_EQUAL = re.compile(r"(Kind|Status) eq '([^']*)'")
_ENTITY = re.compile(r"RowKey='([^']*)'")
_MOST = 1000


class SortedTable:
    """One partition of one table."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Sort the rows once."""
        ordered = sorted(((str(row["RowKey"]), row) for row in rows), key=lambda pair: pair[0])
        self._keys = [key for key, _ in ordered]
        self._rows = [row for _, row in ordered]

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Serve it on loopback; gives the connection string."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            port = runner.addresses[0][1]
            yield f"AccountName=bench;AccountKey=YmVuY2g=;TableEndpoint=http://127.0.0.1:{port}/bench;"
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        if found := _ENTITY.search(request.match_info["path"]):
            at = bisect_left(self._keys, found[1])
            there = at < len(self._keys) and self._keys[at] == found[1]
            return web.Response(status=200, text=_as_json(self._rows[at])) if there else web.Response(status=404)
        query = request.query.get("$filter", "")
        bounds = dict(_BOUND.findall(query))
        wanted = _EQUAL.findall(query)
        most = min(int(request.query.get("$top", _MOST)), _MOST)
        found_rows: list[Mapping[str, Any]] = []
        at = bisect_left(self._keys, bounds.get("ge", ""))
        while len(found_rows) < most and at < len(self._keys) and self._keys[at] < bounds.get("lt", "~~"):
            if _matches(self._rows[at], wanted):
                found_rows.append(self._rows[at])
            at += 1
        text = f'{{"value": [{", ".join(map(_as_json, found_rows))}]}}'
        return web.Response(text=text, content_type="application/json")


def _matches(row: Mapping[str, Any], wanted: list[tuple[str, str]]) -> bool:
    columns = {column for column, _ in wanted}
    return all((column, row[column]) in wanted for column in columns)


def _as_json(row: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in row.items() if name != "At"})
