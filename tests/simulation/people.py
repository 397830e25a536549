"""What people do in a simulated run: decide, edit the allowlist, hand in plans, read."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.decision_message import Author, Channel, DecisionKind
from bypass_responder.model.incident import Incident
from bypass_responder.model.listing import IndexFilter
from bypass_responder.operating.allowlist.edit import Via, make, plan_set, plan_undo
from bypass_responder.operating.allowlist.import_file import import_file
from bypass_responder.operating.allowlist.import_plan import plan_import
from bypass_responder.operating.decide import outcome_of as read_outcome
from bypass_responder.operating.decide import prepare
from bypass_responder.operating.incidents.listing import needing_decision
from bypass_responder.operating.incidents.read_view import read_entry
from bypass_responder.operating.posture.access import read_access
from bypass_responder.operating.posture.grants import read_grants
from bypass_responder.operating.posture.plan_runs import prepare_apply, prepare_for_run, read_runs, undo_file
from bypass_responder.operating.status import read_status
from bypass_responder.operating.verify_log import verify_log
from bypass_responder.services import Services
from bypass_responder.triggers.carry_out_decision import carry_out_decision
from tests.triggers.plans import a_plan, as_file

PERSON = Author(object_id="0f0f0f0f-0000-4000-8000-00000000000f", name="ops@contoso.onmicrosoft.com")
PLANNED, CHANGES_PER_HOUR = 6, 4
"""The mailboxes of a plan, and how many of them may be changed within an hour."""
SHOWN: ContextVar[Callable[[Decision], None]] = ContextVar("shown")
"""Takes the decision of a person, before it is written."""


@dataclass(frozen=True)
class Decision:
    """What a person decided, and the findings that they had been shown."""

    incident: str
    findings: set[str]


async def carry_out(body: bytes, channel: Channel, services: Services) -> None:
    """Hand a decision to the responder, as the queue of its channel does."""
    await carry_out_decision(body, services, channel=channel)


async def decide_shown(
    kind: DecisionKind, account: str, which: int, services: Services, *, author: Author = PERSON
) -> None:
    """Read about an account's newest incident, or the ``which``-th before it, and send a decision.

    ``author``: of the message. What the tool would refuse them is sent all the same: the responder has to refuse it.
    """
    case = await services.ledger.load(account, history=True)
    incidents = sorted(case.rows(Incident), key=lambda row: row.opened_at, reverse=True)
    if len(incidents) <= which:
        return
    incident = incidents[which]
    prepared = await prepare(kind, incident.id, services, reason="drill", author=PERSON)
    SHOWN.get()(Decision(incident.id, {row for row in case.by_key if row.startswith("finding-")}))
    message = prepared.message.model_copy(update={"author": author})
    await services.decisions.send(message)
    await read_outcome(message, services)


async def allow(entry: AllowlistEntry, services: Services) -> None:
    """Put an entry on the allowlist, or replace the one that is there."""
    before = await services.allowlist.get(entry.object_id)
    await services.allowlist.put(entry, replaces=before.etag if before else None)


async def disallow(account: str, services: Services) -> None:
    """Remove an account from the allowlist."""
    before = await services.allowlist.get(account)
    if before is not None:
        await services.allowlist.remove(account, replaces=before.etag)


async def edit(
    account: str, number: int, services: Services, *, via: Via = "bypassctl", author: Author = PERSON
) -> None:
    """Extend, correct, import or undo the entry of an account, as a tool does. It stays in force."""
    match number:
        case 0:
            later = services.clock() + timedelta(days=200)
            planned = await plan_set(account, {"expires_at": later}, services, author=PERSON)
        case 1:
            planned = await plan_set(account, {"owner": f"{services.new_id()}@contoso.com"}, services, author=PERSON)
        case 2:
            planned = await plan_undo(account, services, author=PERSON)
            if planned.after is None:
                return  # the first thing that is recorded of the entry is that it was there
        case _:
            header = "object_id,reason_class,justification,owner,ticket,expires"
            expires = services.clock() + timedelta(days=100)
            data = f"{header}\n{account},archiving,journal,ops@contoso.com,CHG-2,{expires.isoformat()}".encode()
            plan = await plan_import(data, services, author=PERSON)
            about = {"author": PERSON, "reason": "drill"}
            await import_file(data, services, confirmed=plan.confirmation, via=via, **about)  # type: ignore[arg-type]
            return
    await make(planned, services, author=author, via=via, reason="drill")


async def look(services: Services) -> None:
    """Read the status, the listing and the log, as a person does."""
    await read_status(services)
    await read_grants(services)
    await read_access(services)
    await needing_decision(services)
    await services.index.count(IndexFilter(), 10)
    async for entry in services.index.newest():
        await services.index.get(entry.id)
        await services.index.matching(entry.id, 1)
        await read_entry(entry.id, services)
        break
    await verify_log(services.ledger, services.checkpoints)


async def read_answer(account: str, services: Services) -> None:
    """Read what the responder answered about an account, as the console does."""
    await services.inspections.of(account)


async def hand_in_plan(services: Services) -> None:
    """Hand in a plan and decide that it is carried out, as bypassctl does."""
    plan = a_plan(PLANNED)
    message = await prepare_apply(plan, as_file(plan), services, reason="drill", author=PERSON, upload=True)
    await services.decisions.send(message)


async def stop_plan(services: Services) -> None:
    """Stop the run that is under way."""
    for run in await read_runs(services):
        if run.running:
            stop = DecisionKind.STOP_PLAN
            _, message = await prepare_for_run(stop, run.id, services, reason="drill", author=PERSON)
            await services.decisions.send(message)
            return


async def undo_plan(services: Services) -> None:
    """Undo the last run of the plan, unless that is done; read what was changed."""
    for run in await read_runs(services):
        if not run.undoes:
            await undo_file(run, services)
            undo = DecisionKind.UNDO_PLAN
            _, message = await prepare_for_run(undo, run.id, services, reason="drill", author=PERSON)
            await services.decisions.send(message)
            return
