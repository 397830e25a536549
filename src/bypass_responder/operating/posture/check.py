"""Whether the posture is as a pipeline wants it. Pure."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.model.base import counted
from bypass_responder.operating.posture.report import PostureReport


def failures(report: PostureReport, max_age: timedelta) -> list[str]:
    """Return each check that fails, in a line; none for a clean and recent read."""
    found, numbers = report.found, report.summary
    failed = [f"partial read: {each}" for each in found.problems]
    if found.read_at is None or report.made_at - found.read_at > max_age:
        age = report.made_at - found.read_at if found.read_at else None
        failed.append(f"the read is {_hours(age)} old, more than {_hours(max_age)}" if age else "the read has no time")
    if found.organization.off:
        failed.append(found.organization.off)
    checked = (
        (numbers.not_audited, "mailbox is", "mailboxes are", "not audited"),
        (numbers.unknown, "mailbox", "mailboxes", "may not be audited"),
        (numbers.missing_actions, "mailbox misses", "mailboxes miss", f"actions of {numbers.baseline}"),
        (numbers.bypassed or 0, "account is", "accounts are", "bypassed"),
        (numbers.pinned, "mailbox has", "mailboxes have", "a logon type that Microsoft does not maintain"),
        (len(found.unseen), "watched mailbox was", "watched mailboxes were", "not read"),
    )
    failed += [f"{counted(count, one, many)} {what}" for count, one, many, what in checked if count]
    return failed or ([] if report.clean else [report.state])


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.1f} h"
