"""What the worker last read, as a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from bypass_responder.errors import ResponderError
from bypass_responder.model.exchange_read import ReadKind, ReadOutcome
from bypass_responder.model.organization_read import OrganizationRead

if TYPE_CHECKING:
    from bypass_responder.services import Services


async def read_organization(services: Services) -> OrganizationRead | None:
    """Return the organization as the worker last read it; None if there is none that can be read here."""
    try:
        last = await services.reads.newest(ReadKind.ORGANIZATION, answered=True)
        if last is None or last.result is None or last.result.outcome is not ReadOutcome.READ:
            return None
        async for line in services.reads.lines(last.result):
            return OrganizationRead.model_validate_json(line)
    except (ResponderError, ValidationError):
        return None
    return None
