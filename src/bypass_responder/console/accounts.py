"""One account: what the responder answered about it, and the question that asks again.

The console has no right in Entra and cannot read the sweeps. A page says "as of" a time, or "not known yet".
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path
from fastapi.responses import RedirectResponse
from pydantic import StringConstraints

from bypass_responder.console.access import API, Change, require_change
from bypass_responder.console.context import Console, ConsoleDep
from bypass_responder.console.principal import Role
from bypass_responder.event_lines import write_line
from bypass_responder.model.base import Utc, Value, guid_or_none
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import AccountName
from bypass_responder.model.inspection import Inspection
from bypass_responder.operating.allowlist.entries import EntryView, read_entry
from bypass_responder.operating.inspect_account import question

Named = Annotated[AccountName, Path(description="Object id, or user principal name.")]
Asker = Annotated[Change, Depends(require_change(Role.READ))]
Back = Annotated[str, StringConstraints(max_length=8000, pattern=r"^/(accounts|allowlist|incidents)/[^\\\s]*$"), Form()]
"""The page that asks: an address of the console itself."""
forms = APIRouter(include_in_schema=False)
api = APIRouter(prefix=API)


class AccountView(Value):
    """What is known of one account.

    ``inspected`` None: nobody has asked the responder about it within 30 days.
    """

    read_at: Utc
    name: str
    object_id: str | None
    inspected: Inspection | None
    entry: EntryView | None
    """Of the allowlist."""


class Asked(Value):
    """A question that was sent. The responder answers within a minute."""

    message_id: str
    answer: str
    """Address of the answer."""


async def account(console: ConsoleDep, name: Named) -> AccountView:
    """What the responder answered about an account, and what its bypass would lead to."""
    services = console.services
    inspected = await services.inspections.of(name)
    object_id = inspected.account.object_id if inspected and inspected.account else guid_or_none(name)
    return AccountView(
        read_at=services.clock(),
        name=name,
        object_id=object_id,
        inspected=inspected,
        entry=await read_entry(object_id, services) if object_id else None,
    )


@forms.post("/accounts/{name}/inspect")
async def inspect_by_form(change: Asker, console: ConsoleDep, name: Named, back: Back) -> RedirectResponse:
    """Ask the responder about an account, and show the page again that asked."""
    await _ask(console, change, name)
    return RedirectResponse(f"{back}#asked", status_code=303)


@api.post("/accounts/{name}/inspect", status_code=202, operation_id="inspect_account")
async def inspect_account(change: Asker, console: ConsoleDep, name: Named) -> Asked:
    """Ask the responder about an account."""
    await _ask(console, change, name)
    return Asked(message_id=change.message_id, answer=f"{API}/accounts/{name}")


async def _ask(console: Console, change: Change, name: str) -> None:
    message = question(name, console.services, author=change.principal.author)
    await console.services.decisions.send(message.model_copy(update={"message_id": change.message_id}))
    write_line("console_change", kind=message.kind.value, target=TENANT_TARGET, author=change.principal.object_id)
