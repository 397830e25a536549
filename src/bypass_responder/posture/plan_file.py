"""The file of a plan, read and checked. Pure."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bypass_responder.errors import RefusedError
from bypass_responder.model.base import first_problem
from bypass_responder.model.plan_run import MOST_CHANGES, MailboxChange, PlanRef
from bypass_responder.posture.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator


LONGEST_CHANGE = 8_000
"""Characters of one mailbox. Every action of every logon type is half of it, and a run holds eight."""


@lru_cache(maxsize=1)
def read_plan(content: bytes) -> Plan:
    """Return the plan of a file.

    Raises RefusedError for one that is damaged, changed, empty or too large.
    The last one is kept: 10,000 mailboxes take seconds to check, and each answer of the worker asks for the plan.
    """
    try:
        plan = Plan.model_validate_json(content)
    except ValidationError as error:
        raise _refused(_not_a_plan(content, error)) from None
    if plan.digest() != plan.sha256:
        raise _refused("it was changed after it was made (its hash differs). Make it again: bypassctl posture plan")
    if not plan.changes:
        raise _refused("it changes no mailbox")
    if len(plan.changes) > MOST_CHANGES:
        most = f"at most {MOST_CHANGES}: bypassctl posture plan --most {MOST_CHANGES}"
        raise _refused(f"it changes {len(plan.changes)} mailboxes, and one plan changes {most}")
    large = [each.object_id for each in plan.changes if len(each.model_dump_json()) > LONGEST_CHANGE]
    if large:
        raise _refused(f"the change of {large[0]} has more than {LONGEST_CHANGE} characters")
    doubled = [key for key, count in Counter(each.object_id for each in plan.changes).items() if count > 1]
    if doubled:
        raise _refused(f"it has the mailbox {doubled[0]} twice")
    return plan


def _not_a_plan(content: bytes, error: ValidationError) -> str:
    if b'"bypass-responder/posture-undo/' in content[:1_000]:
        return "it is the undo file of a run. To undo the run: bypassctl posture undo RUN"
    return f"it cannot be read as a file of bypassctl posture plan: {first_problem(error)}"


def decided_plan(content: bytes, ref: PlanRef) -> Plan:
    """Return the plan of a file that is the one that was decided. Raises RefusedError for another."""
    plan = read_plan(content)
    if PlanRef(sha256=plan.sha256, changes=len(plan.changes)) != ref:
        raise _refused(f"it is not the plan that was decided, which is {ref.sha256[:12]} of {ref.changes} mailboxes")
    return plan


def changes_of(plan: Plan, since: int, most: int) -> Iterator[MailboxChange]:
    """Yield the mailboxes of a plan from a number on."""
    for number, each in enumerate(plan.changes[since : since + most], start=since):
        yield MailboxChange(
            number=number, object_id=each.object_id, name=each.name, expected=each.expected, change=each.change
        )


def _refused(why: str) -> RefusedError:
    return RefusedError(f"The plan is refused: {why}.")
