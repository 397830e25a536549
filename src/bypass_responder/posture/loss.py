"""What a mailbox audits less than before. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.mailbox_audit import LogonType
from bypass_responder.posture.age_limit import days_of
from bypass_responder.posture.baseline import exchange_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bypass_responder.model.mailbox_audit import AuditSettings


def losses(before: AuditSettings, after: AuditSettings) -> tuple[str, ...]:
    """Return what is no longer audited, as ``Action (Logon)`` or the name of a property.

    An action that another replaced is no loss where that is there. A list that Microsoft maintained before and after is
    not compared, nor one that it maintains and Exchange did not return.
    """
    return tuple(_losses(before, after))


def _losses(before: AuditSettings, after: AuditSettings) -> Iterator[str]:
    if before.enabled is not False and after.enabled is False:
        yield "AuditEnabled"
    was, now = days_of(before.age_limit), days_of(after.age_limit)
    if was is not None and now is not None and now < was:
        yield "AuditLogAgeLimit"
    replaced = {old.casefold(): new.casefold() for old, new in exchange_rules().replaced.items()}
    for logon in LogonType:
        there = {action.casefold() for action in after.actions(logon)}
        if after.maintains(logon) and (before.maintains(logon) or not there):
            continue
        for action in before.actions(logon):
            name = action.casefold()
            if name not in there and replaced.get(name, name) not in there:
                yield f"{action} ({logon})"
