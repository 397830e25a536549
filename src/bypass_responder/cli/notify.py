"""``bypassctl notify``: test the notifications."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.send_decision import WAIT_SECONDS, Wait, send_decision
from bypass_responder.cli.terminal import note, show_table, stop, who_am_i, with_responder
from bypass_responder.model.base import moment
from bypass_responder.operating.decide import PAUSE_SECONDS, prepare_test
from bypass_responder.operating.deliveries import delivered, deliveries_of
from bypass_responder.operating.status import last_self_check

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.decision_message import DecisionMessage
    from bypass_responder.model.self_check import SelfCheck
    from bypass_responder.operating.deliveries import Delivered

app = typer.Typer(help="Test the notifications.", no_args_is_help=True)


@app.callback()
def notify() -> None:
    """Test the notifications."""


@app.command("test")
def send_test(
    receiver: Annotated[str | None, typer.Argument(help="Name of the receiver; without it, all of them.")] = None,
    *,
    wait: Wait = False,
) -> None:
    """Send a test notification through the app, with the app's own settings."""

    async def look(responder: Responder) -> tuple[DecisionMessage, SelfCheck | None]:
        message = prepare_test(receiver, responder.services, author=await who_am_i(responder))
        return message, await last_self_check(responder.self_checks)

    message, check = with_responder(look)
    if warning := unknown_receiver(receiver, check):
        note(warning)
    send_decision(message, f"a test of {receiver or 'all receivers'}", wait=wait)
    if wait:
        _show(message)


def unknown_receiver(receiver: str | None, check: SelfCheck | None) -> str:
    """Return a warning when the app's last self-check does not list the receiver; it may be newer than that."""
    if not receiver or check is None or check.receivers_unresolved:
        return ""
    names = [each.split(" ", maxsplit=1)[0] for each in check.receivers]
    if receiver in names:
        return ""
    there = f"only {', '.join(names)}" if names else "no receiver"
    seen = f"The app has {there} as of its self-check at {moment(check.at)}"
    return f"{seen}. Unless {receiver} is newer, the test reaches nobody."


def _show(message: DecisionMessage) -> None:
    """Wait for the receivers, and print what each answered. Exits 3 when one has not accepted it."""

    async def look(responder: Responder) -> list[Delivered]:
        waited = 0.0
        while True:
            found = await deliveries_of(message.message_id, responder.services)
            if delivered(found) or waited >= WAIT_SECONDS:
                return found
            await asyncio.sleep(PAUSE_SECONDS)
            waited += PAUSE_SECONDS

    found = with_responder(look)
    if not found:
        stop("The app has not tried to deliver it yet. To see what it is doing: bypassctl status")
    show_table(("receiver", "result"), [(each.receiver, each.result) for each in found])
    if not all(each.accepted for each in found):
        stop("A receiver has not accepted it. It is retried; the result names the answer.")
