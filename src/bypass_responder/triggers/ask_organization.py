"""Ask the worker once a day for the organization's switches and roles.

It asks whatever came of the question before, and after six hours if that has no answer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.model.exchange_read import ReadKind, ReadOrganization, ReadOutcome
from bypass_responder.tampering import permissions

if TYPE_CHECKING:
    from bypass_responder.ports import StoredRead
    from bypass_responder.services import Services

DAY = timedelta(days=1)
ANSWER_WITHIN = timedelta(hours=1)
ASKED_AGAIN_AFTER = timedelta(hours=6)
"""For a question without an answer."""
KEPT = timedelta(days=30)
"""Questions of every kind; the asking function keeps what it needs of an answer."""


async def ask_organization(services: Services) -> None:
    """Ask unless the last question is less than a day old, or six hours without an answer.

    A refusal of class ``transient`` (expired, or an unknown version) is not an answer. Deletes old questions and
    permission changes.
    """
    now = services.clock()
    last = await services.reads.newest(ReadKind.ORGANIZATION)
    if last is not None and last.asked_at > now - (DAY if _is_answered(last) else ASKED_AGAIN_AFTER):
        return
    command = ReadOrganization(
        command_id=services.new_id(), tenant_id=services.settings.tenant_id, not_after=now + ANSWER_WITHIN
    )
    await services.reads.ask(command, now)
    await services.reads.forget_before(now - KEPT)
    await services.permissions.forget_before(now - permissions.KEPT)


def _is_answered(read: StoredRead) -> bool:
    result = read.result
    return result is not None and not (result.outcome is ReadOutcome.REFUSED and result.error_class == "transient")
