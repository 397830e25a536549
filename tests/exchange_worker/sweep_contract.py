"""What is proposed for ``model/message.py``: the command ``list_bypassed`` and the answer to it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bypass_responder.model.base import Utc, Value
from bypass_responder.model.message import Guid


class SweepCommand(Value):
    """For ``exchange-sweeps``."""

    schema_version: int = 1
    command_id: str
    kind: Literal["list_bypassed"] = "list_bypassed"
    tenant_id: Guid
    not_after: Utc


class BypassedObject(Value):
    """One object whose bypass is on. Without ``object_id`` it has no Entra id."""

    object_id: Guid | None
    exchange_guid: Guid
    name: str


class SweepContent(Value):
    """The blob in the container ``sweeps``."""

    schema_version: int
    command_id: str
    tenant_id: Guid
    started_at: Utc
    complete: bool
    scanned: int
    bypassed: tuple[BypassedObject, ...]


class SweepResult(Value):
    """For ``exchange-results``. ``complete``: Exchange gave neither an error nor a warning."""

    schema_version: int
    command_id: str
    kind: Literal["list_bypassed"]
    tenant_id: Guid
    outcome: Literal["listed", "refused", "failed"]
    complete: bool
    started_at: Utc
    scanned: Annotated[int, Field(ge=0)]
    bypassed: Annotated[int, Field(ge=0)]
    blob: str | None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None
    audit_disabled: bool | None
    unified_audit_log_ingestion_enabled: bool | None
    warnings: tuple[str, ...]
    duration_seconds: float
    worker: str
    error: str | None
    error_class: Literal["transient", "permission", "not_found", "other"] | None
