"""Synthetic audit records, and the exports in which they come."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

ORGANIZATION = "5d4e2a1c-0f5b-4c7e-9a39-3c1d2f6b8e70"
TARGET = "7d3b1c52-4c7d-4e0b-8f0a-2b6f0a9d1e11"
RECORD_ID = "1c0f2d3e-0000-4000-8000-0000000000aa"
Json = dict[str, Any]


def named(**values: Any) -> list[Json]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def a_bypass(**fields: Any) -> Json:
    """The record of a bypass that was switched on; a field that is None is left out."""
    defaults: Json = {
        "CreationTime": "2026-03-02T09:15:30",
        "Id": RECORD_ID,
        "Operation": "Set-MailboxAuditBypassAssociation",
        "OrganizationId": ORGANIZATION,
        "RecordType": 1,
        "ResultStatus": "True",
        "UserKey": "10032000ABCDEF01",
        "UserType": 2,
        "Version": 1,
        "Workload": "Exchange",
        "ClientIP": "192.0.2.70:45186",
        "ObjectId": TARGET,
        "UserId": "mallory@contoso.onmicrosoft.com",
        "AppId": "fb78d390-0c51-40cd-8e17-fdbfab77341b",
        "ExternalAccess": False,
        "OrganizationName": "contoso.onmicrosoft.com",
        "Parameters": named(AuditBypassEnabled="True", Identity="adele@contoso.onmicrosoft.com"),
        "SessionId": "9dd7a60b-0000-4000-8000-000000000001",
    }
    return {name: value for name, value in (defaults | fields).items() if value is not None}


def a_tampering(**fields: Any) -> Json:
    defaults: Json = {
        "Operation": "Set-AdminAuditLogConfig",
        "ObjectId": "Admin Audit Log Settings",
        "Parameters": named(UnifiedAuditLogIngestionEnabled="False"),
    }
    return a_bypass(**(defaults | fields))


def another(**fields: Any) -> Json:
    """A record that is none of our business, and says our cmdlet's name all the same."""
    defaults: Json = {
        "Operation": "New-InboxRule",
        "Parameters": named(Name="Set-MailboxAuditBypassAssociation"),
    }
    return a_bypass(**(defaults | fields))


def to_csv(*rows: Json, delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def search_ual(record: Json) -> Json:
    return {
        "RecordType": "ExchangeAdmin",
        "CreationDate": "3/2/2026 9:15:30 AM",
        "UserIds": record.get("UserId", ""),
        "Operations": record["Operation"],
        "AuditData": json.dumps(record),
        "ResultIndex": 1,
        "Identity": record.get("Id", ""),
    }


def sentinel(record: Json) -> Json:
    return {
        "TenantId": "00000000-0000-4000-8000-00000000a11a",
        "RecordType": "ExchangeAdmin",
        "TimeGenerated [UTC]": "3/2/2026, 9:15:30.000 AM",
        "Operation": record["Operation"],
        "OrganizationId": record["OrganizationId"],
        "UserType": "Admin",
        "OfficeWorkload": record["Workload"],
        "ResultStatus": str(record.get("ResultStatus", "")).upper(),
        "OfficeObjectId": record["ObjectId"],
        "UserId": record["UserId"],
        "ClientIP": record["ClientIP"],
        "Parameters": json.dumps(record["Parameters"], indent=2),
        "ExternalAccess": "FALSE",
        "OfficeId": record["Id"],
        "AppId": record["AppId"],
        "Type": "OfficeActivity",
    }


def cloud_app_event(record: Json, *, as_text: bool = False) -> Json:
    return {
        "Timestamp": "2026-03-02T09:15:30Z",
        "ActionType": record["Operation"],
        "Application": "Microsoft Exchange Online",
        "ReportId": "91f5c1d2_1",
        "RawEventData": json.dumps(record) if as_text else record,
    }


def graph(record: Json) -> Json:
    return {
        "id": record["Id"],
        "createdDateTime": "2026-03-02T09:15:30Z",
        "auditLogRecordType": "exchangeAdmin",
        "operation": record["Operation"],
        "organizationId": record["OrganizationId"],
        "service": "Exchange",
        "objectId": record["ObjectId"],
        "userPrincipalName": record["UserId"],
        "auditData": {"@odata.type": "#microsoft.graph.security.defaultAuditData"}
        | {name[0].lower() + name[1:]: value for name, value in record.items()},
    }


def elastic(record: Json) -> Json:
    audit = record | {"Parameters": {p["Name"]: p["Value"] for p in record["Parameters"]}}
    return {
        "@timestamp": "2026-03-02T09:15:30.000Z",
        "event": {"action": record["Operation"], "provider": "Exchange", "outcome": "success"},
        "organization": {"id": record["OrganizationId"]},
        "o365": {"audit": {name: v for name, v in audit.items() if name not in {"OrganizationId", "CreationTime"}}},
    }


def elastic_dotted(record: Json) -> Json:
    dotted = {f"o365.audit.{name}": value for name, value in record.items() if name != "Parameters"}
    dotted |= {f"o365.audit.Parameters.{p['Name']}": p["Value"] for p in record["Parameters"]}
    return {"_id": "1", "_source": {"@timestamp": "2026-03-02T09:15:30.000Z", "event.provider": "Exchange"} | dotted}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


SHAPES: dict[str, Callable[[Json], bytes]] = {
    "management api array": lambda r: _json([another(), r]),
    "management api object": _json,
    "page": lambda r: _json({"@odata.context": "x", "value": [another(), r], "@odata.nextLink": "y"}),
    "json lines": lambda r: _json(another()) + b"\n" + _json(r) + b"\n",
    "json lines with crlf": lambda r: _json(another()) + b"\r\n" + _json(r),
    "objects one after the other": lambda r: _json(another()) + _json(r),
    "pretty-printed objects": lambda r: (json.dumps(another(), indent=4) + "\n" + json.dumps(r, indent=4)).encode(),
    "search-ual json": lambda r: _json([search_ual(another()), search_ual(r)]),
    "search-ual json, one object": lambda r: json.dumps(search_ual(r), indent=1).encode(),
    "search-ual json, AuditData an object": lambda r: _json([search_ual(r) | {"AuditData": r}]),
    "search-ual csv": lambda r: to_csv(search_ual(another()), search_ual(r)),
    "search-ual csv with #TYPE": lambda r: b"#TYPE Selected.System.Object\r\n" + to_csv(search_ual(r)),
    "search-ual csv with semicolons": lambda r: to_csv(search_ual(r), delimiter=";"),
    "search-ual csv, formatted": lambda r: to_csv(search_ual(r) | {"AuditData": json.dumps(r, indent=2)}),
    "search-ual csv, some AuditData empty": lambda r: to_csv(search_ual(another()) | {"AuditData": ""}, search_ual(r)),
    "portal csv": lambda r: to_csv(
        {"CreationDate": "2026-03-02T09:15:30.0000000Z", "UserIds": "x", "Operations": "x", "AuditData": json.dumps(r)}
    ),
    "sentinel csv": lambda r: b"\xef\xbb\xbf" + to_csv(sentinel(r)),
    "sentinel json": lambda r: _json(sentinel(r)),
    "cloudappevents json": lambda r: _json([cloud_app_event(r)]),
    "cloudappevents json, text": lambda r: _json([cloud_app_event(r, as_text=True)]),
    "cloudappevents csv": lambda r: to_csv(cloud_app_event(r, as_text=True)),
    "cloudappevents streamed": lambda r: _json(
        {"records": [{"category": "AdvancedHunting-CloudAppEvents", "properties": cloud_app_event(r)}]}
    ),
    "graph": lambda r: _json({"value": [graph(r)]}),
    "elastic": lambda r: _json(elastic(r)),
    "elastic, parameters as they were": lambda r: _json({"o365": {"audit": r}, "event": {"provider": "Exchange"}}),
    "elastic dotted": lambda r: _json(elastic_dotted(r)) + b"\n",
    "elastic without the dot": lambda r: _json({f"o365audit.{name}": value for name, value in r.items()}),
    "elastic search answer": lambda r: _json({"took": 3, "hits": {"total": 1, "hits": [elastic_dotted(r)]}}),
    "kibana csv": lambda r: to_csv(elastic_dotted(r)["_source"]),
    "utf-16 with mark": lambda r: json.dumps([r]).encode("utf-16"),
    "utf-16 big-endian csv": lambda r: ("\ufeff" + to_csv(search_ual(r)).decode()).encode("utf-16-be"),
    "utf-8 with mark": lambda r: b"\xef\xbb\xbf" + _json([r]),
}
"""Every container and wrapper that `bypassctl detect` reads, around one record."""
