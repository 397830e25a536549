"""A mailbox that others than its owner open, day by day.

The responder counts this in watched mailboxes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.tenant.account import made_up_guid
from sandbox.tenant.logs.traces import audit_record

if TYPE_CHECKING:
    from sandbox.tenant.account import Account
    from sandbox.tenant.logs.traces import Record

OWNER = "patti"
"""Her mailbox is the watched one of the sandbox."""
DELEGATE, ADMIN = "adele", "nestor"
APPLICATION = "dddddddd-0000-4000-8000-000000000001"
DAYS = 30


def opened(accounts: dict[str, Account], now: datetime) -> list[Record]:
    """Return the records of the last days.

    They are of the owner and her delegate, an administrator and an application.
    """
    owner, delegate, admin = (accounts[alias] for alias in (OWNER, DELEGATE, ADMIN))
    found: list[Record] = []
    for days in range(DAYS):
        at = now - timedelta(days=days, minutes=30)
        found.append(_record("MailItemsAccessed", at, owner, owner, LogonType=0))
        found.append(_record("MailItemsAccessed", at, owner, delegate, LogonType=2))
    yesterday = now - timedelta(days=1)
    found.append(_record("SendAs", yesterday, owner, delegate, LogonType=2))
    found.append(_record("HardDelete", yesterday, owner, admin, LogonType=1, ClientIPAddress="203.0.113.77"))
    nobody = {"UserId": "S-1-5-18", "ClientAppId": APPLICATION, "ClientInfoString": "Client=REST;Client=RESTSystem;;"}
    found.append(_record("MailItemsAccessed", yesterday, owner, admin, LogonType=1, **nobody))
    return found


def _record(operation: str, at: datetime, owner: Account, by: Account, **fields: object) -> Record:
    return audit_record(
        operation,
        at,
        by,
        workload="Exchange",
        record_type=50 if operation == "MailItemsAccessed" else 2,
        **{
            "MailboxOwnerUPN": owner.user_principal_name,
            "MailboxGuid": made_up_guid("mailbox", owner.user_principal_name),
            "MailboxOwnerSid": f"S-1-5-21-{owner.object_id}",
            "LogonUserSid": f"S-1-5-21-{by.object_id}",
            "ClientInfoString": "Client=OWA;Action=ViaProxy",
            "ClientIPAddress": "198.51.100.23",
            **fields,
        },
    )
