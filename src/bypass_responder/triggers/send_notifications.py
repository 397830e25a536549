"""The run that delivers notifications, started by a message on its queue."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bypass_responder.handling.notify import deliver

if TYPE_CHECKING:
    from bypass_responder.services import Services


async def send_notifications(services: Services) -> None:
    """Deliver due notifications to all receivers concurrently. Raises at the end; the scheduler retries."""
    outcomes = await asyncio.gather(*(deliver(name, services) for name in services.receivers), return_exceptions=True)
    problems = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if problems:
        raise ExceptionGroup("some notifications could not be delivered; they are retried", problems)
