"""The answer to the daily read of the roles: who can set bypasses now, compared with the day before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bypass_responder.case.right_holders import record_holders
from bypass_responder.errors import InputError
from bypass_responder.model.base import first_problem
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.exchange_read import ReadKind, ReadOutcome
from bypass_responder.model.organization_read import OrganizationRead
from bypass_responder.rights import EXCHANGE_GRANTS, EXCHANGE_ROLE_GROUP, ExchangeSet
from bypass_responder.session import change_if_needed, open_session

if TYPE_CHECKING:
    from bypass_responder.model.exchange_read import ReadResult
    from bypass_responder.services import Services


async def watch_rights(result: ReadResult, services: Services) -> None:
    """Record who can set bypasses, if that is what was read.

    Raises InputError for content that is no such answer.
    """
    if result.kind is not ReadKind.ORGANIZATION or result.outcome is not ReadOutcome.READ:
        return
    lines = [line async for line in services.reads.lines(result)]
    try:
        answer = OrganizationRead.model_validate_json(b"".join(lines))
    except ValidationError as error:
        raise InputError("wrong_type", f"the answer to read_organization: {first_problem(error)}") from None
    session = await open_session(TENANT_TARGET, services)
    record = partial(
        record_holders,
        answer=answer,
        read_at=result.started_at,
        own_group=EXCHANGE_ROLE_GROUP,
        reads_group=EXCHANGE_GRANTS[ExchangeSet.READS].group,
    )
    await change_if_needed(session, record, services)
