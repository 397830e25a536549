"""From a stored finding to a decision that is stored before anything is done."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, assert_never

from bypass_responder.case import evidence, no_action
from bypass_responder.decision import Verdict
from bypass_responder.errors import ResponderError
from bypass_responder.handling.examine import Decided, Elsewhere, RecordOnly, Wait, examine
from bypass_responder.handling.identify import Ask
from bypass_responder.handling.state_checks import (
    ask_exchange,
    record_gone,
    until_decided,
    wait_for_a_turn,
    wait_until_certain,
)
from bypass_responder.handling.store_decision import store_within_limit
from bypass_responder.model.base import guid_or_none, target_key
from bypass_responder.model.change import Switch
from bypass_responder.model.finding import STATES, Finding, FindingState, Source
from bypass_responder.model.notification import Severity
from bypass_responder.session import announced, raise_health
from bypass_responder.settings import ActorResponse

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft
    from bypass_responder.handling.identify import Lookups
    from bypass_responder.handling.run_steps import Claimed
    from bypass_responder.model.account import Account
    from bypass_responder.session import Services, Session


UNDECIDED_TOO_LONG = timedelta(minutes=15)


async def decide_findings(
    session: Session, services: Services, lookups: Lookups
) -> tuple[list[Claimed], set[str], list[Exception]]:
    """Decide every finding that is due, oldest first; hints last, since a sender may send many.

    Returns the steps that were claimed in the same transactions, the targets that findings were handed on to, and the
    errors of findings that could not be decided: they hold back no other and are retried.
    """
    now = services.clock()
    due = [
        finding
        for finding in session.case.rows(Finding)
        if finding.state is FindingState.UNDECIDED and (finding.next_at is None or finding.next_at <= now)
    ]
    claimed: list[Claimed] = []
    elsewhere: set[str] = set()
    problems: list[Exception] = []
    waiting = False
    for finding in sorted(due, key=lambda found: (found.source is Source.HINT, found.effective_at, found.id)):
        if finding.source is Source.HINT and waiting:
            continue
        try:
            outcome = await examine(finding, session.case, services, lookups)
            mine, moved = await _store(finding, outcome, session, services)
        except ResponderError as error:
            problems.append(error)
            if now - finding.received_at > UNDECIDED_TOO_LONG:
                await session.apply(partial(_notify_undecided, finding=finding, error=error))
            continue
        claimed += mine
        elsewhere |= moved
        waiting = waiting or outcome == Wait("no_question_left")
    return claimed, elsewhere, problems


def _notify_undecided(draft: Draft, finding: Finding, error: ResponderError) -> None:
    draft.notify(
        "undecided",
        f"Not decided yet: {finding.identity_text or finding.object_id_text}",
        f"{error.diagnostics()} It is retried every minute; until then nobody is contained for it.",
        key=finding.id,
        severity=Severity.CRITICAL,
        left_to_do=("Fix what it names, or check the account manually.", f"The actor: {finding.actor}"),
    )


async def _store(
    finding: Finding, outcome: Ask | Wait | Elsewhere | RecordOnly | Decided, session: Session, services: Services
) -> tuple[list[Claimed], set[str]]:
    """Store what ``examine`` found. Returns the claimed steps, and other targets that have findings now."""
    match outcome:
        case Ask():
            await session.apply(partial(ask_exchange, finding=finding, question=outcome, services=services))
        case Wait("no_question_left"):
            await session.apply(wait_for_a_turn)
            limit = services.settings.hint_checks_per_hour
            await raise_health("hints_waiting", f"More than {limit} alerts in an hour required a question.", services)
        case Wait(account=account):
            await session.apply(until_decided(finding, partial(wait_until_certain, account=account)))
        case Elsewhere(moving, account):
            await _hand_on(moving, account, session, services)
            return [], {account.object_id}
        case RecordOnly(identified) if identified is not None:
            await session.apply(until_decided(finding, partial(record_gone, identified=identified)))
        case RecordOnly():
            worker_ids = services.settings.exchange_worker_ids
            await session.apply(until_decided(finding, partial(_record, worker_ids=worker_ids)))
        case Decided():
            return await _store_decided(outcome, session, services)
        case _:
            assert_never(outcome)
    return [], set()


async def _store_decided(decided: Decided, session: Session, services: Services) -> tuple[list[Claimed], set[str]]:
    finding, decision = decided.finding, decided.decision
    news = not evidence.belongs_to_the_past(session.case, finding)
    violation = news and decision.verdict is Verdict.VIOLATION
    actor = await _also_the_actor(finding, decided.identified.account, services) if violation else set()
    return await store_within_limit(decided, session, services), actor


def _record(draft: Draft, finding: Finding, *, worker_ids: frozenset[str]) -> None:
    """Record a switching-off, or a failed attempt. Neither decides anything."""
    if finding.switch is Switch.OFF:
        no_action.record_switch_off(draft, finding, worker_ids=worker_ids)
    else:
        no_action.record_attempt(draft, finding)


async def _also_the_actor(finding: Finding, target: Account | None, services: Services) -> set[str]:
    """Where ``ACTOR_RESPONSE`` is contain, the account that ran the cmdlet gets its own finding."""
    actor = finding.actor
    names = {"object_id_text": actor.object_id or "", "identity_text": actor.user_id or ""}
    own = {target.object_id, target.user_principal_name.casefold()} if target else set()
    if services.settings.actor_response is not ActorResponse.CONTAIN or not any(names.values()):
        return set()
    if finding.source is Source.ACTOR or finding.source in STATES:
        return set()  # a state confirms only the target, and an alert may name any account as actor
    if {name.casefold() for name in names.values()} & own:
        return set()
    key = guid_or_none(names["object_id_text"]) or target_key(*names.values())
    about = {"id": f"actor-{finding.id}", "target": key, "source": Source.ACTOR, "checks": (), "confirmed_by": None}
    async with announced(key, services):
        await services.ledger.add_finding(finding.model_copy(update=about | names))
    return {key}


async def _hand_on(finding: Finding, account: Account, session: Session, services: Services) -> None:
    """The names resolved to one account: the finding moves to that account's own case, with what is known so far."""
    target = account.object_id
    moved = finding.model_copy(update={"target": target, "state": FindingState.UNDECIDED, "next_at": None})
    async with announced(target, services):
        await services.ledger.add_finding(moved)

    def close(draft: Draft, current: Finding) -> None:
        no_action.close_finding(draft, current, verdict="resolved", reason=f"it is about {account}")
        draft.log("resolved", f"the names stand for {account}", record=finding.id, names=list(finding.names))

    await session.apply(until_decided(finding, close))
