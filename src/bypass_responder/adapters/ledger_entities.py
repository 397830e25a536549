"""Rows of the ledger as entities of Table Storage, and back.

Columns: ``Kind``, ``Body`` (the JSON of the model; a long one goes on in Body1, Body2 …), and ``Status`` and ``At`` for
a person with a storage tool.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from bypass_responder.adapters.table_rows import body_of, corrupt, text_of
from bypass_responder.model.base import Row, Value
from bypass_responder.model.case import ROWS
from bypass_responder.model.finding import Finding
from bypass_responder.model.health import Tampering
from bypass_responder.model.log import LogEntry

TABLE = "Ledger"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST_KEY = 400
_STATES = ("status", "state", "verdict")
_TIMES = ("opened_at", "received_at", "created_at", "occurred_at", "due_at", "at", "since")
ACTOR, OBJECT = ("Actor", "ActorId"), ("Object", "ObjectId")
"""Columns of a change of tampering with what identifies who made it, and to what."""
Entity = Mapping[str, Any]
Model = TypeVar("Model", bound=Value)


def key_of(text: str) -> str:
    """A row key without the characters that tables refuse; two different texts never give the same key."""
    safe = _UNSAFE.sub(lambda found: f"!{ord(found[0]):x}!", text)
    return safe if len(safe) <= _LONGEST_KEY else f"{safe[:_LONGEST_KEY]}!{hashlib.sha256(text.encode()).hexdigest()}"


def log_key(entry: LogEntry) -> str:
    """Return the row key of a line of the log."""
    return f"log-{entry.seq:010d}"


def entity_of(partition: str, row: Row, place: str = "") -> dict[str, Any]:
    """Return the entity of a row, under the key ``place`` or its own."""
    shown: dict[str, Any] = {}
    if status := next((getattr(row, name) for name in _STATES if hasattr(row, name)), None):
        shown["Status"] = str(status)
    if isinstance(at := next((getattr(row, name) for name in _TIMES if hasattr(row, name)), None), datetime):
        shown["At"] = at
    if isinstance(row, Finding):
        shown |= {"Incident": row.incident_id or "", "Effective": row.effective_at}
    if isinstance(row, Tampering):
        names = (row.actor.user_id, row.actor.object_id, row.target, row.object_id_text)
        found = {column: name.casefold() for column, name in zip(ACTOR + OBJECT, names, strict=True) if name}
        shown |= {"Technique": row.technique.value} | found
    return (
        {"PartitionKey": partition, "RowKey": place or key_of(row.place), "Kind": row.kind}
        | shown
        | body_of(row.model_dump_json())
    )


def log_entity(partition: str, entry: LogEntry) -> dict[str, Any]:
    """Return the entity of a line of the log."""
    shown = {"Kind": "log", "Status": entry.event, "At": entry.at}
    return {"PartitionKey": partition, "RowKey": log_key(entry)} | shown | body_of(entry.model_dump_json())


def row_of(entity: Entity) -> Row:
    """Return the row that an entity holds. Raises InputError for a corrupt one."""
    model = ROWS.get(entity.get("Kind", ""))
    if model is None:
        raise corrupt(entity, TABLE, f"Kind is {entity.get('Kind')!r}")
    row = parsed(model, entity)
    if entity["RowKey"] != key_of(row.place) and not entity["RowKey"].endswith(key_of(row.row_key)):
        raise corrupt(entity, TABLE, f"its body belongs under {row.row_key}")
    return row


def parsed(model: type[Model], entity: Entity) -> Model:
    """Return the body as this model. Raises InputError for a corrupt one."""
    try:
        return model.model_validate_json(text_of(entity))
    except (ValidationError, TypeError) as problem:
        raise corrupt(entity, TABLE, problem) from problem
