"""Carry out a plan of mailbox changes through the worker, mailbox by mailbox.

A run stays within the hourly limit, and is held in observe. What a mailbox was before is in the ledger, and in the undo
file, before its change is asked for. The next answer or timer continues an interrupted run; a question that was sent is
asked anew only when its answer cannot come any more.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from bypass_responder.case.plan_answer import ANSWER_WITHIN, may_be_ours
from bypass_responder.case.plan_run import MOST_UNDER_WAY, free_slots, go_on, newest, take_answers
from bypass_responder.errors import InputError, NotFoundError, RefusedError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.exchange_read import ApplyMailbox, ReadOutcome, ReadResult, RecordMailbox
from bypass_responder.model.plan_run import PlanRef, Stage
from bypass_responder.posture.loss import losses
from bypass_responder.posture.plan_file import changes_of, decided_plan
from bypass_responder.session import announced, open_session

if TYPE_CHECKING:
    from collections.abc import Collection

    from bypass_responder.model.exchange_read import ReadCommand
    from bypass_responder.model.plan_run import MailboxChange, PlanRun
    from bypass_responder.ports import StoredRead
    from bypass_responder.services import Services

SENDING = timedelta(seconds=10)
"""Within this time of storing a question, the run that stored it sends it."""
_PAGE = 100


async def advance_plan(services: Services) -> PlanRun | None:
    """Take the answers that have come, and ask what may be asked now.

    Returns the newest run, None before the first.
    """
    session = await open_session(TENANT_TARGET, services)
    run = newest(session.case)
    if run is None or not run.running:
        return run
    following, problem = await _following_or_problem(run, services)
    answers = await _answers(run, services)
    if run.stopped or problem:
        answers |= await _withdrawn(run, answers, services)
    new_ids = [services.new_id() for _ in range(2 * MOST_UNDER_WAY)]
    async with announced(TENANT_TARGET, services):
        await session.apply(partial(take_answers, answers=answers, problem=problem))
        stored = await _store(newest(session.case), services)
        begin = partial(
            go_on,
            following=following,
            new_ids=new_ids,
            stored=stored,
            limit=services.settings.posture_changes_per_hour,
            enforce=services.settings.enforce,
        )
        await session.apply(begin)
    after = newest(session.case)
    if after is not None and services.settings.enforce:
        await _ask(after, answers, ours=new_ids, services=services)
    return after


async def _answers(run: PlanRun, services: Services) -> dict[str, ReadResult | None]:
    """Return the answers to the questions that were sent, by id; None for one that cannot be read."""
    found: dict[str, ReadResult | None] = {}
    for each in run.under_way:
        if not each.command_id:
            continue
        try:
            asked = await services.reads.find(each.command_id)
        except InputError:
            found[each.command_id] = None
        else:
            if asked is not None:
                found[each.command_id] = _compared(each, _of_any_message(asked))
    return found


def _of_any_message(asked: StoredRead) -> ReadResult | None:
    """Return the answer.

    If the question is on the queue twice, another message may have set the mailbox before.
    """
    result = asked.result
    return result.model_copy(update={"deliveries": 2}) if result and asked.sent_again else result


def _compared(change: MailboxChange, result: ReadResult | None) -> ReadResult | None:
    """Return the answer, or ``less`` if the mailbox audits less than recorded, whatever the worker says."""
    if not (result and change.change and change.before and result.after and may_be_ours(change, result)):
        return result
    lost = losses(change.before, result.after)
    error = f"Once it was set, the mailbox no longer audited: {', '.join(lost)}."
    return result.model_copy(update={"outcome": ReadOutcome.LESS, "error": error}) if lost else result


async def _withdrawn(
    run: PlanRun, sent: dict[str, ReadResult | None], services: Services
) -> dict[str, ReadResult | None]:
    """End the questions of a stopped run that were stored and not sent: from now on nobody can send them."""
    unsent = [_question(each, services) for each in run.under_way if each.command_id and each.command_id not in sent]
    ended = [await services.reads.withdraw(each, _refusal(each, services), services.clock()) for each in unsent]
    return {each.command.command_id: each.result for each in ended}


def _refusal(question: ReadCommand, services: Services) -> ReadResult:
    return ReadResult(
        command_id=question.command_id,
        kind=question.kind,
        tenant_id=question.tenant_id,
        outcome=ReadOutcome.REFUSED,
        started_at=services.clock(),
        deliveries=0,
        error="the run was stopped before this was asked",
        error_class="transient",
    )


async def _following_or_problem(run: PlanRun, services: Services) -> tuple[list[MailboxChange] | None, str]:
    try:
        return await _following(run, services), ""
    except (NotFoundError, RefusedError, InputError) as error:
        return None, f"The plan cannot be carried out any further. {error}"


async def _following(run: PlanRun, services: Services) -> list[MailboxChange] | None:
    """Return the next mailboxes; empty when there are no more, None while none may be begun.

    The file is compared again with what was decided. Raises NotFoundError, RefusedError or InputError.
    """
    if run.undoes:
        return await _to_undo(run.undoes, run.next_number, services)
    if run.next_number >= run.total:
        return []
    limit = services.settings.posture_changes_per_hour
    if run.stopped or not services.settings.enforce or free_slots(run, services.clock(), limit) <= 0:
        return None
    plan = decided_plan(await services.plans.read(run.plan), PlanRef(sha256=run.plan, changes=run.total))
    return list(changes_of(plan, run.next_number, MOST_UNDER_WAY))


async def _to_undo(run_id: str, since: int, services: Services) -> list[MailboxChange]:
    found: list[MailboxChange] = []
    while len(found) < MOST_UNDER_WAY:
        page = await services.plans.changes(run_id, since=since, limit=_PAGE)
        found += [each.to_undo() for each in page if each.may_have_changed]
        if len(page) < _PAGE:
            break
        since = page[-1].number + 1
    return found[:MOST_UNDER_WAY]


async def _store(run: PlanRun | None, services: Services) -> list[MailboxChange]:
    """Store and return undo entries before their changes begin, and the outcomes of ended changes."""
    if run is None:
        return []
    due = [each for each in run.under_way if each.outcome or (each.stage is Stage.CHANGE and not each.command_id)]
    for each in due:
        await services.plans.put(run.id, each)
    return due


async def _ask(run: PlanRun, sent: dict[str, ReadResult | None], *, ours: Collection[str], services: Services) -> None:
    """Send the questions that this run of the function has begun, and those that a crash has left unsent.

    One that another has begun is not sent twice: the second message would find the change made, as if by somebody else.
    """
    for each in run.under_way:
        if not each.command_id or each.command_id in sent or each.asked_at is None:
            continue
        if each.command_id in ours or each.asked_at + SENDING <= services.clock():
            await services.reads.ask(_question(each, services), services.clock())


def _question(change: MailboxChange, services: Services) -> ReadCommand:
    about: dict[str, Any] = {
        "command_id": change.command_id,
        "tenant_id": services.settings.tenant_id,
        "object_id": change.object_id,
        "not_after": (change.asked_at or services.clock()) + ANSWER_WITHIN,
    }
    if change.stage is Stage.RECORD:
        return RecordMailbox(**about)
    return ApplyMailbox(
        **about, record=change.record, expected=change.expected, change=change.change, undo=change.change is None
    )
