"""Records of mailboxes as Exchange writes them, and rows of what others did there."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any

from bypass_responder.model.mailbox_access import AccessLogon, MailboxAccess

CEO = "ceo@contoso.onmicrosoft.com"
CEO_ID = "cccccccc-0000-4000-8000-000000000001"
EVE = "eve@contoso.onmicrosoft.com"
CEO_BOX = "bbbbbbbb-1111-4000-8000-000000000001"
OWNER_SID, OTHER_SID = "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002"
APP = "dddddddd-0000-4000-8000-000000000001"
_numbers = itertools.count(1)


def a_record(at: datetime, **fields: Any) -> dict[str, Any]:
    """EVE reads in the mailbox of CEO as a delegate."""
    defaults: dict[str, Any] = {
        "Id": f"20fd5006-645b-42be-c000-{next(_numbers):012d}",
        "CreationTime": f"{at:%Y-%m-%dT%H:%M:%S}",
        "Operation": "MailItemsAccessed",
        "Workload": "Exchange",
        "RecordType": 50,
        "UserId": EVE,
        "LogonType": 2,
        "MailboxOwnerUPN": CEO,
        "MailboxGuid": CEO_BOX,
        "MailboxOwnerSid": OWNER_SID,
        "LogonUserSid": OTHER_SID,
        "ClientInfoString": "Client=OWA;Action=ViaProxy",
        "ClientIPAddress": "203.0.113.9",
    }
    return defaults | fields


def by_owner(at: datetime, **fields: Any) -> dict[str, Any]:
    return a_record(at, UserId=CEO, LogonType=0, LogonUserSid=OWNER_SID, **fields)


def an_access(day: date, **fields: Any) -> MailboxAccess:
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    defaults: dict[str, Any] = {
        "day": day,
        "mailbox": CEO,
        "mailbox_id": CEO_BOX,
        "object_id": CEO_ID,
        "actor": EVE,
        "operation": "MailItemsAccessed",
        "logon": AccessLogon.DELEGATE,
        "count": 2,
        "first": at,
        "last": at,
        "addresses": ("203.0.113.9",),
    }
    return MailboxAccess(**(defaults | fields))
