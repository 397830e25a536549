"""Decisions of people about incidents: from a form, from a script of a page, from a program.

What is sent names what the person was shown. A decision about another state than that is refused, and sends nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Header
from fastapi.responses import RedirectResponse
from pydantic import AfterValidator, StringConstraints

from bypass_responder.console.access import API, Change, require, require_change
from bypass_responder.console.context import Console, ConsoleDep, IncidentId
from bypass_responder.console.parameters import Parameters
from bypass_responder.console.principal import Role
from bypass_responder.errors import ConflictError, RefusedError
from bypass_responder.event_lines import write_line
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.decision_message import DecisionKind, DecisionMessage
from bypass_responder.model.message import Guid
from bypass_responder.operating.decide import outcome_of, prepare, recorded_outcome
from bypass_responder.operating.incident_case import find_entry

Decided = Literal["approve", "dismiss", "close", "release", "acknowledge"]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Tag = Annotated[str, AfterValidator(lambda text: text.strip().removeprefix("W/").strip('"'))]
Decider = Annotated[Change, Depends(require_change(Role.DECIDE))]
forms = APIRouter(include_in_schema=False)
api = APIRouter(prefix=API)


class DecisionRequest(Parameters):
    """A decision about an incident. ``account``: with approve, the object id for an unresolved target."""

    reason: Reason
    account: Guid | None = None


class Sent(Value):
    """What was sent. The responder carries it out within a minute, or refuses it."""

    message_id: str
    not_after: Utc
    outcome: str
    """Address of the outcome."""


class Outcome(Value):
    """What became of a decision. ``why``: the reason of a refusal, or what the decision leaves as it is."""

    state: Literal["pending", "carried_out", "refused"]
    why: str = ""


@forms.post("/incidents/{incident_id}/{decision}")
async def decide_by_form(
    change: Decider,
    console: ConsoleDep,
    incident_id: IncidentId,
    decision: Decided,
    reason: Annotated[Reason, Form()],
    seen: Annotated[str, Form(max_length=100)],
    account: Annotated[Guid | Literal[""], Form()] = "",
) -> RedirectResponse:
    """Send a decision, and show the incident again."""
    asked = DecisionRequest(reason=reason, account=account or None)
    message = await _send(console, change, incident_id, decision, asked, seen=seen)
    return RedirectResponse(f"/incidents/{message.incident_id}?sent={message.message_id}", status_code=303)


@api.post("/incidents/{incident_id}/{decision}", status_code=202, operation_id="decide")
async def decide(
    change: Decider,
    console: ConsoleDep,
    incident_id: IncidentId,
    decision: Decided,
    asked: DecisionRequest,
    if_match: Annotated[Tag, Header(description="The ETag of the incident as it was read.")],
) -> Sent:
    """Send a decision about an incident in the state that ``If-Match`` names."""
    message = await _send(console, change, incident_id, decision, asked, seen=if_match)
    where = f"{API}/incidents/{message.incident_id}/decisions/{message.message_id}"
    return Sent(message_id=message.message_id, not_after=message.not_after, outcome=where)


@api.get(
    "/incidents/{incident_id}/decisions/{message_id}",
    dependencies=[Depends(require(Role.READ))],
    operation_id="outcome",
)
async def outcome(console: ConsoleDep, incident_id: IncidentId, message_id: Guid) -> Outcome:
    """Return what became of a decision."""
    entry, _ = await find_entry(incident_id, console.services)
    recorded = await recorded_outcome(entry.target, message_id, console.services)
    return Outcome(state=recorded.outcome, why=recorded.why) if recorded else Outcome(state="pending")


async def _send(
    console: Console, change: Change, incident_id: str, decision: Decided, asked: DecisionRequest, *, seen: str
) -> DecisionMessage:
    """Send a decision.

    Raises ConflictError for another state than ``seen``, RefusedError for what is refused.
    """
    prepared = await prepare(
        DecisionKind(decision),
        incident_id,
        console.services,
        reason=asked.reason,
        author=change.principal.author,
        account=asked.account,
        look_up=False,
    )
    if prepared.message.shown.digest() != seen:
        which = f"Incident {prepared.incident.id}"
        raise ConflictError(f"{which} has changed since you read it. Nothing was sent. Read it again and decide.")
    message = prepared.message.model_copy(update={"message_id": change.message_id})
    await send_once(message, console, change)
    return message


async def send_once(message: DecisionMessage, console: Console, change: Change) -> None:
    """Send a message, unless one with its id was carried out or refused before. Raises RefusedError."""
    if await outcome_of(message, console.services) is not None:
        raise RefusedError("This was sent before, and the responder has answered it. Nothing was sent again.")
    await console.services.decisions.send(message)
    write_line(
        "console_change",
        kind=message.kind.value,
        incident_id=message.incident_id or None,
        target=message.target,
        author=change.principal.object_id,
    )
