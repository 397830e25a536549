"""Queue trigger ``record_exchange_result``: apply an answer of the Exchange worker to its step."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bypass_responder.case.exchange_answer import take_answer
from bypass_responder.case.health_alerts import end_alert, end_permission_missing, raise_alert
from bypass_responder.case.tasks import Task
from bypass_responder.errors import ResponderError
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.base import envelope_problem, first_problem, is_target_key
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.message import SCHEMA_VERSION, Command, CommandKind, ExchangeResult
from bypass_responder.model.notification import Severity
from bypass_responder.model.record import Unreadable, excerpt
from bypass_responder.model.sweep import SweepResult
from bypass_responder.session import change_if_needed, open_session
from bypass_responder.triggers.sweep_bypass_state import take_sweep_answer

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft
    from bypass_responder.services import Services


ABOUT_THE_WORKER = {"worker_silent", "worker_permission_missing"}
WELL_FOR = timedelta(seconds=20)
"""Less than the wait before anything is asked again, so that the answer to that always looks."""


async def record_exchange_result(body: bytes, services: Services) -> None:
    """Process one answer. An unreadable answer, or one of another tenant, is kept and notified.

    Trouble with the tenant's own case holds back no account: it is raised after the answer was applied.
    """
    result, problem = _read(body, services.settings.tenant_id)
    if result is None:
        await keep_message(body, problem, services.settings.exchange_results_queue, services)
        return
    if isinstance(result, SweepResult):
        await _watch_the_worker(result, services)
        await take_sweep_answer(result, services)
        return
    well_until, now = services.worker.well_until, services.clock()
    usual = result.error_class != "permission" and well_until is not None and now < well_until <= now + WELL_FOR
    trouble = None if usual else await _trouble_of_watching(result, services)
    try:
        await settle_all([result.target], services, first=partial(_take, result=result, services=services))
    except ExceptionGroup:
        if not await _is_taken(result, services):
            raise  # else resume_responses continues, and a redelivery would not help
    if usual and services.worker.well_until is None:
        trouble = await _trouble_of_watching(result, services)
    if trouble:
        raise trouble


def _take(draft: Draft, *, result: ExchangeResult, services: Services) -> None:
    """Take the answer.

    To a question that was repeated, it may end an alert that another process has raised.
    """
    command = draft.case.row(Command, f"command-{result.command_id}")
    if command is not None and command.asked > 1:
        services.worker.well_until = None
    take_answer(draft, result)


async def _is_taken(result: ExchangeResult, services: Services) -> bool:
    session = await open_session(result.target, services)
    command = session.case.row(Command, f"command-{result.command_id}")
    return command is not None and command.answer == result


async def _trouble_of_watching(result: ExchangeResult, services: Services) -> ResponderError | None:
    try:
        await _watch_the_worker(result, services)
    except ResponderError as problem:
        return problem
    return None


async def _watch_the_worker(result: ExchangeResult | SweepResult, services: Services) -> None:
    """Update the alerts about the worker in the tenant's case. Remembers for a moment that there is none."""
    session = await open_session(TENANT_TARGET, services)
    await change_if_needed(session, partial(_update_alerts, result=result), services)
    alerts = {row.id for row in session.case.rows(HealthAlert) if row.ongoing}
    services.worker.well_until = None if alerts & ABOUT_THE_WORKER else services.clock() + WELL_FOR


def _update_alerts(draft: Draft, result: ExchangeResult | SweepResult) -> None:
    """Update the health alerts about the worker's silence and its permissions from its answer."""
    if isinstance(result, ExchangeResult):
        end_alert(draft, "worker_silent")
    if result.error_class == "permission":
        detail = f"{result.kind}: {result.error or 'Exchange refused a cmdlet.'}"
        raise_alert(draft, "worker_permission_missing", detail)
    elif result.outcome not in {"failed", "refused"}:
        end_permission_missing(draft, result.kind)


def _kind(body: bytes) -> type[ExchangeResult | SweepResult]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return ExchangeResult
    swept = isinstance(message, dict) and message.get("kind") == CommandKind.LIST_BYPASSED
    return SweepResult if swept else ExchangeResult


def _read(body: bytes, tenant_id: str) -> tuple[ExchangeResult | SweepResult | None, str]:
    try:
        result = _kind(body).model_validate_json(body)
    except ValidationError as error:
        return None, first_problem(error)
    if problem := envelope_problem(result.schema_version, result.tenant_id, current=SCHEMA_VERSION, ours=tenant_id):
        return None, problem
    if isinstance(result, ExchangeResult) and not is_target_key(result.target):
        return None, "target is not a valid ledger key"
    return result, ""


async def keep_message(body: bytes, problem: str, queue: str, services: Services) -> None:
    """Keep a queue message that cannot be processed, and notify people: of one for each queue and hour.

    They are notified before it is kept: a run that is interrupted in between repeats both.
    """
    text = body.decode("utf-8", errors="backslashreplace")
    item = Unreadable(reason="bad_message", detail=problem, source=queue, where="queue message", excerpt=excerpt(text))

    def report(draft: Draft) -> None:
        if draft.notify(
            "unreadable",
            f"Unreadable message on {queue}",
            f"{problem}. It is kept, and no action was taken. Others of this hour are kept without a notification.",
            key=f"{queue}-{draft.now:%Y-%m-%dT%H}",
            severity=Severity.CRITICAL,
            left_to_do=(Task("Read it, and find out who sent it to the queue", "bypassctl status"),),
        ):
            draft.log("unreadable", f"unreadable message on {queue}: {problem}", queue=queue)

    reported = await change_if_needed(await open_session(TENANT_TARGET, services), report, services)
    await services.feed_store.keep_unreadable([item], received_at=services.clock())
    if reported:
        await settle_all([TENANT_TARGET], services)
