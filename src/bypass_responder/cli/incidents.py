"""``bypassctl incidents``: what happened to whom, and what a person decides about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bypass_responder.case.follow_up import blind_window, left_to_do
from bypass_responder.case.person_decision import write_decision
from bypass_responder.cli.listed import show_listed
from bypass_responder.cli.terminal import (
    WRONG_CALL,
    Format,
    Output,
    Reason,
    say,
    show_fields,
    show_json,
    show_section,
    show_table,
    stop,
    with_responder,
)
from bypass_responder.cli.who import who_am_i
from bypass_responder.errors import InputError
from bypass_responder.model.case import IndexEntry
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident import Incident, PersonDecision
from bypass_responder.model.step import Recheck
from bypass_responder.operating.status import moment
from bypass_responder.operating.timeline import Moment, latency_text, timeline
from bypass_responder.session import announced, open_session

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.case import Case
    from bypass_responder.model.log import LogEntry

app = typer.Typer(help="Incidents, and what a person decides about them.", no_args_is_help=True)
IncidentId = Annotated[str, typer.Argument(help="The incident's id, or its beginning.")]


@app.command("list")
def list_incidents(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, newest first.")] = 50,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what opened no incident.")] = False,
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

    entries = with_responder(use)
    if output is Output.JSON:
        show_json([entry.model_dump(mode="json") for entry in entries])
        return
    show_table(
        ("id", "opened", "status", "account", "actor", "why"),
        [
            (it.id, moment(it.at), it.status if it.kind == "incident" else it.kind, it.account, it.actor, it.reason)
            for it in entries
        ],
    )


@app.command()
def show(incident_id: IncidentId, output: Format = Output.TABLE) -> None:
    """Show one incident: account, decision, steps with their effects, blind window, time line, what is left to do.

    Of what opened no incident: what was said, by whom, and why nothing came of it.
    """

    async def use(responder: Responder) -> tuple[Case, IndexEntry, list[LogEntry] | None]:
        entry, case = await _entry(responder, incident_id)
        return case, entry, await _log(responder, entry.target)

    case, entry, log = with_responder(use)
    if entry.kind != "incident":
        show_listed(entry, case, output)
        return
    incident = _incident(entry, case)
    findings = [row for row in case.rows(Finding) if row.incident_id == incident.id]
    findings.sort(key=lambda row: (row.effective_at, row.id))
    moments = timeline(incident, findings, case.steps(incident.id), log or [])
    if output is Output.JSON:
        show_json(
            {
                "incident": incident.model_dump(mode="json"),
                "steps": [step.model_dump(mode="json") for step in case.steps(incident.id)],
                "findings": [json.loads(row.model_dump_json()) for row in findings],
                "timeline": [each.as_json() for each in moments],
                "log_readable": log is not None,
                "blind_window": blind_window(incident),
                "left_to_do": list(left_to_do(incident)),
            }
        )
        return
    _print(case, incident)
    print_timeline(moments, readable=log is not None)
    _print_ahead(case, incident)


@app.command()
def approve(
    incident_id: IncidentId,
    reason: Reason,
    account: Annotated[str | None, typer.Option(help="For an unresolved target: which account it is.")] = None,
) -> None:
    """Go ahead with what is held or failed. The protected list still holds."""
    _decide("approve", incident_id, reason, account)


@app.command()
def dismiss(incident_id: IncidentId, reason: Reason) -> None:
    """Close an incident: what waits is dropped, what was done stays done."""
    _decide("dismiss", incident_id, reason)


@app.command()
def release(incident_id: IncidentId, reason: Reason) -> None:
    """Give the account back: exactly its state from before the first block. Auditing stays restored."""
    _decide("release", incident_id, reason)


def _decide(
    verb: Literal["approve", "dismiss", "release"], incident_id: str, reason: str, account: str | None = None
) -> None:
    if not reason.strip():
        stop("--reason must not be empty.", WRONG_CALL)

    async def use(responder: Responder) -> Incident:
        services = responder.services
        incident = _incident(*await _entry(responder, incident_id))
        object_id = None
        if account is not None:
            found = await services.directory.find(account)
            if found is None:
                stop(f"No account has the object id or user principal name {account}.")
            object_id = found.object_id
        who = await who_am_i(responder)
        async with announced(incident.target, services):
            session = await open_session(incident.target, services)
            await session.apply(
                lambda draft: write_decision(
                    draft,
                    incident.id,
                    verb,
                    who=who,
                    reason=reason,
                    enforce=services.settings.enforce,
                    account=object_id,
                )
            )
        return incident

    incident = with_responder(use)
    say(
        f"Written: {verb} {incident.id} ({incident.account or incident.target}). "
        "The responder carries it out within a minute."
    )


async def _entry(responder: Responder, entry_id: str) -> tuple[IndexEntry, Case]:
    entry = await responder.services.index.get(entry_id)
    if entry is None:
        stop(f"There is no incident {entry_id}, or more than one begins so; see bypassctl incidents list.")
    return entry, (await open_session(entry.target, responder.services)).case


def _incident(entry: IndexEntry, case: Case) -> Incident:
    if entry.kind != "incident":
        stop(f"{entry.id} opened no incident, so there is nothing to decide; see bypassctl incidents show {entry.id}.")
    incident = case.incident(entry.id)
    if incident is None:
        stop(f"Incident {entry.id} is in the index and not in the ledger: run bypassctl log verify.")
    return incident


async def _log(responder: Responder, target: str) -> list[LogEntry] | None:
    """The response log, None when a line cannot be read: the incident must be seen all the same."""
    try:
        return [entry async for entry in responder.services.ledger.log(target)]
    except InputError:
        return None


def _print(case: Case, incident: Incident) -> None:
    if incident.flapping:
        say("FLAPPING: switched on again after it was off. Whoever does it still can.", style="bold red")
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


def print_timeline(moments: list[Moment], *, readable: bool) -> None:
    """The time line for people. ``readable``: the response log could be read."""
    show_section(
        "Time line (UTC)",
        ("when", "", "source", "what", "late by"),
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
        say("The response log cannot be read, so what was done is missing here: run bypassctl log verify.", style="red")


def _print_ahead(case: Case, incident: Incident) -> None:
    """What is still to come, from us and from people."""
    say("")
    for row in case.rows(PersonDecision):
        if row.incident_id == incident.id and not row.done:
            say(f"{row.verb} by {row.who} at {moment(row.at)}: {row.reason} (waits for resume_responses)")
    for recheck in case.rows(Recheck):
        if recheck.incident_id == incident.id:
            state = recheck.result if recheck.done else "due"
            say(f"re-check after {recheck.after_hours} h: {moment(recheck.due_at)} {state}")
    say("")
    say("Left to do", style="bold")
    for todo in left_to_do(incident):
        say(f"- {todo}")
