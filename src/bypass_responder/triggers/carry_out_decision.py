"""Queue trigger ``carry_out_decision``: carry out or refuse what a person decided."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bypass_responder.errors import ResponderError
from bypass_responder.handling.carry_out import carry_out, refuse_in_tenant
from bypass_responder.handling.carry_out_plan import advance_plan
from bypass_responder.handling.decide_plan import OF_A_PLAN
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.base import envelope_problem, first_problem, is_target_key
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import SCHEMA_VERSION, Channel, DecisionKind, DecisionMessage
from bypass_responder.operating.decide import outcome_of
from bypass_responder.operating.inspect_account import answer
from bypass_responder.operating.posture.reading import begin_read
from bypass_responder.triggers.record_exchange_result import keep_message

if TYPE_CHECKING:
    from bypass_responder.ports import PoisonDecision
    from bypass_responder.services import Services

POISON_PER_RUN = 32
OF_TENANT = frozenset(
    {
        DecisionKind.ACCEPT_WARNING,
        DecisionKind.ALLOWLIST_EDIT,
        DecisionKind.APPLY_PLAN,
        DecisionKind.INSPECT_ACCOUNT,
        DecisionKind.READ_POSTURE,
        DecisionKind.STOP_PLAN,
        DecisionKind.TEST_NOTIFICATION,
        DecisionKind.UNDO_PLAN,
    }
)
"""Decisions about no account."""


async def carry_out_decision(body: bytes, services: Services, *, channel: Channel) -> None:
    """Carry out one decision, or refuse it with a reason; answer a question.

    A repeated delivery changes nothing.
    """
    message, problem = _read(body, services.settings.tenant_id)
    if message is None:
        await keep_message(body, problem, f"decisions of {channel.value}", services)
        return
    if why := _on_wrong_queue(message.tool or Channel.BYPASSCTL, channel):
        await refuse_in_tenant(message, why, Channel.BYPASSCTL, services)  # its author is only claimed
        await settle_all({TENANT_TARGET}, services)
        return
    if message.kind is DecisionKind.INSPECT_ACCOUNT:
        await answer(message, services)
        return
    recorded, targets = await carry_out(message, channel, services)
    if message.kind is DecisionKind.READ_POSTURE and recorded.outcome == "carried_out":
        await begin_read(services, unless_since=message.sent_at)
    if message.kind in OF_A_PLAN and recorded.outcome == "carried_out":
        await advance_plan(services)
    with suppress(ExceptionGroup):  # recorded: resume_responses continues it, and a redelivery would not help
        await settle_all(targets, services)


def _on_wrong_queue(tool: Channel, channel: Channel) -> str:
    """Return why a message may not come through this queue, with the fix; empty when it may.

    The queue says whether an author is verified, so no tool may borrow that of the other.
    """
    if tool is channel:
        return ""
    setting = "DECISIONS_QUEUE" if tool is Channel.BYPASSCTL else "DECISIONS_CONSOLE_QUEUE"
    return (
        f"{tool.value} sent it through the queue of {channel.value}, where nothing but {channel.value} may send. "
        f"Correct {setting} of {tool.value}, and decide again."
    )


def _read(body: bytes, tenant_id: str) -> tuple[DecisionMessage | None, str]:
    try:
        message = DecisionMessage.model_validate_json(body)
    except ValidationError as error:
        return None, first_problem(error)
    if problem := envelope_problem(message.schema_version, message.tenant_id, current=SCHEMA_VERSION, ours=tenant_id):
        return None, problem
    of_tenant = message.kind in OF_TENANT
    if message.target != TENANT_TARGET if of_tenant else not is_target_key(message.target):
        return None, "target is not a valid ledger key"
    return message, ""


async def drain_poison_decisions(services: Services) -> None:
    """Retry decisions that failed five times. An expired one that is not recorded is refused."""
    taken = await services.decisions.take_poison(POISON_PER_RUN)
    outcomes = await asyncio.gather(*(_try_again(each, services) for each in taken), return_exceptions=True)
    problems = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if problems:
        raise ExceptionGroup("some decisions of people could not be carried out; they are tried again", problems)


async def _try_again(taken: PoisonDecision, services: Services) -> None:
    body = taken.text.encode()
    try:
        await carry_out_decision(body, services, channel=taken.channel)
    except (ResponderError, ExceptionGroup) as problem:
        message, _ = _read(body, services.settings.tenant_id)
        if message is None or services.clock() <= message.not_after or await _is_recorded(message, services):
            raise
        why = f"It could not be carried out before it ended at {message.not_after:%Y-%m-%d %H:%M:%SZ}: {problem}"
        await refuse_in_tenant(message, why, taken.channel, services)
    await services.decisions.finish(taken)


async def _is_recorded(message: DecisionMessage, services: Services) -> bool:
    try:
        return await outcome_of(message, services) is not None
    except ResponderError:
        return False
