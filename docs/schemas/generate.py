#!/usr/bin/env python3
"""Write the JSON Schemas beside this file, from the models that the code itself uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, create_model

from bypass_responder.adapters.webhook import _SENT, TYPE_GROUP, TYPE_ONE
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.case import Note
from bypass_responder.model.message import ExchangeCommand, ExchangeResult

HERE = Path(__file__).parent
DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def schemas() -> dict[str, dict[str, Any]]:
    """By file name. A command and a notification as they go out, a result as it may come in."""
    return {
        "exchange-command.schema.json": DIALECT | ExchangeCommand.model_json_schema(mode="serialization"),
        "exchange-result.schema.json": DIALECT | ExchangeResult.model_json_schema(mode="validation"),
        "notification.schema.json": DIALECT | _notification(),
    }


def as_text(schema: dict[str, Any]) -> str:
    """The text of a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _notification() -> dict[str, Any]:
    """What the webhook sends: the fields of a note that leave the ledger, alone or in a group."""
    sent = {name: (field.annotation, field) for name, field in Note.model_fields.items() if name in _SENT}
    note: Any = create_model("SentNote", __base__=Value, __doc__=Note.__doc__, **sent)  # type: ignore[call-overload]
    counts = {"total": (int, ...), "by_about": (dict[str, int], ...), "by_severity": (dict[str, int], ...)}
    group: Any = create_model("NoteGroup", __base__=Value, notes=(list[note], ...), **counts)  # type: ignore[call-overload]
    one_kind, group_kind = Literal["bypass_responder.note"], Literal["bypass_responder.notes"]
    _must_be({TYPE_ONE: one_kind, TYPE_GROUP: group_kind})
    one: Any = create_model("One", __base__=Value, type=(one_kind, ...), timestamp=(Utc, ...), data=(note, ...))
    many: Any = create_model("Many", __base__=Value, type=(group_kind, ...), timestamp=(Utc, ...), data=(group, ...))
    both: Any = create_model("Notification", __base__=Value, message=(one | many, Field(discriminator="type")))
    schema = both.model_json_schema(mode="serialization")
    union = schema["properties"]["message"]
    return {"title": "Notification", "oneOf": union["oneOf"], "$defs": schema["$defs"]}


def _must_be(kinds: dict[str, Any]) -> None:
    for name, kind in kinds.items():
        if kind.__args__ != (name,):
            message = f"the webhook sends {name}; name it here, too"
            raise ValueError(message)


if __name__ == "__main__":
    for name, schema in schemas().items():
        (HERE / name).write_text(as_text(schema), encoding="utf-8")
