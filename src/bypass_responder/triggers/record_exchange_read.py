"""Queue trigger ``record_exchange_read``: store the answer to a question that may take minutes.

Nothing acts on an account because of such an answer: who can set bypasses is compared at once, a plan of mailbox
changes goes on, evidence and posture read it when they ask next. So a missing permission raises no health alert either;
what it would have answered is *unavailable*.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bypass_responder.errors import InputError
from bypass_responder.event_lines import write_line
from bypass_responder.handling.carry_out_plan import advance_plan
from bypass_responder.model.base import envelope_problem, first_problem
from bypass_responder.model.exchange_read import ReadKind, ReadOutcome, ReadResult
from bypass_responder.model.message import SCHEMA_VERSION
from bypass_responder.operating.posture.reading import advance_read
from bypass_responder.triggers.record_exchange_result import keep_message
from bypass_responder.triggers.watch_rights import watch_rights

if TYPE_CHECKING:
    from bypass_responder.services import Services

OF_POSTURE = {ReadKind.MAILBOXES, ReadKind.ORGANIZATION}
DELIVERIES = 5
"""After this many deliveries, the host moves a message to the poison queue."""
OF_A_PLAN = {ReadKind.RECORD, ReadKind.APPLY}


async def record_exchange_read(body: bytes, services: Services) -> None:
    """Store one answer against its outstanding question.

    An unreadable one is kept and notified, any other logged.
    """
    result, problem = _read(body, services.settings.tenant_id)
    known = False
    if result is not None:
        try:
            known = await services.reads.record(result, services.clock())
        except InputError as error:
            result, problem = None, error.detail
    if result is None:
        await keep_message(body, problem, services.settings.exchange_read_results_queue, services)
        return
    stored = await services.reads.find(result.command_id)
    if stored is not None and stored.result is not None:  # a message that comes again ends what a crash left
        try:
            await watch_rights(stored.result, services)
        except InputError as error:
            await keep_message(body, error.detail, services.settings.exchange_read_results_queue, services)
    outcome = result.outcome.value if known else "ignored"
    write_line(
        "exchange_read", command=result.command_id, kind=result.kind.value, outcome=outcome, scanned=result.scanned
    )
    if result.kind in OF_POSTURE:
        await advance_read(services)
    if result.kind in OF_A_PLAN:
        await advance_plan(services)


def _read(body: bytes, tenant_id: str) -> tuple[ReadResult | None, str]:
    try:
        result = ReadResult.model_validate_json(body)
    except ValidationError as error:
        return None, first_problem(error)
    if problem := envelope_problem(result.schema_version, result.tenant_id, current=SCHEMA_VERSION, ours=tenant_id):
        return None, problem
    return result, ""


async def end_failed_read(text: str, services: Services) -> None:
    """Answer the question of a message that failed five times, so that nobody waits for it.

    The worker may have done what was asked, and failed to hand over its answer.
    """
    try:
        message = json.loads(text)
        command_id = str(message["command_id"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return
    asked = await services.reads.find(command_id)
    if asked is None:
        return
    now = services.clock()
    await services.reads.record(
        ReadResult(
            command_id=command_id,
            kind=asked.command.kind,
            tenant_id=asked.command.tenant_id,
            outcome=ReadOutcome.FAILED,
            started_at=now,
            deliveries=DELIVERIES,
            error="The worker failed five times on this question.",
            error_class="other",
        ),
        now,
    )
