"""The sweep over all accounts: its contract with the Exchange worker, and its stored state.

The command goes on ``exchange-sweeps``, the answer comes on ``exchange-results`` and names a blob in the container
``sweeps`` that holds the accounts. Same encoding and versions as in ``model.message``.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from bypass_responder.model.base import Row, Utc, Value
from bypass_responder.model.message import SCHEMA_VERSION, CommandKind, ErrorClass, Guid

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class SweepCommand(Value):
    """``list_bypassed``: all accounts whose bypass is on. The worker refuses it after ``not_after``."""

    schema_version: int = SCHEMA_VERSION
    command_id: str
    kind: Literal[CommandKind.LIST_BYPASSED] = CommandKind.LIST_BYPASSED
    tenant_id: Guid
    not_after: Utc


@dataclass(frozen=True, slots=True)
class BypassedObject:
    """One object whose bypass is on. ``object_id`` is its Entra id, None for an object that has none.

    A dataclass, because there may be thousands of them.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    object_id: Guid | None
    exchange_guid: Guid
    name: str


class SweepContent(Value):
    """The blob: UTF-8 JSON without a BOM. ``scanned`` counts all objects; ``bypassed`` lists those on."""

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
    """Exchange gave neither an error nor a warning. With warnings, their texts decide."""
    started_at: Utc
    """When the read began. A listed account may have been switched off since."""
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


class BaselineEntry(NamedTuple):
    """Who was on at the last complete sweep. ``name`` is empty where it is the object id."""

    object_id: str | None
    name: str
    on_since: datetime
    """Start of the first sweep that saw it on."""
    covered: bool
    """The allowlist covered it."""
    exchange_guid: str = ""
    """Empty in the console's list."""


@dataclass(frozen=True)
class Baseline:
    """The last complete sweep. ``blob`` and ``etag`` are of what it replaces."""

    command_id: str
    """The sweep that it is of."""
    started_at: datetime
    scanned: int
    entries: dict[str, BaselineEntry]
    """By object id; by Exchange GUID where an object has none."""
    first_at: datetime
    """When the first complete sweep began."""
    moved_at: datetime
    """When it took the place of the one before."""
    blob: str = ""
    etag: str | None = None
    left_out: int = 0
    """Accounts that are on and not among the entries: the console's list is bounded."""


class AcceptedWarning(Row):
    """A warning of Exchange that a person accepted: it leaves a sweep complete. In the tenant's own case."""

    kind: ClassVar[str] = "warning"
    text: str
    """With ``…`` for what differs from one warning to the next, see ``warning_form``."""
    who: str
    reason: str
    at: Utc

    @property
    def row_key(self) -> str:
        """One row for each form of a warning."""
        return f"warning-{hashlib.sha256(self.text.encode()).hexdigest()[:32]}"


_HAS_BEEN = " has been "
_OBJECT = re.compile(rf"(?<=\bobject )\S.*?(?={_HAS_BEEN})")
_QUOTED = re.compile(r""""[^"]*"|(?<!\w)'[^']*'(?!\w)""")
_NUMBERED = re.compile(r"(?<!\S)[^\s\d]*+\d\S*")


def warning_form(text: str) -> str:
    """Return a warning without what differs from one to the next: names in quotes or of objects, numbers."""
    named = _without_object(" ".join(text.split()))
    return _NUMBERED.sub("…", _QUOTED.sub("…", named))


def _without_object(line: str) -> str:
    """Return a line without names of objects. Behind the last ``has been`` there is none, so it is not searched."""
    before, has_been, after = line.rpartition(_HAS_BEEN)
    return _OBJECT.sub("…", before + has_been) + after


_ROWS_MISSING = re.compile(r"more results|only the first|truncat|partial|more warnings", re.IGNORECASE)


def says_rows_are_missing(warning: str) -> bool:
    """Return True for a warning that the list may be incomplete. It cannot be accepted."""
    return any(_ROWS_MISSING.search(_without_object(line)) for line in warning.split("\n"))


class Sweep(Row):
    """The one sweep that is asked for, or was last answered. In the tenant's own case."""

    kind: ClassVar[str] = "sweep"
    key: ClassVar[str] = "sweep"
    command_id: str = ""
    state: Literal["idle", "outstanding", "answered"] = "idle"
    """answered: its list is still to be compared."""
    sent: bool = False
    created_at: Utc | None = None
    not_after: Utc | None = None
    unanswered: int = 0
    """How many in a row had no answer in time."""
    answer: SweepResult | None = None
    answered_at: Utc | None = None
    first_at: Utc | None = None
    """When the first one was asked for."""
    first_reminded: int = 0
    """Reminders that accounts of the first complete one still wait for a decision."""
    complete_at: Utc | None = None
    """When the last complete one began to read."""
    took_seconds: float = 0
    """How long the worker was at it."""
    switches_at: Utc | None = None
    """When the organization's switches were last read."""
    audit_disabled: bool | None = None
    ingestion_enabled: bool | None = None
    scanned: int = 0
    on: int = 0
    covered: int = 0
    problem: str = ""
    """Why the last one was not complete."""
    warnings: tuple[str, ...] = ()
    """Of the last answer, one of each form: what a person may accept."""
    short: int = 0
    """How many sweeps in a row scanned about as few objects as ``short_scanned``."""
    short_scanned: int = 0
