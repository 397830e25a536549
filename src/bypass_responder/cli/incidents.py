"""``bypassctl incidents``: list and show incidents, and decide about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.case.account_state import lines_of, shown_of
from bypass_responder.case.follow_up import blind_window, left_to_do
from bypass_responder.cli.send_decision import DryRun, Wait, check_reason, send_decisions
from bypass_responder.cli.terminal import (
    WRONG_CALL,
    Format,
    Output,
    Reason,
    Yes,
    confirm,
    say,
    show_document,
    show_fields,
    show_list,
    show_section,
    stop,
    who_am_i,
    with_responder,
)
from bypass_responder.errors import InputError, ResponderError
from bypass_responder.model.case import IndexEntry
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident import Candidate, Incident, PersonDecision
from bypass_responder.model.step import Recheck
from bypass_responder.operating.candidates import linked
from bypass_responder.operating.decide import Prepared, find_entry, incident_in, prepare
from bypass_responder.operating.status import moment
from bypass_responder.operating.timeline import Moment, latency_text, timeline

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.case import Case
    from bypass_responder.model.log import LogEntry

app = typer.Typer(help="List and show incidents, and decide about them.", no_args_is_help=True)
WHICH = "Incident id, a unique part of it, or the user principal name of its account"
IncidentId = Annotated[str, typer.Argument(help=f"{WHICH}.")]
IncidentIds = Annotated[list[str], typer.Argument(help=f"{WHICH}; several at once.")]
LISTED: dict[str, Callable[[IndexEntry], str]] = {
    "id": lambda it: it.id,
    "opened": lambda it: moment(it.at),
    "status": lambda it: it.status if it.kind == "incident" else it.kind,
    "account": lambda it: it.account,
    "actor": lambda it: it.actor,
    "why": lambda it: it.reason,
}


@app.command("list")
def list_incidents(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number, newest first.")] = 50,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Include findings that opened no incident.")] = False,
    output: Format = Output.TABLE,
) -> None:
    """List incidents, newest first."""

    async def use(responder: Responder) -> list[IndexEntry]:
        found: list[IndexEntry] = []
        async for entry in responder.services.index.newest(kinds=None if everything else ("incident",)):
            found.append(entry)
            if len(found) >= limit:
                break
        return found

    show_list(with_responder(use), output, fields=tuple(IndexEntry.model_fields), table=LISTED)


@app.command()
def show(incident_id: IncidentId, output: Format = Output.TABLE) -> None:
    """Show one incident: account, decision, steps and effects, blind window, timeline, remaining tasks.

    For findings without an incident: the source, its claim and why no action followed.
    """

    async def use(
        responder: Responder,
    ) -> tuple[Case, IndexEntry, list[LogEntry] | None, list[tuple[Candidate, Incident | None]]]:
        entry, case = await find_entry(incident_id, responder.services)
        found = case.incident(entry.id)
        links = await linked(found, responder.services) if found else []
        return case, entry, await _log(responder, entry.target), links

    case, entry, log, links = with_responder(use)
    if entry.kind != "incident":
        _show_listed(entry, case, output)
        return
    incident = incident_in(entry, case)
    findings = [row for row in case.rows(Finding) if row.incident_id == incident.id]
    findings.sort(key=lambda row: (row.effective_at, row.id))
    moments = timeline(incident, findings, case.steps(incident.id), log or [])
    if output is not Output.TABLE:
        show_document(
            {
                "incident": incident.model_dump(mode="json"),
                "steps": [step.model_dump(mode="json") for step in case.steps(incident.id)],
                "candidates": [
                    candidate.model_dump(mode="json") | {"incident": own.id if own else None}
                    for candidate, own in links
                ],
                "account_state": shown_of(case, incident).model_dump(mode="json"),
                "decisions": [row.model_dump(mode="json") for row in _decisions(case, incident)],
                "findings": [json.loads(row.model_dump_json()) for row in findings],
                "timeline": [each.as_json() for each in moments],
                "log_readable": log is not None,
                "blind_window": blind_window(incident),
                "left_to_do": list(left_to_do(incident, steps=case.steps(incident.id))),
            },
            output,
        )
        return
    _print(case, incident)
    show_section(
        "Candidates",
        ("account", "in Exchange", "its own incident"),
        [(each.name, each.in_exchange, f"{own.id} {own.status.value}" if own else "none") for each, own in links],
    )
    print_timeline(moments, readable=log is not None)
    _print_ahead(case, incident)


@app.command()
def approve(
    incidents: IncidentIds,
    reason: Reason,
    account: Annotated[
        str | None, typer.Option(help="The account of an unresolved target: object id or user principal name.")
    ] = None,
    *,
    wait: Wait = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Carry out held and failed steps. Protected accounts are still never blocked.

    With --account, what is known of that account is shown first: it is the one that will be contained. An account that
    is no candidate is refused while Exchange has not ruled out every candidate.
    """
    if account is not None and len(incidents) > 1:
        stop("--account is the account of one incident. Name one incident.", WRONG_CALL)
    _decide(DecisionKind.APPROVE, incidents, reason, account, wait=wait, yes=yes, dry_run=dry_run)


@app.command()
def dismiss(
    incidents: IncidentIds, reason: Reason, *, wait: Wait = False, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """End an incident. Pending actions are canceled; completed ones are kept."""
    _decide(DecisionKind.DISMISS, incidents, reason, wait=wait, yes=yes, dry_run=dry_run)


@app.command()
def close(
    incidents: IncidentIds, reason: Reason, *, wait: Wait = False, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """End an incident of which every step is done. The account stays blocked until a release."""
    _decide(DecisionKind.CLOSE, incidents, reason, wait=wait, yes=yes, dry_run=dry_run)


@app.command()
def release(
    incidents: IncidentIds, reason: Reason, *, wait: Wait = False, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """Restore the account to its state before the first block. Auditing stays on."""
    _decide(DecisionKind.RELEASE, incidents, reason, wait=wait, yes=yes, dry_run=dry_run)


def _show_listed(entry: IndexEntry, case: Case, output: Output) -> None:
    """Print the finding of an entry: source, claim and why no action followed."""
    finding = case.row(Finding, f"finding-{entry.id}")
    if finding is None:
        stop(f"{entry.id} is in the index but not in the ledger. Check the log: bypassctl log verify.")
    if output is not Output.TABLE:
        found = {"entry": entry.model_dump(mode="json"), "finding": json.loads(finding.model_dump_json())}
        show_document(found, output)
        return
    show_fields(
        {
            "finding": f"{finding.id} (opened no incident)",
            "outcome": entry.kind.replace("_", " "),
            "why": entry.reason,
            "account": entry.account,
            "actor": entry.actor,
            "source": f"{finding.source.value}{f', {finding.sender}' if finding.sender else ''}",
            "claim": f"bypass {finding.switch.value}, outcome {finding.outcome.value}",
            "claimed for": moment(finding.claimed_at or finding.effective_at),
            "received": moment(finding.received_at),
            "link": finding.link or "",
        }
    )
    if finding.evidence and finding.evidence.text:
        say("")
        say(finding.evidence.text)
    elif finding.evidence:
        say(f"evidence: blob {finding.evidence.blob}, {finding.evidence.length_bytes} bytes")
    say("")
    say(f"Full log: bypassctl log show {finding.target}")


def _decide(
    kind: DecisionKind,
    given: list[str],
    reason: str,
    account: str | None = None,
    *,
    wait: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Show each account's state, ask once, send the decisions, and with ``wait`` show their outcomes."""
    check_reason(reason)

    async def look(responder: Responder) -> list[Prepared]:
        author = await who_am_i(responder)
        found: dict[str, Prepared] = {}
        for each in given:
            try:
                one = await prepare(kind, each, responder.services, reason=reason, author=author, account=account)
            except ResponderError as error:
                if len(given) == 1:
                    raise
                stop(f"{each}: {error.diagnostics()} No decision was sent.")
            found[one.incident.id] = one
        return list(found.values())

    prepared = with_responder(look)
    for number, each in enumerate(prepared):
        if number:
            say("")
        _show_prepared(each)
    if dry_run:
        say("Dry run: nothing was sent.")
        return
    confirm(_question(kind, prepared), yes=yes)
    send_decisions({f"{kind.value} {each.incident.id}": each.message for each in prepared}, wait=wait)


def _show_prepared(prepared: Prepared) -> None:
    incident, message = prepared.incident, prepared.message
    show_fields(
        {
            "incident": f"{incident.id} {incident.status.value}",
            "account": incident.account or f"unresolved: {', '.join(incident.names)}",
            "steps": ", ".join(f"{step.step.value} {step.state.value}" for step in message.shown.steps),
            **lines_of(message.shown),
            **prepared.named,
            "not changed": prepared.left_as_it_is,
        }
    )


def _question(kind: DecisionKind, prepared: list[Prepared]) -> str:
    if len(prepared) > 1:
        return f"{kind.value.capitalize()} these {len(prepared)} incidents?"
    [one] = prepared
    against = f" and contain {one.named['named account']}" if one.named else ""
    return f"{kind.value.capitalize()} incident {one.incident.id}{against}?"


async def _log(responder: Responder, target: str) -> list[LogEntry] | None:
    """Return the response log; None when it cannot be read, so that the incident is still shown."""
    try:
        return [entry async for entry in responder.services.ledger.log(target)]
    except InputError:
        return None


def _print(case: Case, incident: Incident) -> None:
    if incident.flapping:
        say("FLAPPING: switched on again after it was off. The actor still has the right to do it.", style="bold red")
    show_fields(
        {
            "incident": incident.id,
            "status": incident.status.value + (", flapping" if incident.flapping else ""),
            "account": incident.account or f"unresolved: {', '.join(incident.names)}",
            "actor": ", ".join(str(actor) for actor in incident.actors),
            "decision": f"{incident.verdict}: {incident.reason}",
            "opened": moment(incident.opened_at),
            "blind window": blind_window(incident),
            "follows": incident.refers_to or "",
            **_state_now(case, incident),
            "closed": f"{moment(incident.closed_at)} by {incident.closed_by}" if incident.closed_at else "",
        }
    )
    show_section(
        "Steps",
        ("step", "state", "effect", "attempts", "detail"),
        [
            (it.step.value, it.state.value, it.effect or "", str(it.attempts), it.detail or it.reason)
            for it in case.steps(incident.id)
        ],
    )


def _state_now(case: Case, incident: Incident) -> dict[str, str]:
    state = lines_of(shown_of(case, incident))
    return {name: state[name] for name in ("sign-in", "bypass")}


def print_timeline(moments: list[Moment], *, readable: bool) -> None:
    """Print the timeline. ``readable``: the response log could be read."""
    show_section(
        "Timeline",
        ("when", "", "source", "what", "delay"),
        [
            (
                moment(it.at),
                it.kind.value,
                it.source or it.who or "",
                f"{it.what}, {it.link}" if it.link else it.what,
                latency_text(it.latency_seconds),
            )
            for it in moments
        ],
    )
    if not readable:
        say("The response log cannot be read, so actions are missing here: run bypassctl log verify.", style="red")


def _decisions(case: Case, incident: Incident) -> list[PersonDecision]:
    found = [row for row in case.rows(PersonDecision) if row.incident_id == incident.id]
    return sorted(found, key=lambda row: row.at)


def _outcome(row: PersonDecision) -> str:
    return f"{row.outcome.replace('_', ' ')}{f': {row.why}' if row.why else ''}"


def _print_ahead(case: Case, incident: Incident) -> None:
    """Print decisions, re-checks and remaining tasks."""
    show_section(
        "Decisions of people",
        ("when", "decision", "who", "outcome", "reason"),
        [(moment(row.at), row.verb.value, row.who, _outcome(row), row.reason) for row in _decisions(case, incident)],
    )
    say("")
    for recheck in case.rows(Recheck):
        if recheck.incident_id == incident.id:
            state = recheck.result if recheck.done else "due"
            say(f"re-check after {recheck.after_hours} h: {moment(recheck.due_at)} {state}")
    say("")
    say("Left to do", style="bold")
    for todo in left_to_do(incident, steps=case.steps(incident.id)):
        say(f"- {todo}")
