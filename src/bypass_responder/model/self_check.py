"""What the running app sees of itself, once an hour: its tokens, its storage, its clock and its settings.

The row is not part of the response log. A newer app may say more than an older `bypassctl` knows: that is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import ConfigDict, Field

from bypass_responder.model.base import Utc, Value


class _Told(Value):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Token(_Told):
    """What one access token says of itself. Never the token."""

    api: str
    """Application id of the service that it is for."""
    roles: tuple[str, ...] = ()
    issued_at: Utc | None = None
    expires_at: Utc | None = None
    object_id: str = ""
    application_id: str = ""
    tenant_id: str = ""
    delegated: bool = False
    """A person signed in; False: an application did."""
    problem: str = ""
    """Why there is no token; empty when there is one."""


class Access(StrEnum):
    """What came of looking at one table, queue or container."""

    OK = "ok"
    MISSING = "missing"
    FORBIDDEN = "forbidden"
    UNREACHABLE = "unreachable"
    """No answer, or one that says nothing about it."""
    NO_TOKEN = "no_token"  # noqa: S105 - a word for a state
    """Nobody is signed in, so nothing was asked."""


class Place(StrEnum):
    """The kinds of place in the data account."""

    TABLE = "table"
    QUEUE = "queue"
    CONTAINER = "container"


class Reach(_Told):
    """One table, queue or container, as one identity reached it. To be read, it says nothing about writing."""

    place: Place
    name: str
    access: Access
    code: str = ""
    """The service's error code, or the transport's message."""
    waiting: bool = False
    """A queue: it holds a message."""


class StorageLook(_Told):
    """The whole data account, checked once."""

    reaches: tuple[Reach, ...] = ()
    skew_seconds: float | None = None
    """So far our clock is ahead of the service's (behind: negative); None when nothing answered."""


class SelfCheck(_Told):
    """One self-check. Holds names of settings, and values only where they are neither secret nor personal."""

    at: Utc
    version: str
    mode: str
    protected: int = 0
    worker_ids: int = 0
    settings: tuple[str, ...] = ()
    """Names of the settings that are set."""
    schedules: Mapping[str, str] = Field(default_factory=dict)
    sweep_overdue_minutes: int = 60
    told: bool = False
    """Lines go to Application Insights, whose alert rules notify people."""
    secret_unresolved: bool = False
    """The webhook's secret is still a reference into the key vault: the platform could not follow it."""
    tokens: tuple[Token, ...] = ()
    subscription: str = ""
    """``enabled``, ``disabled``, ``missing``, or empty when it could not be asked for."""
    subscription_problem: str = ""
    storage: StorageLook = StorageLook()

    def token(self, api: str) -> Token | None:
        """The token for a service, None when it was not checked."""
        return next((token for token in self.tokens if token.api == api), None)
