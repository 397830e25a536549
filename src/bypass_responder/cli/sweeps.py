"""``bypassctl sweeps``: decide about the sweeps of all accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.send_decision import DryRun, Wait, check_reason, send_decision
from bypass_responder.cli.terminal import (
    WRONG_CALL,
    Reason,
    Yes,
    confirm,
    say,
    show_fields,
    stop,
    who_am_i,
    with_responder,
)
from bypass_responder.model.decision_message import MOST_WARNING
from bypass_responder.model.sweep import warning_form
from bypass_responder.operating.decide import prepare_acceptance

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.decision_message import DecisionMessage

app = typer.Typer(help="Decide about the sweeps of all accounts.", no_args_is_help=True)


@app.callback()
def sweeps() -> None:
    """Decide about the sweeps of all accounts."""


@app.command("accept-warning")
def accept_warning(
    text: Annotated[str, typer.Argument(help="The warning of Exchange, as bypassctl status shows it.")],
    reason: Reason,
    *,
    wait: Wait = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Accept an unknown warning of Exchange: sweeps with it count as complete."""
    check_reason(reason)
    if not 0 < len(text) <= MOST_WARNING:
        stop(f"The warning must not be empty, nor longer than {MOST_WARNING} characters.", WRONG_CALL)

    async def look(responder: Responder) -> DecisionMessage:
        author = await who_am_i(responder)
        return await prepare_acceptance(text, responder.services, reason=reason, author=author)

    message = with_responder(look)
    show_fields(
        {
            "warning": warning_form(text),
            "… stands for": "any name in quotes, or of an object, and any number",
            "then": "a sweep with this warning counts as complete, even if accounts are missing from it",
        }
    )
    if dry_run:
        say("Dry run: nothing was sent.")
        return
    confirm("Accept this warning?", yes=yes)
    send_decision(message, "accept the warning", wait=wait)
