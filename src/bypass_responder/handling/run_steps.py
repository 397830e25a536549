"""Steps that are due: the rules are read again, the step is claimed, the call is made, the effect is read back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.case import episode
from bypass_responder.case import step as steps
from bypass_responder.case.exchange_question import (
    WORKER_SILENT_AFTER,
    as_message,
    ask,
    ask_again,
    mark_sent,
    outstanding,
    withdraw,
)
from bypass_responder.case.step import record_read_back
from bypass_responder.decision import covers
from bypass_responder.handling import directory_calls
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.incident import Incident
from bypass_responder.model.message import Command, CommandKind
from bypass_responder.model.step import Effect, Recheck, Step, StepKind, StepState
from bypass_responder.session import raise_health

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bypass_responder.case.draft import Draft
    from bypass_responder.handling.identify import Lookups
    from bypass_responder.model.account import Account
    from bypass_responder.model.case import Case
    from bypass_responder.session import Services, Session

SENDING = timedelta(seconds=10)
"""How long the run that planned a command may take to send it. Sent twice it costs the worker time, and no more."""
ORDER = (StepKind.RELEASE, StepKind.BLOCK_SIGN_IN, StepKind.REVOKE_SESSIONS)


@dataclass(frozen=True)
class Claimed:
    """Calls that this worker may make now, on one account of one incident."""

    incident_id: str
    object_id: str
    kinds: tuple[StepKind, ...]

    def without(self, kind: StepKind) -> Claimed:
        """The same, one call less."""
        return replace(self, kinds=tuple(each for each in self.kinds if each is not kind))


def claim_steps(
    draft: Draft,
    incident_id: str,
    *,
    account: Account | None,
    entry: AllowlistEntry | MalformedEntry | None,
    services: Services,
    slot: bool,
) -> list[Claimed]:
    """Claim what is due of one incident, after reading mode, protected list and allowlist again.

    ``slot``: the incident has one under the hourly limit, or is about to take it before anything is done.
    """
    incident = draft.case.incident(incident_id)
    if incident is None or incident.account is None:
        return []
    before = {step.step: step.attempts for step in draft.case.steps(incident_id)}
    kinds = []
    for kind in ORDER:
        due = draft.case.step(incident_id, kind)
        if due is None or not steps.is_due(due, draft.now):
            continue
        verdict = _still_allowed(due, incident, entry, services, draft, slot=slot)
        if verdict:
            state, reason = verdict
            steps.withhold(draft, incident, kind, state=state, reason=reason)
        elif steps.claim(draft, incident, kind, account=account):
            kinds.append(kind)
    _claim_disable(draft, incident, services)
    taken = [
        f"{it.step.value} (attempt {it.attempts})"
        for it in draft.case.steps(incident_id)
        if it.attempts > before[it.step]
    ]
    if taken:
        draft.log("claimed", ", ".join(taken), incident=incident_id)
    return [Claimed(incident_id, incident.account.object_id, tuple(kinds))] if kinds else []


def _still_allowed(
    due: Step,
    incident: Incident,
    entry: AllowlistEntry | MalformedEntry | None,
    services: Services,
    draft: Draft,
    *,
    slot: bool,
) -> tuple[StepState, str] | None:
    """None: go on. Else the state that the step gets and why."""
    settings = services.settings
    if not settings.enforce:
        return StepState.WITHHELD, "MODE is observe"
    if incident.closed_at and due.step is not StepKind.RELEASE:
        return StepState.CANCELLED, f"a person ended the incident: {incident.closed_by}"
    if due.step is not StepKind.BLOCK_SIGN_IN:
        return None
    if incident.account and incident.account.object_id in settings.protected:
        return StepState.CANCELLED, "protected account: never blocked"
    if due.approved_by:
        return None
    if isinstance(entry, MalformedEntry):
        return StepState.HELD, f"the allowlist row is malformed: {entry.problem}"
    began = incident.blind_from or incident.opened_at
    if covers(entry, since=began, now=draft.now):
        return StepState.CANCELLED, "allowlisted"
    if isinstance(entry, AllowlistEntry) and (entry.edited_at is None or entry.edited_at >= began):
        return StepState.HELD, "the allowlist entry was edited after the bypass began"
    return None if slot else (StepState.HELD, "the hourly limit of blocks is reached")


def _claim_disable(draft: Draft, incident: Incident, services: Services) -> None:
    due = draft.case.step(incident.id, StepKind.DISABLE_BYPASS)
    if due is None or incident.account is None or not steps.is_due(due, draft.now):
        return
    if not services.settings.enforce:
        steps.withhold(draft, incident, due.step, state=StepState.WITHHELD, reason="MODE is observe")
    elif outstanding(draft.case, CommandKind.DISABLE_BYPASS) is None and steps.claim(
        draft, incident, due.step, account=incident.account
    ):
        command = new_command(draft, CommandKind.DISABLE_BYPASS, services)
        about = {"object_id": incident.account.object_id, "incident_id": incident.id}
        ask(draft, command.model_copy(update=about))


async def claim_due(session: Session, services: Services, lookups: Lookups) -> list[Claimed]:
    """Claim every due step of the target; the account and its allowlist row are read just before."""
    case = session.case
    due = {step.incident_id for step in case.rows(Step) if steps.is_due(step, services.clock())}
    claimed: list[Claimed] = []
    for incident_id in sorted(due):
        incident = case.incident(incident_id)
        if incident is None or incident.account is None:
            continue
        account, entry, slot = await asyncio.gather(
            lookups.account(incident.account.object_id),
            lookups.entry(incident.account.object_id),
            _has_a_slot(case, incident_id, services),
        )
        claimed += await session.apply(
            partial(claim_steps, incident_id=incident_id, account=account, entry=entry, services=services, slot=slot)
        )
    return claimed


async def _has_a_slot(case: Case, incident_id: str, services: Services) -> bool:
    """A block that no person approved needs a slot under the hourly limit; an account keeps the one it has."""
    block = case.step(incident_id, StepKind.BLOCK_SIGN_IN)
    if block is None or block.approved_by or not steps.is_due(block, services.clock()) or not services.settings.enforce:
        return True
    limit = services.settings.containment_limit_per_hour
    return await services.limit.take(case.target, limit=limit, now=services.clock())


async def act(claimed: Sequence[Claimed], session: Session, services: Services) -> list[Exception]:
    """Make the calls, and meanwhile put what was asked of the worker on its queue. Neither stops the other.

    Returns errors of storage; the result of a call is recorded in its step.
    """
    calls = [
        directory_calls.carry_out(
            work.kinds,
            incident_id=work.incident_id,
            object_id=work.object_id,
            directory=services.directory,
            apply=session.apply,
        )
        for work in claimed
    ]
    outcomes = await asyncio.gather(*calls, send_commands(session, services), return_exceptions=True)
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]


async def send_commands(session: Session, services: Services) -> None:
    """Send what was planned and not sent; ask again what had no answer in time."""
    tenant = services.settings.tenant_id
    if not services.settings.enforce:
        await session.apply(withdraw)
    for command in session.case.rows(Command):
        if command.state == "outstanding" and command.not_after <= services.clock():
            if command.asked >= WORKER_SILENT_AFTER:
                await raise_health("worker_silent", f"A command was asked {command.asked} times.", services)
            await session.apply(
                partial(ask_again, command=command, command_id=services.new_id(), timeout=_timeout(services))
            )
    for command in session.case.rows(Command):
        ours = command.planned_by == session.run or command.created_at + SENDING <= services.clock()
        if command.state == "outstanding" and not command.sent and ours:
            await services.exchange.send(as_message(command, tenant_id=tenant, target=session.target))
            await session.apply(partial(mark_sent, command_id=command.id))


async def read_back(session: Session, services: Services) -> None:
    """Read the account again for every step that acted and is due."""
    case = session.case
    due = [
        step
        for step in case.rows(Step)
        if step.state is StepState.ACTED and step.next_at is not None and step.next_at <= services.clock()
    ]
    for incident_id in sorted({step.incident_id for step in due}):
        incident = case.incident(incident_id)
        if incident is None or incident.account is None:
            continue
        account = await services.directory.find(incident.account.object_id)
        for step in due:
            if step.incident_id == incident_id:
                await session.apply(partial(record_read_back, incident_id=incident_id, kind=step.step, account=account))


async def recheck(session: Session, services: Services) -> None:
    """Check contained accounts whose re-check is due: whether they were enabled or bypassed again."""
    case = session.case
    for row in case.rows(Recheck):
        incident = case.incident(row.incident_id)
        if row.done or row.result or row.due_at > services.clock() or incident is None or incident.account is None:
            continue
        account = await services.directory.find(incident.account.object_id)
        await session.apply(partial(_recheck, row=row, account=account, services=services))


def _recheck(draft: Draft, row: Recheck, account: Account | None, services: Services) -> None:
    current, incident = draft.case.row(Recheck, row.row_key), draft.case.incident(row.incident_id)
    if current is None or current.done or incident is None:
        return
    block = draft.case.step(incident.id, StepKind.BLOCK_SIGN_IN)
    blocked = block is not None and block.effect in {Effect.EFFECTIVE, Effect.TEMPORARY}
    if block and blocked and account and account.account_enabled and not incident.status.final:
        episode.revert(draft, incident, block)
    if account is None:
        draft.put(current.model_copy(update={"done": True, "result": "the account no longer exists"}))
        return
    if outstanding(draft.case, CommandKind.CHECK_BYPASS) is not None:
        return
    draft.put(current.model_copy(update={"result": "asked"}))
    command = new_command(draft, CommandKind.CHECK_BYPASS, services)
    ask(draft, command.model_copy(update={"object_id": account.object_id, "incident_id": incident.id, "recheck": True}))


def new_command(draft: Draft, kind: CommandKind, services: Services) -> Command:
    """A question with a random id and an end; the caller adds its subject."""
    return Command(
        id=services.new_id(),
        command=kind,
        created_at=draft.now,
        planned_by=draft.run,
        not_after=draft.now + _timeout(services),
    )


def _timeout(services: Services) -> timedelta:
    return timedelta(seconds=services.settings.command_timeout_seconds)
