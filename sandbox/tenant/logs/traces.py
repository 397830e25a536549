"""What accounts leave behind in the logs of Microsoft 365: made-up records of each kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sandbox.tenant.account import Account, made_up_guid

Record = dict[str, Any]
HOME, AWAY = "203.0.113.7", "198.51.100.77"
BROWSER, SCRIPT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "python-requests/2.32"
PORTAL = "00000002-0000-0ff1-ce00-000000000000"


@dataclass
class Traces:
    """The logs of the tenant, one list each, in the shape of the service that gives them."""

    sign_ins: list[Record] = field(default_factory=list)
    directory_audits: list[Record] = field(default_factory=list)
    audit_records: list[Record] = field(default_factory=list)
    """``auditData`` of audit log queries: records as in the feed."""
    alerts: list[Record] = field(default_factory=list)
    risk_detections: list[Record] = field(default_factory=list)
    message_traces: list[Record] = field(default_factory=list)
    hunting: dict[str, list[Record]] = field(default_factory=dict)
    """Rows by table of advanced hunting."""

    def add(self, table: str, records: list[Record]) -> None:
        """Add records to a list, or rows to a table of advanced hunting. Raises KeyError for another name."""
        if table in {"GraphApiAuditEvents", "EmailEvents"}:
            self.hunting.setdefault(table, []).extend(records)
            return
        known = vars(self)
        known[table].extend(records)


def stamp(at: datetime) -> str:
    """Return a time as Graph writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def sign_in(
    account: Account,
    at: datetime,
    *,
    kind: str = "interactiveUser",
    country: str = "NL",
    address: str = HOME,
    network: int = 64496,
    agent: str = BROWSER,
    **other: Any,  # noqa: ANN401 - any field
) -> Record:
    """One sign-in; ``kind`` is its ``signInEventTypes``, ``other`` replaces fields."""
    return {
        "id": str(uuid4()),
        "createdDateTime": stamp(at),
        "userId": account.object_id,
        "userPrincipalName": account.user_principal_name,
        "userDisplayName": account.display_name,
        "appId": PORTAL,
        "appDisplayName": "Office 365 Exchange Online",
        "ipAddress": address,
        "clientAppUsed": "Browser",
        "userAgent": agent,
        "autonomousSystemNumber": network,
        "isInteractive": kind == "interactiveUser",
        "signInEventTypes": [kind],
        "conditionalAccessStatus": "notApplied",
        "riskLevelDuringSignIn": "none",
        "status": {"errorCode": 0, "failureReason": "Other."},
        "deviceDetail": {"deviceId": "", "displayName": "", "operatingSystem": "Windows", "browser": "Edge 120.0.0"},
        "location": {"city": "Made up", "state": "", "countryOrRegion": country},
    } | other


def directory_audit(
    activity: str,
    at: datetime,
    *,
    by: Account,
    target: Account,
    category: str = "RoleManagement",
    changed: dict[str, str] | None = None,
) -> Record:
    """One change in the directory."""
    modified = [
        {"displayName": name, "oldValue": None, "newValue": f'"{value}"'} for name, value in (changed or {}).items()
    ]
    return {
        "id": f"Directory_{uuid4()}",
        "category": category,
        "correlationId": str(uuid4()),
        "result": "success",
        "resultReason": "",
        "activityDisplayName": activity,
        "activityDateTime": stamp(at),
        "loggedByService": "Core Directory",
        "operationType": "Assign",
        "initiatedBy": {
            "app": None,
            "user": {"id": by.object_id, "userPrincipalName": by.user_principal_name, "ipAddress": AWAY},
        },
        "targetResources": [
            {
                "id": target.object_id,
                "displayName": target.display_name,
                "type": "User",
                "userPrincipalName": target.user_principal_name,
                "modifiedProperties": modified,
            }
        ],
        "additionalDetails": [],
    }


def audit_record(operation: str, at: datetime, by: Account, *, workload: str, record_type: int, **other: Any) -> Record:  # noqa: ANN401 - any field
    """One record of the unified audit log; ``other`` replaces or adds fields."""
    return {
        "CreationTime": f"{at:%Y-%m-%dT%H:%M:%S}",
        "Id": str(uuid4()),
        "Operation": operation,
        "RecordType": record_type,
        "ResultStatus": "Succeeded",
        "UserKey": "1003200264000001",
        "UserType": 0,
        "Version": 1,
        "Workload": workload,
        "ClientIP": AWAY,
        "ObjectId": "",
        "UserId": by.user_principal_name,
    } | other


def mail_access(by: Account, at: datetime, *, how: str = "Bind", throttled: bool = False, owner: str = "") -> Record:
    """One MailItemsAccessed record, with a subject, as real ones have it."""
    message = {"InternetMessageId": "<made-up@contoso.com>", "Subject": "Salaries of 2026", "SizeInBytes": 4096}
    properties = {"MailAccessType": how, "IsThrottled": str(throttled)}
    return audit_record(
        "MailItemsAccessed",
        at,
        by,
        workload="Exchange",
        record_type=50,
        MailboxOwnerUPN=owner or by.user_principal_name,
        LogonType=0,
        ClientInfoString="Client=REST;Client=RESTSystem;;",
        ClientIPAddress=AWAY,
        OperationCount=1,
        OperationProperties=[{"Name": name, "Value": value} for name, value in properties.items()],
        Folders=[{"Path": "\\Inbox", "FolderItems": [message]}],
    )


def alert(title: str, at: datetime, about: Account, *, service: str = "microsoftDefenderForOffice365") -> Record:
    """One alert of Defender or of Purview that names an account."""
    number = made_up_guid(title, stamp(at))
    return {
        "id": number,
        "title": title,
        "description": "Salaries of 2026 were sent outside.",
        "category": "Exfiltration",
        "severity": "high",
        "status": "new",
        "serviceSource": service,
        "detectionSource": service,
        "incidentId": "28282",
        "createdDateTime": stamp(at),
        "alertWebUrl": f"https://security.microsoft.com/alerts/{number}",
        "evidence": [
            {
                "@odata.type": "#microsoft.graph.security.userEvidence",
                "userAccount": {"azureAdUserId": about.object_id, "userPrincipalName": about.user_principal_name},
            },
            {"@odata.type": "#microsoft.graph.security.analyzedMessageEvidence", "subject": "Salaries of 2026"},
        ],
    }


def risk_detection(about: Account, at: datetime, *, event: str = "anonymizedIPAddress") -> Record:
    """One detection of Entra ID Protection."""
    return {
        "id": str(uuid4()),
        "riskEventType": event,
        "riskLevel": "high",
        "riskState": "atRisk",
        "riskDetail": "none",
        "detectionTimingType": "realtime",
        "activity": "signin",
        "ipAddress": AWAY,
        "activityDateTime": stamp(at),
        "detectedDateTime": stamp(at),
        "userId": about.object_id,
        "userPrincipalName": about.user_principal_name,
        "location": {"city": "Made up", "countryOrRegion": "ZZ"},
    }


def message_trace(sender: str, recipient: str, at: datetime) -> Record:
    """One message, with a subject, as the service gives it."""
    return {
        "id": str(uuid4()),
        "senderAddress": sender,
        "recipientAddress": recipient,
        "messageId": f"<{uuid4()}@contoso.com>",
        "receivedDateTime": stamp(at),
        "subject": "Salaries of 2026",
        "size": 45678,
        "fromIP": AWAY,
        "toIP": "",
        "status": "delivered",
    }


def graph_call(by: Account, at: datetime, *, uri: str, method: str = "GET", status: str = "200") -> Record:
    """One row of GraphApiAuditEvents."""
    return {
        "Timestamp": stamp(at),
        "AccountObjectId": by.object_id,
        "ApplicationId": made_up_guid("mail client"),
        "IPAddress": AWAY,
        "RequestMethod": method,
        "RequestUri": f"https://graph.microsoft.com/v1.0/{uri}",
        "ResponseStatusCode": status,
        "TargetWorkload": "Microsoft.Exchange",
        "Scopes": "Mail.Read",
    }


def email_event(sender: Account | None, recipient: Account | None, at: datetime, *, outside: str) -> Record:
    """One row of EmailEvents, to or from an address outside."""
    return {
        "Timestamp": stamp(at),
        "EmailDirection": "Outbound" if sender else "Inbound",
        "SenderObjectId": sender.object_id if sender else "",
        "RecipientObjectId": recipient.object_id if recipient else "",
        "SenderFromAddress": sender.user_principal_name if sender else outside,
        "RecipientEmailAddress": recipient.user_principal_name if recipient else outside,
        "DeliveryAction": "Delivered",
        "ThreatTypes": "",
        "Subject": "Salaries of 2026",
    }
