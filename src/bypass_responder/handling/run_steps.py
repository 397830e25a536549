"""Runs due steps: read the rules again, claim the step, make the call, read back the effect."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.case import candidates, control, directory_call, observation
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
from bypass_responder.decision import weakened
from bypass_responder.errors import ResponderError
from bypass_responder.handling import directory_calls
from bypass_responder.model.base import guid_or_none
from bypass_responder.model.incident import Incident
from bypass_responder.model.message import Command, CommandKind
from bypass_responder.model.step import Recheck, Rule, Step, StepKind, StepState
from bypass_responder.session import raise_health

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.handling.identify import Lookups
    from bypass_responder.model.account import Account
    from bypass_responder.model.case import Case
    from bypass_responder.services import Services
    from bypass_responder.session import Session

SENDING = timedelta(seconds=10)
"""How long the run that planned a command may take to send it. Sent twice it costs the worker time, and no more."""
ORDER = (StepKind.RELEASE, StepKind.BLOCK_SIGN_IN, StepKind.REVOKE_SESSIONS)


@dataclass(frozen=True)
class Claimed:
    """Calls that this worker may make now on the account of the case, each with the token of its claim."""

    object_id: str
    tokens: dict[StepKind, str]

    def without(self, kind: StepKind) -> Claimed:
        """The same, one call less."""
        return Claimed(self.object_id, {each: token for each, token in self.tokens.items() if each is not kind})


def claim_steps(draft: Draft, *, account: Account | None, services: Services, slot: bool) -> list[Claimed]:
    """Claim what is due, after reading mode and protected list again. ``account`` was read just before.

    ``slot``: the account has one under the hourly limit, or is about to take it before anything is done.
    """
    before = {step.row_key: step.attempts for step in draft.case.rows(Step)}
    tokens = {}
    for kind in ORDER:
        for step in due_steps(draft.case, kind, draft.now):
            _weaken(draft, step, services, slot=slot)
        token = services.new_id()
        if directory_call.claim(draft, kind, account=account, token=token):
            tokens[kind] = token
    _claim_disable(draft, services)
    for incident in draft.case.rows(Incident):
        taken = [
            f"{it.step.value} (attempt {it.attempts})"
            for it in draft.case.steps(incident.id)
            if it.attempts > before.get(it.row_key, 0) and it.state is StepState.CLAIMED
        ]
        if taken:
            draft.log("claimed", ", ".join(taken), incident=incident.id)
    object_id = account.object_id if account else ""
    return [Claimed(object_id, tokens)] if tokens else []


def due_steps(case: Case, kind: StepKind, now: datetime) -> list[Step]:
    """Return the steps that a claim of this control would be for; none while it waits."""
    if kind is StepKind.RELEASE:
        return control.releases(case)
    wants = control.wanting(case, kind)
    due = control.next_of(case.control(kind), wants, now)[0] is control.Next.ACT
    return [step for step in wants if step.state in {StepState.PLANNED, StepState.CLAIMED}] if due else []


def _weaken(draft: Draft, step: Step, services: Services, *, slot: bool) -> None:
    incident = draft.case.incident(step.incident_id)
    if incident is None:
        return
    protected = incident.account is not None and incident.account.object_id in services.settings.protected
    allowed = slot or step.approved_by is not None
    weaker = weakened(step.step, enforce=services.settings.enforce, protected=protected, slot=allowed)
    if weaker:
        steps.withhold(draft, incident, step, state=weaker[0], reason=weaker[1])


def _claim_disable(draft: Draft, services: Services) -> None:
    for step in draft.case.rows(Step):
        incident = draft.case.incident(step.incident_id)
        if step.step is not StepKind.DISABLE_BYPASS or incident is None:
            continue
        object_id = incident.account.object_id if incident.account else guid_or_none(draft.case.target)
        if object_id is None or not steps.is_due(step, draft.now):
            continue
        if not services.settings.enforce:
            steps.withhold(draft, incident, step, state=StepState.WITHHELD, reason=Rule.OBSERVE)
        elif outstanding(draft.case, CommandKind.DISABLE_BYPASS) is None and steps.claim(draft, step):
            command = new_command(draft, CommandKind.DISABLE_BYPASS, services)
            ask(
                draft,
                command.model_copy(
                    update={"object_id": object_id, "incident_id": incident.id, "known_until": incident.last_on_at}
                ),
            )


async def claim_due(session: Session, services: Services, lookups: Lookups) -> list[Claimed]:
    """Claim every due step of the target; the account is read just before."""
    case, now = session.case, services.clock()
    due = [step for kind in ORDER for step in due_steps(case, kind, now)]
    asks = any(step.step is StepKind.DISABLE_BYPASS and steps.is_due(step, now) for step in case.rows(Step))
    if not due and not asks:
        return []
    account = await lookups.account(_object_id(case)) if due else None
    slot = await _has_a_slot(case, due, account, services)
    if not due:
        await session.apply(partial(_claim_disable, services=services))
        return []
    return await session.apply(partial(claim_steps, account=account, services=services, slot=slot))


def _object_id(case: Case) -> str:
    known = [incident.account for incident in case.rows(Incident) if incident.account]
    return known[-1].object_id if known else case.target


async def _has_a_slot(case: Case, due: Sequence[Step], account: Account | None, services: Services) -> bool:
    """Return False when a due, unapproved block gets no slot. Takes the slot just before the claim."""
    blocks = [step for step in due if step.step is StepKind.BLOCK_SIGN_IN]
    needless = account is None or not directory_call.may_sign_in(case, account, services.clock())
    if not blocks or needless or not services.settings.enforce or any(step.approved_by for step in blocks):
        return True
    limit = services.settings.containment_limit_per_hour
    return await services.limit.take(case.target, limit=limit, now=services.clock())


async def act(claimed: Sequence[Claimed], session: Session, services: Services) -> list[Exception]:
    """Make the calls while queueing the worker's commands. A failure of one does not stop the other.

    Returns errors of storage; the result of a call is recorded in its step.
    """
    calls = [
        directory_calls.carry_out(
            work.tokens,
            object_id=work.object_id,
            directory=services.directory,
            record=partial(_record, session=session, services=services),
        )
        for work in claimed
    ]
    outcomes = await asyncio.gather(*calls, send_commands(session, services), return_exceptions=True)
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]


async def _record(
    kind: StepKind, token: str, error: ResponderError | None, *, session: Session, services: Services
) -> None:
    """Record how a call ended. Returns the slot of a refused block while its claim excludes others."""
    if kind is StepKind.BLOCK_SIGN_IN and directory_call.frees_the_slot(session.case, token, error, services.clock()):
        with suppress(ResponderError):  # a slot that is not returned is free after an hour
            await services.limit.give_back(session.target)
    await session.apply(partial(directory_call.record_call, kind=kind, token=token, error=error))


async def send_commands(session: Session, services: Services) -> None:
    """Send what was planned and not sent; ask again what had no answer in time."""
    tenant = services.settings.tenant_id
    if not services.settings.enforce:
        await session.apply(withdraw)
    asked = 0
    for command in session.case.rows(Command):
        if command.state == "outstanding" and command.not_after <= services.clock():
            asked = max(asked, command.asked)
            await session.apply(
                partial(ask_again, command=command, command_id=services.new_id(), timeout=_timeout(services))
            )
    for command in session.case.rows(Command):
        ours = command.planned_by == session.run or command.created_at + SENDING <= services.clock()
        if command.state == "outstanding" and not command.sent and ours:
            await services.exchange.send(as_message(command, tenant_id=tenant, target=session.target))
            session.defer(partial(mark_sent, command_id=command.id))
    if asked >= WORKER_SILENT_AFTER:
        await raise_health("worker_silent", f"A command was asked {asked} times.", services)


async def ask_about_candidates(session: Session, services: Services) -> None:
    """Plan the next question about a candidate. It is sent with the next commands."""
    found = candidates.next_candidate(session.case)
    if found is not None and (found[1].ask_at is None or found[1].ask_at <= services.clock()):
        await session.apply(partial(_ask_about_candidate, services=services))


def _ask_about_candidate(draft: Draft, services: Services) -> None:
    found = candidates.next_candidate(draft.case)
    if found is not None:
        incident, candidate = found
        command = new_command(draft, CommandKind.CHECK_BYPASS, services)
        ask(draft, command.model_copy(update={"object_id": candidate.object_id, "incident_id": incident.id}))


async def read_back(session: Session, services: Services) -> None:
    """Read the account again for every control, and every release, whose effect is due to be read."""
    now = services.clock()
    kinds = [kind for kind in (StepKind.BLOCK_SIGN_IN, StepKind.REVOKE_SESSIONS) if _reads(session.case, kind, now)]
    released = [
        step
        for step in session.case.rows(Step)
        if step.step is StepKind.RELEASE and step.state is StepState.ACTED and step.next_at and step.next_at <= now
    ]
    if not kinds and not released:
        return
    account = await services.directory.find(_object_id(session.case))
    for kind in kinds:
        session.defer(partial(_observe, kind=kind, account=account))
    for step in released:
        session.defer(partial(observation.observe_release, step=step, account=account))
    await session.flush()


def _reads(case: Case, kind: StepKind, now: datetime) -> bool:
    return control.next_of(case.control(kind), control.wanting(case, kind), now)[0] is control.Next.READ


def _observe(draft: Draft, kind: StepKind, account: Account | None) -> None:
    if _reads(draft.case, kind, draft.now):
        observation.observe(draft, kind, account)


async def recheck(session: Session, services: Services) -> None:
    """Check contained accounts whose re-check is due: whether they were enabled or bypassed again."""
    case = session.case
    for row in case.rows(Recheck):
        incident = case.incident(row.incident_id)
        if row.done or row.result or row.due_at > services.clock() or incident is None or incident.account is None:
            continue
        if control.ended(case, incident):
            continue
        account = await services.directory.find(incident.account.object_id)
        await session.apply(partial(_recheck, row=row, account=account, services=services))


def _recheck(draft: Draft, row: Recheck, account: Account | None, services: Services) -> None:
    current, incident = draft.case.row(Recheck, row.row_key), draft.case.incident(row.incident_id)
    if current is None or current.done or current.result or incident is None or incident.account is None:
        return
    for kind in (StepKind.BLOCK_SIGN_IN, StepKind.REVOKE_SESSIONS):
        quiet = draft.case.control(kind)
        if quiet.lease_until is None and quiet.next_at is None and control.wanting(draft.case, kind):
            observation.observe(draft, kind, account)
    if outstanding(draft.case, CommandKind.CHECK_BYPASS) is not None:
        return
    draft.put(current.model_copy(update={"result": "asked"}))
    command = new_command(draft, CommandKind.CHECK_BYPASS, services)
    about = {"object_id": incident.account.object_id, "incident_id": incident.id, "recheck": True}
    ask(draft, command.model_copy(update=about))


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
