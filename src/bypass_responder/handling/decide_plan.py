"""A person's decision about a plan of mailbox changes: read it, then begin, undo, stop or refuse."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.case import plan_decision
from bypass_responder.errors import InputError, NotFoundError, RefusedError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.posture.plan_file import decided_plan
from bypass_responder.session import announced, open_session

if TYPE_CHECKING:
    from bypass_responder.model.decision_message import Channel, DecisionMessage
    from bypass_responder.model.incident import PersonDecision
    from bypass_responder.services import Services

OF_A_PLAN = frozenset({DecisionKind.APPLY_PLAN, DecisionKind.UNDO_PLAN, DecisionKind.STOP_PLAN})
MOST_RUNS = 200
"""Earlier runs, in which a plan that was carried out is recognized."""


async def decide_plan(message: DecisionMessage, channel: Channel, services: Services) -> PersonDecision:
    """Begin, undo or stop a run, or refuse. The run is stored; nothing is asked yet."""
    problem = await _problem_of(message, services)
    session = await open_session(TENANT_TARGET, services)
    await session.read_besides(partial(services.ledger.plan_runs, TENANT_TARGET, MOST_RUNS))
    enforce = services.settings.enforce
    decide = partial(plan_decision.decide, message=message, channel=channel, enforce=enforce, problem=problem)
    async with announced(TENANT_TARGET, services):
        return await session.apply(decide)


async def _problem_of(message: DecisionMessage, services: Services) -> str:
    """Return why the file of the plan cannot be carried out; empty when it can."""
    if message.plan is None:
        return ""
    try:
        decided_plan(await services.plans.read(message.plan.sha256), message.plan)
    except NotFoundError:
        return "The plan is not in the container plans. Send it again: bypassctl posture apply PLAN."
    except (InputError, RefusedError) as error:
        return str(error)
    return ""
