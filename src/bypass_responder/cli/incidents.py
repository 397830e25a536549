"""``bypassctl incidents``: what happened to whom, and what a person decides about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bypass_responder.cli.terminal import (
    WRONG_CALL,
    Format,
    Output,
    Reason,
    say,
    show_fields,
    show_json,
    show_table,
    stop,
    with_responder,
)
from bypass_responder.cli.who import who_am_i
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident import Incident, PersonDecision
from bypass_responder.model.index import IndexEntry
from bypass_responder.model.step import Recheck
from bypass_responder.response.follow_up import blind_window, left_to_do
from bypass_responder.response.person import write_decision
from bypass_responder.workflow.services import announced, open_session

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.response.draft import Draft

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
            (
                it.id,
                f"{it.at:%Y-%m-%d %H:%M:%SZ}",
                it.status if it.kind == "incident" else it.kind,
                it.account,
                it.actor,
                it.reason,
            )
            for it in entries
        ],
    )


@app.command()
def show(incident_id: IncidentId, output: Format = Output.TABLE) -> None:
    """Show one incident: account, decision, steps with their effects, blind window, time line, what is left to do."""
    view, incident = with_responder(lambda responder: _find(responder, incident_id))
    if output is Output.JSON:
        show_json(
            {
                "incident": incident.model_dump(mode="json"),
                "steps": [step.model_dump(mode="json") for step in view.steps(incident.id)],
                "findings": [json.loads(row.model_dump_json()) for row in _findings(view, incident)],
                "blind_window": blind_window(incident),
                "left_to_do": list(left_to_do(incident)),
            }
        )
        return
    _print(view, incident)


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
        _, incident = await _find(responder, incident_id)
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


async def _find(responder: Responder, incident_id: str) -> tuple[Draft, Incident]:
    entry = await responder.services.index.get(incident_id)
    if entry is None or entry.kind != "incident":
        stop(f"There is no incident {incident_id}, or more than one begins so; see bypassctl incidents list.")
    view = (await open_session(entry.target, responder.services)).view()
    incident = view.incident(entry.id)
    if incident is None:
        stop(f"Incident {entry.id} is in the index and not in the ledger: run bypassctl log verify.")
    return view, incident


def _findings(view: Draft, incident: Incident) -> list[Finding]:
    return sorted(
        (row for row in view.rows(Finding) if row.incident_id == incident.id),
        key=lambda row: (row.effective_at, row.id),
    )


def _print(view: Draft, incident: Incident) -> None:
    show_fields(
        {
            "incident": incident.id,
            "status": incident.status.value,
            "account": incident.account or f"unresolved: {', '.join(incident.names)}",
            "actor": ", ".join(str(actor) for actor in incident.actors),
            "decision": f"{incident.verdict}: {incident.reason}",
            "opened": f"{incident.opened_at:%Y-%m-%d %H:%M:%SZ}",
            "blind window": blind_window(incident),
            "follows": incident.refers_to or "",
            "closed": f"{incident.closed_at:%Y-%m-%d %H:%M:%SZ} by {incident.closed_by}" if incident.closed_at else "",
        }
    )
    say("")
    show_table(
        ("step", "state", "effect", "attempts", "detail"),
        [
            (
                step.step.value,
                step.state.value,
                step.effect.value if step.effect else "",
                str(step.attempts),
                step.detail or step.reason,
            )
            for step in view.steps(incident.id)
        ],
    )
    say("")
    show_table(
        ("evidence", "happened", "told", "what", "actor", "from"),
        [
            (
                row.id,
                f"{row.effective_at:%Y-%m-%d %H:%M:%SZ}",
                f"{row.received_at:%Y-%m-%d %H:%M:%SZ}",
                f"{row.switch.value}, {row.outcome.value}",
                str(row.actor),
                row.actor.client_ip or "",
            )
            for row in _findings(view, incident)
        ],
    )
    _print_people(view, incident)
    say("")
    say("Left to do", style="bold")
    for todo in left_to_do(incident):
        say(f"- {todo}")


def _print_people(view: Draft, incident: Incident) -> None:
    decisions = [row for row in view.rows(PersonDecision) if row.incident_id == incident.id]
    for row in decisions:
        done = "carried out" if row.done else "waits for resume_responses"
        say(f"{row.verb} by {row.who} at {row.at:%Y-%m-%d %H:%M:%SZ}: {row.reason} ({done})")
    for recheck in view.rows(Recheck):
        if recheck.incident_id == incident.id:
            state = recheck.result if recheck.done else "due"
            say(f"re-check after {recheck.after_hours} h: {recheck.due_at:%Y-%m-%d %H:%M:%SZ} {state}")
