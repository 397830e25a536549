"""Conditions that would blind the responder, as alerts in the tenant's own case."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.model.health import HealthAlert
from bypass_responder.model.notification import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case

SEEN_AGAIN = timedelta(minutes=10)
"""How often an ongoing condition is recorded."""

ADVICE: Mapping[str, tuple[Severity, str]] = {
    "subscription_missing": (
        Severity.CRITICAL,
        "The audit feed had no subscription, so it was started again. Find out whether somebody stopped it.",
    ),
    "subscription_disabled": (
        Severity.CRITICAL,
        "An administrator disabled the audit feed. Enable it again in the Office 365 Management Activity API.",
    ),
    "feed_silent": (
        Severity.CRITICAL,
        "Check that unified audit logging is on: Get-AdminAuditLogConfig, UnifiedAuditLogIngestionEnabled.",
    ),
    "poll_failing": (
        Severity.CRITICAL,
        "Read the error; the feed is retried every minute and nothing is lost for 7 days.",
    ),
    "permission_lost": (
        Severity.CRITICAL,
        "A right that worked before is missing: grant it again (docs/permissions.md) and find out who took it.",
    ),
    "response_permission_missing": (
        Severity.CRITICAL,
        "Nothing is decided or done until the right is granted (docs/permissions.md); it is retried every minute.",
    ),
    "corrupt_row": (
        Severity.CRITICAL,
        "Nothing is decided for this account until its row can be read again; `bypassctl log verify` names it.",
    ),
    "permission_missing": (Severity.CRITICAL, "Grant the right that docs/permissions.md names."),
    "audit_disabled": (
        Severity.CRITICAL,
        "Nothing of any mailbox is audited: Set-OrganizationConfig -AuditDisabled $false. Find out who did it.",
    ),
    "ingestion_disabled": (
        Severity.CRITICAL,
        "The feed goes dark: Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true. Find out who did it.",
    ),
    "sweep_incomplete": (
        Severity.WARNING,
        "Read the reason. Until a sweep is complete, a bypass without a record may be missed.",
    ),
    "sweep_overdue": (
        Severity.CRITICAL,
        "No sweep was complete for SWEEP_OVERDUE_MINUTES: check the Exchange worker and sweep_incomplete.",
    ),
    "worker_silent": (
        Severity.CRITICAL,
        "The Exchange worker does not answer, so no bypass is switched off: check that it runs, and its logs.",
    ),
    "sweeps_silent": (
        Severity.CRITICAL,
        "Sweeps get no answer, so no account's state is read: check the worker and its function ExchangeSweeps.",
    ),
    "sweep_account_unreadable": (
        Severity.CRITICAL,
        "The sweep leaves this account out until its rows can be read; `bypassctl log verify` names what was changed.",
    ),
    "worker_permission_missing": (
        Severity.CRITICAL,
        "The Exchange worker may not run a cmdlet: grant its role again (docs/permissions.md), find out who took it.",
    ),
    "baseline_lost": (
        Severity.CRITICAL,
        "Nobody is contained on a sweep: put the row and its blob back, or delete the row to begin with a first sweep.",
    ),
    "hints_waiting": (
        Severity.WARNING,
        "Alerts are waiting (HINT_CHECKS_PER_HOUR). Find the sender: a key of the topic may be stolen.",
    ),
    "alerts_unreadable": (
        Severity.WARNING,
        "Unreadable alerts arrived; `bypassctl status` lists them. Fix the sender, or find out who it is.",
    ),
    "dead_letters": (
        Severity.WARNING,
        "Alerts were lost: read them in the container and run `bypassctl detect` on them, then fix what refused them.",
    ),
    "console_open": (
        Severity.CRITICAL,
        "Turn App Service authentication of the console on again: `azd provision`. Find out who turned it off.",
    ),
    "poison": (
        Severity.CRITICAL,
        "Queue messages failed five times. They are kept, and their questions are retried: find out why they failed.",
    ),
    "gap": (
        Severity.CRITICAL,
        "Search the audit log of that time manually: run `bypassctl detect` on an export.",
    ),
}


DECAYS: Mapping[str, timedelta] = {
    "poison": timedelta(hours=24),
    "gap": timedelta(days=7),
    "alerts_unreadable": timedelta(hours=24),
    "hints_waiting": timedelta(hours=1),
    "sweep_account_unreadable": timedelta(hours=1),
}
"""Alerts of something that happens and does not last: over when it was not seen for so long."""


def _alert(case: Case, alert_id: str) -> HealthAlert | None:
    return case.row(HealthAlert, f"alert-{alert_id}")


def end_decayed(draft: Draft) -> None:
    """End what was not seen for a while."""
    for alert_id, lasts in DECAYS.items():
        alert = _alert(draft.case, alert_id)
        if alert and alert.ongoing and (alert.seen_at or alert.since) + lasts <= draft.now:
            end_alert(draft, alert_id)


def end_permission_missing(draft: Draft, kind: str) -> None:
    """End the permission alert of this kind of command: one was carried out."""
    alert = _alert(draft.case, "worker_permission_missing")
    if alert and alert.detail.startswith(f"{kind}: "):
        end_alert(draft, "worker_permission_missing")


def update_alerts(draft: Draft, present: Mapping[str, str], *, known: Iterable[str]) -> None:
    """Raise the alerts that are present (id → detail) and end those of ``known`` that are not."""
    for alert_id, detail in present.items():
        raise_alert(draft, alert_id, detail)
    for alert_id in known:
        if alert_id not in present:
            end_alert(draft, alert_id)


def raise_alert(draft: Draft, alert_id: str, detail: str) -> None:
    """Raise an alert. An ongoing one keeps its start and is notified once."""
    severity, advice = ADVICE[alert_id]
    alert = _alert(draft.case, alert_id)
    if alert is not None and alert.ongoing:
        if alert_id in DECAYS and draft.now - (alert.seen_at or alert.since) >= SEEN_AGAIN:
            draft.put(alert.model_copy(update={"seen_at": draft.now, "detail": detail}))
        return
    episode = alert.episode + 1 if alert else 1
    draft.put(
        HealthAlert(id=alert_id, severity=severity, detail=detail, advice=advice, since=draft.now, episode=episode)
    )
    draft.log("alert", f"{alert_id}: {detail}", alert=alert_id)
    draft.notify(
        "health",
        f"Health: {alert_id}",
        detail,
        key=f"{alert_id}-{episode}",
        severity=severity,
        left_to_do=(advice,),
        alert=alert_id,
    )


def end_alert(draft: Draft, alert_id: str) -> None:
    """End an alert, and notify people of its end."""
    alert = _alert(draft.case, alert_id)
    if alert is None or not alert.ongoing:
        return
    draft.put(alert.model_copy(update={"recovered_at": draft.now}))
    draft.log("recovered", f"{alert_id} is over", alert=alert_id)
    draft.notify(
        "recovered",
        f"Recovered: {alert_id}",
        f"It began {alert.since:%Y-%m-%d %H:%M:%SZ}.",
        key=f"{alert_id}-{alert.episode}",
        severity=Severity.INFO,
        alert=alert_id,
    )
