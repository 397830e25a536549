"""``bypassctl decisions``: list what people decided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from bypass_responder.cli.incident_filter import moment_of
from bypass_responder.cli.terminal import Format, Output, show_list, with_responder
from bypass_responder.model.base import moment
from bypass_responder.operating.decision_list import DecisionEntry
from bypass_responder.operating.decision_list import list_decisions as read_decisions

app = typer.Typer(help="List the decisions of people.", no_args_is_help=True)
LISTED: dict[str, Callable[[DecisionEntry], str]] = {
    "when": lambda it: moment(it.at),
    "decision": lambda it: it.decision.value,
    "who": lambda it: it.who,
    "incident": lambda it: it.incident_id or it.target,
    "reason": lambda it: it.reason,
    "outcome": lambda it: f"{it.outcome.replace('_', ' ')}{f': {it.why}' if it.why else ''}",
}


@app.callback()
def group() -> None:
    """List the decisions of people."""


@app.command("list")
def list_decisions(
    since: Annotated[
        str, typer.Option(help="Decided at this time or later: 2026-11-01, 2026-11-01T06:00Z, 24h or 7d.")
    ] = "",
    until: Annotated[str, typer.Option(help="Decided before this time, in the same forms.")] = "",
    output: Format = Output.TABLE,
) -> None:
    """List the decisions of people over all accounts, oldest first, with author, reason and outcome."""
    now = datetime.now(UTC)
    first, end = moment_of(since, now, "--since"), moment_of(until, now, "--until")
    found = with_responder(lambda responder: read_decisions(responder.services.ledger, since=first, until=end))
    show_list(found, output, fields=tuple(DecisionEntry.model_fields), table=LISTED)
