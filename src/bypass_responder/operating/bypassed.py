"""The bypassed accounts as of the last complete sweep, each with its allowlist justification."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Literal

from bypass_responder.bounded import limited
from bypass_responder.case import sweep_row
from bypass_responder.case.account_state import active_incidents, shown_of
from bypass_responder.errors import ConflictError, InputError
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import Shown
from bypass_responder.operating.status import sweep_doubt, sweep_overdue
from bypass_responder.session import open_session

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.model.case import Case
    from bypass_responder.model.self_check import SelfCheck
    from bypass_responder.model.sweep import BaselineEntry
    from bypass_responder.services import Services

MOST_CASES = 200
"""Accounts without an allowlist entry whose cases are read."""


class BypassedAccount(Value):
    """One account whose bypass was on in the last complete sweep.

    Texts are empty where the allowlist has none.
    """

    object_id: str | None
    """None for an object of Exchange that Entra does not have."""
    account: str
    on_since: Utc
    """When the first sweep that saw it on began to read."""
    allowlisted: bool
    """The allowlist covered it in that sweep."""
    reason_class: str = ""
    justification: str = ""
    owner: str = ""
    ticket: str = ""
    expires_at: Utc | None = None
    incident: str = ""
    """The account's newest incident that nobody has ended."""
    bypass: Literal["on", "off"] = "on"
    """As last read. Later than the sweep where the responder has read it since."""
    bypass_at: Utc


class BypassedAccounts(Value):
    """Who is bypassed."""

    as_of: Utc | None
    """When the last complete sweep began to read; None before the first."""
    doubt: str
    """Why the list may be out of date; empty when it is not."""
    accounts: tuple[BypassedAccount, ...]
    """Those without an allowlist entry first."""
    total: int
    """How many were on in that sweep. The console's list is bounded."""

    @property
    def others(self) -> int:
        """How many are on and not allowlisted."""
        return sum(not each.allowlisted and each.bypass == "on" for each in self.accounts)


async def bypassed_accounts(
    services: Services, check: SelfCheck | None = None, *, most: int | None = None
) -> BypassedAccounts:
    """Return the accounts that are bypassed, at most ``most``. ``check``: the app's last self-check.

    Raises InputError when the list of the sweep cannot be read.
    """
    sweep = sweep_row.current((await open_session(TENANT_TARGET, services)).case)
    doubt = sweep_doubt(sweep, now=services.clock(), overdue=sweep_overdue(services, check))
    baseline = await services.sweeps.baseline()
    if baseline is None:
        return BypassedAccounts(as_of=None, doubt=doubt, accounts=(), total=0)
    rows = [entry async for entry in services.allowlist.entries()]
    allowed = {entry.object_id: entry for entry in rows if isinstance(entry, AllowlistEntry)}
    total = len(baseline.entries) + baseline.left_out
    found = sorted(baseline.entries.values(), key=lambda each: (each.covered, each.name or each.object_id or ""))[:most]
    unexplained = [each.object_id for each in found if not each.covered and each.object_id][:MOST_CASES]
    cases = await asyncio.gather(*map(limited(partial(_case, services=services)), unexplained))
    known = dict(zip(unexplained, cases, strict=True))
    accounts = tuple(
        _account(each, allowed.get(each.object_id or ""), known.get(each.object_id or ""), baseline.started_at)
        for each in found
    )
    return BypassedAccounts(as_of=baseline.started_at, doubt=doubt, accounts=accounts, total=total)


async def _case(object_id: str, services: Services) -> Case | None:
    try:
        return await services.ledger.load(object_id, history=True)
    except (InputError, ConflictError):
        return None


def _account(
    entry: BaselineEntry, row: AllowlistEntry | None, case: Case | None, swept_at: datetime
) -> BypassedAccount:
    shown = shown_of(case) if case else Shown()
    last = case.incident(case.head.last_incident) if case else None
    name = row.display_name if row else last.account.user_principal_name if last and last.account else ""
    active = [row.id for row in active_incidents(case) if not row.about_actor] if case else []
    later = shown.bypass is not None and shown.bypass_at is not None and shown.bypass_at > swept_at
    return BypassedAccount(
        object_id=entry.object_id,
        account=name or entry.name or entry.object_id or "unknown",
        on_since=entry.on_since,
        allowlisted=entry.covered,
        reason_class=row.reason_class if row else "",
        justification=row.justification if row else "",
        owner=row.owner if row else "",
        ticket=row.ticket if row else "",
        expires_at=row.expires_at if row else None,
        incident=active[-1] if active else "",
        bypass=shown.bypass if later and shown.bypass else "on",
        bypass_at=shown.bypass_at if later and shown.bypass_at else swept_at,
    )
