"""The response log of one account, or of the tenant, and the last verification of all logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.errors import InputError, NotFoundError
from bypass_responder.model.base import Utc, Value, is_target_key
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.log import LogEntry
from bypass_responder.model.self_check import LogVerification
from bypass_responder.operating.log_chain import first_break

if TYPE_CHECKING:
    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.services import Services

MOST_ENTRIES = 500


class AccountLog(Value):
    """The log page. ``subject``: an incident, an object id, or the word tenant."""

    read_at: Utc
    subject: str
    target: str
    incident_id: str | None
    entries: tuple[LogEntry, ...]
    total: int
    problem: str
    """Why the chain breaks in what is shown; empty when each line holds the hash of the line before it."""
    verification: LogVerification | None = None
    """Of all logs, by the responder, once a day; None: not yet."""


async def read_account_log(subject: str, services: Services, checks: SelfChecks) -> AccountLog:
    """Return the newest entries about an account, an incident or the tenant. Raises NotFoundError."""
    target, incident_id = await _place(subject.strip() or TENANT_TARGET, services)
    try:
        chain = [entry async for entry in services.ledger.log(target)]
        problem = first_break(chain)
    except InputError as error:
        chain, problem = [], str(error)
    about = [entry for entry in chain if incident_id is None or entry.incident_id in {incident_id, None}]
    return AccountLog(
        read_at=services.clock(),
        subject=subject,
        target=target,
        incident_id=incident_id,
        entries=tuple(reversed(about[-MOST_ENTRIES:])),
        total=len(about),
        problem=problem,
        verification=await _verification(checks),
    )


async def read_whole_log(subject: str, services: Services) -> list[LogEntry]:
    """Return every entry about an account, an incident or the tenant, oldest first. Raises NotFoundError."""
    target, incident_id = await _place(subject.strip() or TENANT_TARGET, services)
    entries = [entry async for entry in services.ledger.log(target)]
    return [entry for entry in entries if incident_id is None or entry.incident_id in {incident_id, None}]


async def _verification(checks: SelfChecks) -> LogVerification | None:
    try:
        return await checks.store.last_verification()
    except InputError:
        return None


async def _place(subject: str, services: Services) -> tuple[str, str | None]:
    target = subject.lower()
    if is_target_key(target) or target == TENANT_TARGET:
        return target, None
    entry = await services.index.get(subject)
    if entry is None:
        raise NotFoundError(f"{subject} matches no incident. Give an incident id or an object id.")
    return entry.target, entry.id if entry.kind == "incident" else None
