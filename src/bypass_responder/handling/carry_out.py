"""Carry out one decision of a person: in the account's case, or where it has none, in the tenant's."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.case import (
    acknowledge,
    actor_ids,
    allowlist_approval,
    notification_test,
    person_decision,
    tenant_decision,
)
from bypass_responder.case.allowlist_edit import record_edit
from bypass_responder.case.recorded_decision import refuse
from bypass_responder.handling.decide_plan import OF_A_PLAN, decide_plan
from bypass_responder.handling.watch_actors import ids_of_actors
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.model.finding import Finding, FindingState
from bypass_responder.session import announced, open_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import Account
    from bypass_responder.model.allowlist import AllowlistEdit, EditedRow
    from bypass_responder.model.decision_message import Channel, DecisionMessage
    from bypass_responder.model.incident import PersonDecision
    from bypass_responder.services import Services
    from bypass_responder.session import Session


async def carry_out(message: DecisionMessage, channel: Channel, services: Services) -> tuple[PersonDecision, set[str]]:
    """Carry out or refuse a decision. Returns what is recorded, and the targets to settle now.

    Nobody decides about themselves, by whatever name: until the directory has answered who the author is, a decision
    about an account is not judged. Permission: User.Read.All.
    """
    if message.kind is DecisionKind.ACCEPT_WARNING:
        accept = partial(tenant_decision.accept_warning, message=message, channel=channel)
        return await _in_tenant(accept, services), {TENANT_TARGET}
    if message.edit is not None:
        return await _record_edits(message, message.edit, channel, services)
    if message.kind is DecisionKind.READ_POSTURE:
        read = partial(tenant_decision.read_posture, message=message, channel=channel)
        return await _in_tenant(read, services), {TENANT_TARGET}
    if message.kind in OF_A_PLAN:
        return await decide_plan(message, channel, services), {TENANT_TARGET}
    if message.kind is DecisionKind.TEST_NOTIFICATION:
        receivers = tuple(services.receivers)
        send = partial(notification_test.send_test, message=message, channel=channel, receivers=receivers)
        return await _in_tenant(send, services), {TENANT_TARGET}
    session = await open_session(message.target, services, history=True)
    if message.kind is DecisionKind.APPROVE_ENTRY:
        return await _approve_entry(message, channel, session, services)
    if not session.case.by_key:
        why = "The ledger knows no such account."
        return await refuse_in_tenant(message, why, channel, services), {TENANT_TARGET}
    targets = {message.target}
    enforce, itself = services.settings.enforce, await _author_account(message, services)
    await _know_actors(session, services)
    if message.kind is DecisionKind.ACKNOWLEDGE:
        decide = partial(acknowledge.acknowledge, message=message, channel=channel, itself=itself)
    else:
        decide = partial(person_decision.carry_out, message=message, channel=channel, enforce=enforce, itself=itself)
    async with announced(message.target, services):
        recorded = await session.apply(decide)
    if recorded.outcome == "carried_out" and person_decision.needs_handing_on(session.case, recorded):
        targets.add(await _hand_on(recorded, session, services))  # a redelivery repeats it, whatever it says itself
    return recorded, targets


async def _approve_entry(
    message: DecisionMessage, channel: Channel, session: Session, services: Services
) -> tuple[PersonDecision, set[str]]:
    """Approve the allowlist row of an account, if it is as the person was shown it."""
    entry = await services.allowlist.get(message.target)
    if entry is None and not session.case.by_key:
        why = allowlist_approval.entry_refusal(session.case, message, entry)
        return await refuse_in_tenant(message, why, channel, services), {TENANT_TARGET}
    await _know_actors(session, services)
    account, itself = await asyncio.gather(services.directory.find(message.target), _author_account(message, services))
    approve = partial(
        allowlist_approval.approve_entry, message=message, entry=entry, account=account, channel=channel, itself=itself
    )
    async with announced(message.target, services):
        return await session.apply(approve), {message.target}


async def _author_account(message: DecisionMessage, services: Services) -> Account | None:
    """Return the author's account; None where the directory has none, as for an application."""
    return await services.directory.find(message.author.object_id or message.author.name)


async def _know_actors(session: Session, services: Services) -> None:
    """Store the object ids of actors that are not known yet, so that the author is compared with them."""
    if ids := await ids_of_actors(session, services):
        await session.apply(partial(actor_ids.store, ids=ids))


async def _record_edits(
    message: DecisionMessage, edit: AllowlistEdit, channel: Channel, services: Services
) -> tuple[PersonDecision, set[str]]:
    """Record what a tool reports to have edited, in the case of each account."""

    async def record(row: EditedRow) -> tuple[PersonDecision, str]:
        session = await open_session(row.object_id, services, history=True)
        entry = await services.allowlist.get(row.object_id)
        if entry is None and not session.case.by_key:
            why = f"{row.object_id} is not on the allowlist, and the ledger knows no such account."
            return await refuse_in_tenant(message, why, channel, services), TENANT_TARGET
        transition = partial(record_edit, message=message, edit=edit, row=row, entry=entry, channel=channel)
        async with announced(row.object_id, services):
            return await session.apply(transition), row.object_id

    recorded = await asyncio.gather(*map(limited(record), edit.rows))
    return recorded[0][0], {target for _, target in recorded}


async def refuse_in_tenant(message: DecisionMessage, why: str, channel: Channel, services: Services) -> PersonDecision:
    """Record a refusal in the tenant's case, where the account's cannot take it."""
    return await _in_tenant(partial(refuse, message=message, why=why, channel=channel), services)


async def _in_tenant(transition: Callable[[Draft], PersonDecision], services: Services) -> PersonDecision:
    async with announced(TENANT_TARGET, services):
        session = await open_session(TENANT_TARGET, services)
        return await session.apply(transition)


async def _hand_on(decision: PersonDecision, session: Session, services: Services) -> str:
    """Move an unresolved incident's findings to the account that a person named. Returns that account."""
    target = decision.account or ""
    for finding in session.case.rows(Finding):
        if finding.incident_id == decision.incident_id and finding.verdict == "unresolved":
            moved = finding.model_copy(
                update={
                    "id": f"{finding.id}-by-person" if target == finding.target else finding.id,
                    "target": target,
                    "state": FindingState.UNDECIDED,
                    "confirmed_by": decision.who,
                    "incident_id": None,
                }
            )
            async with announced(target, services):
                await services.ledger.add_finding(moved)
    return target
