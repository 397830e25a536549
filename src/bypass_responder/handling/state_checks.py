"""Findings that report a state: Exchange is asked in turn, and believed only when its answer cannot be stale."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case import episode, no_action
from bypass_responder.case.evidence import FINDINGS_PER_TRANSACTION
from bypass_responder.case.exchange_question import ask
from bypass_responder.decision import Naming
from bypass_responder.handling.run_steps import new_command
from bypass_responder.model.base import backoff, latest
from bypass_responder.model.change import Outcome
from bypass_responder.model.finding import Finding, FindingState, Source
from bypass_responder.model.message import CommandKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from bypass_responder.case.draft import Draft
    from bypass_responder.handling.identify import Ask, Identified
    from bypass_responder.model.account import Account
    from bypass_responder.session import Services

TURN, LONGEST_TURN = timedelta(minutes=5), timedelta(hours=1)
"""How long a hint waits until it is examined again: doubled each time."""
STALE_READ = timedelta(minutes=10)
"""Exchange takes up to five minutes to replicate; twice that."""


def wait_for_a_turn(draft: Draft) -> None:
    """Put off every due hint of the target until Exchange may be asked again."""
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
    """Record Exchange's answer about an account that the sweep no longer lists: off, missing, or asked again."""
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


def wait_until_certain(draft: Draft, finding: Finding, *, account: Account | None) -> None:
    """Ask Exchange again when its answer can no longer be stale."""
    checks = tuple(check for check in finding.checks if account is None or check.object_id != account.object_id)
    again = (draft.case.head.restored_at or draft.now) + STALE_READ
    draft.put(finding.model_copy(update={"checks": checks, "next_at": max(again, draft.now + TURN)}))


def ask_exchange(draft: Draft, finding: Finding, question: Ask, services: Services) -> None:
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
