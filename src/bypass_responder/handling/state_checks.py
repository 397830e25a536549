"""Findings that tell a state and no event: Exchange is asked in turn, and believed only when it cannot be stale."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case import episode, no_action
from bypass_responder.case.evidence import FINDINGS_PER_TRANSACTION
from bypass_responder.case.exchange_question import ask, outstanding
from bypass_responder.decision import Naming
from bypass_responder.handling.run_steps import new_command
from bypass_responder.model.base import backoff, latest
from bypass_responder.model.change import Outcome
from bypass_responder.model.finding import Finding, FindingState, Source
from bypass_responder.model.message import CommandKind
from bypass_responder.session import raise_health

if TYPE_CHECKING:
    from collections.abc import Callable

    from bypass_responder.case.draft import Draft
    from bypass_responder.handling.identify import AskExchange, Identified
    from bypass_responder.model.account import Account
    from bypass_responder.session import Services, Session

TURN, LONGEST_TURN = timedelta(minutes=5), timedelta(hours=1)
"""How long a hint waits before it looks again whether Exchange may be asked: doubled each time."""
STALE_READ = timedelta(minutes=10)
"""Exchange takes up to five minutes to replicate; twice that."""


async def has_a_turn(finding: Finding, session: Session, services: Services) -> bool:
    """Alerts may cause only so many questions an hour. Above that all hints of the target wait, and it is told.

    Looked at before anything is asked of Graph: somebody may send thousands.
    """
    if finding.source is not Source.HINT or finding.checks:
        return True
    if outstanding(session.case, CommandKind.CHECK_BYPASS) is not None:
        return True  # the answer that is awaited is about this target, too
    limit = services.settings.hint_checks_per_hour
    if await services.hint_checks.take(finding.id, limit=limit, now=services.clock()):
        return True
    await session.apply(_wait_for_a_turn)
    await raise_health("hints_waiting", f"More than {limit} alerts in an hour wanted Exchange to be asked.", services)
    return False


def _wait_for_a_turn(draft: Draft) -> None:
    waiting = [
        row
        for row in draft.case.rows(Finding)
        if row.source is Source.HINT and row.state is FindingState.UNDECIDED and not row.checks
        if row.next_at is None or row.next_at <= draft.now
    ]
    for finding in waiting[:FINDINGS_PER_TRANSACTION]:
        again = backoff(finding.turns_missed, first=TURN, longest=LONGEST_TURN)
        missed = {"turns_missed": finding.turns_missed + 1, "next_at": draft.now + again}
        draft.put(finding.model_copy(update=missed))


def record_gone(draft: Draft, finding: Finding, *, identified: Identified) -> None:
    """Exchange was asked about an account that the sweep did not list any more: off, gone, or asked at the next one."""
    gone = identified.naming in {Naming.NONE, Naming.NOT_IN_EXCHANGE}
    if not gone and identified.exchange_on is not False:
        state = "it is on" if identified.exchange_on else "more than one account, or none that it may look up"
        no_action.stand_down(
            draft, finding, verdict="unconfirmed", reason=f"the sweep did not list it; Exchange: {state}"
        )
        return
    at = identified.read_at or draft.now
    if gone:
        draft.move_head(gone_at=latest(draft.case.head.gone_at, at))
    seen = finding.model_copy(update={"effective_at": at, "outcome": Outcome.SUCCESS})
    what = "the account is gone" if gone else "Exchange says that it is off"
    no_action.record_swept_off(draft, seen, reason=f"the sweep did not list it, and {what}")
    incident = episode.current_incident(draft.case)
    if not gone and incident is not None and incident.restored_at is None:
        episode.mark_restored(draft, incident, at, how="the sweep did not list it, and Exchange says off")


def may_be_stale(finding: Finding, identified: Identified, session: Session) -> bool:
    """A read of *on* so soon after auditing was proven back may come from a server that does not know it yet."""
    restored = session.case.head.restored_at
    if finding.source not in {Source.HINT, Source.SWEEP} or not identified.exchange_on or restored is None:
        return False
    return identified.read_at is None or identified.read_at <= restored + STALE_READ


def look_later(draft: Draft, finding: Finding, *, account: Account | None) -> None:
    """Exchange is asked once more when what it says is sure to be true."""
    checks = tuple(check for check in finding.checks if account is None or check.object_id != account.object_id)
    again = (draft.case.head.restored_at or draft.now) + STALE_READ
    draft.put(finding.model_copy(update={"checks": checks, "next_at": max(again, draft.now + TURN)}))


async def was_never_off(finding: Finding, account: Account, session: Session, services: Services) -> bool:
    """True unless the last complete sweep, or a later read, had the account off: nobody is contained on less.

    The last one is that of when the hint came. A sweep that listed the account since then is about the same episode.
    """
    baseline = await services.sweeps.baseline()
    if baseline is None:
        return True
    guids = {check.exchange_guid for check in finding.checks if check.object_id == account.object_id}
    known = next(
        (it for guid, it in baseline.entries.items() if it.object_id == account.object_id or guid in guids), None
    )
    if known is None:
        return session.case.head.gone_at is not None
    off_at = session.case.head.off_at
    if off_at is not None and off_at >= known.on_since:
        return False
    listed_since = known.on_since == baseline.started_at and finding.received_at < baseline.moved_at
    return not listed_since or baseline.first_at == baseline.started_at


def ask_exchange(draft: Draft, finding: Finding, question: AskExchange, services: Services) -> None:
    """Plan the question that only Exchange can answer; the finding waits for it."""
    current = draft.case.row(Finding, finding.row_key)
    if current is None or current.state is not FindingState.UNDECIDED:
        return
    draft.put(current.model_copy(update={"state": FindingState.WAITING}))
    command = new_command(draft, CommandKind.CHECK_BYPASS, services)
    ask(draft, command.model_copy(update={"object_id": question.object_id, "identity": question.identity}))


def until_decided(finding: Finding, transition: Callable[[Draft, Finding], None]) -> Callable[[Draft], None]:
    """The transition, on the finding as it is now, and only until it is decided (undecided or waiting)."""

    def only_once(draft: Draft) -> None:
        current = draft.case.row(Finding, finding.row_key)
        if current is not None and current.state is not FindingState.DECIDED:
            transition(draft, current)

    return only_once
