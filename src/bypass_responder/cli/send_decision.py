"""Send a person's decision and show its outcome: the same for every command that decides."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.terminal import NOT_DONE, WRONG_CALL, note, say, stop, with_responder
from bypass_responder.model.base import moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.decision_message import DecisionMessage
    from bypass_responder.model.incident import PersonDecision

LONGEST_REASON = 2000
WAIT_SECONDS = 90.0
"""Longer than the minute between two runs of the scheduler."""
Wait = Annotated[bool, typer.Option("--wait", help="Wait for the outcome, up to 90 seconds, and show it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be decided. Send nothing.")]


def check_reason(reason: str) -> None:
    """Exit 2 when the reason is empty or too long."""
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        stop(f"--reason must not be empty, nor longer than {LONGEST_REASON} characters.", WRONG_CALL)


def send_decision(message: DecisionMessage, what: str, *, wait: bool) -> None:
    """Send a decision. With ``wait``, show its outcome; exits 3 when it was not carried out."""
    send_decisions({what: message}, wait=wait)


def send_decisions(messages: Mapping[str, DecisionMessage], *, wait: bool) -> None:
    """Send decisions, by what they decide.

    With ``wait``, show their outcomes; exits 3 unless all were carried out.
    """
    from bypass_responder.operating.decide import last_run, outcome_of

    async def use(responder: Responder) -> tuple[list[PersonDecision | None], datetime | None]:
        services = responder.services
        for message in messages.values():
            await services.decisions.send(message)
        seconds = WAIT_SECONDS if wait else 0
        recorded = await asyncio.gather(
            *(outcome_of(message, services, wait_seconds=seconds) for message in messages.values())
        )
        return recorded, await last_run(services) if wait and None in recorded else None

    found, ran_at = with_responder(use)
    done = [
        _report(what, message, recorded, ran_at, wait=wait, name=f"{what}: " if len(messages) > 1 else "")
        for (what, message), recorded in zip(messages.items(), found, strict=True)
    ]
    if not all(done):
        raise typer.Exit(NOT_DONE)


def _report(
    what: str,
    message: DecisionMessage,
    recorded: PersonDecision | None,
    ran_at: datetime | None,
    *,
    wait: bool,
    name: str,
) -> bool:
    """Print what became of a decision. Returns False when it was refused, or not carried out in time."""
    from bypass_responder.model.decision_message import DecisionKind

    see = f"To see the outcome: {message.read_again}."
    if recorded is not None and recorded.outcome == "refused":
        note(f"{name}Refused: {recorded.why}")
        return False
    if recorded is not None:
        say(f"Carried out: {what}." + (f" Note: {recorded.why.rstrip('.')}." if recorded.why else ""))
        if message.kind in {DecisionKind.APPROVE, DecisionKind.RELEASE}:
            say(f"The calls follow, and can still fail. {see}")
    elif wait:
        ran = f"The responder last ran at {moment(ran_at)}" if ran_at else "The responder has left no trace of a run"
        note(f"{name}Not carried out yet. {ran}; the decision ends at {moment(message.not_after)}. {see}")
        return False
    else:
        say(f"Sent: {what}. The responder carries it out within a minute, or refuses it. {see}")
    return True
