"""Timer ``read_posture``: begin a daily read of all mailboxes, continue it, and compare it.

Answers continue the read as well (``record_exchange_read``). The comparison follows when the read has ended; it runs
only here, away from everything that acts. A plan of mailbox changes goes on here when its hour has slots again, or an
answer did not come. Last, what the sensors deferred of permissions is compared.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.handling.carry_out_plan import advance_plan
from bypass_responder.operating.posture.reading import advance_read, begin_read, finish_read
from bypass_responder.triggers.store_permissions import compare_permissions

if TYPE_CHECKING:
    from bypass_responder.services import Services

EVERY = timedelta(hours=24)


async def read_posture(services: Services) -> None:
    """Begin a read if the last is a day old; take answers, ask further parts, compare what has ended."""
    try:
        await begin_read(services, unless_since=services.clock() - EVERY)
        await advance_read(services)
        await finish_read(services)
    finally:
        try:
            await advance_plan(services)
        finally:
            await compare_permissions(services)
