"""What would happen if an account went dark now, by the same pure decision that the responder makes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bypass_responder.case.allowlist import in_force
from bypass_responder.decision import Decision, Disposition, Facts, Naming, decide
from bypass_responder.model.account import AllowlistEntry, MalformedEntry, row_of
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.step import StepKind
from bypass_responder.operating.app_rules import settings_of_app

if TYPE_CHECKING:
    from bypass_responder.model.account import Account
    from bypass_responder.services import Services
    from bypass_responder.settings import Settings

Row = AllowlistEntry | MalformedEntry | None
PHRASES = {
    StepKind.DISABLE_BYPASS: "auditing restored",
    StepKind.REVOKE_SESSIONS: "sessions revoked",
    StepKind.BLOCK_SIGN_IN: "sign-in blocked",
}


class Explanation(Value):
    """What would be done about an account whose bypass is switched on at ``at``, and why."""

    object_id: str
    account: str
    at: Utc
    verdict: str
    reason: str
    steps: dict[StepKind, Disposition]
    enforce: bool
    protected: bool
    sentence: str
    entry: dict[str, str]
    """The columns of its allowlist row, empty when it has none."""


async def explain(account: Account, services: Services) -> Explanation:
    """Return what would happen if this account went dark now, and that a limit may hold it."""
    settings, now = await settings_of_app(services), services.clock()
    exact, misspelled = await services.allowlist.get(account.object_id), await services.allowlist.misspelled()
    row: Row = row_of(account, exact, misspelled, now=now)
    case = await services.ledger.load(account.object_id)
    entry = in_force(row, case, approval_required=settings.approval_required)
    decision = went_dark(account.object_id, entry, settings, now=now)
    return Explanation(
        object_id=account.object_id,
        account=account.user_principal_name,
        at=now,
        verdict=decision.verdict.value,
        reason=decision.reason,
        steps=decision.steps,
        enforce=settings.enforce,
        protected=account.object_id in settings.protected,
        sentence=f"{sentence(decision, enforce=settings.enforce)}{_within_limit(decision)}",
        entry=row.columns if row else {},
    )


def went_dark(object_id: str, entry: Row, settings: Settings, *, now: datetime) -> Decision:
    """Return the decision about a record that switches the bypass on now. Pure."""
    facts = Facts(
        effective_at=now,
        naming=Naming.ONE_ACCOUNT,
        first_run=False,
        protected=object_id in settings.protected,
        allowlist=entry,
        exchange_on=None,
        confirmed=True,
    )
    return decide(facts, now=now).automatic(settings.automatic_controls)


def no_longer_covered(object_id: str, entry: Row, settings: Settings, *, since: datetime, now: datetime) -> Decision:
    """Return the decision of the next sweep that lists an account whose entry covered it until now. Pure.

    ``entry``: as it would be then, None when it is removed. ``since``: since when the bypass is known to be on.
    """
    facts = Facts(
        effective_at=now,
        naming=Naming.ONE_ACCOUNT,
        first_run=True,
        protected=object_id in settings.protected,
        allowlist=entry,
        exchange_on=True,
        confirmed=False,
        on_since=since,
        was_covered=True,
    )
    return decide(facts, now=now).automatic(settings.automatic_controls)


def _within_limit(decision: Decision) -> str:
    """Return the sentence about the hourly limit, where a block would be made at once; else empty."""
    if decision.stands_down or decision.steps.get(StepKind.BLOCK_SIGN_IN) is not Disposition.NOW:
        return ""
    return " Once CONTAINMENT_LIMIT_PER_HOUR accounts are blocked within an hour, this block waits for a person."


def sentence(decision: Decision, *, enforce: bool) -> str:
    """Return what a decision does to the account, in one sentence."""
    if decision.stands_down:
        return f"Nothing would be done: {decision.reason}."
    now = [PHRASES[kind] for kind, each in decision.steps.items() if each is Disposition.NOW]
    held = [PHRASES[kind] for kind, each in decision.steps.items() if each is Disposition.HELD]
    parts = [f"At once: {', '.join(now)}"] if now else []
    parts += [f"after a person approves: {', '.join(held)}"] if held else []
    observe = "" if enforce else ". MODE is observe: it would be recorded, and nothing done"
    return f"{'; '.join(parts)} ({decision.reason}){observe}."
