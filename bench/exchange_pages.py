"""An Exchange that lists any number of objects or mailboxes, a page at a time, without having them.

The stand-in tenant builds every row for every page, which a tenant of a million does not allow. The protocol is its
``InvokeCommand`` with its identity endpoint; nobody's rights are checked here.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.tenant.account import DOMAIN, TENANT_ID
from sandbox.tenant.identity import LIFETIME_SECONDS, WORKER_SECRET, default_identities
from sandbox.tenant.mailbox import DEFAULT_SET

if TYPE_CHECKING:
    from collections.abc import Iterator

    Rows = list[dict[str, Any]]

ON = 5
"""So many of the objects are on: the last ones, so that all of them have to be read."""
FIRST_CREATED = datetime(2024, 1, 1, tzinfo=UTC)
"""Of the mailboxes, one each minute."""
_NAMED = re.compile(r"-(\d{12})'?\Z")
_BOUND = re.compile(r"WhenCreated -(ge|lt) '([^']+)'")
_PAGE = 1000
_CLIENT = default_identities()[WORKER_SECRET].client_id


class Listing(NamedTuple):
    """A tenant that is served: its base URL, and the cmdlets that were run.

    A cmdlet counts once, however many pages it has.
    """

    url: str
    calls: Counter[str]
    changed: dict[int, bool]
    """Whether it is on, of those that were changed."""


def created_at(number: int) -> datetime:
    """Return when a mailbox was created."""
    return FIRST_CREATED + timedelta(minutes=number)


@contextmanager
def listing(objects: int, *, page_seconds: float = 0.0) -> Iterator[Listing]:
    """Serve a tenant of so many objects, with as many mailboxes, from a thread.

    A page takes ``page_seconds``.
    """
    counted: Counter[str] = Counter()
    switched: dict[int, bool] = {}

    class Handler(_Handler):
        scanned = objects
        seconds = page_seconds
        calls = counted
        changed = switched

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, name="exchange pages", daemon=True)
        thread.start()
        try:
            yield Listing(f"http://127.0.0.1:{server.server_port}", counted, switched)
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    scanned = 0
    seconds = 0.0
    calls: Counter[str]
    changed: dict[int, bool]

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
        cmdlet, parameters = given["CmdletName"], given.get("Parameters") or {}
        begin, end = self._range(cmdlet, parameters)
        after = re.search(r"skiptoken=(\d+)", self.path)
        first = int(after[1]) if after else begin
        self.calls[cmdlet] += after is None
        time.sleep(self.seconds)
        rows = self._rows(cmdlet, parameters, range(first, min(first + _PAGE, end)))
        page: dict[str, Any] = {"@adminapi.warnings": [], "value": rows}
        if first + _PAGE < end:
            path = self.path.partition("?")[0]
            page["@odata.nextLink"] = f"http://{self.headers['Host']}{path}?%24skiptoken={first + _PAGE}"
        self._answer(page)

    def _range(self, cmdlet: str, parameters: dict[str, Any]) -> tuple[int, int]:
        """Return which objects are listed: all, those within a time of creation, or the one that is named."""
        if named := _NAMED.search(parameters.get("Identity") or parameters.get("Filter", "")):
            return int(named[1]), int(named[1]) + 1
        if cmdlet == "Get-MailboxAuditBypassAssociation":
            return 0, self.scanned
        if cmdlet != "Get-EXOMailbox":
            return 0, 1
        if "SharedMailbox" in parameters.get("RecipientTypeDetails", []):
            return 0, 0
        bounds = {word: _number(text) for word, text in _BOUND.findall(parameters.get("Filter", ""))}
        return max(0, bounds.get("ge", 0)), min(self.scanned, bounds.get("lt", self.scanned))

    def _rows(self, cmdlet: str, parameters: dict[str, Any], numbers: range) -> Rows:
        match cmdlet:
            case "Get-MailboxAuditBypassAssociation":
                return [self._bypass(number) for number in numbers]
            case "Get-EXOMailbox" | "Get-Mailbox":
                return [_mailbox(number) for number in numbers]
            case "Set-MailboxAuditBypassAssociation":
                self.changed[numbers[0]] = parameters["AuditBypassEnabled"]
                return []
            case "Get-User":
                return [_user(number) for number in numbers]
            case "Get-OrganizationConfig":
                return [{"Name": DOMAIN, "AuditDisabled": False}]
            case "Get-AdminAuditLogConfig":
                return [{"UnifiedAuditLogIngestionEnabled": True}]
            case "Get-InboxRule" | "Get-MailboxPermission" | "Get-RecipientPermission" | "Get-MailboxFolderPermission":
                return []
            case _:
                raise ValueError(cmdlet)

    def _bypass(self, number: int) -> dict[str, Any]:
        name = _guid("e", number)
        on = self.changed.get(number, number >= self.scanned - ON)
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


def _mailbox(number: int) -> dict[str, Any]:
    """What the property sets Minimum and Audit have of a mailbox; every tenth has left the default set."""
    owner = DEFAULT_SET["Owner"][:-1] if number % 10 == 0 else DEFAULT_SET["Owner"]
    return _user(number) | {
        "DisplayName": f"User {number}",
        "PrimarySmtpAddress": f"user{number}@{DOMAIN}",
        "WhenCreatedUTC": f"{created_at(number):%Y-%m-%dT%H:%M:%SZ}",
        "PersistedCapabilities": ["BPOS_S_Enterprise"],
        "AuditEnabled": True,
        "AuditLogAgeLimit": "90.00:00:00",
        "DefaultAuditSet": ["Admin", "Delegate", *(["Owner"] if number % 10 else [])],
        "AuditAdmin": DEFAULT_SET["Admin"],
        "AuditDelegate": DEFAULT_SET["Delegate"],
        "AuditOwner": owner,
    }


def _number(text: str) -> int:
    """Return the first mailbox that was created then, or later."""
    at = datetime.strptime(text, "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
    return -((FIRST_CREATED - at) // timedelta(minutes=1))


def object_id(number: int) -> str:
    """Return the Entra object id of an account."""
    return _guid("e", number)


def _guid(kind: str, number: int) -> str:
    return f"{kind * 8}-0000-4000-8000-{number:012d}"
