"""``bypassctl status``: mode, feed, health, and what waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer

from bypass_responder.cli.terminal import (
    BAD_NEWS,
    Format,
    Output,
    say,
    show_fields,
    show_json,
    show_table,
    with_responder,
)
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.health import HealthAlert, Tampering
from bypass_responder.model.note import Note
from bypass_responder.workflow.services import open_session

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.feed import FeedCursor, FeedGap, PendingBlob
    from bypass_responder.model.index import IndexEntry
    from bypass_responder.model.record import Unreadable

WAITING = {"held", "failed", "observed", "open"}
LOOK_BACK = 1000


@dataclass(frozen=True)
class _Status:
    mode: str
    tenant_id: str
    channel: str
    cursor: FeedCursor | None
    pending: list[PendingBlob]
    gaps: list[FeedGap]
    unreadable: list[tuple[datetime, Unreadable]]
    alerts: list[HealthAlert]
    tampering: list[Tampering]
    waiting: list[IndexEntry]
    undelivered: int
    work: int


def status(output: Format = Output.TABLE) -> None:
    """Show mode, feed, health and what waits for a person. Exit status 1 when something does."""
    found = with_responder(_read)
    waits = bool(found.waiting or found.alerts or found.gaps or found.pending)
    if output is Output.JSON:
        show_json(_as_json(found))
    else:
        _print(found)
    raise typer.Exit(BAD_NEWS if waits else 0)


async def _read(responder: Responder) -> _Status:
    services, store = responder.services, responder.services.feed_store
    tenant = (await open_session(TENANT_TARGET, services)).view()
    waiting: list[IndexEntry] = []
    seen = 0
    async for entry in services.index.newest(kinds=("incident",)):
        seen += 1
        if entry.status in WAITING:
            waiting.append(entry)
        if seen >= LOOK_BACK:
            break
    settings = services.settings
    return _Status(
        mode=settings.mode.value,
        tenant_id=settings.tenant_id,
        channel=_host(settings.notification_webhook_url) or "none: set NOTIFICATION_WEBHOOK_URL, or nobody is told",
        cursor=await store.cursor(),
        pending=await store.pending(),
        gaps=await store.gaps(),
        unreadable=await store.unreadable(20),
        alerts=[alert for alert in tenant.rows(HealthAlert) if alert.recovered_at is None],
        tampering=tenant.rows(Tampering),
        waiting=waiting,
        undelivered=sum(note.sent_at is None for note in tenant.rows(Note)),
        work=len(await services.work.items()),
    )


def _host(url: str | None) -> str:
    """Where notes go, without the path: many webhooks have their secret in it."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.hostname}/…" if parts.hostname else ""


def _as_json(found: _Status) -> dict[str, object]:
    return {
        "mode": found.mode,
        "tenant_id": found.tenant_id,
        "notification_channel": found.channel,
        "feed": found.cursor.model_dump(mode="json") if found.cursor else None,
        "pending_blobs": [row.model_dump(mode="json") for row in found.pending],
        "gaps": [row.model_dump(mode="json") for row in found.gaps],
        "unreadable": [{"received_at": at.isoformat()} | row.model_dump(mode="json") for at, row in found.unreadable],
        "alerts": [row.model_dump(mode="json") for row in found.alerts],
        "tampering": [row.model_dump(mode="json") for row in found.tampering],
        "waiting": [row.model_dump(mode="json") for row in found.waiting],
        "undelivered_health_notes": found.undelivered,
        "targets_with_work": found.work,
    }


def _print(found: _Status) -> None:
    listed = f"{found.cursor.listed_through:%Y-%m-%d %H:%M:%SZ}" if found.cursor else "never polled"
    note = "  (observe decides and records everything and changes nothing)" if found.mode == "observe" else ""
    show_fields(
        {
            "mode": found.mode + note,
            "tenant": found.tenant_id,
            "feed listed through": listed,
            "backlog windows": len(found.cursor.backlog) if found.cursor else 0,
            "notifications": found.channel,
            "undelivered health notes": found.undelivered,
            "targets with work": found.work,
        }
    )
    _section(
        "Health alerts",
        ("alert", "severity", "since", "detail", "what to do"),
        [(a.id, a.severity.value, f"{a.since:%Y-%m-%d %H:%M:%SZ}", a.detail, a.advice) for a in found.alerts],
    )
    _section(
        "Waits for a person, or still runs",
        ("id", "status", "account", "why"),
        [(w.id, w.status, w.account, w.reason) for w in found.waiting],
    )
    _section(
        "Organisation switches changed",
        ("when", "actor", "what"),
        [
            (f"{t.occurred_at:%Y-%m-%d %H:%M:%SZ}", str(t.actor), f"{t.operation} -{t.parameter} {t.value}")
            for t in found.tampering
        ],
    )
    _section(
        "Blobs that could not be read yet",
        ("content id", "attempts", "reason"),
        [(p.blob.content_id, str(p.attempts), p.reason) for p in found.pending],
    )
    _section(
        "Gaps in the feed",
        ("from", "to", "reason"),
        [(f"{g.start:%Y-%m-%d %H:%MZ}", f"{g.end:%Y-%m-%d %H:%MZ}", g.reason) for g in found.gaps],
    )
    _section(
        "Unreadable input (newest 20)",
        ("received", "reason", "detail", "where"),
        [(f"{at:%Y-%m-%d %H:%M:%SZ}", u.reason, u.detail, f"{u.source} {u.where}") for at, u in found.unreadable],
    )


def _section(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    if rows:
        say("")
        show_table(columns, rows, title=title)
