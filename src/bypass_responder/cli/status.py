"""``bypassctl status``: organization switches, mode, feed, sweep, health and pending decisions."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from typing import Any

import typer

from bypass_responder.case.tampering import repair_of
from bypass_responder.cli.terminal import (
    BAD_NEWS,
    Format,
    Output,
    say,
    show_document,
    show_fields,
    show_section,
    with_responder,
)
from bypass_responder.model.base import counted, iso, moment
from bypass_responder.model.dead_letters import DEAD_LETTER_DAYS, DEAD_LETTERS
from bypass_responder.model.finding import Source
from bypass_responder.model.health import Tampering
from bypass_responder.model.record import Unreadable
from bypass_responder.model.self_check import SelfCheck
from bypass_responder.model.sweep import Sweep
from bypass_responder.operating.posture.plan_runs import plan_text, view_of
from bypass_responder.operating.status import (
    NEWEST_SHOWN,
    SWITCHES,
    Status,
    hunting_text,
    read_status,
    who_switched,
)
from bypass_responder.posture.run import PostureRun, problems

DOES = {"observe": "records decisions, changes nothing", "enforce": "acts"}
MOST_SHOWN = 20
NEVER_POLLED = "never: no poll has succeeded yet"


def status(output: Format = Output.TABLE) -> None:
    """Show mode, feed, sweep, health and pending decisions. Exit code 1: something needs attention."""
    found = with_responder(lambda responder: read_status(responder.services, responder.self_checks))
    if output is Output.TABLE:
        show(found)
    else:
        show_document(as_json(found), output)
    raise typer.Exit(BAD_NEWS if found.bad_news else 0)


def as_json(found: Status) -> dict[str, Any]:
    """Return the status as JSON, for scripts."""
    counts = {"took_seconds", "scanned", "on", "covered"} if found.sweep.complete_at else set()
    return {
        "organization_switches": [
            {
                "alert": it.id,
                "detail": it.detail,
                "since": iso(it.since),
                "who": who_switched(it, found.switched),
            }
            for it in found.alerts
            if it.id in SWITCHES
        ],
        "mode": found.rules.mode if found.rules else None,
        "app": found.rules.model_dump(mode="json", include={"mode", "protected"}) if found.rules else None,
        "protected_still_blocked": found.protected_blocked,
        "tenant_id": found.tenant_id,
        "notification_channel": found.channel,
        "feed": found.cursor.model_dump(mode="json") if found.cursor else None,
        "hunting": found.hunting.model_dump(mode="json", exclude={"etag"}),
        "sensor_delays": [row.model_dump(mode="json") for row in found.delays],
        "sweep": {
            "unknown_because": found.doubt or None,
            "unknown_warnings": found.warnings,
            **found.sweep.model_dump(mode="json", include={"complete_at", "state", "created_at", "problem"} | counts),
        },
        "posture_read": _posture_json(found.posture) if found.posture else None,
        "posture_plan": view_of(found.plan).model_dump(mode="json") if found.plan else None,
        "unconfirmed": {
            "count": len(found.unconfirmed),
            "of": found.listed,
            "newest": [row.model_dump(mode="json") for row in found.unconfirmed[:NEWEST_SHOWN]],
        },
        "detection_delay": {source: asdict(cost) for source, cost in found.costs.items()},
        "pending_blobs": [row.model_dump(mode="json") for row in found.pending],
        "gaps": [row.model_dump(mode="json") for row in found.gaps],
        "unreadable": [{"received_at": iso(at)} | row.model_dump(mode="json") for at, row in found.unreadable],
        "alerts": [row.model_dump(mode="json") for row in found.alerts],
        "recovered": [row.model_dump(mode="json") for row in found.recovered],
        "tampering": [row.model_dump(mode="json") for row in found.tampering],
        "contained_not_closed": found.contained,
        "waiting": [row.model_dump(mode="json") for row in found.waiting],
        "undelivered_notifications": found.undelivered,
        "accounts_with_pending_work": found.work,
        "dead_letters": found.self_check.dead_letters if found.self_check else None,
        "poison_messages": found.self_check.poison if found.self_check else None,
        "undecided": [json.loads(row.model_dump_json()) for row in found.undecided],
    }


def show(found: Status) -> None:
    """Print the status for people. Conditions that blind the responder come first."""
    for alert in found.alerts:
        if alert.id in SWITCHES:
            who = who_switched(alert, found.switched)
            say(f"ORGANIZATION: {alert.detail} Seen since {moment(alert.since)}; {who}.", style="bold red")
    for account in found.protected_blocked:
        say(f"PROTECTED, STILL BLOCKED BY US: {account} (bypassctl incidents release)", style="bold red")
    show_fields(_fields(found))
    _show_health(found)
    _show_delays(found)
    _show_input(found)


def _fields(found: Status) -> dict[str, object]:
    cursor, sweep = found.cursor, found.sweep
    counts = (
        f"{counted(sweep.scanned, 'object')} scanned, {sweep.on} on, {sweep.covered} of them covered by the allowlist"
    )
    took = f"took {sweep.took_seconds:.0f} s"
    delays = [f"{source} {cost.median_minutes} min ({cost.incidents})" for source, cost in found.costs.items()]
    return {
        "mode": _mode(found),
        "tenant": found.tenant_id,
        "feed read through": moment(cursor.listed_through) if cursor and cursor.last_success_at else NEVER_POLLED,
        "backlog windows": len(cursor.backlog) if cursor else 0,
        "hunting sensor": hunting_text(found.hunting),
        "last complete sweep": f"{moment(sweep.complete_at)}: {counts}; {took}" if sweep.complete_at else "none",
        "bypassed now": f"UNKNOWN: {found.doubt}" if found.doubt else _who_is_on(sweep),
        "contained, not closed": f"{found.contained}  (bypassctl incidents list)" if found.contained else 0,
        "sweep outstanding": _outstanding(sweep),
        "mailboxes read": _posture(found.posture),
        "posture plan": plan_text(found.plan) if found.plan else "",
        "unconfirmed": f"{len(found.unconfirmed)} of the newest {found.listed} entries",
        "median detection delay": ", ".join(delays),
        "notifications": found.channel,
        "undelivered notifications": found.undelivered,
        "accounts with pending work": found.work,
        "undelivered alerts": _dead_letters(found.self_check),
        "poison messages": _poison(found.self_check),
    }


def _where(item: Unreadable) -> str:
    """Return the source and the place; of an unknown sender, how the input begins."""
    return f"{item.source} {item.where}" if item.source else f"unknown sender, {item.where}: {item.excerpt[:60]}"


def _dead_letters(check: SelfCheck | None) -> str:
    if check is None or check.dead_letters is None:
        return "unknown: no self-check of the app counted them"
    return f"{check.dead_letters} files within {DEAD_LETTER_DAYS} days (container {DEAD_LETTERS}), {_counted(check)}"


def _poison(check: SelfCheck | None) -> str:
    if check is None:
        return "unknown: no self-check of the app counted them"
    counts = [f"{count} in {queue}" for queue, count in check.poison.items()]
    return f"{', '.join(counts) or 0}, {_counted(check)}"


def _counted(check: SelfCheck) -> str:
    return f"counted {moment(check.at)}"


def _mode(found: Status) -> str:
    """Return the mode and the number of protected accounts as the app's last run had them."""
    if found.rules is None:
        return "unknown: the app has not run yet"
    count = len(found.rules.protected)
    return f"{found.rules.mode}: {DOES[found.rules.mode]}; {counted(count, 'protected account')}"


def _who_is_on(sweep: Sweep) -> str:
    """Return the counts of the last complete sweep. Later findings are in the incidents."""
    others = sweep.on - sweep.covered
    return f"{others} not allowlisted, {sweep.covered} allowlisted (last complete sweep)"


def _outstanding(sweep: Sweep) -> str:
    if sweep.state == "answered":
        return "answered, comparison pending"
    return f"since {moment(sweep.created_at)}" if sweep.state == "outstanding" and sweep.created_at else "no"


def _posture(run: PostureRun | None) -> str:
    if run is None:
        return "never: bypassctl posture read"
    if run.compared_at is None:
        return f"since {moment(run.started_at)}: {run.progress}"
    why = run.partial or next(iter(problems(run)), "")
    partial = f", PARTIAL: {why}" if why else ""
    return f"{moment(run.compared_at)}: {run.progress}{partial}  (bypassctl posture report)"


def _posture_json(run: PostureRun) -> dict[str, Any]:
    parts = [{"part": part.name, "ended": part.ended, "problem": part.problem} for part in run.parts]
    fields = run.model_dump(mode="json", include={"id", "started_at", "ended_at", "compared_at", "partial"})
    return {**fields, "progress": run.progress, "problems": problems(run) if run.ended_at else (), "parts": parts}


def _show_health(found: Status) -> None:
    show_section(
        "Health alerts",
        ("alert", "severity", "since", "detail", "what to do"),
        [(it.id, it.severity.value, moment(it.since), it.detail, it.advice) for it in found.alerts],
    )
    show_section(
        "Unknown warnings of Exchange: sweeps are incomplete until somebody accepts them",
        ("warning", "after you found out that no row is missing"),
        [(text, f"bypassctl sweeps accept-warning {shlex.quote(text)} --reason …") for text in found.warnings],
    )
    show_section(
        "Recovered within a day (newest 5)",
        ("alert", "from", "to"),
        [(it.id, moment(it.since), moment(it.recovered_at)) for it in found.recovered if it.recovered_at],
    )
    show_section(
        f"Tampering with auditing (newest {MOST_SHOWN})",
        ("when", "technique", "actor", "what", "object", "outcome", "now", "undo"),
        [_tampering_row(it) for it in found.tampering[:MOST_SHOWN]],
    )


def _tampering_row(it: Tampering) -> tuple[str, ...]:
    outcome = f"{it.outcome.value}, by an alert only" if it.source is Source.HINT else it.outcome.value
    undo = str(repair_of(it)) if it.took_effect else ""
    now = str(it.read_back) if it.read_back else ""
    return moment(it.occurred_at), it.technique.value, str(it.actor), it.change, it.target, outcome, now, undo


def _show_delays(found: Status) -> None:
    """Print how late each sensor brings the same records: what each is worth."""
    show_section(
        "Delay of the same records in each sensor (30 days)",
        ("sensor", "median", "95%", "records", "missed"),
        [
            (it.sensor, _minutes(it.median_minutes), _minutes(it.p95_minutes), str(it.records), str(it.missed))
            for it in found.delays
        ],
    )


def _minutes(minutes: float | None) -> str:
    return "not measured yet" if minutes is None else f"{minutes:g} min"


def _show_input(found: Status) -> None:
    show_section(
        "Evidence that waits for a check",
        ("received", "source", "account", "bypass", "next check"),
        [
            (
                moment(it.received_at),
                it.source.value,
                it.identity_text or it.target,
                it.switch.value,
                moment(it.next_at) if it.next_at else "now",
            )
            for it in found.undecided
        ],
    )
    show_section(
        "Needs a decision or in progress",
        ("id", "status", "who has it", "account", "why"),
        [(it.id, it.status, it.acknowledged_by or "nobody", it.account, it.reason) for it in found.waiting],
    )
    show_section(
        "Unconfirmed alerts and sweeps (newest 5)",
        ("received", "account", "why"),
        [(moment(it.at), it.account, it.reason) for it in found.unconfirmed[:NEWEST_SHOWN]],
    )
    show_section(
        "Blobs that could not be read yet",
        ("content id", "attempts", "reason"),
        [(it.blob.content_id, str(it.attempts), it.reason) for it in found.pending],
    )
    show_section(
        "Gaps in the feed",
        ("from", "to", "reason"),
        [(moment(it.start), moment(it.end), it.reason) for it in found.gaps],
    )
    show_section(
        "Unreadable input (newest 20)",
        ("received", "reason", "detail", "where"),
        [(moment(at), it.reason, it.detail, _where(it)) for at, it in found.unreadable],
    )
