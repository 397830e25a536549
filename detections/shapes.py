"""A record of the Management Activity API → the row or document that each product stores of it."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
_FAILED = {"false", "failed"}


def office_activity(record: Json, *, indent: int | None = None) -> Json:
    """A row of Sentinel's OfficeActivity. Parameters are JSON text, in exports also with line breaks."""
    return {
        "TimeGenerated": record["CreationTime"],
        "OfficeId": record["Id"],
        "Operation": record["Operation"],
        "OfficeWorkload": record["Workload"],
        "OrganizationId": record["OrganizationId"],
        "RecordType": "ExchangeAdmin",
        "ResultStatus": record.get("ResultStatus", ""),
        "UserId": record["UserId"],
        "UserType": "Admin",
        "OfficeObjectId": record["ObjectId"],
        "ClientIP": record["ClientIP"],
        "Parameters": json.dumps(record["Parameters"], indent=indent),
    }


def cloud_app_event(record: Json, *, as_text: bool = False) -> Json:
    """A row of Defender's CloudAppEvents. RawEventData is the record, or the record as JSON text."""
    return {
        "Timestamp": record["CreationTime"],
        "ReportId": f"report-{record['Id']}",
        "ActionType": record["Operation"],
        "Application": "Microsoft Exchange Online",
        "AccountObjectId": "c056122f-e441-5935-9677-f78aaca4518c",
        "RawEventData": json.dumps(record) if as_text else record,
    }


def elastic_document(record: Json) -> Json:
    """A document of Elastic's integration, with a field for each parameter.

    Without a result, the outcome is success.
    """
    status = str(record.get("ResultStatus", "")).lower()
    outcome = "failure" if status in _FAILED else "success"
    return {
        "event": {
            "action": record["Operation"],
            "dataset": "o365.audit",
            "id": record["Id"],
            "outcome": outcome,
            "provider": record["Workload"],
        },
        "o365": {"audit": record | {"Parameters": {each["Name"]: _keyword(each) for each in record["Parameters"]}}},
    }


def _keyword(parameter: Json) -> str:
    value = parameter["Value"]
    return value if isinstance(value, str) else json.dumps(value)
