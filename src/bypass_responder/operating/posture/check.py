"""Whether the posture is as a pipeline wants it. Pure."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.model.base import counted
from bypass_responder.operating.posture.report import PostureReport
from bypass_responder.posture.verdict import Issue

_MINUTES = 120
"""Below this, an age is shown in minutes."""


def failures(report: PostureReport, max_age: timedelta) -> list[str]:
    """Return each check that fails, in a line; none for a clean and recent read."""
    found, numbers = report.found, report.summary
    failed = [f"partial read: {each}" for each in found.problems]
    if found.read_at is None or report.made_at - found.read_at > max_age:
        age = report.made_at - found.read_at if found.read_at else None
        failed.append(
            f"the read is {_age_text(age)} old, more than {_age_text(max_age)}" if age else "the read has no time"
        )
    if found.organization.off:
        failed.append(found.organization.off)

    def count(issue: Issue) -> int:
        return numbers.issues.get(issue, 0)

    checked = (
        (numbers.not_audited, "mailbox is", "mailboxes are", "not audited"),
        (numbers.unknown, "mailbox", "mailboxes", "may not be audited"),
        (numbers.missing_actions, "mailbox misses", "mailboxes miss", f"actions of {numbers.baseline}"),
        (numbers.bypassed or 0, "account is", "accounts are", "bypassed"),
        (count(Issue.PINNED), "mailbox has", "mailboxes have", "a logon type that Microsoft does not maintain"),
        (count(Issue.SHORT_AGE_LIMIT), "mailbox keeps", "mailboxes keep", "its entries too briefly"),
        (count(Issue.NOT_READ), "mailbox has", "mailboxes have", "settings that were not read"),
        (len(found.unseen), "watched mailbox was", "watched mailboxes were", "not read"),
    )
    failed += [f"{counted(number, one, many)} {what}" for number, one, many, what in checked if number]
    return failed or ([] if report.clean else [report.state])


def _age_text(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    return f"{minutes:.0f} min" if minutes < _MINUTES else f"{minutes / 60:.1f} h"
