"""A healthy installation, as `bypassctl doctor` gathers it, and what a test spoils of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bypass_responder.case.health_alerts import ADVICE
from bypass_responder.model.feed import FeedCursor
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.self_check import Access, Place, Reach, SelfCheck, StorageCheck, Token
from bypass_responder.operating.doctor.diagnosis import Diagnosis, Facts, Names, Standing
from bypass_responder.operating.self_check import probed_queues
from bypass_responder.operating.timer_runs import SCHEDULES
from bypass_responder.rights import RESPONDER_ROLES, WORKER_ROLES, Api
from tests.fakes.self_check import CONTAINERS, ISSUED, RESPONDER, TABLES, a_token
from tests.operating.test_self_check import KEYLESS
from tests.world import START, TENANT, some_settings

WORKER = "dddddddd-0000-4000-8000-000000000001"
CONSOLE = "dddddddd-0000-4000-8000-000000000003"
NOW = START + timedelta(minutes=30)
SETTINGS = some_settings(storage=KEYLESS)
PERSON = Token(api=Api.GRAPH, object_id="aaaaaaaa-0000-4000-8000-00000000000f", delegated=True, tenant_id=TENANT)
GRANTED = ISSUED - timedelta(days=9)
GRANTS = {
    RESPONDER: dict.fromkeys((role.id for role in RESPONDER_ROLES), GRANTED),
    WORKER: dict.fromkeys((role.id for role in WORKER_ROLES), GRANTED),
}
NAMES = Names(
    app="func-responder",
    worker="func-worker",
    group="rg",
    account="data",
    worker_principal=WORKER,
    console_principal=CONSOLE,
)
SEND_ONLY = ("exchange-commands", "exchange-checks", "exchange-sweeps", "exchange-reads")
PLACES = {
    **dict.fromkeys(TABLES, Place.TABLE),
    **dict.fromkeys(probed_queues(SETTINGS, person=True), Place.QUEUE),
    **dict.fromkeys(CONTAINERS, Place.CONTAINER),
}


def a_storage_check(spoiled: dict[str, Access] | None = None, *, person: bool = True, **fields: Any) -> StorageCheck:
    """A storage check in which every place is accessible except ``spoiled``.

    The app does not check the queues that it only sends to.
    """
    seen = [name for name in PLACES if person or name not in SEND_ONLY]
    found = {name: (spoiled or {}).get(name, Access.OK) for name in seen}
    reaches = [
        Reach(place=PLACES[name], name=name, access=access, code="" if access is Access.OK else f"code of {name}")
        for name, access in found.items()
    ]
    return StorageCheck(**({"reaches": tuple(reaches), "skew_seconds": 0.0} | fields))


def a_check(**fields: Any) -> SelfCheck:
    """The app's self-check ten minutes ago, without a problem."""
    given: dict[str, Any] = {
        "at": NOW - timedelta(minutes=10),
        "version": "0.1.0",
        "mode": "enforce",
        "protected": 1,
        "worker_ids": 2,
        "settings": ("MODE", "NOTIFICATION_WEBHOOK_URL", "TENANT_ID"),
        "schedules": {
            "POLL_SCHEDULE": "0 * * * * *",
            "RESUME_SCHEDULE": "30 * * * * *",
            "SWEEP_SCHEDULE": "0 */15 * * * *",
            "HUNTING_SCHEDULE": "15 */5 * * * *",
            "EVIDENCE_SCHEDULE": "15 */5 * * * *",
            "POSTURE_SCHEDULE": "0 */10 * * * *",
        },
        "telemetry": True,
        "tokens": (a_token(Api.GRAPH, tenant_id=TENANT), a_token(Api.MANAGEMENT, tenant_id=TENANT)),
        "subscription": "enabled",
        "storage": a_storage_check(person=False),
    }
    return SelfCheck(**(given | fields))


def a_standing(
    *alerts: str,
    polled_at: datetime | None = NOW - timedelta(minutes=30),
    doubt: str = "",
    sweep_requested_at: datetime | None = NOW - timedelta(minutes=15),
    first_at: datetime | None = NOW - timedelta(days=9),
    ran: Mapping[str, datetime | None] | None = None,
) -> Standing:
    cursor = FeedCursor(first_start=START, listed_through=START, last_success_at=polled_at)
    rows = [
        HealthAlert(id=each, severity=ADVICE[each][0], detail="detail", advice=str(ADVICE[each][1]), since=START)
        for each in alerts
    ]
    lately: dict[str, datetime | None] = dict.fromkeys(SCHEDULES, NOW - timedelta(minutes=10))
    return Standing(
        cursor=cursor,
        alerts=rows,
        doubt=doubt,
        sweep_requested_at=sweep_requested_at,
        first_at=first_at,
        ran={timer: at for timer, at in (lately | {**(ran or {})}).items() if at},
    )


def facts(**fields: Any) -> Facts:
    """A person checks a healthy installation; the last poll was before the app's self-check."""
    given: dict[str, Any] = {
        "now": NOW,
        "settings": SETTINGS,
        "names": NAMES,
        "caller": PERSON,
        "here": a_storage_check(),
        "stored": a_check(),
        "standing": a_standing(),
        "grants": GRANTS,
    }
    return Facts(**(given | fields))


def reported(found: Diagnosis) -> list[tuple[str, str]]:
    return [(problem.id, problem.about) for problem in found.problems]


def without(api: Api, *roles: str, **fields: Any) -> SelfCheck:
    """The app's token for a service lacks these roles."""
    tokens = {each: a_token(each, tenant_id=TENANT) for each in (Api.GRAPH, Api.MANAGEMENT)}
    left = tuple(role for role in tokens[api].roles if role not in roles)
    tokens[api] = tokens[api].model_copy(update={"roles": left} | fields)
    return a_check(tokens=tuple(tokens.values()))


def ungranted(role: str) -> dict[str, dict[str, datetime]]:
    """The directory has not granted this role."""
    ids = {each.id for each in (*RESPONDER_ROLES, *WORKER_ROLES) if each.value == role}
    return {who: {held: at for held, at in given.items() if held not in ids} for who, given in GRANTS.items()}


def closed(access: Access, *names: str) -> dict[str, Any]:
    """The app's self-check has ``access`` for these names; the person can read them."""
    return {"stored": a_check(storage=a_storage_check(dict.fromkeys(names, access), person=False))}
