"""Application Insights' ingestion and the platform's token endpoint on loopback.

They have a separate certificate.
"""

from __future__ import annotations

import gzip
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Ingestion(ThreadingHTTPServer):
    """Takes what an exporter posts; ``statuses`` are answered in turn, then 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.envelopes: list[dict[str, Any]] = []
        self.authorizations: set[str | None] = set()
        self.clients: list[str] = []
        """Whose tokens were asked for."""
        self.statuses: list[int] = []
        self.answers = Event()
        """Cleared: nothing that is posted is answered until it is set."""
        self.answers.set()


class _Handler(BaseHTTPRequestHandler):
    server: Ingestion

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its parent names it
        pass

    def do_GET(self) -> None:
        """A token of the managed identity."""
        asked = parse_qs(urlsplit(self.path).query)
        self.server.clients += asked.get("client_id", [])
        expires = int((datetime.now(UTC) + timedelta(hours=1)).timestamp())
        token = {"access_token": "token", "token_type": "Bearer", "expires_on": str(expires)}
        self._answer(200, token | {"resource": asked["resource"][0]})

    def do_POST(self) -> None:
        """A batch of envelopes."""
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        self.server.answers.wait(30)
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        envelopes = json.loads(body)
        if status == 200:
            self.server.authorizations.add(self.headers["authorization"])
            self.server.envelopes += envelopes
        self._answer(status, {"itemsReceived": len(envelopes), "itemsAccepted": len(envelopes), "errors": []})

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def ingesting(folder: Path) -> Iterator[tuple[Ingestion, dict[str, str]]]:
    """Serve, and give the settings of an app that sends there."""
    certificate = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Ingestion() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{server.server_port}"
        yield (
            server,
            {
                "APPLICATIONINSIGHTS_CONNECTION_STRING": (
                    f"InstrumentationKey=00000000-0000-4000-8000-000000000001;IngestionEndpoint={url}/"
                ),
                "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "ClientId=00000000-0000-4000-8000-000000000002;"
                "Authorization=AAD",
                "AZURE_CLIENT_ID": "00000000-0000-4000-8000-000000000002",
                "IDENTITY_ENDPOINT": f"{url}/token",
                "IDENTITY_HEADER": "header",
                "REQUESTS_CA_BUNDLE": str(certificate),
                "TMPDIR": str(folder),
            },
        )
        server.shutdown()
        thread.join()


def _certificate(folder: Path) -> Path:
    """A key and a certificate of 127.0.0.1 that signs itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "loopback.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
