"""Timer ``resume_responses``, the only scheduler: due work, poison queues and checkpoints."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.case.health_alerts import accounts_of, raise_for_each, update_alerts
from bypass_responder.case.tasks import Task
from bypass_responder.errors import (
    ConflictError,
    InputError,
    PermissionMissingError,
    ResponderError,
    TransientError,
    UnreadError,
)
from bypass_responder.event_lines import write_checkpoint_lines, write_line
from bypass_responder.handling.notify import wake_when_due
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.base import is_target_key
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.log import Checkpoint
from bypass_responder.model.notification import Severity
from bypass_responder.operating.scheduled_verification import verify_when_due
from bypass_responder.operating.self_check import SelfChecks, check_self_when_due
from bypass_responder.ports import WAKE
from bypass_responder.session import change_if_needed, open_session, raise_health
from bypass_responder.triggers.carry_out_decision import drain_poison_decisions
from bypass_responder.triggers.follow_settings import follow_settings
from bypass_responder.triggers.receive_alert import receive_alert
from bypass_responder.triggers.record_exchange_read import end_failed_read
from bypass_responder.triggers.record_exchange_result import keep_message
from bypass_responder.triggers.sweep_bypass_state import resume_sweep
from bypass_responder.triggers.watch_allowlist import watch_allowlist

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.ports import WorkItem
    from bypass_responder.services import Services

HEADS_PER_CHECKPOINT = 200
POISON_PER_RUN = 32
POISON_SECONDS = 30
"""No poison message of the worker's and alert queues is handled later in a run."""
RUN_SECONDS = 400
"""No target is begun later in a run: the host ends it after ten minutes."""
HEAD_SECONDS = 10.0
"""For reading the head of one log: a slow one is left to the next checkpoint."""
STOPPING = ("response_permission_missing", "corrupt_row")
UNREAD = "accounts_unread"


async def resume_responses(services: Services, checks: SelfChecks | None = None) -> None:
    """Continue all due work. A failing part does not stop the others; all errors are raised at the end.

    ``checks``: the sources of the app's self-check; None to skip it.
    """
    ends_at = asyncio.get_running_loop().time() + RUN_SECONDS
    problems = await _problems_of(_drain_poison(services))
    problems += await _problems_of(drain_poison_decisions(services))
    now = services.clock()
    try:
        items = await services.work.items()
    except ResponderError as problem:
        if checks:
            await check_self_when_due(services, checks, tenant_changed=False, stopped_by=problem)
        raise
    waiting = [(item.due_at, item.target) for item in items if item.due_at is not None and item.due_at <= now]
    # the tenant first: its notifications are about all accounts
    waiting.sort(key=lambda each: (each[1] != TENANT_TARGET, each))
    due = {target: due_at for due_at, target in waiting}
    earlier = [item for item in items if item.target not in due]  # of runs that the host ended
    parts = (
        settle_all(due, services, seconds=ends_at - asyncio.get_running_loop().time()),
        _resume_tenant(services, now),
        watch_allowlist(services),
        write_checkpoint(services, earlier),
    )
    for found in await asyncio.gather(*map(_problems_of, parts)):
        problems += found
    problems += await _problems_of(write_checkpoint(services))
    problems += await _problems_of(wake_when_due(services))
    if due or problems:
        problems += await _problems_of(_watch(problems, services))
    of_tenant = any(item.target == TENANT_TARGET for item in items)
    write_line("resumed", targets=len(due), problems=len(problems))
    if checks:
        await check_self_when_due(services, checks, tenant_changed=of_tenant or bool(problems))
        await verify_when_due(services, checks)
    if problems:
        raise ExceptionGroup("some due work failed; it is retried automatically", problems)


async def _resume_tenant(services: Services, started: datetime) -> None:
    session = await open_session(TENANT_TARGET, services)
    try:
        await follow_settings(session, services, started=started)
    finally:
        await resume_sweep(session, services)
    if accounts_of(session.case, UNREAD):
        await services.work.touch(TENANT_TARGET, started)  # so that the next run checks whether the alert is over


async def _problems_of(part: Awaitable[None]) -> list[Exception]:
    try:
        await part
    except ExceptionGroup as group:
        return _flat(group)
    except ResponderError as error:
        return [error]
    return []


def _flat(group: ExceptionGroup[Exception]) -> list[Exception]:
    nested = (_flat(each) if isinstance(each, ExceptionGroup) else [each] for each in group.exceptions)
    return [each for several in nested for each in several]


async def _watch(problems: Sequence[Exception], services: Services) -> None:
    """Raise health alerts for errors that need a person: a missing right, an edited row, accounts unread for long."""
    present: dict[str, str] = {}
    for problem in problems:
        if isinstance(problem, PermissionMissingError):
            present["response_permission_missing"] = str(problem)
        if isinstance(problem, InputError):
            present["corrupt_row"] = str(problem)
    session = await open_session(TENANT_TARGET, services)
    unread = {problem.target: str(problem) for problem in problems if isinstance(problem, UnreadError)}
    unread |= await _still_unread([each for each in accounts_of(session.case, UNREAD) if each not in unread], services)

    def transition(draft: Draft) -> None:
        update_alerts(draft, present, known=STOPPING)
        raise_for_each(draft, UNREAD, unread)

    await change_if_needed(session, transition, services)


async def _still_unread(targets: Sequence[str], services: Services) -> dict[str, str]:
    """Return target → text for each account that is still marked unread, or whose head cannot be read."""
    heads = await asyncio.gather(*map(limited(services.ledger.head), targets), return_exceptions=True)
    found: dict[str, str] = {}
    for target, head in zip(targets, heads, strict=True):
        if isinstance(head, ResponderError):
            found[target] = f"{target}: {head}"
        elif isinstance(head, BaseException):
            raise head
        elif head.unread_since:
            found[target] = f"{target}, since {head.unread_since:%Y-%m-%d %H:%M:%SZ}"
    return found


async def write_checkpoint(services: Services, items: Sequence[WorkItem] | None = None) -> None:
    """Write checkpoints of all changed logs, or of these items, so that a deleted tail is detected.

    A target that cannot be read is left out, and raised in an ExceptionGroup after the others are written.
    """
    changed = [item for item in (await services.work.items() if items is None else items) if item.changed]
    problems: list[Exception] = []
    for start in range(0, len(changed), HEADS_PER_CHECKPOINT):
        batch = changed[start : start + HEADS_PER_CHECKPOINT]
        reads = (_head_in_time(item, services) for item in batch)
        heads = await asyncio.gather(*reads, return_exceptions=True)
        problems += [head for head in heads if isinstance(head, Exception)]
        read = [(item, head) for item, head in zip(batch, heads, strict=True) if not isinstance(head, BaseException)]
        last = await services.checkpoints.last()
        seen = last.heads if last else {}
        ends = {item.target: head for item, head in read if head[0] and seen.get(item.target) != head}
        if ends:
            checkpoint = _next(ends, last, services.clock())
            try:
                await services.checkpoints.append(checkpoint)
            except ConflictError:
                break
            write_checkpoint_lines(checkpoint)
        await services.work.checkpointed([item for item, _ in read])
    if problems:
        raise ExceptionGroup("some logs could not be read for the checkpoint", problems)


async def _head_in_time(item: WorkItem, services: Services) -> tuple[int, str]:
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            return await _head(item, services)
    except TimeoutError as error:
        raise TransientError(f"The log of {item.target} could not be read within {HEAD_SECONDS} s.") from error


async def _head(item: WorkItem, services: Services) -> tuple[int, str]:
    if item.head is not None:
        return item.head
    head = await services.ledger.head(item.target)
    return head.log_seq, head.log_hash


def _next(heads: dict[str, tuple[int, str]], last: Checkpoint | None, now: datetime) -> Checkpoint:
    seq, previous = (last.seq + 1, last.hash) if last else (1, "")
    checkpoint = Checkpoint(seq=seq, at=now, heads=heads, previous=previous)
    return checkpoint.model_copy(update={"hash": checkpoint.digest()})


async def _drain_poison(services: Services) -> None:
    """Keep messages from poison queues, notify people and record them in their incident.

    An alert is still an alert. The host moves one that is not base64 there without running the function. What a slow
    run leaves is taken by a later one.
    """
    ends_at = asyncio.get_running_loop().time() + POISON_SECONDS
    async for message in services.exchange.drain_poison(POISON_PER_RUN):
        if asyncio.get_running_loop().time() >= ends_at:
            return
        text = message.text
        if text == WAKE:
            continue  # wake_when_due sends another
        if message.queue == services.settings.alerts_queue:
            await receive_alert(text.encode(), services)
            continue
        if message.queue == services.settings.exchange_reads_queue:
            await end_failed_read(text, services)
        await keep_message(text.encode(), "it failed five times and is from a poison queue", "poison", services)
        await raise_health("poison", "A queue message failed five times.", services)
        target = _target_of(text)
        if target:
            await services.work.touch(target, services.clock())
            session = await open_session(target, services)
            await session.apply(partial(_report_poison, text=text))


def _target_of(text: str) -> str:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    target = message.get("target") if isinstance(message, dict) else None
    return target if isinstance(target, str) and is_target_key(target) else ""


def _report_poison(draft: Draft, text: str) -> None:
    if not draft.case.by_key:
        return
    incident = draft.case.incident(draft.case.head.active_incident or draft.case.head.last_incident)
    draft.log("poison", "a queue message of this account failed five times", incident=incident.id if incident else None)
    draft.notify(
        "poison",
        f"A queue message failed five times: {incident.account if incident else draft.case.target}",
        "A message between the responder and the Exchange worker could not be processed. Its step is retried.",
        key=text[:200],
        severity=Severity.CRITICAL,
        left_to_do=(Task("Find out why the worker or the responder failed on it", "bypassctl doctor"),),
        incident=incident.id if incident else None,
    )
