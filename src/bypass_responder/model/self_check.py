"""The hourly self-check of the running app: its tokens, storage, clock and settings.

The row is not part of the response log. Fields that an older `bypassctl` does not know are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from pydantic import ConfigDict, Field

from bypass_responder.model.base import Utc, Value
from bypass_responder.model.dead_letters import DEAD_LETTERS
from bypass_responder.model.step import CONTROLS

POISON = "-poison"


class _Checked(Value):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Token(_Checked):
    """The claims of one access token. Never the token itself."""

    api: str
    """Application id of the service that the token is for."""
    roles: tuple[str, ...] = ()
    issued_at: Utc | None = None
    expires_at: Utc | None = None
    object_id: str = ""
    application_id: str = ""
    tenant_id: str = ""
    delegated: bool = False
    """True when a person signed in, False for an application."""
    problem: str = ""
    """Why there is no token; empty when there is one."""


class Access(StrEnum):
    """The result of reading one table, queue or container."""

    OK = "ok"
    MISSING = "missing"
    FORBIDDEN = "forbidden"
    UNREACHABLE = "unreachable"
    """No answer, or one that does not show whether it exists."""
    NO_TOKEN = "no_token"  # noqa: S105 - a word for a state
    """Nobody is signed in, so no request was sent."""


class Place(StrEnum):
    """Kinds of storage in the data account."""

    TABLE = "table"
    QUEUE = "queue"
    CONTAINER = "container"


class Reach(_Checked):
    """The access of one identity to one table, queue or container. Covers reading only, not writing."""

    place: Place
    name: str
    access: Access
    code: str = ""
    """The service's error code, or the transport's message."""
    held: int = 0
    """Messages in a poison queue, at most 32; files of dead letters of the last ``DEAD_LETTER_DAYS``, at most 5,000."""


class StorageCheck(_Checked):
    """The whole data account, checked once."""

    reaches: tuple[Reach, ...] = ()
    skew_seconds: float | None = None
    """Seconds by which our clock is ahead of the service's; negative when behind, None without an answer."""


class SelfCheck(_Checked):
    """One self-check.

    Holds names of settings, and values only where they are neither secret nor personal.
    """

    at: Utc
    version: str
    mode: str
    protected: int = 0
    automatic_controls: tuple[str, ...] = CONTROLS
    """The controls that act without approval."""
    worker_ids: int = 0
    settings: tuple[str, ...] = ()
    """Names of the settings that are set."""
    schedules: Mapping[str, str] = Field(default_factory=dict)
    limits: Mapping[str, str] = Field(default_factory=dict)
    """Values of the settings that bound what the app does, or say how long it waits."""
    sweep_overdue_minutes: int = 60
    telemetry: bool = False
    """True when the app sends telemetry to Application Insights, whose alert rules notify people."""
    secret_unresolved: bool = False
    """True when the webhook's secret is still a key vault reference, which the platform could not resolve."""
    receivers_unresolved: bool = False
    """The same, of NOTIFICATION_RECEIVERS."""
    receivers: tuple[str, ...] = ()
    """The receivers of notifications: name, kind and lowest severity, never an address."""
    tokens: tuple[Token, ...] = ()
    subscription: str = ""
    """``enabled``, ``disabled``, ``missing``, or empty when it could not be read."""
    subscription_problem: str = ""
    storage: StorageCheck = StorageCheck()

    @property
    def dead_letters(self) -> int | None:
        """Files of recent dead letters, None when they could not be counted."""
        there = (each for each in self.storage.reaches if each.name == DEAD_LETTERS and each.access is Access.OK)
        return next((each.held for each in there), None)

    @property
    def poison(self) -> dict[str, int]:
        """Poison queues that hold messages, with how many."""
        return {each.name: each.held for each in self.storage.reaches if each.name.endswith(POISON) and each.held}

    def token(self, api: str) -> Token | None:
        """The token for a service, None when it was not checked."""
        return next((token for token in self.tokens if token.api == api), None)


class LogVerification(_Checked):
    """The last scheduled verification of the response log. Without ``problems`` it was intact."""

    at: Utc
    seconds: float
    since: date
    """What is older was trusted, not verified."""
    problems: tuple[str, ...] = ()
    """The first of those that were ``found``."""
    found: int = 0
    logs: int
    entries: int
    checkpoints: int
    last_checkpoint_at: Utc | None
    """Deletions after it cannot be detected."""
    intact_at: Utc | None
    """The last verification that found nothing. The next one begins a day before it."""
