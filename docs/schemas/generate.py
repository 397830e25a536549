#!/usr/bin/env python3
"""Write the JSON Schemas beside this file, from the models that the code itself uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bypass_responder.adapters.webhook import _SENT, TYPE_GROUP, TYPE_ONE
from bypass_responder.console.app import description_of_api
from bypass_responder.model.account_read import AccountRead
from bypass_responder.model.alert import Hint
from bypass_responder.model.decision_message import DecisionMessage
from bypass_responder.model.exchange_read import READ_COMMAND, ReadResult
from bypass_responder.model.mailbox_audit import MailboxRow
from bypass_responder.model.message import ExchangeCommand, ExchangeResult
from bypass_responder.model.notification import Notification
from bypass_responder.model.organization_read import OrganizationRead
from bypass_responder.model.sweep import SweepCommand, SweepContent, SweepResult
from bypass_responder.operating.report.attestation import Attestation
from bypass_responder.operating.report.incident_report import IncidentReport

HERE = Path(__file__).parent
DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}


def schemas() -> dict[str, dict[str, Any]]:
    """The schemas, by file name.

    A command and a notification are described as they go out, a result and an alert as they may come in.
    """
    return {
        "exchange-command.schema.json": DIALECT | ExchangeCommand.model_json_schema(mode="serialization"),
        "exchange-result.schema.json": DIALECT | ExchangeResult.model_json_schema(mode="validation"),
        "sweep-command.schema.json": DIALECT | SweepCommand.model_json_schema(mode="serialization"),
        "sweep-result.schema.json": DIALECT | SweepResult.model_json_schema(mode="validation"),
        "sweep-content.schema.json": DIALECT | SweepContent.model_json_schema(mode="validation"),
        "read-command.schema.json": DIALECT | READ_COMMAND.json_schema(mode="serialization"),
        "read-result.schema.json": DIALECT | ReadResult.model_json_schema(mode="validation"),
        "account-read.schema.json": DIALECT | AccountRead.model_json_schema(mode="validation"),
        "organization-read.schema.json": DIALECT | OrganizationRead.model_json_schema(mode="validation"),
        "mailbox-row.schema.json": DIALECT | MailboxRow.model_json_schema(mode="validation"),
        "decision-message.schema.json": DIALECT | DecisionMessage.model_json_schema(mode="validation"),
        "notification.schema.json": DIALECT | _notification(),
        "alert.schema.json": DIALECT | Hint.model_json_schema(mode="validation"),
        "incident-report.schema.json": DIALECT | IncidentReport.model_json_schema(mode="serialization"),
        "log-attestation.schema.json": DIALECT | Attestation.model_json_schema(mode="serialization"),
        "openapi.json": description_of_api(),
    }


def as_text(schema: dict[str, Any]) -> str:
    """The text of a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _notification() -> dict[str, Any]:
    """What the webhook sends: the fields of a notification that leave the ledger, alone or in a group."""
    notification = Notification.model_json_schema(mode="serialization")
    definitions = notification.pop("$defs")
    del definitions["Delivery"]
    notification["properties"] = {name: field for name, field in notification["properties"].items() if name in _SENT}
    notification["properties"]["links"] = {
        "type": "object",
        "properties": {"runbook": {"type": "string"}, "incident": {"type": "string"}},
        "required": ["runbook"],
        "additionalProperties": False,
    }
    notification["required"] = list(notification["properties"])
    reference = {"$ref": "#/$defs/Notification"}
    group = {
        "notifications": {"type": "array", "items": reference, "minItems": 2},
        "total": {"type": "integer"},
        "by_about": COUNTS,
        "by_severity": COUNTS,
    }
    return {
        "title": "Notification",
        "oneOf": [_message(TYPE_ONE, reference), _message(TYPE_GROUP, _object(group))],
        "$defs": definitions | {"Notification": notification},
    }


def _message(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return _object({"type": {"const": kind}, "timestamp": {"type": "string", "format": "date-time"}, "data": data})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(properties)}


if __name__ == "__main__":
    for name, schema in schemas().items():
        (HERE / name).write_text(as_text(schema), encoding="utf-8")
