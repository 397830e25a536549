"""Problems of clocks, settings, feed, sweep and worker, from the app's self-check and the ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.operating.doctor.diagnosis import Problem
from bypass_responder.operating.doctor.schedule import longest_gap
from bypass_responder.operating.timer_runs import SCHEDULES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bypass_responder.model.self_check import SelfCheck
    from bypass_responder.operating.doctor.diagnosis import Facts, Standing

MOST_SKEW_SECONDS = 30
CHANNELS = frozenset({"NOTIFICATION_RECEIVERS", "NOTIFICATION_WEBHOOK_URL"})
"""Settings of the app, of which one names who is notified."""
LATE = timedelta(minutes=30)
LONGEST = {
    "POLL_SCHEDULE": timedelta(hours=1),
    "HUNTING_SCHEDULE": timedelta(hours=1),
    "EVIDENCE_SCHEDULE": timedelta(hours=1),
    "POSTURE_SCHEDULE": timedelta(hours=1),
    "RESUME_SCHEDULE": timedelta(minutes=15),
}
"""The longest plausible gap between runs. The sweep has SWEEP_OVERDUE_MINUTES instead."""
TIMER = "docs/runbook.md#a-timer-that-stopped"
LEFT_TO_STATUS = frozenset({"alerts_unreadable", "gap", "hints_waiting", "poison", "sweep_account_unreadable"})
"""Health alerts about past events that doctor has no fix for; `bypassctl status` lists them."""
SWEEP_FOLLOWS = frozenset({"sweep_incomplete", "sweep_overdue", "sweep_unknown", "sweeps_silent"})
FOLLOWS = {
    "feed_silent": frozenset({"poll_late", "never_polled"}),
    "ingestion_disabled": frozenset({"feed_silent"}),
    "poll_failing": frozenset({"poll_late", "never_polled"}),
    "sweep_incomplete": frozenset({"sweep_unknown"}),
    "sweep_overdue": frozenset({"sweep_unknown"}),
    "sweeps_silent": frozenset({"sweep_overdue", "sweep_unknown"}),
    "worker_permission_missing": SWEEP_FOLLOWS,
    "worker_silent": SWEEP_FOLLOWS,
}


def health_problems(facts: Facts, app: SelfCheck | None) -> Iterator[Problem]:
    """Yield the problems of clocks, app settings, feed, sweep and worker."""
    yield from _clock_problems(facts, app)
    if app is not None:
        yield from _setting_problems(app)
    if facts.standing is not None:
        yield from _alert_problems(facts.standing)
        yield from _feed_problems(facts, facts.standing, app)
        if facts.standing.doubt:
            what = f"it is unknown which accounts are bypassed now: {facts.standing.doubt}"
            fix = (
                f"check that the worker runs: az functionapp show --name {facts.names.worker} "
                f"--resource-group {facts.names.group} --query state; after an installation, wait for the first sweep"
            )
            yield Problem("sweep_unknown", "sweep", what, fix)
        yield from _sweep_timer_problems(facts, facts.standing, app)
        yield from _timer_problems(facts, facts.standing, app)


def _clock_problems(facts: Facts, app: SelfCheck | None) -> Iterator[Problem]:
    names = facts.names
    if app is not None and (skew := _skewed(app.storage.skew_seconds)):
        what = (
            f"the app's clock is {skew} storage: an allowlist edit may be dated to the wrong side of a bypass, "
            "and commands to the worker expire too early or too late"
        )
        fix = f"az functionapp restart --name {names.app} --resource-group {names.group}; else contact Azure support"
        yield Problem("clock_skew_app", names.app, what, fix)
    if facts.live is None and (skew := _skewed(facts.here.skew_seconds)):
        what = f"this machine's clock is {skew} storage: decisions made here are stored with a wrong time"
        yield Problem("clock_skew_here", "this machine", what, "timedatectl set-ntp true (Windows: w32tm /resync)")


def _skewed(seconds: float | None) -> str:
    if seconds is None or abs(seconds) <= MOST_SKEW_SECONDS:
        return ""
    return f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'}"


def _setting_problems(app: SelfCheck) -> Iterator[Problem]:
    if not app.worker_ids:
        what = (
            "EXCHANGE_WORKER_IDS is empty: the responder cannot distinguish its own remediation from anyone else's, "
            "and reports the worker as a new member of the role groups that it was given"
        )
        fix = "azd provision, which sets it to the object id and application id of the worker's identity"
        yield Problem("worker_ids_empty", "EXCHANGE_WORKER_IDS", what, fix)
    if not CHANNELS & {*app.settings} and not app.telemetry:
        what = "nobody is notified: no receiver is set, and no telemetry goes to Application Insights"
        fix = "set NOTIFICATION_RECEIVERS (docs/notifications.md), or run azd provision, which creates alert rules"
        yield Problem("channel_none", "NOTIFICATION_RECEIVERS", what, fix)
    if app.receivers_unresolved:
        what = "the app cannot read NOTIFICATION_RECEIVERS from the key vault, so it notifies none of them"
        fix = "az keyvault secret set --name notification-receivers --vault-name VAULT --file FILE; restart the app"
        yield Problem("secret_unresolved", "NOTIFICATION_RECEIVERS", what, fix)
    if app.secret_unresolved:
        what = (
            "the app cannot read NOTIFICATION_WEBHOOK_SECRET from the key vault, so receivers reject its notifications"
        )
        fix = (
            "az keyvault secret set --name notification-webhook-secret --vault-name VAULT --file FILE; restart the app"
        )
        yield Problem("secret_unresolved", "NOTIFICATION_WEBHOOK_SECRET", what, fix)
    for name, schedule in app.schedules.items():
        if problem := _implausible(name, schedule, app):
            fix = f"azd env set {name} '…' and azd provision; NCRONTAB with six fields (docs/settings.md#when-it-runs)"
            yield Problem("schedule_implausible", name, f"{name} is {schedule!r}: {problem}", fix)


def _implausible(name: str, schedule: str, app: SelfCheck) -> str:
    gap = longest_gap(schedule)
    if gap is None:
        return "not a valid NCRONTAB expression"
    longest = LONGEST.get(name, timedelta(minutes=app.sweep_overdue_minutes))
    if gap <= longest:
        return ""
    limit = "is the limit" if name in LONGEST else "is SWEEP_OVERDUE_MINUTES"
    return f"runs are up to {_minutes(gap)} minutes apart, {_minutes(longest)} {limit}"


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f}"


def _alert_problems(standing: Standing) -> Iterator[Problem]:
    for alert in standing.alerts:
        if alert.id not in LEFT_TO_STATUS:
            what = f"health alert {alert.id} since {alert.since:%Y-%m-%d %H:%M:%SZ}: {alert.detail}"
            yield Problem(alert.id, "health alert", what, alert.advice, FOLLOWS.get(alert.id, frozenset()))


def _feed_problems(facts: Facts, standing: Standing, app: SelfCheck | None) -> Iterator[Problem]:
    cursor = standing.cursor
    fix = (
        "bypassctl status shows the errors; for failed runs: portal, Functions, poll_audit_feed, Invocations; "
        f"without any run: {TIMER}"
    )
    if cursor is None or cursor.last_success_at is None:
        yield Problem("never_polled", "audit feed", "no poll of the audit feed has succeeded yet", fix)
        return
    if _is_late(facts, app, "POLL_SCHEDULE", cursor.last_success_at):
        what = f"the last successful poll of the audit feed was at {cursor.last_success_at:%Y-%m-%d %H:%M:%SZ}"
        yield Problem("poll_late", "audit feed", what, fix)


def _sweep_timer_problems(facts: Facts, standing: Standing, app: SelfCheck | None) -> Iterator[Problem]:
    requested_at = standing.sweep_requested_at
    if requested_at is not None and _is_late(facts, app, "SWEEP_SCHEDULE", requested_at):
        what = f"sweep_bypass_state last requested a sweep at {requested_at:%Y-%m-%d %H:%M:%SZ}: its timer has stopped"
        follows = frozenset({"sweep_overdue", "sweep_unknown"})
        yield Problem("sweep_late", "sweep_bypass_state", what, TIMER, follows)


def _timer_problems(facts: Facts, standing: Standing, app: SelfCheck | None) -> Iterator[Problem]:
    """Yield the timers of which no run was noted lately, or ever since the first sweep was requested."""
    if app is None or standing.ran is None:
        return
    for timer, schedule in SCHEDULES.items():
        ran_at = standing.ran.get(timer)
        since = ran_at or standing.first_at
        if schedule in app.schedules and since is not None and _is_late(facts, app, schedule, since):
            what = f"last ran well at {ran_at:%Y-%m-%d %H:%M:%SZ}" if ran_at else "has never run well"
            fix = f"for failed runs: portal, Functions, {timer}, Invocations; without any run: {TIMER}"
            yield Problem("timer_late", timer, f"{timer} {what}; {schedule} is {app.schedules[schedule]!r}", fix)


def _is_late(facts: Facts, app: SelfCheck | None, schedule: str, ran_at: datetime) -> bool:
    """Return True when three runs are missing, and half an hour has passed."""
    gap = longest_gap(app.schedules.get(schedule, "")) if app else None
    return facts.true_now - ran_at > max(LATE, 3 * (gap or LATE))
