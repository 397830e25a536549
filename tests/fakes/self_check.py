"""What the self-check asks, in memory: everything in order until a test spoils it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bypass_responder.model.self_check import Access, LogVerification, Place, Reach, SelfCheck, StorageCheck, Token
from bypass_responder.rights import RESPONDER_ROLES
from tests.fakes.scripted import Scripted

TABLES = ("Allowlist", "Ledger", "Work", "CaseIndex", "Feed", "Checkpoints")
CONTAINERS = ("evidence", "log-checkpoints", "sweeps", "dead-letters")
RESPONDER = "cccccccc-0000-4000-8000-000000000001"
ISSUED = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


def a_token(api: str, *, tenant_id: str, **fields: object) -> Token:
    """The responder's own, with all of its roles for this service."""
    given: dict[str, object] = {
        "roles": tuple(role.value for role in RESPONDER_ROLES if role.api == api),
        "issued_at": ISSUED,
        "expires_at": ISSUED + timedelta(hours=24),
        "object_id": RESPONDER,
        "application_id": "cccccccc-0000-4000-8000-000000000002",
        "tenant_id": tenant_id,
    }
    return Token(api=api, **(given | fields))


class FakeTokens(Scripted):
    """``changed`` is service → fields that are other than they should be."""

    def __init__(self, tenant_id: str) -> None:
        super().__init__()
        self.tenant_id = tenant_id
        self.changed: dict[str, dict[str, object]] = {}

    async def inspect(self, api: str) -> Token:
        self._called("inspect", api)
        return a_token(api, tenant_id=self.tenant_id, **self.changed.get(api, {}))


class FakeProbe(Scripted):
    """``spoiled`` is name → what is wrong with it, ``held`` name → how many it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.spoiled: dict[str, Access] = {}
        self.held: dict[str, int] = {}
        self.skew_seconds: float | None = 0.0

    async def probe(self, queues: Sequence[str]) -> StorageCheck:
        self._called("probe", ",".join(queues))
        places = [(Place.TABLE, name) for name in TABLES]
        places += [(Place.QUEUE, name) for name in queues]
        places += [(Place.CONTAINER, name) for name in CONTAINERS]
        reaches = [
            Reach(place=place, name=name, access=self.spoiled.get(name, Access.OK), held=self.held.get(name, 0))
            for place, name in places
        ]
        return StorageCheck(reaches=tuple(reaches), skew_seconds=self.skew_seconds)


class FakeSelfCheckStore(Scripted):
    """The results of self-checks, in memory.

    ``saved`` is the last one, ``verified`` the last verification of the log, ``ran`` the timers' last runs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.saved: SelfCheck | None = None
        self.verified: LogVerification | None = None
        self.ran: dict[str, datetime] = {}

    async def save(self, check: SelfCheck) -> None:
        self._called("save")
        self.saved = check

    async def last(self) -> SelfCheck | None:
        self._called("last")
        return self.saved

    async def save_run(self, timer: str, at: datetime) -> None:
        self._called("save_run", timer)
        self.ran[timer] = at

    async def runs(self) -> dict[str, datetime]:
        self._called("runs")
        return dict(self.ran)

    async def save_verification(self, verification: LogVerification) -> None:
        self._called("save_verification")
        self.verified = verification

    async def last_verification(self) -> LogVerification | None:
        self._called("last_verification")
        return self.verified


class FakeConsole:
    """``answer``: what a stranger gets of the console."""

    def __init__(self, answer: str | None = "") -> None:
        self.answer = answer

    async def open_because(self) -> str | None:
        return self.answer
