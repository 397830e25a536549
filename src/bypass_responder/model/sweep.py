"""The rest of the contract with the Exchange worker: the sweep over all accounts.

The command goes on ``exchange-sweeps``, the answer comes on ``exchange-results`` and names a blob in the container
``sweeps`` that holds the accounts. Same encoding and versions as in ``model.message``.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from bypass_responder.model.base import Utc, Value
from bypass_responder.model.message import SCHEMA_VERSION, CommandKind, ErrorClass, Guid

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class SweepCommand(Value):
    """``list_bypassed``: everybody whose bypass is on. After ``not_after`` the worker refuses."""

    schema_version: int = SCHEMA_VERSION
    command_id: str
    kind: Literal[CommandKind.LIST_BYPASSED] = CommandKind.LIST_BYPASSED
    tenant_id: Guid
    not_after: Utc


class BypassedObject(Value):
    """One object whose bypass is on. ``object_id`` is its Entra id, None for an object that has none."""

    object_id: Guid | None
    exchange_guid: Guid
    name: str


class SweepContent(Value):
    """The blob: UTF-8 JSON without a byte order mark. ``scanned`` counts every object, ``bypassed`` lists those on."""

    schema_version: int
    command_id: str
    tenant_id: Guid
    started_at: Utc
    complete: bool
    scanned: Annotated[int, Field(ge=0)]
    bypassed: tuple[BypassedObject, ...]


class SweepResult(Value):
    """The worker's answer. ``blob`` and ``sha256`` name the content; ``bypassed`` counts it."""

    schema_version: int = SCHEMA_VERSION
    command_id: str
    kind: Literal[CommandKind.LIST_BYPASSED]
    tenant_id: Guid
    outcome: Literal["listed", "refused", "failed"]
    complete: bool
    """Exchange gave neither an error nor a warning."""
    started_at: Utc
    """When the read began: whoever is on may have been switched off since."""
    scanned: Annotated[int, Field(ge=0)]
    bypassed: Annotated[int, Field(ge=0)]
    blob: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,127}$")] | None = None
    sha256: Sha256 | None = None
    audit_disabled: bool | None = None
    unified_audit_log_ingestion_enabled: bool | None = None
    warnings: tuple[str, ...] = ()
    duration_seconds: Annotated[float, Field(ge=0)] = 0
    worker: str = ""
    """Module and PowerShell version, or the name of a stand-in."""
    error: str | None = None
    error_class: ErrorClass | None = None

    @model_validator(mode="after")
    def _listed_names_its_blob(self) -> Self:
        if self.outcome == "listed" and None in {self.blob, self.sha256}:
            msg = "listed comes with blob and sha256"
            raise ValueError(msg)
        return self
