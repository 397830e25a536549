"""What would make us blind, as alerts in the tenant's own case: since when, how bad, what to do, when over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.health import HealthAlert
from bypass_responder.model.note import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bypass_responder.response.draft import Draft

ADVICE: Mapping[str, tuple[Severity, str]] = {
    "subscription_missing": (
        Severity.CRITICAL,
        "The audit feed had no subscription, so it was started anew. Somebody may have stopped it: find out who.",
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
        "Nothing is decided or done until the right is granted (docs/permissions.md); it is tried again every minute.",
    ),
    "corrupt_row": (
        Severity.CRITICAL,
        "Nothing is decided for this account until its row can be read again; `bypassctl log verify` names it.",
    ),
    "permission_missing": (Severity.CRITICAL, "Grant the right that docs/permissions.md names."),
}


def update_alerts(draft: Draft, present: Mapping[str, str], *, known: Iterable[str]) -> None:
    """Raise the alerts that are present (id → detail) and end those of ``known`` that are not."""
    for alert_id, detail in present.items():
        raise_alert(draft, alert_id, detail)
    for alert_id in known:
        if alert_id not in present:
            end_alert(draft, alert_id)


def raise_alert(draft: Draft, alert_id: str, detail: str) -> None:
    """Raise an alert; one that is on already keeps its beginning and is told once."""
    severity, advice = ADVICE[alert_id]
    alert = draft.row(HealthAlert, f"alert-{alert_id}")
    if alert is not None and alert.recovered_at is None:
        return
    episode = alert.episode + 1 if alert else 1
    draft.put(
        HealthAlert(id=alert_id, severity=severity, detail=detail, advice=advice, since=draft.now, episode=episode)
    )
    draft.log("alert", f"{alert_id}: {detail}", alert=alert_id)
    draft.note(
        "health", f"Health: {alert_id}", detail, key=f"{alert_id}-{episode}", severity=severity, left_to_do=(advice,)
    )


def end_alert(draft: Draft, alert_id: str) -> None:
    """Say that an alert is over."""
    alert = draft.row(HealthAlert, f"alert-{alert_id}")
    if alert is None or alert.recovered_at is not None:
        return
    draft.put(alert.model_copy(update={"recovered_at": draft.now}))
    draft.log("recovered", f"{alert_id} is over", alert=alert_id)
    draft.note(
        "recovered",
        f"Recovered: {alert_id}",
        f"It began {alert.since:%Y-%m-%d %H:%M:%SZ}.",
        key=f"{alert_id}-{alert.episode}",
        severity=Severity.INFO,
    )
