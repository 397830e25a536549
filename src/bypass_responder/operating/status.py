"""The responder's status, read from the ledger and the feed's stored state."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bypass_responder.bounded import limited
from bypass_responder.case import sweep_row
from bypass_responder.case.plan_run import newest as newest_run
from bypass_responder.case.rules import in_force
from bypass_responder.case.tampering_state import read_back_of
from bypass_responder.errors import ConflictError, InputError
from bypass_responder.model.base import EARLIEST, moment
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Outcome
from bypass_responder.model.feed import Window
from bypass_responder.model.finding import Finding, FindingState
from bypass_responder.model.health import HealthAlert, Tampering
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import UNFINISHED, IncidentStatus
from bypass_responder.model.receiver import WEBHOOK
from bypass_responder.model.step import Observed, StepKind
from bypass_responder.model.sweep import Sweep, says_rows_are_missing, warning_form
from bypass_responder.model.technique import SWITCHES as OF_SWITCHES
from bypass_responder.operating.sensor_delays import LOOK_BACK as DELAYS_OF
from bypass_responder.operating.sensor_delays import SensorDelay, compare
from bypass_responder.operating.timeline import Cost, costs
from bypass_responder.sensing.sweep import doubtful_warnings
from bypass_responder.session import open_session

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from bypass_responder.model.account import Account
    from bypass_responder.model.case import Case
    from bypass_responder.model.feed import FeedCursor, FeedGap, PendingBlob
    from bypass_responder.model.hunting import HuntingState
    from bypass_responder.model.listing import IndexEntry
    from bypass_responder.model.plan_run import PlanRun
    from bypass_responder.model.record import Unreadable
    from bypass_responder.model.rules import RulesInForce
    from bypass_responder.model.self_check import SelfCheck
    from bypass_responder.model.technique import Technique
    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.posture.run import PostureRun
    from bypass_responder.services import Services
    from bypass_responder.settings import Settings

LOOK_BACK = 1000
NEWEST_ENTRIES, NEWEST_SHOWN, NEWEST_STARTS, MOST_EXAMINED = 200, 5, 20, 20
MOST_TAMPERING = 200
MOST_OF_TECHNIQUES = 1000
"""Changes of chosen techniques that are read, the newest: one page of Table Storage."""
SWITCHES = {"audit_disabled": "AuditDisabled", "ingestion_disabled": "UnifiedAuditLogIngestionEnabled"}
"""Health alerts that are about an audit switch of the organization, and its parameter."""


@dataclass(frozen=True)
class Status:
    """The responder's status. Lists are newest first."""

    rules: RulesInForce | None
    """The mode and the protected accounts of the app, None before its first run."""
    protected_blocked: list[str]
    """Protected accounts that were blocked before they were protected, and still are."""
    tenant_id: str
    channel: str
    cursor: FeedCursor | None
    hunting: HuntingState
    delays: tuple[SensorDelay, ...]
    """How late feed and hunting brought the same records within 30 days; empty before hunting first worked."""
    pending: list[PendingBlob]
    gaps: list[FeedGap]
    unreadable: list[tuple[datetime, Unreadable]]
    alerts: list[HealthAlert]
    recovered: list[HealthAlert]
    tampering: list[Tampering]
    switched: list[Tampering]
    """Changes of the organization's switches: a flood of other changes hides none of them."""
    sweep: Sweep
    warnings: list[str]
    """Forms of the last answer's warnings that make it incomplete until somebody accepts them."""
    doubt: str
    """Why it is unknown which accounts are bypassed now; empty when the last sweep shows it."""
    posture: PostureRun | None
    """The read of all mailboxes that is under way, or was the last; None before the first."""
    plan: PlanRun | None
    """The run of a plan of mailbox changes that is under way; None while none is."""
    listed: int
    unconfirmed: list[IndexEntry]
    costs: dict[str, Cost]
    waiting: list[IndexEntry]
    contained: int
    """Incidents that are contained and not closed."""
    undelivered: int
    """Accounts, and the tenant, with notifications that a receiver has not accepted."""
    work: int
    undecided: list[Finding]
    """Evidence that waits for a check, of the accounts that have been due for longest; the oldest first."""
    self_check: SelfCheck | None
    """The app's last self-check, which counts dead letters and poison; None when it was not read."""

    @property
    def bad_news(self) -> bool:
        """True when a decision is pending, a health alert is on, or no poll of the feed has succeeded yet."""
        watched = self.cursor is not None and self.cursor.last_success_at is not None
        return bool(self.waiting or self.alerts or self.gaps or self.pending or self.protected_blocked) or not watched


def _under_way(tenant: Case) -> PlanRun | None:
    run = newest_run(tenant)
    return run if run and run.running else None


async def read_status(services: Services, checks: SelfChecks | None = None) -> Status:
    """Read the status. An unreadable case is left out of the detection delay; a health alert reports it.

    ``checks`` has the app's last self-check; None to leave out what only that counts.
    """
    store, settings = services.feed_store, services.settings
    check = await last_self_check(checks) if checks else None
    tenant = (await open_session(TENANT_TARGET, services)).case
    incidents = await _newest(services, LOOK_BACK, kinds=("incident",))
    entries = await _newest(services, NEWEST_ENTRIES)
    alerts = tenant.rows(HealthAlert)
    sweep = sweep_row.current(tenant)
    now = services.clock()
    recovered = [alert for alert in alerts if alert.recovered_at and alert.recovered_at > now - timedelta(days=1)]
    rules = in_force(tenant)
    work = await services.work.items()
    cursor, hunting = await store.cursor(), await services.hunting_store.state()
    due = sorted((item.due_at, item.target) for item in work if item.due_at)
    return Status(
        rules=rules,
        protected_blocked=await _protected_blocked(rules.protected if rules else (), services),
        tenant_id=settings.tenant_id,
        channel=_channels(settings, check),
        cursor=cursor,
        hunting=hunting,
        delays=await _delays(cursor, hunting, services),
        pending=await store.pending(),
        gaps=await store.gaps(),
        unreadable=await store.unreadable(20),
        alerts=sorted((alert for alert in alerts if alert.recovered_at is None), key=_worst_first),
        recovered=sorted(recovered, key=lambda alert: alert.recovered_at or alert.since, reverse=True)[:NEWEST_SHOWN],
        tampering=[_read_back(row, tenant) for row in await newest_tampering(services)],
        switched=await changes_of(OF_SWITCHES, services),
        sweep=sweep,
        warnings=_unknown_warnings(sweep, sweep_row.accepted(tenant)),
        doubt=sweep_doubt(sweep, now=now, overdue=sweep_overdue(services, check)),
        posture=await services.posture_runs.current(),
        plan=_under_way(tenant),
        listed=len(entries),
        unconfirmed=[entry for entry in entries if entry.kind == "unconfirmed"],
        costs=costs(await _with_a_start(incidents, services)),
        waiting=await _newest(services, LOOK_BACK, statuses=tuple(UNFINISHED)),
        contained=sum(entry.status == "contained" for entry in incidents),
        undelivered=await services.outbox.waiting(),
        work=len(work),
        undecided=await _undecided([target for _, target in due[:MOST_EXAMINED]], services),
        self_check=check,
    )


def _read_back(row: Tampering, tenant: Case) -> Tampering:
    return row.model_copy(update={"read_back": read_back_of(row, tenant)})


async def newest_tampering(services: Services) -> list[Tampering]:
    """Return the newest changes of the tampering family."""
    ahead = services.clock() + timedelta(days=1)  # the clock of the service may be ahead
    case = await services.ledger.tampering(TENANT_TARGET, since=EARLIEST, until=ahead, limit=MOST_TAMPERING)
    return sorted(case.rows(Tampering), key=lambda row: row.occurred_at, reverse=True)


async def changes_of(techniques: Collection[Technique], services: Services) -> list[Tampering]:
    """Return the newest changes of these techniques, however many others there are."""
    ahead = services.clock() + timedelta(days=1)
    case = await services.ledger.tampering(
        TENANT_TARGET, since=EARLIEST, until=ahead, limit=MOST_OF_TECHNIQUES, techniques=techniques
    )
    return sorted(case.rows(Tampering), key=lambda row: row.occurred_at, reverse=True)


async def _delays(cursor: FeedCursor | None, hunting: HuntingState, services: Services) -> tuple[SensorDelay, ...]:
    if cursor is None or hunting.first_success_at is None:
        return ()
    now = services.clock()
    since = max(cursor.first_start, hunting.first_success_at, now - DELAYS_OF)
    return compare(await services.hunting_store.arrivals(Window(start=since, end=now)), since=since, now=now)


def hunting_text(state: HuntingState) -> str:
    """Return whether the hunting sensor works, and if not, why."""
    if state.off_because:
        return f"off since {moment(state.off_since)}: {state.off_because}" if state.off_since else "off"
    if state.failing_since:
        return f"failing since {moment(state.failing_since)}: {state.failure}"
    if state.empty_since:
        return f"no row of Exchange for a day, since {moment(state.empty_since)}: an empty answer proves nothing"
    return f"read at {moment(state.last_success_at)}" if state.last_success_at else "has not run yet"


def sweep_overdue(services: Services, check: SelfCheck | None) -> timedelta:
    """Return SWEEP_OVERDUE_MINUTES from the app's last self-check; without one, from these settings."""
    return timedelta(minutes=(check or services.settings).sweep_overdue_minutes)


async def last_self_check(checks: SelfChecks) -> SelfCheck | None:
    """Return the app's last self-check, None when there is none that can be read."""
    try:
        return await checks.store.last()
    except InputError:
        return None


async def _undecided(targets: Sequence[str], services: Services) -> list[Finding]:
    cases = await asyncio.gather(*map(limited(partial(_case, services=services, history=False)), targets))
    found = [row for case in cases if case for row in case.rows(Finding) if row.state is not FindingState.DECIDED]
    return sorted(found, key=lambda row: row.received_at)


def _unknown_warnings(sweep: Sweep, accepted: Collection[str]) -> list[str]:
    doubtful = doubtful_warnings(sweep.warnings, accepted)
    return [warning_form(text) for text in doubtful if not says_rows_are_missing(text)]


async def _protected_blocked(protected: Sequence[str], services: Services) -> list[str]:
    read = limited(partial(_case, services=services))
    cases = await asyncio.gather(*(read(target) for target in protected))
    return [str(_account(case)) for case in cases if case is not None and _is_still_blocked(case)]


def _is_still_blocked(case: Case) -> bool:
    reported = case.head.prior is not None and case.head.prior.protected_reported_at is not None
    return reported and case.control(StepKind.BLOCK_SIGN_IN).observed is not Observed.ENABLED


def _account(case: Case) -> Account | str:
    incident = case.incident(case.head.last_incident)
    return (incident.account if incident else None) or case.target


async def _newest(
    services: Services,
    limit: int,
    *,
    kinds: tuple[str, ...] | None = None,
    statuses: tuple[IncidentStatus, ...] = (),
) -> list[IndexEntry]:
    found: list[IndexEntry] = []
    async for entry in services.index.newest(kinds=kinds, statuses=statuses):
        found.append(entry)
        if len(found) >= limit:
            break
    return found


async def measured_delays(services: Services) -> dict[str, Cost]:
    """Return the detection delay of each source, over the newest incidents with a proven start."""
    incidents = await _newest(services, 5 * NEWEST_STARTS, kinds=("incident",))
    return costs(await _with_a_start(incidents, services))


async def _with_a_start(entries: list[IndexEntry], services: Services) -> list[tuple[Incident, list[Finding]]]:
    """Return the newest incidents with a proven start, with findings. Reads at most five times as many."""
    found: list[tuple[Incident, list[Finding]]] = []
    for begin in range(0, min(len(entries), 5 * NEWEST_STARTS), NEWEST_STARTS):
        batch = entries[begin : begin + NEWEST_STARTS]
        targets = list(dict.fromkeys(entry.target for entry in batch))
        cases = dict(zip(targets, await asyncio.gather(*(_case(each, services) for each in targets)), strict=True))
        for entry in batch:
            rows = case.by_key if (case := cases[entry.target]) else {}
            incident = rows.get(f"incident-{entry.id}")
            if isinstance(incident, Incident) and incident.blind_from and incident.blind_from_proven:
                findings = [row for row in rows.values() if isinstance(row, Finding) and row.incident_id == entry.id]
                found.append((incident, findings))
        if len(found) >= NEWEST_STARTS:
            break
    return found[:NEWEST_STARTS]


async def _case(target: str, services: Services, *, history: bool = True) -> Case | None:
    try:
        return await services.ledger.load(target, history=history)
    except (InputError, ConflictError):
        return None


def _worst_first(alert: HealthAlert) -> tuple[int, datetime]:
    return -alert.severity.rank, alert.since


def _channels(settings: Settings, check: SelfCheck | None) -> str:
    """Return the receivers: the app's, else this shell's. Of an address only the host is shown."""
    if check is not None and check.receivers:
        return ", ".join(check.receivers)
    parts = urlsplit(settings.notification_webhook_url or "")
    webhook = [f"{WEBHOOK} {parts.scheme}://{parts.hostname}/…"] if parts.hostname else []
    listed = [*webhook, *(f"{each.name} ({each.kind.value})" for each in settings.receivers)]
    return ", ".join(listed) or "none: set NOTIFICATION_RECEIVERS, or nobody is notified"


def sweep_doubt(row: Sweep, *, now: datetime, overdue: timedelta) -> str:
    """Return why it is unknown which accounts are bypassed now; empty when it is known."""
    late = row.state == "outstanding" and row.not_after is not None and row.not_after <= now
    doubts = {
        "no sweep was requested yet": row.first_at is None,
        "no sweep has completed yet": row.first_at is not None and row.complete_at is None,
        f"the last sweep was not complete: {row.problem}": bool(row.problem),
        f"{row.unanswered + late} sweeps in a row were not answered": row.unanswered + late > 0,
        "the last complete sweep is older than SWEEP_OVERDUE_MINUTES": bool(
            row.complete_at and now - row.complete_at > overdue
        ),
    }
    return "; ".join(doubt for doubt, there in doubts.items() if there)


def who_switched(alert: HealthAlert, switched: Sequence[Tampering]) -> str:
    """Return who weakened the switch of an alert, from the newest successful record, as text."""
    records = [row for row in switched if row.parameter == SWITCHES[alert.id] and row.outcome is not Outcome.FAILED]
    last = max((row for row in records if row.weakens), key=lambda row: row.occurred_at, default=None)
    if last is None:
        return "no record names the actor"
    done = f"{last.actor} changed it at {moment(last.occurred_at)}"
    undone = next((row for row in records if not row.weakens and row.occurred_at > last.occurred_at), None)
    if undone is None:
        return done
    return f"{done}, {undone.actor} restored it at {moment(undone.occurred_at)}, and no record names a later actor"
