"""Timer ``resume_responses``, the one scheduler: whatever is due, poison queues, and the checkpoint of the log."""

from __future__ import annotations

import asyncio
import json
import logging
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.errors import ConflictError, PermissionMissingError
from bypass_responder.model.base import is_target_key
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.log import Checkpoint
from bypass_responder.model.note import Severity
from bypass_responder.workflow.health import update_alerts
from bypass_responder.workflow.record_exchange_result import keep_message
from bypass_responder.workflow.services import announced, open_session
from bypass_responder.workflow.settle import settle_all

if TYPE_CHECKING:
    from bypass_responder.ports import WorkItem
    from bypass_responder.response.draft import Draft
    from bypass_responder.workflow.services import Services

HEADS_PER_CHECKPOINT = 200
POISON_PER_RUN = 32
PERMISSION = "response_permission_missing"
logger = logging.getLogger(__name__)


async def resume_responses(services: Services) -> None:
    """Take up everything that is due. Raises when a target could not be settled; the others are done first."""
    await _drain_poison(services)
    now = services.clock()
    due = [item.target for item in await services.work.items() if item.due_at is not None and item.due_at <= now]
    problems: ExceptionGroup[Exception] | None = None
    try:
        await settle_all(due, services)
    except ExceptionGroup as group:
        problems = group
    if due:
        await _watch_permissions(problems, services)
    await write_checkpoint(services)
    logger.info("resumed", extra={"targets": len(due)})
    if problems:
        raise problems


async def _watch_permissions(problems: ExceptionGroup[Exception] | None, services: Services) -> None:
    """A right without which nothing can be decided is an alert of its own: an attacker may have taken it."""
    errors = problems.exceptions if problems else ()
    lost = next((error for error in errors if isinstance(error, PermissionMissingError)), None)
    missing = {PERMISSION: str(lost)} if lost else {}
    session = await open_session(TENANT_TARGET, services)
    transition = partial(update_alerts, present=missing, known=(PERMISSION,))
    probe = session.view()
    transition(probe)
    if probe.changed:
        async with announced(TENANT_TARGET, services):
            await session.apply(transition)


async def write_checkpoint(services: Services) -> None:
    """Chain the ends of all logs that changed into checkpoints, so that a cut tail shows."""
    changed = [item for item in await services.work.items() if item.changed]
    for start in range(0, len(changed), HEADS_PER_CHECKPOINT):
        batch = changed[start : start + HEADS_PER_CHECKPOINT]
        heads = dict(await asyncio.gather(*(_head(item, services) for item in batch)))
        heads = {target: end for target, end in heads.items() if end[0]}
        if heads:
            try:
                await services.checkpoints.append(await _next(heads, services))
            except ConflictError:
                return
        await asyncio.gather(*(services.work.checkpointed(item) for item in batch))


async def _head(item: WorkItem, services: Services) -> tuple[str, tuple[int, str]]:
    head = (await services.ledger.load(item.target)).head
    return item.target, (head.log_seq, head.log_hash)


async def _next(heads: dict[str, tuple[int, str]], services: Services) -> Checkpoint:
    last = await services.checkpoints.last()
    checkpoint = Checkpoint(
        seq=last.seq + 1 if last else 1, at=services.clock(), heads=heads, previous=last.hash if last else ""
    )
    return checkpoint.model_copy(update={"hash": checkpoint.digest()})


async def _drain_poison(services: Services) -> None:
    """Messages that failed too often: kept, told, and named in the incident that they belong to."""
    async for text in services.exchange.drain_poison(POISON_PER_RUN):
        await keep_message(text.encode(), "it failed five times and came from a poison queue", "poison", services)
        target = _target_of(text)
        if target:
            await services.work.touch(target, services.clock())
            session = await open_session(target, services)
            await session.apply(partial(_tell_poison, text=text))


def _target_of(text: str) -> str:
    try:
        message = json.loads(text)
    except ValueError:
        return ""
    target = message.get("target") if isinstance(message, dict) else None
    return target if isinstance(target, str) and is_target_key(target) else ""


def _tell_poison(draft: Draft, text: str) -> None:
    if not draft.case.rows:
        return
    incident = draft.incident(draft.head.active_incident or draft.head.last_incident)
    draft.log("poison", "a queue message of this account failed five times", incident=incident.id if incident else None)
    draft.note(
        "poison",
        f"A queue message failed five times: {incident.account if incident else draft.target}",
        "The step that it belongs to is asked again by itself.",
        key=text[:200],
        severity=Severity.CRITICAL,
        left_to_do=("Look in the logs why the worker, or the responder, failed on it.",),
        incident=incident.id if incident else None,
    )
