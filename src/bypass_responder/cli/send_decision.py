"""Send a person's decision and show its outcome: the same for every command that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.terminal import WRONG_CALL, say, stop, with_responder
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.operating.decide import last_run, outcome_of
from bypass_responder.operating.status import moment

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.decision_message import DecisionMessage
    from bypass_responder.model.incident import PersonDecision

LONGEST_REASON = 2000
WAIT_SECONDS = 90.0
"""Longer than the minute between two runs of the scheduler."""
Wait = Annotated[bool, typer.Option("--wait", help="Wait for the outcome, up to 90 seconds, and show it.")]


def check_reason(reason: str) -> None:
    """Exit 2 when the reason is empty or too long."""
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        stop(f"--reason must not be empty, nor longer than {LONGEST_REASON} characters.", WRONG_CALL)


def send_decision(message: DecisionMessage, what: str, *, wait: bool) -> None:
    """Send a decision. With ``wait``, show its outcome; exits 3 when it was not carried out."""

    async def use(responder: Responder) -> tuple[PersonDecision | None, datetime | None]:
        await responder.services.decisions.send(message)
        recorded = await outcome_of(message, responder.services, wait_seconds=WAIT_SECONDS if wait else 0)
        return recorded, await last_run(responder.services) if wait and recorded is None else None

    recorded, ran_at = with_responder(use)
    see = f"To see the outcome: {message.read_again}."
    if recorded is not None and recorded.outcome == "refused":
        stop(f"Refused: {recorded.why}")
    if recorded is not None:
        say(f"Carried out: {what}." + (f" Note: {recorded.why.rstrip('.')}." if recorded.why else ""))
        if message.kind in {DecisionKind.APPROVE, DecisionKind.RELEASE}:
            say(f"The calls follow, and can still fail. {see}")
    elif wait:
        ran = f"The responder last ran at {moment(ran_at)}" if ran_at else "The responder has left no trace of a run"
        stop(f"Not carried out yet. {ran}; the decision ends at {moment(message.not_after)}. {see}")
    else:
        say(f"Sent: {what}. The responder carries it out within a minute, or refuses it. {see}")
