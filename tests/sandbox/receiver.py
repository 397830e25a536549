"""A webhook on loopback, to which the stand-in topic delivers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Receiver(ThreadingHTTPServer):
    """Agrees to the handshakes unless ``agrees`` is False, and answers ``statuses`` in turn, then 202."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.agrees = True
        self.statuses: list[int] = []
        self.asked: list[str] = []
        """What the handshakes asked with."""
        self.requests: list[tuple[dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    @property
    def bodies(self) -> list[Any]:
        return [body for _, body in self.requests]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its parent names it
        pass

    def do_OPTIONS(self) -> None:
        self.server.asked.append("OPTIONS")
        self._answer(200, origin=self.headers["WebHook-Request-Origin"] if self.server.agrees else "another")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers["aeg-event-type"] == "SubscriptionValidation":
            self.server.asked.append(body[0]["eventType"])
            self._answer(200 if self.server.agrees else 202, {"validationResponse": body[0]["data"]["validationCode"]})
            return
        self.server.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self._answer(self.server.statuses.pop(0) if self.server.statuses else 202)

    def _answer(self, status: int, body: object = None, *, origin: str = "") -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.send_header("WebHook-Allowed-Origin", origin)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """Take requests from threads of this process."""
    with Receiver(port) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
