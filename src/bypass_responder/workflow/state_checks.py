"""Findings that tell a state and no event: Exchange is asked in turn, and believed only when it cannot be stale."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.model.change import Outcome
from bypass_responder.model.finding import Finding, FindingState, Source
from bypass_responder.model.message import CommandKind
from bypass_responder.response import record
from bypass_responder.response.exchange import ask, outstanding
from bypass_responder.workflow.acting import new_command
from bypass_responder.workflow.health import raise_health

if TYPE_CHECKING:
    from collections.abc import Callable

    from bypass_responder.model.account import Account
    from bypass_responder.response.draft import Draft
    from bypass_responder.workflow.identify import AskExchange, Identified
    from bypass_responder.workflow.services import Services, Session

TURN = timedelta(minutes=5)
"""How long a hint waits before it looks again whether Exchange may be asked."""
STALE_READ = timedelta(minutes=10)
"""Exchange takes up to five minutes to replicate; twice that."""


async def ask_in_turn(finding: Finding, question: AskExchange, session: Session, services: Services) -> None:
    """Ask Exchange. Alerts may cause only so many questions an hour; above that they wait, and it is told."""
    if finding.source is Source.HINT and outstanding(session.view(), CommandKind.CHECK_BYPASS) is None:
        limit, key = services.settings.hint_checks_per_hour, f"{finding.id}-{question.identity or ''}"
        if not await services.hint_checks.take(key, limit=limit, now=services.clock()):
            await session.apply(until_decided(finding, _wait_for_a_turn))
            detail = f"More than {limit} alerts in an hour wanted Exchange to be asked."
            await raise_health("hints_waiting", detail, services)
            return
    await session.apply(lambda draft: _ask(draft, finding, question, services))


def _wait_for_a_turn(draft: Draft, finding: Finding) -> None:
    draft.put(finding.model_copy(update={"next_at": draft.now + TURN}))


def record_gone(draft: Draft, finding: Finding, *, identified: Identified) -> None:
    """Exchange was asked about an account that the sweep did not list any more."""
    if identified.exchange_on:
        reason = "the sweep did not list it, and Exchange says that it is on"
        record.stand_down(draft, finding, verdict="unconfirmed", reason=reason)
        return
    seen = finding.model_copy(update={"effective_at": identified.read_at or draft.now, "outcome": Outcome.SUCCESS})
    record.record_switch_off(draft, seen, worker_ids=frozenset())


def may_be_stale(finding: Finding, identified: Identified, session: Session) -> bool:
    """A read of *on* so soon after auditing was proven back may come from a server that does not know it yet."""
    restored = session.case.head.restored_at
    if finding.source not in {Source.HINT, Source.SWEEP} or not identified.exchange_on or restored is None:
        return False
    return identified.read_at is None or identified.read_at <= restored + STALE_READ


def look_later(draft: Draft, finding: Finding, *, account: Account | None) -> None:
    """Exchange is asked once more when what it says is sure to be true."""
    checks = tuple(check for check in finding.checks if account is None or check.object_id != account.object_id)
    again = (draft.head.restored_at or draft.now) + STALE_READ
    draft.put(finding.model_copy(update={"checks": checks, "next_at": max(again, draft.now + TURN)}))


async def was_never_off(finding: Finding, account: Account, session: Session, services: Services) -> bool:
    """True unless the last complete sweep, or a later read, had the account off: nobody is contained on less.

    The last one is that of when the hint came. A sweep that listed the account since then is about the same episode.
    """
    baseline = await services.sweeps.baseline()
    if baseline is None:
        return True
    known = next((entry for entry in baseline.entries.values() if entry.object_id == account.object_id), None)
    if known is None:
        return False
    off_at = session.case.head.off_at
    if off_at is not None and off_at >= known.on_since:
        return False
    listed_since = known.on_since == baseline.started_at and finding.received_at < baseline.moved_at
    return not listed_since or baseline.first_at == baseline.started_at


def _ask(draft: Draft, finding: Finding, question: AskExchange, services: Services) -> None:
    current = draft.row(Finding, finding.row_key)
    if current is None or current.state is not FindingState.UNDECIDED:
        return
    draft.put(current.model_copy(update={"state": FindingState.WAITING}))
    command = new_command(draft, CommandKind.CHECK_BYPASS, services)
    ask(draft, command.model_copy(update={"object_id": question.object_id, "identity": question.identity}))


def until_decided(finding: Finding, transition: Callable[[Draft, Finding], None]) -> Callable[[Draft], None]:
    """The transition, on the finding as it is now, and only until it is decided (undecided or waiting)."""

    def only_once(draft: Draft) -> None:
        current = draft.row(Finding, finding.row_key)
        if current is not None and current.state is not FindingState.DECIDED:
            transition(draft, current)

    return only_once
