"""The app's self-check of its tokens, subscription, storage, clock and settings.

The result is one row, which `bypassctl doctor` reads. A self-check never fails a run and costs one small write an hour.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

from bypass_responder import __version__
from bypass_responder.case.health_alerts import update_alerts
from bypass_responder.errors import PermissionMissingError, ResponderError
from bypass_responder.event_lines import write_line
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.dead_letters import DEAD_LETTER_DAYS, DEAD_LETTERS
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.receiver import REFERENCE, WEBHOOK
from bypass_responder.model.self_check import (
    Access,
    LogVerification,
    SelfCheck,
    StorageCheck,
    Token,
)
from bypass_responder.model.step import CONTROLS
from bypass_responder.rights import Api
from bypass_responder.session import change_health, open_session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pydantic import SecretStr

    from bypass_responder import ports
    from bypass_responder.case.draft import Draft
    from bypass_responder.rights import Assignment
    from bypass_responder.services import Services
    from bypass_responder.settings import Settings

TIMEOUT_SECONDS = 60
RETRY_AFTER = timedelta(minutes=5)
"""The wait after a self-check that failed."""
EVERY = timedelta(hours=1)
SUBSCRIPTION_TIMEOUT_SECONDS = 15
RIGHT_ALERTS = frozenset(
    {
        "permission_lost",
        "permission_missing",
        "response_permission_missing",
        "subscription_disabled",
        "worker_permission_missing",
    }
)
"""Health alerts about a missing right. When one begins or ends, a self-check runs at once."""


LIMITS = (
    "containment_limit_per_hour",
    "hint_checks_per_hour",
    "actor_response",
    "allowlist_approval",
    "allowlist_longest_days",
    "allowlist_review_days",
    "decision_reminder_hours",
    "feed_silence_hours",
    "sweep_overdue_minutes",
    "sweep_timeout_seconds",
    "command_timeout_seconds",
)
"""Settings whose values are neither secret nor personal."""


class OwnTokens(Protocol):
    """The caller's own access tokens."""

    async def inspect(self, api: str) -> Token:
        """Return the claims of the token for this service's application id, or the problem. Raises nothing."""


class StorageProbe(Protocol):
    """Checks which tables, queues and containers exist and are readable by the caller."""

    async def probe(self, queues: Sequence[str]) -> StorageCheck:
        """Check every table and container, and these queues. Raises nothing."""


class SelfCheckStore(Protocol):
    """Stores the app's last self-check, and its last verification of the log."""

    async def save(self, check: SelfCheck) -> None:
        """Replace the stored self-check."""

    async def last(self) -> SelfCheck | None:
        """Return the last self-check, None before the first. Raises InputError when it cannot be read."""

    async def save_run(self, timer: str, at: datetime) -> None:
        """Replace the time at which a timer last ran well."""

    async def runs(self) -> dict[str, datetime]:
        """Return when each timer last ran well, of those that are noted."""

    async def save_verification(self, verification: LogVerification) -> None:
        """Replace the stored verification of the log."""

    async def last_verification(self) -> LogVerification | None:
        """Return the last verification of the log, None before the first. Raises InputError on a corrupt one."""


class GrantedRoles(Protocol):
    """Reads the application permissions of an identity. The caller must be allowed to read the directory."""

    async def assignments(self, principal_id: str) -> tuple[Assignment, ...]:
        """Return the application permissions of an identity, with the time of each grant.

        Raises NotFoundError, PermissionMissingError, RefusedError.
        """


class ConsoleProbe(Protocol):
    """Requests the console as a stranger."""

    async def open_because(self) -> str | None:
        """Return what a stranger got, empty when nothing, None when the console cannot be reached.

        Raises nothing.
        """


@dataclass
class SelfChecks:
    """The sources of a self-check, and when this process last ran one."""

    tokens: OwnTokens
    storage: StorageProbe
    store: SelfCheckStore
    granted: GrantedRoles | None = None
    """Used by `bypassctl doctor` only: the app may not read the directory."""
    console: ConsoleProbe | None = None
    """None when no console is deployed."""
    telemetry: bool = False
    """True when the app sends telemetry to Application Insights."""
    noted: dict[str, datetime] = field(default_factory=dict)
    """When this process last noted a run of each timer."""
    at: datetime | None = None
    verified_at: datetime | None = None
    """When the log was last verified, as far as this process knows."""
    dead_letters: int | None = None
    """How many the last self-check of this process found, and reported."""
    rights: frozenset[str] = field(default_factory=frozenset)
    """The ongoing RIGHT_ALERTS, and the missing right that stopped the last run."""


def probed_queues(settings: Settings, *, person: bool) -> list[str]:
    """Return the queues and poison queues that the caller may read.

    The app can only send to some of them.
    """
    keyless = settings.storage.connection_string is None
    unseen = send_only(settings) if keyless and not person else frozenset[str]()
    return [name for queue in settings.queues for name in (queue, f"{queue}-poison") if name not in unseen]


def send_only(settings: Settings) -> frozenset[str]:
    """Return the queues that the app may send to but not read."""
    return frozenset(settings.worker_queues)


async def check_self_when_due(
    services: Services, checks: SelfChecks, *, tenant_changed: bool, stopped_by: ResponderError | None = None
) -> None:
    """Run a self-check once an hour, after a start, and when a right was lost or restored.

    ``tenant_changed``: health alerts may have changed. ``stopped_by``: the error that ended the run. A self-check never
    fails or delays the run, because there is no other scheduler.
    """
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await _check_when_due(services, checks, tenant_changed=tenant_changed, stopped_by=stopped_by)
    except Exception as problem:  # noqa: BLE001 - responding to an attack matters more than a self-check
        checks.at = services.clock() - EVERY + RETRY_AFTER
        write_line("self_check_failed", logging.WARNING, error_class=type(problem).__name__)


async def _check_when_due(
    services: Services, checks: SelfChecks, *, tenant_changed: bool, stopped_by: ResponderError | None
) -> None:
    rights = await _rights(services, checks, tenant_changed=tenant_changed, stopped_by=stopped_by)
    if checks.at is not None and services.clock() - checks.at < EVERY and rights == checks.rights:
        return
    checks.at, checks.rights = services.clock(), rights
    check = await run_self_check(services, checks)
    await checks.store.save(check)
    if check.dead_letters not in {None, checks.dead_letters}:
        await change_health(partial(_report_dead_letters, count=check.dead_letters or 0), services)
        checks.dead_letters = check.dead_letters
    await _check_console(services, checks)
    write_line("self_checked", problems=count_problems(check))


async def _check_console(services: Services, checks: SelfChecks) -> None:
    """Raise or end the alert that the console answers strangers.

    A console that cannot be reached changes nothing.
    """
    found = await checks.console.open_because() if checks.console else None
    if found is not None:
        present = {"console_open": f"The console must answer strangers with 401 or 302; {found}."} if found else {}
        await change_health(partial(update_alerts, present=present, known=("console_open",)), services)


def _report_dead_letters(draft: Draft, *, count: int) -> None:
    files = f"Event Grid put {count} file{'s' * (count > 1)} of undelivered alerts into the container {DEAD_LETTERS}"
    present = {"dead_letters": f"{files} in the last {DEAD_LETTER_DAYS} days."} if count else {}
    update_alerts(draft, present, known=("dead_letters",))


async def run_self_check(services: Services, checks: SelfChecks) -> SelfCheck:
    """Run one self-check with the caller's identity. Permissions: those of the app, see ``ports``."""
    settings = services.settings
    graph, management, storage, (subscription, problem) = await asyncio.gather(
        checks.tokens.inspect(Api.GRAPH),
        checks.tokens.inspect(Api.MANAGEMENT),
        checks.storage.probe(probed_queues(settings, person=False)),
        _subscription(services.feed),
    )
    return SelfCheck(
        at=services.clock(),
        version=__version__,
        mode=settings.mode.value,
        protected=len(settings.protected),
        automatic_controls=tuple(each for each in CONTROLS if each in settings.automatic_controls),
        worker_ids=len(settings.exchange_worker_ids),
        settings=tuple(sorted(name.upper() for name in settings.model_fields_set if name != "storage")),
        schedules={
            "POLL_SCHEDULE": settings.poll_schedule,
            "HUNTING_SCHEDULE": settings.hunting_schedule,
            "RESUME_SCHEDULE": settings.resume_schedule,
            "SWEEP_SCHEDULE": settings.sweep_schedule,
            "EVIDENCE_SCHEDULE": settings.evidence_schedule,
            "POSTURE_SCHEDULE": settings.posture_schedule,
        },
        limits=_limits(settings),
        sweep_overdue_minutes=settings.sweep_overdue_minutes,
        telemetry=checks.telemetry,
        secret_unresolved=_is_reference(settings.notification_webhook_secret),
        receivers_unresolved=_is_reference(settings.notification_receivers),
        receivers=_receivers(settings),
        tokens=(graph, management),
        subscription=subscription,
        subscription_problem=problem,
        storage=storage,
    )


def _limits(settings: Settings) -> dict[str, str]:
    return {name.upper(): str(getattr(settings, name)) for name in LIMITS}


def _is_reference(secret: SecretStr | None) -> bool:
    return secret is not None and secret.get_secret_value().startswith(REFERENCE)


def _receivers(settings: Settings) -> tuple[str, ...]:
    webhook = [(WEBHOOK, WEBHOOK, settings.notification_webhook_minimum)] if settings.notification_webhook_url else []
    every = [*webhook, *((each.name, each.kind.value, each.minimum) for each in settings.receivers)]
    return tuple(f"{name} ({kind}) from {minimum.value}" for name, kind, minimum in every)


def count_problems(check: SelfCheck) -> int:
    """Return the number of failed parts; `bypassctl doctor` names them."""
    closed = sum(reach.access is not Access.OK for reach in check.storage.reaches)
    without = sum(bool(token.problem) for token in check.tokens)
    return closed + without + (check.subscription != "enabled")


async def _subscription(feed: ports.AuditFeed) -> tuple[str, str]:
    try:
        async with asyncio.timeout(SUBSCRIPTION_TIMEOUT_SECONDS):
            return await feed.subscription() or "missing", ""
    except ResponderError as problem:
        return "", str(problem)
    except TimeoutError:
        return "", f"no answer within {SUBSCRIPTION_TIMEOUT_SECONDS} seconds"


async def _rights(
    services: Services, checks: SelfChecks, *, tenant_changed: bool, stopped_by: ResponderError | None
) -> frozenset[str]:
    """Return the missing rights. Reads them only when they may have changed."""
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
