"""One incident, or a finding without one, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.cli.terminal import say, show_fields, show_section
from bypass_responder.model.base import moment
from bypass_responder.model.finding import Source
from bypass_responder.operating.timeline import latency_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder.model.change import Actor
    from bypass_responder.operating.incidents.chronology import TimelineRow
    from bypass_responder.operating.incidents.gathered import GatheredView
    from bypass_responder.operating.incidents.tampering import TamperingView
    from bypass_responder.operating.incidents.view import DecisionView, EvidenceView, FindingView, IncidentView


def print_incident(view: IncidentView) -> None:
    """Print the state and the next step first, then everything else."""
    if view.flapping:
        say("FLAPPING: switched on again after it was off. The actor still has the right to do it.", style="bold red")
    say(view.state, style="bold")
    say(f"Next: {view.next.text}")
    for choice in (view.next.choice, *view.next.others):
        if choice:
            say(f"  {choice.label}: {choice.command}")
    say("")
    show_fields(_facts(view))
    show_section(
        "Controls",
        ("control", "result", "proof", "attempts", "why"),
        [(it.name, it.result, it.proof, str(it.attempts), it.why) for it in view.controls],
    )
    show_section(
        "Candidates",
        ("account", "in Exchange", "its own incident"),
        [
            (it.name, it.in_exchange, f"{it.incident} {it.incident_status}" if it.incident else "none")
            for it in view.candidates
        ],
    )
    show_section(
        "Records of others that are also missing for this time",
        ("account", "warning"),
        [
            *((it.name, it.text) for it in view.other_windows),
            *(("unknown", f"There may be more: {what}.") for what in view.windows_incomplete),
        ],
    )
    show_section(
        "Other tampering by the actors or with the account",
        ("when", "who", "what", "outcome", "meaning", "now", "to undo it"),
        [_tampering(it) for it in view.tampering],
    )
    print_timeline(view.timeline, readable=view.log_readable)
    show_section(
        "Evidence" if len(view.evidence) == view.findings else f"Evidence ({len(view.evidence)} of {view.findings})",
        ("id", "source", "bypass", "verdict", "happened", "reported", "raw record"),
        [_evidence(it) for it in view.evidence],
    )
    _print_gathered(view.gathered)
    show_section(
        "Decisions of people",
        ("when", "decision", "who", "outcome", "reason"),
        [(moment(it.at), it.decision.value, it.who, _outcome(it), it.reason) for it in view.decisions],
    )
    _print_ahead(view)


def _print_gathered(gathered: GatheredView) -> None:
    """Print what other sources answered: the notable things first."""
    say("")
    say("Evidence from other sources", style="bold")
    say(gathered.state)
    for text in gathered.follow_on:
        say(f"! {text}", style="bold red")
    show_section(
        "Sources",
        ("source", "account", "answer", "fix, or how to answer it by hand"),
        [(it.title, f"{it.account} ({it.role})", it.summary, it.ways) for it in gathered.answers],
    )


def _facts(view: IncidentView) -> dict[str, object]:
    acknowledged = view.acknowledged
    return {
        "incident": view.id,
        "status": view.status.value,
        "acknowledged": f"{acknowledged.by}, since {moment(acknowledged.at)}" if acknowledged else "",
        "account": view.account or f"unresolved: {', '.join(view.names)}",
        "actor": ", ".join(map(_actor, view.actors)),
        "actor's account": "; ".join(
            f"{it.name}: {it}" if len(view.actor_accounts) > 1 else str(it) for it in view.actor_accounts
        ),
        "decision": f"{view.verdict}: {view.reason}",
        "opened": moment(view.opened_at),
        "sign-in": _known(view.now.sign_in, view.now.sign_in_at),
        "bypass": view.now.bypass_text,
        "blind window": view.blind.text,
        "gap": view.blind.gap,
        "follows": view.follows or "",
        "closed": f"{moment(view.closed_at)} by {view.closed_by}" if view.closed_at else "",
    }


def _actor(actor: Actor) -> str:
    return f"{actor}{f' from {actor.client_ip}' if actor.client_ip else ''}"


def _tampering(it: TamperingView) -> tuple[str, ...]:
    what = f"{it.change} of {it.target}" if it.target else it.change
    outcome = f"{it.outcome.value}, by an alert only" if it.source is Source.HINT else it.outcome.value
    now = str(it.read_back) if it.read_back else ""
    return moment(it.at), it.who, what, outcome, f"{it.title}. {it.meaning}", now, it.repair


def _known(value: str | None, at: datetime | None) -> str:
    return f"{value}, as of {moment(at)}" if value and at else "not known yet"


def print_timeline(rows: Sequence[TimelineRow], *, readable: bool) -> None:
    """Print the timeline. ``readable``: the response log could be read."""
    show_section(
        "Timeline",
        ("happened", "reported", "", "source", "what", "delay"),
        [
            (
                moment(it.happened_at) if it.happened_at else "",
                moment(it.reported_at) if it.reported_at else "",
                it.kind.value,
                it.source or it.who,
                f"{it.what}, {it.link}" if it.link else it.what,
                latency_text(it.delay_seconds),
            )
            for it in rows
        ],
    )
    if not readable:
        say("The response log cannot be read, so actions are missing here: run bypassctl log verify.", style="red")


def _evidence(it: EvidenceView) -> tuple[str, ...]:
    raw = "" if it.raw is None else f"{it.raw.blob or 'in JSON'}, {it.raw.length_bytes} bytes"
    return it.id, it.source.value, it.switch.value, it.verdict, moment(it.happened_at), moment(it.received_at), raw


def _outcome(it: DecisionView) -> str:
    return f"{it.outcome.replace('_', ' ')}{f': {it.why}' if it.why else ''}"


def _print_ahead(view: IncidentView) -> None:
    """Print re-checks, links and remaining tasks."""
    say("")
    for recheck in view.rechecks:
        state = f"bypass {recheck.result}" if recheck.done else "planned"
        say(f"re-check after {recheck.after_hours} h: {moment(recheck.due_at)} {state}")
    if view.links:
        say("")
        say("Links", style="bold")
    for link in view.links:
        say(f"- {link.name}{f' ({link.note})' if link.note else ''}: {link.url}")
    say("")
    say("Left to do", style="bold")
    for todo in view.left_to_do:
        say(f"- {todo}")


def print_finding(view: FindingView) -> None:
    """Print source, claim and why no action followed."""
    entry, finding = view.entry, view.evidence
    show_fields(
        {
            "finding": f"{finding.id} (opened no incident)",
            "outcome": entry.kind.replace("_", " "),
            "why": entry.reason,
            "account": entry.account,
            "actor": entry.actor,
            "source": f"{finding.source.value}{f', {finding.sender}' if finding.sender else ''}",
            "claim": f"bypass {finding.switch.value}, outcome {finding.outcome.value}",
            "claimed for": moment(view.claimed_at or finding.happened_at),
            "received": moment(finding.received_at),
            "link": finding.link or "",
        }
    )
    if finding.raw and finding.raw.text:
        say("")
        say(finding.raw.text)
    elif finding.raw:
        say(f"evidence: blob {finding.raw.blob}, {finding.raw.length_bytes} bytes")
    say("")
    say(f"Full log: bypassctl log show {entry.target}")
