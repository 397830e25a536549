"""What only the app itself can know, looked at as the app: tokens, subscription, storage, clock, settings.

`bypassctl doctor` reads the one row that it leaves. It never fails a run, and costs one small write an hour.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from bypass_responder import __version__
from bypass_responder.errors import PermissionMissingError, ResponderError
from bypass_responder.event_lines import tell
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.self_check import Access, SelfCheck, StorageLook, Token
from bypass_responder.rights import Api
from bypass_responder.session import open_session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder import ports
    from bypass_responder.rights import Assignment
    from bypass_responder.session import Services
    from bypass_responder.settings import Settings

LONGEST_SECONDS = 60
AGAIN_AFTER = timedelta(minutes=5)
"""After a look that failed."""
EVERY = timedelta(hours=1)
PATIENCE_SECONDS = 15
RIGHT_ALERTS = frozenset(
    {
        "permission_lost",
        "permission_missing",
        "response_permission_missing",
        "subscription_disabled",
        "worker_permission_missing",
    }
)
"""Health alerts that say that a right is missing; their beginning and their end are worth a look at once."""


class OwnTokens(Protocol):
    """What the caller's own access tokens say."""

    async def look(self, api: str) -> Token:
        """The token for the service with this application id; without one, why. Raises nothing."""
        ...


class StorageProbe(Protocol):
    """Whether the places of the data account are there and open to whoever asks."""

    async def look(self, queues: Sequence[str]) -> StorageLook:
        """Every table and container, and these queues. Raises nothing."""
        ...


class SelfCheckStore(Protocol):
    """The app's last look at itself."""

    async def save(self, check: SelfCheck) -> None:
        """Put it in place of the last one."""
        ...

    async def last(self) -> SelfCheck | None:
        """The last one, None before the first. Raises InputError when it cannot be read."""
        ...


class GrantedRoles(Protocol):
    """Which application permissions the directory gives an identity. Who asks must be allowed to read it."""

    async def assignments(self, principal_id: str) -> tuple[Assignment, ...]:
        """The application permissions of an identity, and since when.

        Raises NotFoundError, PermissionMissingError, RefusedError.
        """
        ...


@dataclass
class SelfChecks:
    """What a self-check asks, and when this process last made one."""

    tokens: OwnTokens
    storage: StorageProbe
    store: SelfCheckStore
    granted: GrantedRoles | None = None
    """Asked by `bypassctl doctor` only: the app may not read the directory."""
    told: bool = False
    """Lines go to Application Insights."""
    at: datetime | None = None
    rights: frozenset[str] = field(default_factory=frozenset)
    """Of RIGHT_ALERTS those that were on, and the right without which the last run stopped."""


def probed_queues(settings: Settings, *, person: bool) -> list[str]:
    """Queues and poison queues that whoever looks may look at: into two queues the app may only send."""
    keyless = settings.storage.connection_string is None
    unseen = send_only(settings) if keyless and not person else frozenset[str]()
    return [name for queue in settings.queues for name in (queue, f"{queue}-poison") if name not in unseen]


def send_only(settings: Settings) -> frozenset[str]:
    """The queues that the app's role lets it only send to."""
    return frozenset({settings.exchange_commands_queue, settings.exchange_sweeps_queue})


async def check_self(
    services: Services, checks: SelfChecks, *, tenant_changed: bool, stopped_by: ResponderError | None = None
) -> None:
    """Look, if an hour is over, at the first run after a start, and when a right went missing or came back.

    ``tenant_changed``: the health alerts may be others. ``stopped_by``: the run got no further. It neither fails a run
    nor holds one up: this scheduler is the only one there is.
    """
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            await _look_when_due(services, checks, tenant_changed=tenant_changed, stopped_by=stopped_by)
    except Exception as problem:  # noqa: BLE001 - whatever it is, those who are attacked go before a look at oneself
        checks.at = services.clock() - EVERY + AGAIN_AFTER
        tell("self_check_failed", logging.WARNING, error_class=type(problem).__name__)


async def _look_when_due(
    services: Services, checks: SelfChecks, *, tenant_changed: bool, stopped_by: ResponderError | None
) -> None:
    rights = await _rights(services, checks, tenant_changed=tenant_changed, stopped_by=stopped_by)
    if checks.at is not None and services.clock() - checks.at < EVERY and rights == checks.rights:
        return
    checks.at, checks.rights = services.clock(), rights
    check = await look_at_self(services, checks)
    await checks.store.save(check)
    tell("self_checked", problems=trouble(check))


async def look_at_self(services: Services, checks: SelfChecks) -> SelfCheck:
    """One look, as whoever is signed in. Permissions: those of the app, see ``ports``."""
    settings = services.settings
    graph, management, storage, (subscription, problem) = await asyncio.gather(
        checks.tokens.look(Api.GRAPH),
        checks.tokens.look(Api.MANAGEMENT),
        checks.storage.look(probed_queues(settings, person=False)),
        _subscription(services.feed),
    )
    secret = settings.notification_webhook_secret
    return SelfCheck(
        at=services.clock(),
        version=__version__,
        mode=settings.mode.value,
        protected=len(settings.protected),
        worker_ids=len(settings.exchange_worker_ids),
        settings=tuple(sorted(name.upper() for name in settings.model_fields_set if name != "storage")),
        schedules={
            "POLL_SCHEDULE": settings.poll_schedule,
            "RESUME_SCHEDULE": settings.resume_schedule,
            "SWEEP_SCHEDULE": settings.sweep_schedule,
        },
        sweep_overdue_minutes=settings.sweep_overdue_minutes,
        told=checks.told,
        secret_unresolved=bool(secret and secret.get_secret_value().startswith("@Microsoft.KeyVault(")),
        tokens=(graph, management),
        subscription=subscription,
        subscription_problem=problem,
        storage=storage,
    )


def trouble(check: SelfCheck) -> int:
    """How many of its parts are not as they should be; `bypassctl doctor` says which."""
    closed = sum(reach.access is not Access.OK for reach in check.storage.reaches)
    without = sum(bool(token.problem) for token in check.tokens)
    return closed + without + (check.subscription != "enabled")


async def _subscription(feed: ports.AuditFeed) -> tuple[str, str]:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await feed.subscription() or "missing", ""
    except ResponderError as problem:
        return "", str(problem)
    except TimeoutError:
        return "", f"no answer within {PATIENCE_SECONDS} seconds"


async def _rights(
    services: Services, checks: SelfChecks, *, tenant_changed: bool, stopped_by: ResponderError | None
) -> frozenset[str]:
    """Read only where they may have changed: a quiet run costs nothing."""
    if stopped_by is None:
        if checks.at is not None and not tenant_changed and checks.rights <= RIGHT_ALERTS:
            return checks.rights
        try:
            tenant = (await open_session(TENANT_TARGET, services)).case
        except ResponderError as problem:
            stopped_by = problem
        else:
            return frozenset(it.id for it in tenant.rows(HealthAlert) if it.ongoing and it.id in RIGHT_ALERTS)
    missing = {stopped_by.permission} if isinstance(stopped_by, PermissionMissingError) else set[str]()
    return checks.rights | missing
