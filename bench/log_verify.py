"""(k) ``log verify``: requests for a quiet year, and peak memory at 100,000 lines ÷ at 10,000.

A quiet tenant logs a line at each sweep, so a year has 35,040 lines and as many checkpoints. The blobs are on Azurite,
in the layout of the checkpoint store. Azurite's tables are too slow for so many rows: a stand-in serves the ledger, in
pages of 1,000 rows as Table Storage does. Each verification runs in a separate process; its peak is what the process
had resident at most.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import uuid
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from bench.storage_calls import build_counted
from bypass_responder.adapters.checkpoint_store import CONTAINER
from bypass_responder.adapters.storage_clients import connect, create_storage
from bypass_responder.model.case import TENANT_TARGET, Head
from bypass_responder.model.log import Checkpoint, LogEntry
from bypass_responder.operating.verify_log import verify_log
from bypass_responder.settings import Storage
from sandbox.azurite import Azurite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

YEAR = 365 * 96
_START = datetime(2026, 1, 1, tzinfo=UTC)
_SWEEP = timedelta(minutes=15)
_PAGE = 1_000
"""Rows of Table Storage."""
_CHILD = "import sys; from bench.log_verify import child; child(sys.argv[1], sys.argv[2])"


def measure(*, year: int = YEAR, few: int = 10_000, many: int = 100_000) -> dict[str, Any]:
    """Requests for the year, seconds for it, and the peaks with few and many lines."""
    with tempfile.TemporaryDirectory() as folder, Azurite(log=Path(folder) / "azurite.log") as azurite:
        of_year = _verified(azurite.connection_string, year)
        peaks = [_verified(azurite.connection_string, lines)["peak_mb"] for lines in (few, many)]
    return {
        "year_requests": of_year["requests"],
        "year_seconds": of_year["seconds"],
        "few_lines_peak_mb": peaks[0],
        "many_lines_peak_mb": peaks[1],
        "lines_memory_growth": round(peaks[1] / peaks[0], 2),
    }


def _verified(connection: str, lines: int) -> dict[str, Any]:
    tenant = str(uuid.uuid4())
    entries = list(_entries(lines))
    asyncio.run(_write(connection, _blobs(tenant, entries)))
    with _Tables(tenant, entries) as tables:
        Thread(target=tables.serve_forever, daemon=True).start()
        served = f"TableEndpoint=http://127.0.0.1:{tables.server_port}/devstoreaccount1"
        command = [sys.executable, "-c", _CHILD, re.sub(r"TableEndpoint=[^;]*", served, connection), tenant]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        tables.shutdown()
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    if (found["entries"], found["checkpoints"], found["problems"]) != (lines, lines, []):
        raise AssertionError(found)
    return found


def child(connection: str, tenant: str) -> None:
    """Verify the tenant's log and print what that took."""
    found = asyncio.run(_verify(connection, tenant))
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    print(json.dumps(found | {"peak_mb": round(peak, 1)}))


async def _verify(connection: str, tenant: str) -> dict[str, Any]:
    env = {"TENANT_ID": tenant, "ResponderStorage": connection, "GRAPH_URL": "http://127.0.0.1:9"}
    counts = Counter[str]()
    responder = build_counted(env | {"MANAGEMENT_API_URL": "http://127.0.0.1:9"}, counts)
    began = datetime.now(UTC)
    try:
        found = await verify_log(responder.services.ledger, responder.services.checkpoints)
    finally:
        await responder.aclose()
    took = {"requests": counts.total(), "seconds": round((datetime.now(UTC) - began).total_seconds(), 1)}
    return took | {"entries": found.entries, "checkpoints": found.checkpoints, "problems": found.problems[:3]}


async def _write(connection: str, blobs: Mapping[str, bytes]) -> None:
    clients = connect(Storage(connection_string=SecretStr(connection)))
    try:
        await create_storage(clients, queues=())
        container = clients.blobs.get_container_client(CONTAINER)
        for name, content in blobs.items():
            await container.upload_blob(name, content, blob_type="AppendBlob")
    finally:
        await clients.close()


class _Tables(ThreadingHTTPServer):
    """Answers what ``log verify`` asks of the tables: the keys, the log and the head of one target."""

    def __init__(self, tenant: str, entries: Sequence[LogEntry]) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        key = {"PartitionKey": f"{tenant}_{TENANT_TARGET}"}
        head = Head(log_seq=entries[-1].seq, log_hash=entries[-1].hash)
        self.log = [
            key | {"RowKey": f"log-{each.seq:010d}", "Kind": "log", "Body": each.model_dump_json()} for each in entries
        ]
        self.head = [
            key | {"RowKey": "now-head", "Kind": "head", "Body": head.model_dump_json(), "odata.etag": 'W/"1"'}
        ]


class _Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Tables

    def do_GET(self) -> None:
        """Answer one page; a single row is never there."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        wanted = asked.get("$filter", "")
        if "$select" in asked:
            rows = [{"PartitionKey": each["PartitionKey"]} for each in self.server.log + self.server.head]
        else:
            rows = self.server.log if "RowKey ge 'log-'" in wanted else self.server.head
        start = int(asked.get("NextRowKey", 0))
        body = json.dumps({"value": rows[start : start + _PAGE]}).encode()
        self.send_response(HTTPStatus.OK if wanted else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "application/json;odata=minimalmetadata")
        self.send_header("Content-Length", str(len(body)))
        if start + _PAGE < len(rows):
            self.send_header("x-ms-continuation-NextPartitionKey", "more")
            self.send_header("x-ms-continuation-NextRowKey", str(start + _PAGE))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
        """Print nothing."""


def _entries(lines: int) -> Iterator[LogEntry]:
    previous = ""
    for seq in range(1, lines + 1):
        text = "the sweep read 1,200 objects; 5 are bypassed"
        bare = LogEntry(
            target=TENANT_TARGET, seq=seq, at=_START + seq * _SWEEP, event="recovered", text=text, previous=previous
        )
        yield (entry := bare.model_copy(update={"hash": bare.digest()}))
        previous = entry.hash


def _blobs(tenant: str, entries: list[LogEntry]) -> dict[str, bytes]:
    """One checkpoint for each line, in the blobs that the checkpoint store puts them in."""
    contents: dict[str, list[bytes]] = defaultdict(list)
    first, day, previous = 1, date.min, ""
    for entry in entries:
        heads = {TENANT_TARGET: (entry.seq, entry.hash)}
        bare = Checkpoint(seq=entry.seq, at=entry.at, heads=heads, previous=previous)
        previous = bare.digest()
        line = bare.model_copy(update={"hash": previous}).model_dump_json().encode()
        contents[f"{tenant}/{first:012d}-{day}.jsonl"].append(line + b"\n")
        if entry.at.date() > day:
            first, day = entry.seq + 1, entry.at.date()
    return {name: b"".join(several) for name, several in contents.items()}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
