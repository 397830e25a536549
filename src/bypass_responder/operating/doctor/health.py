"""Clock, settings and health: what the app tells of itself, and what the ledger says of feed, sweep and worker."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.operating.doctor.diagnosis import Problem
from bypass_responder.operating.doctor.schedule import longest_gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bypass_responder.model.self_check import SelfCheck
    from bypass_responder.operating.doctor.diagnosis import Facts, Standing

MOST_SKEW_SECONDS = 30
LATE = timedelta(minutes=30)
LONGEST = {"POLL_SCHEDULE": timedelta(hours=1), "RESUME_SCHEDULE": timedelta(minutes=15)}
"""A slower one is not what anybody means; the sweep has SWEEP_OVERDUE_MINUTES for that."""
LEFT_TO_STATUS = frozenset({"alerts_unreadable", "gap", "hints_waiting", "poison", "sweep_account_unreadable"})
"""Health alerts of what happened, and of nothing that is still to be fixed here."""
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
    """Clocks, settings of the app, feed, sweep, worker."""
    yield from _clock_problems(facts, app)
    if app is not None:
        yield from _setting_problems(app)
    if facts.standing is not None:
        yield from _alert_problems(facts.standing)
        yield from _feed_problems(facts, facts.standing, app)
        if facts.standing.doubt:
            what = f"who is bypassed now is not known: {facts.standing.doubt}"
            fix = (
                f"does the worker run? az functionapp show --name {facts.names.worker} "
                f"--resource-group {facts.names.group} --query state; after an installation wait for SWEEP_SCHEDULE"
            )
            yield Problem("sweep_unknown", "sweep", what, fix)


def _clock_problems(facts: Facts, app: SelfCheck | None) -> Iterator[Problem]:
    names = facts.names
    if app is not None and (said := _skewed(app.storage.skew_seconds)):
        what = (
            f"the app's clock is {said} storage: an allowlist edit may count for the wrong side of a bypass, "
            "and commands to the worker run out too soon or too late"
        )
        fix = f"az functionapp restart --name {names.app} --resource-group {names.group}; if it stays, Azure support"
        yield Problem("clock_skew_app", names.app, what, fix)
    if facts.live is None and (said := _skewed(facts.here.skew_seconds)):
        what = f"this machine's clock is {said} storage: what people decide here is written with a wrong time"
        yield Problem("clock_skew_here", "this machine", what, "timedatectl set-ntp true (Windows: w32tm /resync)")


def _skewed(seconds: float | None) -> str:
    if seconds is None or abs(seconds) <= MOST_SKEW_SECONDS:
        return ""
    return f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'}"


def _setting_problems(app: SelfCheck) -> Iterator[Problem]:
    if not app.worker_ids:
        what = "EXCHANGE_WORKER_IDS is empty: the record of our own switching-off is not told from somebody else's"
        fix = "set it to object id and application id of the worker's identity; azd provision does"
        yield Problem("worker_ids_empty", "EXCHANGE_WORKER_IDS", what, fix)
    if "NOTIFICATION_WEBHOOK_URL" not in app.settings and not app.told:
        what = "nobody is told: neither a webhook is set, nor do lines go to Application Insights"
        fix = "set it (docs/notifications.md), or azd provision, which makes alert rules"
        yield Problem("channel_none", "NOTIFICATION_WEBHOOK_URL", what, fix)
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
            fix = f"azd env set {name} '…' and azd provision; six fields, NCRONTAB (docs/settings.md#when-it-runs)"
            yield Problem("schedule_implausible", name, f"{name} is {schedule!r}: {problem}", fix)


def _implausible(name: str, schedule: str, app: SelfCheck) -> str:
    gap = longest_gap(schedule)
    if gap is None:
        return "the function host cannot read it"
    longest = LONGEST.get(name, timedelta(minutes=app.sweep_overdue_minutes))
    if gap <= longest:
        return ""
    limit = "is plausible" if name in LONGEST else "SWEEP_OVERDUE_MINUTES allows"
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
    fix = "bypassctl status names what fails; the function host: portal, Functions, poll_audit_feed, Invocations"
    if cursor is None or cursor.last_success_at is None:
        yield Problem("never_polled", "audit feed", "no poll of the audit feed has succeeded yet", fix)
        return
    gap = longest_gap(app.schedules.get("POLL_SCHEDULE", "")) if app else None
    if facts.true_now - cursor.last_success_at > max(LATE, 3 * (gap or LATE)):
        what = f"the last poll of the audit feed that succeeded was at {cursor.last_success_at:%Y-%m-%d %H:%M:%SZ}"
        yield Problem("poll_late", "audit feed", what, fix)
