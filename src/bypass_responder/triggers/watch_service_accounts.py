"""Once a day, the sources of evidence are asked whether bypassed service accounts behave like people.

Part of the timer ``gather_evidence``. It changes nothing but its own rows, and raises a health alert.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.case.like_a_person import MOST_NOTIFIED, report_signs
from bypass_responder.errors import ConflictError, InputError, PermissionMissingError, RefusedError
from bypass_responder.evidence.asking import LEASE, ask_question
from bypass_responder.evidence.service_accounts import (
    EVERY,
    LIST,
    MOST_ACCOUNTS,
    compared,
    new_inquiries,
    question_of,
    signs_of,
)
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.session import change_health

if TYPE_CHECKING:
    from bypass_responder.model.gathered import Inquiry
    from bypass_responder.services import Services

MOST_ASKED = 30
"""Questions of one run; the next run goes on."""
REPORTED_WITHIN = timedelta(hours=1)
"""Of an answer: a run that ends before it has reported what it read is made up for."""


async def watch_service_accounts(services: Services) -> None:
    """Ask what is due about the allowlisted accounts that are on, and report what a service would not do."""
    try:
        baseline = await services.sweeps.baseline()
    except InputError:
        return
    covered = {each.object_id: each.name for each in baseline.entries.values() if each.covered} if baseline else {}
    accounts = {object_id: name for object_id, name in covered.items() if object_id}
    if not accounts:
        return
    now = services.clock()
    there = await services.gathered.inquiries(LIST)
    if new_inquiries(accounts, there, now=now):
        named = await _named(accounts, services)
        there = await services.gathered.start(LIST, new_inquiries(named, there, now=now))
    due = [each for each in there if each.account.object_id in accounts and each.next_at <= now][:MOST_ASKED]
    done = await asyncio.gather(*map(limited(partial(_ask, services=services)), due), return_exceptions=True)
    now_known = {each.key: each for each in (*there, *done) if not isinstance(each, BaseException)}
    fresh = [each for each in now_known.values() if each.answered_at and each.answered_at > now - REPORTED_WITHIN]
    found = [(each.answered_at, sign) for each in fresh if each.answered_at for sign in signs_of(each)]
    if found:
        signs, read_at = [sign for _, sign in found], max(at for at, _ in found)
        for _ in range(0, len(signs), MOST_NOTIFIED):
            await change_health(partial(report_signs, signs=signs, read_at=read_at), services)
    for problem in done:
        if isinstance(problem, BaseException):
            raise problem


async def _named(accounts: dict[str, str], services: Services) -> dict[str, str]:
    """Return the accounts with the user principal names that the allowlist has, or the directory."""
    rows = [row async for row in services.allowlist.entries()]
    names = accounts | {row.object_id: row.display_name for row in rows if isinstance(row, AllowlistEntry)}
    unknown = [object_id for object_id in list(accounts)[:MOST_ACCOUNTS] if "@" not in names[object_id]]
    found = await asyncio.gather(*map(limited(partial(_name_of, services=services)), unknown))
    return {object_id: names[object_id] for object_id in accounts} | dict(zip(unknown, found, strict=True))


async def _name_of(object_id: str, services: Services) -> str:
    """Return the user principal name of an account; empty where the directory does not give it."""
    try:
        account = await services.directory.find(object_id)
    except (PermissionMissingError, RefusedError):
        return ""
    return account.user_principal_name if account else ""


async def _ask(inquiry: Inquiry, services: Services) -> Inquiry:
    """Claim a question, ask it, and return it as it is stored now. A lost claim is another run's."""
    now = services.clock()
    began = inquiry.first_asked_at if inquiry.memo is not None and inquiry.first_asked_at else now
    try:
        claim = {"first_asked_at": began, "next_at": now + LEASE}
        asked = await services.gathered.put(inquiry.model_copy(update=claim))
        outcome = await ask_question(asked, question_of(inquiry, now=began), services.sources, services.clock)
        done = outcome.inquiry
        if done.answered_at != inquiry.answered_at:
            after = {"next_at": services.clock() + EVERY, "failed": 0}
            answer = compared(done.answer, inquiry.answer) if done.source == "inbox_rules" else done.answer
            done = done.model_copy(update=after | {"answer": answer})
        return await services.gathered.put(done)
    except ConflictError:
        return inquiry
