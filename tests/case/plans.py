"""Plans in the case of the tenant: a mailbox, a run, answers of the worker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bypass_responder.case.draft import Draft
from bypass_responder.model.case import TENANT_TARGET, Case, Head
from bypass_responder.model.decision_message import DecisionKind, DecisionMessage, Shown
from bypass_responder.model.exchange_read import ReadKind, ReadOutcome, ReadResult
from bypass_responder.model.mailbox_audit import AuditChange, AuditSettings, LogonType
from bypass_responder.model.plan_run import MailboxChange, PlanRef, PlanRun, Stage
from tests.world import OPS, START, TENANT

SHA256 = "a" * 64
RUN = "00000000-0000-4000-8000-0000000000aa"
RECORD = "00000000-0000-4000-8000-0000000000ee"
QUESTION = "00000000-0000-4000-8000-0000000000cc"
PINNED = AuditSettings(
    enabled=True, age_limit="90.00:00:00", default_set=("Admin", "Delegate"), owner=("Update", "HardDelete")
)
CHANGED = PINNED.model_copy(
    update={"default_set": ("Admin", "Delegate", "Owner"), "owner": ("Update", "HardDelete", "Send")}
)
OTHER = PINNED.model_copy(update={"age_limit": "30.00:00:00"})
TO_DEFAULT = AuditChange(default_set=(LogonType.OWNER,))


def object_id(number: int) -> str:
    return f"cccccccc-0000-4000-8000-{number:012}"


def a_change(number: int = 0, **fields: Any) -> MailboxChange:
    defaults: dict[str, Any] = {
        "number": number,
        "object_id": object_id(number),
        "name": f"kim{number}@contoso.com",
        "expected": PINNED,
        "change": TO_DEFAULT,
    }
    return MailboxChange(**defaults | fields)


def asked(number: int = 0, **fields: Any) -> MailboxChange:
    """A mailbox whose change is asked for."""
    defaults: dict[str, Any] = {
        "stage": Stage.CHANGE,
        "before": PINNED,
        "record": RECORD,
        "command_id": QUESTION,
        "asked_at": START,
        "attempts": 1,
    }
    return a_change(number, **defaults | fields)


def a_run(*under_way: MailboxChange, **fields: Any) -> PlanRun:
    defaults: dict[str, Any] = {
        "id": RUN,
        "plan": SHA256,
        "total": max(len(under_way), 1),
        "who": str(OPS),
        "reason": "ticket",
        "started_at": START,
        "under_way": under_way,
        "next_number": len(under_way),
    }
    return PlanRun(**defaults | fields)


def a_draft(*runs: PlanRun, now: datetime = START, after: timedelta = timedelta()) -> Draft:
    rows = (Head(), *runs)
    return Draft(Case(TENANT_TARGET, {row.row_key: row for row in rows}), now=now + after)


def an_answer(outcome: ReadOutcome, **fields: Any) -> ReadResult:
    defaults: dict[str, Any] = {
        "command_id": QUESTION,
        "kind": ReadKind.RECORD if outcome is ReadOutcome.RECORDED else ReadKind.APPLY,
        "tenant_id": TENANT,
        "outcome": outcome,
        "started_at": START,
        "deliveries": 1,
    }
    match outcome:
        case ReadOutcome.RECORDED:
            defaults |= {"before": PINNED, "record": RECORD}
        case ReadOutcome.APPLIED | ReadOutcome.ALREADY:
            defaults |= {"before": PINNED, "after": CHANGED}
        case ReadOutcome.CHANGED:
            defaults |= {"before": OTHER}
    return ReadResult(**defaults | fields)


def a_message(kind: DecisionKind, **fields: Any) -> DecisionMessage:
    about: dict[str, Any] = (
        {"plan": PlanRef(sha256=SHA256, changes=3)} if kind is DecisionKind.APPLY_PLAN else {"run": RUN}
    )
    defaults: dict[str, Any] = {
        "message_id": "00000000-0000-4000-8000-0000000000bb",
        "tenant_id": TENANT,
        "target": TENANT_TARGET,
        "kind": kind,
        "shown": Shown(),
        "author": OPS,
        "reason": "ticket 7",
        "sent_at": START,
        "not_after": START + timedelta(hours=1),
    }
    return DecisionMessage(**defaults | about | fields)
