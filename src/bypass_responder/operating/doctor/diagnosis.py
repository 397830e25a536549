"""Input and output of `bypassctl doctor`: facts, problems and unchecked parts. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bypass_responder.model.feed import FeedCursor
    from bypass_responder.model.health import HealthAlert
    from bypass_responder.model.organization_read import OrganizationRead
    from bypass_responder.model.self_check import SelfCheck, StorageCheck, Token
    from bypass_responder.settings import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Problem:
    """One problem. ``fix`` is the command or the page that fixes it."""

    id: str
    about: str
    what: str
    fix: str
    explains: frozenset[str] = frozenset()
    """Ids of problems that follow from this one and are not reported with it."""


@dataclass(frozen=True)
class Unchecked:
    """A part that could not be checked. ``how`` is the command or the condition that checks it."""

    what: str
    how: str
    essential: bool = False
    """True when the exit status is 3 without this check."""


@dataclass(frozen=True)
class Diagnosis:
    """The problems, the information and the unchecked parts of an installation."""

    problems: Sequence[Problem]
    information: Sequence[str]
    unchecked: Sequence[Unchecked]


@dataclass(frozen=True)
class Standing:
    """Feed cursor, health alerts and sweep state, as `bypassctl status` reads them."""

    cursor: FeedCursor | None
    alerts: Sequence[HealthAlert]
    doubt: str
    """Why it is unknown which accounts are bypassed now; empty when it is known."""
    hunting_off_because: str = ""
    """Why the hunting sensor cannot read; empty while it can, or has not run."""
    access_problem: str = ""
    """Why it is not known who else opened watched mailboxes, and the fix; empty while it can be read."""
    ran: Mapping[str, datetime] | None = None
    """When the timers last ran well, see ``timer_runs``; None: not read."""
    first_at: datetime | None = None
    """When the first sweep was requested; None before."""
    sweep_requested_at: datetime | None = None
    """When the last sweep was requested; None while one is unanswered, because no other is requested then."""


@dataclass(frozen=True)
class Names:
    """Resource names for the fix commands; placeholders where this shell has no value."""

    app: str = "RESPONDER_APP"
    worker: str = "WORKER_APP"
    group: str = "RESOURCE_GROUP"
    account: str = "ACCOUNT"
    topic: str = "TOPIC"
    worker_principal: str = ""
    console_principal: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything that `bypassctl doctor` reads before it diagnoses."""

    now: datetime
    """By this machine's clock."""
    settings: Settings
    names: Names
    caller: Token
    """The caller's token for Microsoft Graph."""
    here: StorageCheck
    """The caller's access to the data account."""
    stored: SelfCheck | None
    """The last self-check that the deployed app stored."""
    stored_problem: str = ""
    live: SelfCheck | None = None
    """A self-check of this moment, when the caller has the app's own identity."""
    standing: Standing | None = None
    standing_problem: str = ""
    grants: Mapping[str, Mapping[str, datetime | None]] | None = None
    """Object id of an identity → id of an app role → time of the grant; None when the directory cannot be read."""
    grants_problem: str = ""
    worker_may: OrganizationRead | None = None
    """What the worker last read about its Exchange roles; None when it never did, or it cannot be read here."""
    gone: Sequence[str] = ()
    """Object ids of identities that are missing in the directory."""

    @property
    def polled_at(self) -> datetime | None:
        """Return the time of the last successful poll. Token, role and subscription worked at that time."""
        return self.standing.cursor.last_success_at if self.standing and self.standing.cursor else None

    @property
    def stand_in(self) -> bool:
        """True when Graph is at an address of this machine, which Microsoft's never is."""
        return urlsplit(self.settings.graph_url).hostname in LOOPBACK

    @property
    def true_now(self) -> datetime:
        """Return the current time, corrected by the clock of the storage service where that is known."""
        return self.now - timedelta(seconds=self.here.skew_seconds or 0)
