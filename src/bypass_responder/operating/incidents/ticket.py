"""An incident in twelve plain lines, to paste into a ticket. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import moment
from bypass_responder.model.record import printable

if TYPE_CHECKING:
    from bypass_responder.model.change import Actor
    from bypass_responder.operating.incidents.view import IncidentView

MOST_ACTORS = 5


def ticket(view: IncidentView) -> tuple[str, ...]:
    """Return the twelve lines."""
    account = f"{view.name} ({view.account.object_id})" if view.account else f"{view.name} (not resolved)"
    controls = "; ".join(f"{each.name}: {each.result}" for each in view.controls) or "none"
    decided = "; ".join(f"{moment(each.at)} {each.decision.value} by {each.who}" for each in view.decisions[-3:])
    lines = (
        f"Incident: {view.id}, {view.status.value}, opened {moment(view.opened_at)}",
        f"State: {view.state}",
        f"Account: {account}",
        f"Actor: {_actors(view.actors)}",
        f"Decision: {view.verdict}: {view.reason}",
        f"Actions: {controls}",
        f"Bypass: {view.now.bypass_text}",
        f"Blind window: {view.blind.text}",
        f"Gap: {view.blind.gap}",
        f"People: {decided or 'no decision yet'}",
        f"Next: {view.next.text}",
        f"Read: {moment(view.read_at)}. Details: bypassctl incidents show {view.id}",
    )
    return tuple(printable(" ".join(line.split())) for line in lines)


def _actors(actors: tuple[Actor, ...]) -> str:
    named = [f"{each}{f' from {each.client_ip}' if each.client_ip else ''}" for each in actors[:MOST_ACTORS]]
    more = f", and {len(actors) - MOST_ACTORS} more" if len(actors) > MOST_ACTORS else ""
    return f"{', '.join(named)}{more}" if named else "unknown: no record names the actor yet"
