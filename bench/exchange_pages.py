"""An Exchange for one thing: it lists any number of objects, a page at a time, without having them.

The stand-in tenant builds every row for every page, which a tenant of a million does not allow. The protocol is its
``InvokeCommand`` with its identity endpoint; nobody's rights are checked here.
"""

from __future__ import annotations

import base64
import json
import re
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

from sandbox.tenant.account import DOMAIN, TENANT_ID
from sandbox.tenant.identity import LIFETIME_SECONDS, WORKER_SECRET, default_identities

if TYPE_CHECKING:
    from collections.abc import Iterator

    Rows = list[dict[str, Any]]

ON = 5
"""So many of the objects are on: the last ones, so that all of them have to be read."""
_PAGE = 1000
_CLIENT = default_identities()[WORKER_SECRET].client_id


@contextmanager
def listing(objects: int) -> Iterator[str]:
    """Serve a tenant of so many objects from a thread; gives the base URL."""

    class Handler(_Handler):
        scanned = objects

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, name="exchange pages", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    scanned = 0

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the parent
        """Say nothing."""

    def do_GET(self) -> None:
        """Give a token, as App Service's identity endpoint does."""
        expires = str(int(time.time()) + LIFETIME_SECONDS)
        claims = json.dumps({"tid": TENANT_ID, "appid": _CLIENT}).encode()
        token = f".{base64.urlsafe_b64encode(claims).rstrip(b'=').decode()}."
        self._answer({"access_token": token, "expires_on": expires, "token_type": "Bearer", "client_id": _CLIENT})

    def do_POST(self) -> None:
        """Run one cmdlet, one page of it."""
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["CmdletInput"]
        after = re.search(r"skiptoken=(\d+)", self.path)
        first = int(after[1]) if after else 0
        rows = self._rows(given["CmdletName"], given.get("Parameters") or {}, first)
        page: dict[str, Any] = {"@adminapi.warnings": [], "value": rows}
        if given["CmdletName"] == "Get-MailboxAuditBypassAssociation" and first + _PAGE < self.scanned:
            path = self.path.partition("?")[0]
            page["@odata.nextLink"] = f"http://{self.headers['Host']}{path}?%24skiptoken={first + _PAGE}"
        self._answer(page)

    def _rows(self, cmdlet: str, parameters: dict[str, Any], first: int) -> Rows:
        match cmdlet:
            case "Get-MailboxAuditBypassAssociation":
                return [self._bypass(number) for number in range(first, min(first + _PAGE, self.scanned))]
            case "Get-User":
                return [_user(int(parameters["Identity"][-12:]))]
            case "Get-OrganizationConfig":
                return [{"Name": DOMAIN, "AuditDisabled": False}]
            case "Get-AdminAuditLogConfig":
                return [{"UnifiedAuditLogIngestionEnabled": True}]
            case _:
                raise ValueError(cmdlet)

    def _bypass(self, number: int) -> dict[str, Any]:
        name = _guid("e", number)
        on = number >= self.scanned - ON
        return {"Identity": name, "Id": name, "Name": name, "Guid": _guid("f", number), "AuditBypassEnabled": on}

    def _answer(self, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _user(number: int) -> dict[str, Any]:
    name = _guid("e", number)
    return {
        "Identity": name,
        "Name": name,
        "Guid": _guid("f", number),
        "ExternalDirectoryObjectId": name,
        "UserPrincipalName": f"user{number}@{DOMAIN}",
        "RecipientTypeDetails": "UserMailbox",
    }


def _guid(kind: str, number: int) -> str:
    return f"{kind * 8}-0000-4000-8000-{number:012d}"
