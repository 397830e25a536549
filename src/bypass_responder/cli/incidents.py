"""``bypassctl incidents``: list and show incidents, and decide about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.incident_filter import Actor, OfAccount, Since, Statuses, Until, filter_of, incident_ids
from bypass_responder.cli.report import report
from bypass_responder.cli.send_decision import DryRun, Wait, check_reason, send_decisions
from bypass_responder.cli.terminal import (
    WRONG_CALL,
    Format,
    Output,
    Reason,
    Yes,
    confirm,
    note,
    say,
    show_document,
    show_fields,
    show_line,
    show_list,
    stop,
    who_am_i,
    with_responder,
)
from bypass_responder.errors import ResponderError, TransientError
from bypass_responder.model.base import moment
from bypass_responder.model.listing import MOST_COUNTED, IndexEntry
from bypass_responder.operating.incidents.listing import list_incidents as read_page

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.decision_message import DecisionKind
    from bypass_responder.operating.decide import Prepared

app = typer.Typer(help="List and show incidents, and decide about them.", no_args_is_help=True)
WHICH = "Incident id, the beginning of it or of its second half, or the user principal name of its account"
IncidentId = Annotated[str, typer.Argument(help=f"{WHICH}.", autocompletion=incident_ids)]
IncidentIds = Annotated[list[str], typer.Argument(help=f"{WHICH}; several at once.", autocompletion=incident_ids)]
MOST_WATCHED = 200
app.command()(report)
LISTED: dict[str, Callable[[IndexEntry], str]] = {
    "id": lambda it: it.id,
    "opened": lambda it: moment(it.at),
    "status": lambda it: it.status if it.kind == "incident" else it.kind,
    "who has it": lambda it: it.acknowledged_by,
    "account": lambda it: it.account,
    "actor": lambda it: it.actor,
    "why": lambda it: it.reason,
}


@app.command("list")
def list_incidents(
    status: Statuses = None,
    account: OfAccount = "",
    actor: Actor = "",
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number, newest first.")] = 50,
    *,
    everything: Annotated[bool, typer.Option("--all", help="List all, however many.")] = False,
    findings: Annotated[bool, typer.Option("--findings", help="Include findings that opened no incident.")] = False,
    output: Format = Output.TABLE,
) -> None:
    """List incidents, newest first."""
    wanted = filter_of(status, account=account, actor=actor, since=since, until=until, findings=findings)

    async def use(responder: Responder) -> tuple[list[IndexEntry], str]:
        services = responder.services
        page = await read_page(wanted, services, limit=limit)
        entries = list(page.entries)
        while everything and page.next:
            page = await read_page(wanted, services, after=page.next, limit=limit)
            entries += page.entries
        if page.next is None:
            return entries, ""
        count = None if account or actor else await services.index.count(wanted, MOST_COUNTED)
        return entries, f"{len(entries)} of {count or 'more'}, --all for more"

    entries, more = with_responder(use)
    show_list(entries, output, fields=tuple(IndexEntry.model_fields), table=LISTED)
    if more:
        note(more)


@app.command()
def watch(
    status: Statuses = None,
    account: OfAccount = "",
    actor: Actor = "",
    interval: Annotated[int, typer.Option(min=1, max=3600, help="Seconds between two reads.")] = 10,
    *,
    output: Format = Output.TABLE,
) -> None:
    """Print the newest incidents, then each new one and each change of a status, until Ctrl-C.

    Covers the newest 200 that match. json prints one object per line.
    """
    wanted = filter_of(status, account=account, actor=actor, since="", until="", findings=False)
    fields = tuple(IndexEntry.model_fields)

    async def use(responder: Responder) -> None:
        known: dict[str, str] = {}
        while True:
            try:
                page = await read_page(wanted, responder.services, limit=MOST_WATCHED)
            except TransientError as error:
                note(error.diagnostics())
            else:
                changed = [it for it in reversed(page.entries) if known.get(it.id) != it.status]
                for entry in changed:
                    show_line(entry, output, fields=fields, table=LISTED, first=not known)
                    known[entry.id] = entry.status
            await asyncio.sleep(interval)

    with_responder(use)


@app.command()
def show(
    incident_id: IncidentId,
    output: Format = Output.TABLE,
    *,
    for_ticket: Annotated[bool, typer.Option("--ticket", help="Print twelve plain lines for a ticket.")] = False,
) -> None:
    """Show one incident: state, next step, controls and proof, blind window, timeline, remaining tasks.

    For findings without an incident: the source, its claim and why no action followed.
    """
    from bypass_responder.cli.incident_format import print_finding, print_incident
    from bypass_responder.operating.incidents.read_view import read_entry
    from bypass_responder.operating.incidents.ticket import ticket
    from bypass_responder.operating.incidents.view import FindingView

    view = with_responder(lambda responder: read_entry(incident_id, responder.services))
    if output is not Output.TABLE:
        show_document(view.model_dump(mode="json"), output)
    elif isinstance(view, FindingView):
        print_finding(view)
    elif for_ticket:
        for line in ticket(view):
            say(line)
    else:
        print_incident(view)


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

    With --account, the known facts about that account are shown first, because it will be contained. An account that is
    not a candidate is refused until Exchange has ruled out every candidate.
    """
    if account is not None and len(incidents) > 1:
        stop("--account is the account of one incident. Name one incident.", WRONG_CALL)
    _decide("approve", incidents, reason, account, wait=wait, yes=yes, dry_run=dry_run)


@app.command()
def dismiss(
    incidents: IncidentIds, reason: Reason, *, wait: Wait = False, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """End an incident. Pending actions are canceled; completed ones are kept."""
    _decide("dismiss", incidents, reason, wait=wait, yes=yes, dry_run=dry_run)


@app.command()
def close(
    incidents: IncidentIds, reason: Reason, *, wait: Wait = False, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """End an incident whose steps are all done. The account stays blocked until a release."""
    _decide("close", incidents, reason, wait=wait, yes=yes, dry_run=dry_run)


@app.command()
def release(
    incidents: IncidentIds, reason: Reason, *, wait: Wait = False, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """Restore the account to its state before the first block. Auditing stays on."""
    _decide("release", incidents, reason, wait=wait, yes=yes, dry_run=dry_run)


@app.command()
def ack(
    incidents: IncidentIds,
    reason: Annotated[str, typer.Option("--reason", help="A note, stored in the response log.")] = "acknowledged",
    *,
    wait: Wait = False,
) -> None:
    """Acknowledge an incident: every receiver is notified that you are handling it; reminders stop."""
    _decide("acknowledge", incidents, reason, wait=wait, yes=True, dry_run=False)


def _decide(
    word: str,
    given: list[str],
    reason: str,
    account: str | None = None,
    *,
    wait: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Show each account's state, ask once, send the decisions, and with ``wait`` show their outcomes."""
    from bypass_responder.model.decision_message import DecisionKind
    from bypass_responder.operating.decide import prepare

    kind = DecisionKind(word)
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
    from bypass_responder.case.account_state import lines_of

    incident, message = prepared.incident, prepared.message
    show_fields(
        {
            "incident": f"{incident.id} {incident.status.value}",
            "account": incident.account or f"unresolved: {', '.join(incident.names)}",
            "controls": prepared.controls,
            **lines_of(message.shown),
            **prepared.named,
            "effect": prepared.effect,
            "not changed": prepared.left_as_it_is,
        }
    )


def _question(kind: DecisionKind, prepared: list[Prepared]) -> str:
    if len(prepared) > 1:
        return f"{kind.value.capitalize()} these {len(prepared)} incidents?"
    [one] = prepared
    against = f" and contain {one.named['named account']}" if one.named else ""
    return f"{kind.value.capitalize()} incident {one.incident.id}{against}?"
