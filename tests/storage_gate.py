"""Stands before Azurite as a firewall and roles stand before Azure Storage.

Azurite has neither. What is named in ``refused`` answers 403 with the code that Azure gives; every answer's Date may
be shifted.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_ROLE = "AuthorizationPermissionMismatch"
_SAID = "This request is not authorized to perform this operation using this permission."
_HOPS = {"connection", "transfer-encoding", "content-length", "date", "keep-alive"}


class StorageGate:
    """``with StorageGate(azurite) as gate``: use ``gate.connection_string``."""

    def __init__(self, connection_string: str) -> None:
        """Listen once for each of the three services of the connection string."""
        self.refused: dict[str, str] = {}
        """Name of a table, queue or container → code."""
        self.skew_seconds = 0.0
        """The service's clock is so far ahead of ours."""
        self.connection_string = connection_string
        self._servers: list[ThreadingHTTPServer] = []
        for service, port in re.findall(r"(\w+)Endpoint=http://127\.0\.0\.1:(\d+)/", connection_string):
            server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, int(port), table=service == "Table"))
            self._servers.append(server)
            self.connection_string = self.connection_string.replace(f":{port}/", f":{server.server_port}/")

    def __enter__(self) -> Self:
        """Start."""
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def code_for(self, path: str) -> str | None:
        """Why a request to this path is refused, None when it passes."""
        parts = re.split(r"[/?(]", path)
        return next((code for name, code in self.refused.items() if name in parts), None)

    @property
    def date(self) -> str:
        """The service's clock."""
        return format_datetime(datetime.now(UTC) + timedelta(seconds=self.skew_seconds), usegmt=True)


def _handler(gate: StorageGate, port: int, *, table: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if code := gate.code_for(self.path):
                self._answer(403, {"x-ms-error-code": code} | _kind(table=table), _refusal(code, table=table))
                return
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            upstream.request(self.command, self.path, body, dict(self.headers.items()))
            answer = upstream.getresponse()
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOPS}
            self._answer(answer.status, headers, answer.read())
            upstream.close()

        def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in {**headers, "Date": gate.date, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - as inherited
            """Say nothing."""

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = do_MERGE = _any  # noqa: N815 - as http.server finds them

    return Handler


def _kind(*, table: bool) -> dict[str, str]:
    return {"Content-Type": "application/json" if table else "application/xml"}


def _refusal(code: str, *, table: bool) -> bytes:
    if table:
        return json.dumps({"odata.error": {"code": code, "message": {"lang": "en-US", "value": _SAID}}}).encode()
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{_SAID}</Message></Error>'.encode()
    )
