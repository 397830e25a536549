"""Records of our own changes of mailboxes, which are no tampering.

A posture plan, or its undo, asked for them.
"""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.plan_run import PlanRun
from bypass_responder.model.record import AuditRecord
from bypass_responder.operating.posture.plan_runs import stored_changes
from bypass_responder.posture.planned import asks_for
from bypass_responder.sensing.records.reader import read_records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder.model.change import AuditTampering
    from bypass_responder.model.plan_run import MailboxChange
    from bypass_responder.services import Services

MOST_RUNS = 200
"""Earlier runs of plans that are searched, the newest."""
MARGIN = timedelta(minutes=2)
"""How far Exchange's clock may be from ours."""


async def without_planned(found: Sequence[AuditTampering], services: Services) -> list[AuditTampering]:
    """Return the changes without those that the worker made because a plan, or its undo, asked for them.

    The actor, the mailbox, the time of the run and the new settings must all be those of the plan. Anything else that
    the worker's identity does stays.
    """
    worker_ids = services.settings.exchange_worker_ids
    candidates = [each for each in found if each.operation == "Set-Mailbox" and each.actor.may_be(worker_ids)]
    if not candidates:
        return list(found)
    planned: set[int] = set()
    for run in await _runs(services):
        due = [each for each in candidates if _is_within(each.occurred_at, run, services.clock())]
        changes = await _changes(run, services) if due else []
        planned |= {id(each) for each in due if _is_planned(each, changes)}
    return [each for each in found if id(each) not in planned]


async def _runs(services: Services) -> list[PlanRun]:
    case = await services.ledger.load(TENANT_TARGET)
    return case.with_rows(await services.ledger.plan_runs(TENANT_TARGET, MOST_RUNS)).rows(PlanRun)


def _is_within(at: datetime, run: PlanRun, now: datetime) -> bool:
    return run.started_at - MARGIN <= at <= (run.ended_at or now) + MARGIN


async def _changes(run: PlanRun, services: Services) -> list[MailboxChange]:
    """Return every mailbox that the run has asked for, or may have.

    An undo stores each when it has ended.
    """
    return [*run.under_way, *[each async for each in stored_changes(run, services)]]


def _is_planned(found: AuditTampering, changes: Sequence[MailboxChange]) -> bool:
    records = [each for each in read_records(BytesIO(found.raw.encode()), source="") if isinstance(each, AuditRecord)]
    return len(records) == 1 and any(asks_for(change, records[0]) for change in changes)
