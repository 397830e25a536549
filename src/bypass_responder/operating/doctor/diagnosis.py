"""What `bypassctl doctor` judges, and what it says. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bypass_responder.model.feed import FeedCursor
    from bypass_responder.model.health import HealthAlert
    from bypass_responder.model.self_check import SelfCheck, StorageLook, Token
    from bypass_responder.settings import Settings


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. ``fix`` is the command or the page that fixes it."""

    id: str
    about: str
    what: str
    fix: str
    explains: frozenset[str] = frozenset()
    """Ids of problems that follow from this one, and are not told beside it."""


@dataclass(frozen=True)
class Unchecked:
    """What could not be looked at, or never can be from here. ``how`` says how to look."""

    what: str
    how: str
    essential: bool = False
    """True: without it nobody can say that all is well."""


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong, what is worth knowing, and what was not looked at."""

    problems: Sequence[Problem]
    information: Sequence[str]
    unchecked: Sequence[Unchecked]


@dataclass(frozen=True)
class Standing:
    """What the ledger and the memory of the feed say, as `bypassctl status` reads them."""

    cursor: FeedCursor | None
    alerts: Sequence[HealthAlert]
    doubt: str
    """Why it is not known who is bypassed now; empty when it is."""


@dataclass(frozen=True)
class Names:
    """What the commands name; placeholders where this shell does not know it."""

    app: str = "RESPONDER_APP"
    worker: str = "WORKER_APP"
    group: str = "RESOURCE_GROUP"
    account: str = "ACCOUNT"
    topic: str = "TOPIC"
    worker_principal: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything that was gathered, before anything of it is judged."""

    now: datetime
    """By this machine's clock."""
    settings: Settings
    names: Names
    caller: Token
    """Of whoever runs the command, for Microsoft Graph."""
    here: StorageLook
    """The data account, as the caller reaches it."""
    stored: SelfCheck | None
    """What the deployed app left of its last look at itself."""
    stored_problem: str = ""
    live: SelfCheck | None = None
    """The same look, made now, because the caller is the app's own identity."""
    standing: Standing | None = None
    standing_problem: str = ""
    grants: Mapping[str, Mapping[str, datetime | None]] | None = None
    """Of the directory: object id of an identity → id of an app role → since when; None when it could not be read."""
    grants_problem: str = ""
    gone: Sequence[str] = ()
    """Object ids of identities that the directory does not have."""

    @property
    def polled_at(self) -> datetime | None:
        """When the feed was last polled with success: token, role and subscription were in order then."""
        return self.standing.cursor.last_success_at if self.standing and self.standing.cursor else None

    @property
    def true_now(self) -> datetime:
        """Now by the clock of the storage service, where that is known."""
        return self.now - timedelta(seconds=self.here.skew_seconds or 0)
