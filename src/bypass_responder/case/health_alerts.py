"""Conditions that would blind the responder, as alerts in the tenant's own case."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.tasks import Task
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.notification import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case

SEEN_AGAIN = timedelta(minutes=10)
"""How often an ongoing condition is recorded."""
NOTIFIED_AGAIN_AFTER = timedelta(hours=1)
"""Accounts that are added to an alert are notified together."""
MOST_NAMED = 20
"""Accounts in the text of an alert."""
MOST_REMEMBERED = 200
"""Accounts in the row of an alert."""

ADVICE: Mapping[str, tuple[Severity, Task]] = {
    "subscription_missing": (
        Severity.CRITICAL,
        Task(
            "The audit feed had no subscription, so it was started again. Find out who stopped it", "bypassctl status"
        ),
    ),
    "subscription_disabled": (
        Severity.CRITICAL,
        Task("An administrator disabled the audit feed. Find out who did it, then enable it again", "bypassctl doctor"),
    ),
    "feed_silent": (
        Severity.CRITICAL,
        Task(
            "Check in Exchange Online PowerShell that unified audit logging is on, which must be True",
            "(Get-AdminAuditLogConfig).UnifiedAuditLogIngestionEnabled",
        ),
    ),
    "poll_failing": (
        Severity.CRITICAL,
        Task("The feed is retried each minute, and nothing is lost for 7 days. Fix what fails", "bypassctl doctor"),
    ),
    "hunting_lost": (
        Severity.CRITICAL,
        Task(
            "The hunting sensor worked before and is no longer allowed to read. "
            "Find out who removed the permission or the license",
            "bypassctl doctor",
        ),
    ),
    "hunting_failing": (
        Severity.WARNING,
        Task("The hunting sensor is retried, and the audit feed still detects. Fix what fails", "bypassctl status"),
    ),
    "hunting_silent": (
        Severity.WARNING,
        Task(
            "Check in Defender that the app connector of Microsoft 365 is connected. Until then hunting sees nothing",
            "bypassctl status",
        ),
    ),
    "permission_lost": (
        Severity.CRITICAL,
        Task("A permission that worked is missing. Find out who removed it, then grant it again", "bypassctl grant"),
    ),
    "response_permission_missing": (
        Severity.CRITICAL,
        Task("Nothing is decided or done until the permission is granted. It is named here", "bypassctl doctor"),
    ),
    "corrupt_row": (
        Severity.CRITICAL,
        Task("Nothing is decided for this account until its row is readable. It is named here", "bypassctl log verify"),
    ),
    "accounts_unread": (
        Severity.CRITICAL,
        Task(
            "What is due for these accounts is not done, or not proven. Find out what does not answer in time",
            "bypassctl doctor",
        ),
    ),
    "permission_missing": (Severity.CRITICAL, Task("Grant the permission that is missing", "bypassctl grant")),
    "audit_disabled": (
        Severity.CRITICAL,
        Task(
            "No mailbox is audited. Find out who did it, and undo it in Exchange Online PowerShell",
            "Set-OrganizationConfig -AuditDisabled $false",
        ),
    ),
    "ingestion_disabled": (
        Severity.CRITICAL,
        Task(
            "The audit feed stops. Find out who did it, and undo it in Exchange Online PowerShell",
            "Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true",
        ),
    ),
    "sweep_incomplete": (
        Severity.WARNING,
        Task(
            "Until a sweep is complete, a bypass without a record may be missed. Read what is missing",
            "bypassctl status",
        ),
    ),
    "sweep_overdue": (
        Severity.CRITICAL,
        Task("No sweep was complete for SWEEP_OVERDUE_MINUTES. Check the Exchange worker", "bypassctl doctor"),
    ),
    "worker_silent": (
        Severity.CRITICAL,
        Task("The Exchange worker does not answer, so no bypass is removed. Check that it runs", "bypassctl doctor"),
    ),
    "sweeps_silent": (
        Severity.CRITICAL,
        Task("No account's state is read. Check the worker and its function ExchangeSweeps", "bypassctl doctor"),
    ),
    "sweep_account_unreadable": (
        Severity.CRITICAL,
        Task(
            "The sweep leaves this account out until its rows are readable. They are named here", "bypassctl log verify"
        ),
    ),
    "worker_permission_missing": (
        Severity.CRITICAL,
        Task(
            "Find out who removed the worker's role, then run this script as an Exchange administrator",
            "bypassctl grant --exchange-script",
        ),
    ),
    "baseline_lost": (
        Severity.CRITICAL,
        Task(
            "Sweeps contain nobody until the row and its blob are restored. Or delete the row to begin anew",
            "bypassctl log verify",
        ),
    ),
    "hints_waiting": (
        Severity.WARNING,
        Task(
            "More alerts arrive than HINT_CHECKS_PER_HOUR allows. Find the sender: a key of the topic may be stolen",
            "bypassctl status",
        ),
    ),
    "alerts_unreadable": (
        Severity.WARNING,
        Task(
            "Fix the sender of the unreadable alerts, or find out who it is. They are listed here", "bypassctl status"
        ),
    ),
    "dead_letters": (
        Severity.WARNING,
        Task(
            "Download the lost alerts from the container, and search them, then fix what refused them",
            "bypassctl detect --help",
        ),
    ),
    "console_open": (
        Severity.CRITICAL,
        Task(
            "Find out who turned off App Service authentication of the console, then turn it on again", "azd provision"
        ),
    ),
    "log_broken": (
        Severity.CRITICAL,
        Task(
            "Copy the storage account before anything else, then verify the whole log and find out who changed it",
            "bypassctl log verify",
        ),
    ),
    "poison": (
        Severity.CRITICAL,
        Task("The messages are kept, and their work is retried. Find out why they failed", "bypassctl doctor"),
    ),
    "posture_drift": (
        Severity.WARNING,
        Task(
            "Find out who changed what these mailboxes audit, and whether it was intended", "bypassctl posture report"
        ),
    ),
    "posture_default_left": (
        Severity.WARNING,
        Task(
            "Return them to Microsoft's default set, or they miss what it adds", "bypassctl posture plan -o plan.json"
        ),
    ),
    "posture_partial": (
        Severity.WARNING,
        Task("Until a read is complete, a mailbox that is not audited may be missed", "bypassctl posture report"),
    ),
    "like_a_person": (
        Severity.WARNING,
        Task(
            "Ask the owner who used the account. "
            "If that was not intended, remove the entry: the account is then contained",
            "bypassctl allowlist review",
        ),
    ),
    "new_access": (
        Severity.WARNING,
        Task(
            "Ask the mailbox's owner about the actor. Unless it was intended, remove the permission and secure both",
            "bypassctl posture access",
        ),
    ),
    "gap": (
        Severity.CRITICAL,
        Task("Export the audit log of that time from Purview, and search the export", "bypassctl detect --help"),
    ),
}
"""How severe each alert is, and what a person does about it."""

DECAYS: Mapping[str, timedelta] = {
    "poison": timedelta(hours=24),
    "gap": timedelta(days=7),
    "alerts_unreadable": timedelta(hours=24),
    "hints_waiting": timedelta(hours=1),
    "like_a_person": timedelta(hours=26),
    "new_access": timedelta(hours=26),
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
    episode = begin_alert(draft, alert_id, detail)
    if episode is not None:
        _notify(draft, alert_id, detail, key=f"{alert_id}-{episode}")


def raise_for_each(draft: Draft, alert_id: str, found: Mapping[str, str]) -> None:
    """Raise one alert for all accounts in ``found`` (target → text); end it when there are none.

    An ongoing alert is notified again when an account is added, at most once an hour; while it remembers as many as it
    can, none is.
    """
    if not found:
        end_alert(draft, alert_id)
        return
    before = _alert(draft.case, alert_id)
    if before is not None and not before.ongoing:
        before = None
    notified = before.notified if before else {}
    targets = sorted(found, key=lambda target: (notified.get(target, False), target))
    detail = _of_all(targets, found)
    remembered = sorted(found, key=lambda target: (target not in notified, target))[:MOST_REMEMBERED]
    added = not all(notified.get(target) for target in remembered)
    last = (before.notified_at or before.since) if before else None
    notifies = added and (last is None or draft.now - last >= NOTIFIED_AGAIN_AFTER)
    after = {target: notifies or notified.get(target, False) for target in remembered}
    if after == notified and not notifies:
        return
    if begin_alert(draft, alert_id, detail) is None and notifies:
        draft.log("alert", f"{alert_id}: {detail}", alert=alert_id)
    if alert := _alert(draft.case, alert_id):
        notified_at = draft.now if notifies else alert.notified_at
        draft.put(alert.model_copy(update={"detail": detail, "notified": after, "notified_at": notified_at}))
        if notifies:
            _notify(draft, alert_id, detail, key=f"{alert_id}-{alert.episode}-{draft.now:%Y%m%dT%H%M%S}")


def _of_all(targets: Sequence[str], found: Mapping[str, str]) -> str:
    first, *others = targets[:MOST_NAMED]
    more = [f"{len(targets) - MOST_NAMED} more"] if len(targets) > MOST_NAMED else []
    return "; ".join([f"{len(targets)} in all", found[first], *others, *more])


def accounts_of(case: Case, alert_id: str) -> list[str]:
    """Return the accounts that an ongoing alert of ``raise_for_each`` is about."""
    alert = _alert(case, alert_id)
    return list(alert.notified) if alert and alert.ongoing else []


def _notify(draft: Draft, alert_id: str, detail: str, *, key: str) -> None:
    severity, advice = ADVICE[alert_id]
    draft.notify(
        "health",
        f"Health: {alert_id}",
        detail,
        key=key,
        severity=severity,
        left_to_do=(advice,),
        alert=alert_id,
    )


def begin_alert(draft: Draft, alert_id: str, detail: str) -> int | None:
    """Record and log an alert. Returns the number of its episode; None when it is ongoing already."""
    severity, advice = ADVICE[alert_id]
    alert = _alert(draft.case, alert_id)
    if alert is not None and alert.ongoing:
        if alert_id in DECAYS and draft.now - (alert.seen_at or alert.since) >= SEEN_AGAIN:
            draft.put(alert.model_copy(update={"seen_at": draft.now, "detail": detail}))
        return None
    episode = alert.episode + 1 if alert else 1
    draft.put(
        HealthAlert(id=alert_id, severity=severity, detail=detail, advice=str(advice), since=draft.now, episode=episode)
    )
    draft.log("alert", f"{alert_id}: {detail}", alert=alert_id)
    return episode


def was_seen(case: Case, alert_id: str, since: datetime) -> bool:
    """Return True when an alert is ongoing and was raised, or seen again, at or after a time."""
    alert = _alert(case, alert_id)
    return alert is not None and alert.ongoing and (alert.seen_at or alert.since) >= since


def see_again(draft: Draft, alert_id: str) -> None:
    """Note that an ongoing alert was seen to be so again."""
    if alert := _alert(draft.case, alert_id):
        draft.put(alert.model_copy(update={"seen_at": draft.now}))


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
        f"It began at {alert.since:%Y-%m-%d %H:%M:%SZ}, and ended at {draft.now:%Y-%m-%d %H:%M:%SZ}.",
        key=f"{alert_id}-{alert.episode}",
        severity=Severity.INFO,
        alert=alert_id,
    )
