"""Synthetic audit records as a busy tenant has them.

Most are mailbox reads, sign-ins and files; few are cmdlets.
"""

from __future__ import annotations

import json
import random
import uuid
from typing import Any

ORGANIZATION = "5d4e2a1c-0f5b-4c7e-9a39-3c1d2f6b8e70"
_OPERATIONS = ("MailItemsAccessed", "UserLoggedIn", "FileAccessed", "Set-ConditionalAccessPolicy", "New-InboxRule")
_WEIGHTS = (45, 30, 18, 5, 2)


def blob(seed: int, *, records: int = 1000, with_match: bool = False) -> bytes:
    """One blob as the Management Activity API sends it: a JSON array on one line, ``/`` escaped."""
    random_ = random.Random(seed)
    content = [_record(random_) for _ in range(records)]
    if with_match:
        content[records // 2] = bypass(random_)
    return json.dumps(content, separators=(",", ":")).replace("/", "\\/").replace("<", "\\u003c").encode()


def bypass(random_: random.Random) -> dict[str, Any]:
    """The record of a bypass that was switched on."""
    parameters = {"AuditBypassEnabled": "True", "Identity": "adele@contoso.onmicrosoft.com"}
    record = _common(random_, "Set-MailboxAuditBypassAssociation", record_type=1, workload="Exchange")
    return record | {"ObjectId": _guid(random_), "ResultStatus": "True", "Parameters": _named(parameters)}


def _guid(random_: random.Random) -> str:
    return str(uuid.UUID(int=random_.getrandbits(128), version=4))


def _named(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def _common(random_: random.Random, operation: str, *, record_type: int, workload: str) -> dict[str, Any]:
    return {
        "CreationTime": f"2026-03-{random_.randint(1, 28):02}T{random_.randint(0, 23):02}:07:00",
        "Id": _guid(random_),
        "Operation": operation,
        "OrganizationId": ORGANIZATION,
        "RecordType": record_type,
        "ResultStatus": "Succeeded",
        "UserKey": f"1003200{random_.getrandbits(36):09X}",
        "UserType": random_.choice((0, 2)),
        "Version": 1,
        "Workload": workload,
        "ClientIP": f"192.0.2.{random_.randint(1, 254)}:{random_.randint(1024, 65535)}",
        "UserId": f"person{random_.randint(1, 900)}@contoso.onmicrosoft.com",
        "AppId": "00000002-0000-0ff1-ce00-000000000000",
        "SessionId": _guid(random_),
    }


def _record(random_: random.Random) -> dict[str, Any]:
    match random_.choices(_OPERATIONS, _WEIGHTS)[0]:
        case "MailItemsAccessed" as operation:
            return _common(random_, operation, record_type=50, workload="Exchange") | _mail(random_)
        case "UserLoggedIn" as operation:
            return _common(random_, operation, record_type=15, workload="AzureActiveDirectory") | _sign_in(random_)
        case "FileAccessed" as operation:
            return _common(random_, operation, record_type=6, workload="OneDrive") | _file(random_)
        case operation:
            parameters = {"Identity": f"contoso/{_guid(random_)}", "Confirm": "False", "Name": "Rule", "Force": "True"}
            more = {"ObjectId": f"contoso/{_guid(random_)}", "Parameters": _named(parameters), "ExternalAccess": False}
            return _common(random_, operation, record_type=1, workload="Exchange") | more


def _mail(random_: random.Random) -> dict[str, Any]:
    items = [{"InternetMessageId": f"<{_guid(random_)}@mail.contoso.com>", "SizeInBytes": 5120} for _ in range(4)]
    properties = {"MailAccessType": "Bind", "IsThrottled": "False"}
    return {
        "LogonType": 0,
        "MailboxGuid": _guid(random_),
        "MailboxOwnerUPN": "adele@contoso.onmicrosoft.com",
        "ClientInfoString": "Client=REST;Client=RESTSystem;;",
        "OperationProperties": _named(properties),
        "Folders": [{"FolderItems": items, "Id": "LgAAAADq" + "A" * 50, "Path": "\\Inbox"}],
    }


def _sign_in(random_: random.Random) -> dict[str, Any]:
    extended = {
        "ResultStatusDetail": "Success",
        "UserAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0",
        "RequestType": "OAuth2:Authorize",
    }
    return {
        "AzureActiveDirectoryEventType": 1,
        "ExtendedProperties": _named(extended),
        "ModifiedProperties": [],
        "Actor": [{"ID": _guid(random_), "Type": 0}, {"ID": "adele@contoso.onmicrosoft.com", "Type": 5}],
        "ActorContextId": ORGANIZATION,
        "DeviceProperties": _named({"OS": "Windows 10", "BrowserType": "Chrome", "IsCompliant": "True"}),
        "ErrorNumber": "0",
    }


def _file(random_: random.Random) -> dict[str, Any]:
    name = f"Report {random_.randint(1, 999)}.docx"
    site = "https://contoso-my.sharepoint.com/personal/adele"
    return {
        "ObjectId": f"{site}/Documents/{name}",
        "SiteUrl": f"{site}/",
        "SourceFileName": name,
        "SourceFileExtension": "docx",
        "SourceRelativeUrl": "Documents",
        "EventSource": "SharePoint",
        "ItemType": "File",
        "ListId": _guid(random_),
        "UserAgent": "OneDriveMpc-Transform_Thumbnail/1.0",
    }
