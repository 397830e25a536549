"""Read all mailboxes through the worker: begin, ask part by part, compare what was read.

The row of the read is written before a question is sent, so an interrupted run is repeated: a part at most.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from bypass_responder.case.health_alerts import update_alerts
from bypass_responder.errors import ConflictError, InputError, NotFoundError, TransientError
from bypass_responder.event_lines import write_line
from bypass_responder.model.base import Utc
from bypass_responder.model.exchange_read import ReadMailboxes, ReadOrganization, ReadOutcome
from bypass_responder.model.organization_read import OrganizationRead
from bypass_responder.operating.posture.alerts import ALERTS, alerts_of
from bypass_responder.operating.posture.answers import keep_read
from bypass_responder.operating.posture.tampered_mailboxes import record_read_backs
from bypass_responder.posture.organization import Organization
from bypass_responder.posture.run import (
    ANSWER_WITHIN,
    LONGEST_PROBLEM,
    MOST_ASKED,
    PostureRun,
    ask_next,
    begin,
    stored_read,
    take,
)
from bypass_responder.session import change_health

if TYPE_CHECKING:
    from bypass_responder.model.exchange_read import ReadCommand, ReadResult
    from bypass_responder.posture.run import Part
    from bypass_responder.services import Services

SENDING = timedelta(seconds=10)
"""Within this time of storing a question, the run that stored it sends it."""
BLOB_WITHIN = timedelta(seconds=10)
"""The worker's message may overtake its blob."""
CONFLICTS_BEFORE_GIVING_UP = 8
MOST_READS = 30
"""A month of reads, to know since when none was complete."""
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Utc)


async def begin_read(services: Services, *, unless_since: datetime) -> PostureRun:
    """Begin a read, unless one is under way or has begun since a moment. Returns the read."""
    run = await services.posture_runs.current()
    if run is not None and (run.compared_at is None or run.started_at >= unless_since):
        return run
    try:
        run = await services.posture_runs.replace(begin(services.new_id(), services.clock(), run))
    except ConflictError:
        run = await _current(services)
    return await advance_read(services) or run


async def advance_read(services: Services) -> PostureRun | None:
    """Take the answers that have come, and ask further parts. Returns the read, None before the first."""
    for _ in range(CONFLICTS_BEFORE_GIVING_UP):
        run = await services.posture_runs.current()
        if run is None or run.ended_at is not None:
            return run
        after = ask_next(await _with_answers(run, services), services.clock(), _ids(services))
        try:
            if after != run:
                after = await services.posture_runs.replace(after)
        except ConflictError:
            continue
        known = {part.command_id for part in run.asked}
        for part in after.asked:
            if part.command_id not in known or await _is_unsent(part, services):
                await services.reads.ask(_question(part, services), services.clock())
        return after
    raise TransientError("The read of the mailboxes changed too often while it was written.")


async def finish_read(services: Services) -> None:
    """Compare a read that has ended, store it, and raise or end the alerts about it."""
    run = await services.posture_runs.current()
    now = services.clock()
    if run is None or run.compared_at or run.ended_at is None or run.ended_at + BLOB_WITHIN > now:
        return
    read = stored_read(run, await _organization(run, services), now)
    report = await keep_read(read, services)
    present = alerts_of(report, await services.posture.newest(MOST_READS), now)
    await change_health(partial(update_alerts, present=present, known=ALERTS), services)
    await record_read_backs(report.found, services)
    first = next(iter(report.found.problems), "")
    await services.posture_runs.replace(run.model_copy(update={"compared_at": now, "partial": first[:LONGEST_PROBLEM]}))
    write_line(
        "mailboxes_read", read=report.summary.mailboxes, parts=len(run.parts), problems=len(report.found.problems)
    )


async def _current(services: Services) -> PostureRun:
    run = await services.posture_runs.current()
    if run is None:
        raise TransientError("The read of the mailboxes that another run began is gone.")
    return run


async def _with_answers(run: PostureRun, services: Services) -> PostureRun:
    for part in run.asked:
        asked = await services.reads.find(part.command_id)
        if asked is None or asked.result is None:
            continue
        try:
            created = await _created(asked.result, services) if asked.result.partial else []
        except NotFoundError:
            continue  # taken by the next run
        except InputError:
            created = []
        run = take(run, part, asked.result, created)
    return run


async def _created(result: ReadResult, services: Services) -> list[datetime]:
    """Return when the mailboxes of a part were created, as far as a line says so."""
    found = []
    if result.outcome is ReadOutcome.READ:
        async for line in services.reads.lines(result):
            try:
                found.append(_MOMENT.validate_python(json.loads(line).get("created_at")))
            except (ValueError, AttributeError):
                continue
    return found


async def _is_unsent(part: Part, services: Services) -> bool:
    late = part.asked_at is not None and part.asked_at + SENDING <= services.clock()
    return late and await services.reads.find(part.command_id) is None


def _ids(services: Services) -> list[str]:
    return [services.new_id() for _ in range(MOST_ASKED)]


def _question(part: Part, services: Services) -> ReadCommand:
    about: dict[str, Any] = {
        "command_id": part.command_id,
        "tenant_id": services.settings.tenant_id,
        "not_after": (part.asked_at or services.clock()) + ANSWER_WITHIN,
    }
    return ReadMailboxes(shard=part.shard, **about) if part.shard else ReadOrganization(**about)


async def _organization(run: PostureRun, services: Services) -> Organization:
    """Return the switches of the read. What was not read stays None, which makes the read partial."""
    result = next((part.result for part in run.parts if part.shard is None), None)
    if result is None:
        return Organization()
    try:
        async for line in services.reads.lines(result):
            read = OrganizationRead.model_validate_json(line)
            switches = next(iter(read.switches.items), None)
            return Organization(
                audit_disabled=switches.audit_disabled if switches else None,
                ingestion_enabled=switches.unified_audit_log_ingestion_enabled if switches else None,
                admin_audit=next(iter(read.admin_audit_log.items), None),
            )
    except (InputError, NotFoundError, ValidationError):
        return Organization()
    return Organization()
