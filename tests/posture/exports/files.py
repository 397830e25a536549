"""Exports as people make them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from bypass_responder.posture.exports.columns import renamed
from bypass_responder.posture.exports.read_exports import read_exports
from bypass_responder.posture.mailbox import Mailbox
from bypass_responder.posture.read import TenantRead
from tests.posture.mailboxes import ADMIN, ALL, DELEGATE, OWNER, exchange_guid, object_id

ALEX: dict[str, Any] = {
    "DisplayName": "Alex Example",
    "UserPrincipalName": "alex@contoso.com",
    "PrimarySmtpAddress": "alex@contoso.com",
    "ExternalDirectoryObjectId": object_id(1),
    "Guid": exchange_guid(1),
    "RecipientTypeDetails": "UserMailbox",
    "AuditEnabled": True,
    "AuditLogAgeLimit": "90.00:00:00",
    "DefaultAuditSet": list(ALL),
    "AuditAdmin": list(ADMIN),
    "AuditDelegate": list(DELEGATE),
    "AuditOwner": list(OWNER),
}
BYPASSES: list[dict[str, Any]] = [
    {"Name": "alex", "Guid": exchange_guid(1), "AuditBypassEnabled": False},
    {"Name": "svc", "Guid": exchange_guid(9), "AuditBypassEnabled": True},
]
SWITCHES = {"AuditDisabled": False, "UnifiedAuditLogIngestionEnabled": True}


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def as_csv(*rows: dict[str, Any], delimiter: str = ",", separator: str = ", ", encoding: str = "utf-8") -> bytes:
    """CSV whose lists are joined with the separator."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(rows[0])
    writer.writerows(
        [separator.join(cell) if isinstance(cell, list) else cell for cell in row.values()] for row in rows
    )
    return out.getvalue().encode(encoding)


def read(*contents: bytes, columns: tuple[str, ...] = ()) -> TenantRead:
    return read_exports([(f"file{number}", data) for number, data in enumerate(contents)], renamed(columns))


def the_mailbox(*contents: bytes, columns: tuple[str, ...] = ()) -> Mailbox:
    """The only mailbox of files that have no problem."""
    found = read(*contents, columns=columns)
    [mailbox] = found.mailboxes
    assert found.problems == []
    return mailbox
