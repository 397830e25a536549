"""From a stored finding to a decision that is stored before anything is done."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.case import evidence, no_action
from bypass_responder.decision import Facts, Naming, Verdict, decide, decide_actor
from bypass_responder.errors import ResponderError
from bypass_responder.handling.identify import AskExchange, Identified, identify, took_effect
from bypass_responder.handling.state_checks import (
    ask_exchange,
    has_a_turn,
    look_later,
    may_be_stale,
    record_gone,
    until_decided,
    was_never_off,
)
from bypass_responder.handling.store_decision import store_plan, store_within_limit
from bypass_responder.model.base import guid_or_none, target_key
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.finding import STATES, Finding, FindingState, Source
from bypass_responder.model.notification import Severity
from bypass_responder.session import announced
from bypass_responder.settings import ActorResponse

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft
    from bypass_responder.handling.identify import Lookups
    from bypass_responder.handling.run_steps import Claimed
    from bypass_responder.model.account import Account, AllowlistEntry, MalformedEntry
    from bypass_responder.session import Services, Session


UNDECIDED_TOO_LONG = timedelta(minutes=15)


async def decide_findings(
    session: Session, services: Services, lookups: Lookups
) -> tuple[list[Claimed], set[str], list[Exception]]:
    """Decide every finding that is due, oldest first; hints last, for somebody may send many.

    Returns the steps that were claimed in the same transactions, the targets that findings were handed on to, and the
    errors of findings that could not be decided: they hold back no other and are tried again.
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
            mine, moved = await _decide_one(finding, session, services, lookups)
        except ResponderError as error:
            problems.append(error)
            if now - finding.received_at > UNDECIDED_TOO_LONG:
                await session.apply(partial(_tell_undecided, finding=finding, error=error))
            continue
        claimed += mine
        elsewhere |= moved
        waiting = waiting or _waits(finding, session)
    return claimed, elsewhere, problems


def _waits(finding: Finding, session: Session) -> bool:
    """There was no question left for this hint, so there is none for the others of the target."""
    row = session.case.row(Finding, finding.row_key)
    return row is not None and row.turns_missed > finding.turns_missed


def _tell_undecided(draft: Draft, finding: Finding, error: ResponderError) -> None:
    draft.notify(
        "undecided",
        f"Not decided yet: {finding.identity_text or finding.object_id_text}",
        f"{error.diagnostics()} It is tried again every minute; until then nobody is contained for it.",
        key=finding.id,
        severity=Severity.CRITICAL,
        left_to_do=("Mend what it names, or look at the account by hand.", f"The actor: {finding.actor}"),
    )


async def _decide_one(
    finding: Finding, session: Session, services: Services, lookups: Lookups
) -> tuple[list[Claimed], set[str]]:
    gone = finding.source is Source.SWEEP and finding.switch is Switch.OFF
    if not gone and (finding.switch is Switch.OFF or finding.outcome is Outcome.FAILED):
        await session.apply(until_decided(finding, partial(_record, worker_ids=services.settings.exchange_worker_ids)))
        return [], set()
    if not await has_a_turn(finding, session, services):
        return [], set()
    doubtful = evidence.in_the_second_of_restoration(session.case, finding)
    identified = await identify(finding, lookups, now=services.clock(), doubtful=doubtful)
    if isinstance(identified, AskExchange):
        await session.apply(lambda draft: ask_exchange(draft, finding, identified, services))
        return [], set()
    if gone:
        await session.apply(until_decided(finding, partial(record_gone, identified=identified)))
        return [], set()
    if may_be_stale(finding, identified, session):
        await session.apply(until_decided(finding, partial(look_later, account=identified.account)))
        return [], set()
    if finding.source in STATES and identified.exchange_on:
        finding = finding.model_copy(update={"effective_at": identified.read_at or services.clock()})
    account = identified.account
    if account is not None and account.object_id != finding.target:
        await _hand_on(finding, account, session, services)
        return [], {account.object_id}
    entry = await lookups.entry(account.object_id) if account else None
    facts = _facts(finding, identified, entry, services)
    if finding.source is Source.HINT and identified.exchange_on and account:
        facts = facts.model_copy(update={"first_run": await was_never_off(finding, account, session, services)})
    rule = decide_actor if finding.source is Source.ACTOR else partial(decide, now=services.clock())
    decision = rule(facts)
    news = not evidence.belongs_to_the_past(session.case, finding)
    violation = news and decision.verdict is Verdict.VIOLATION
    actor = await _also_the_actor(finding, account, services) if violation else set()
    store = partial(
        store_plan, finding=finding, decision=decision, identified=identified, entry=entry, services=services
    )
    return await store_within_limit(store, finding, decision.over_limit(), session, services), actor


def _record(draft: Draft, finding: Finding, *, worker_ids: frozenset[str]) -> None:
    """A record that decides nothing: somebody switched it off, or tried to switch it on."""
    if finding.switch is Switch.OFF:
        no_action.record_switch_off(draft, finding, worker_ids=worker_ids)
    else:
        no_action.record_attempt(draft, finding)


async def _also_the_actor(finding: Finding, target: Account | None, services: Services) -> set[str]:
    """Where ``ACTOR_RESPONSE`` is contain, the account that ran the cmdlet gets a finding of its own."""
    actor = finding.actor
    names = {"object_id_text": actor.object_id or "", "identity_text": actor.user_id or ""}
    own = {target.object_id, target.user_principal_name.casefold()} if target else set()
    if services.settings.actor_response is not ActorResponse.CONTAIN or not any(names.values()):
        return set()
    if finding.source is Source.ACTOR or finding.source in STATES:
        return set()  # of a state only the target is confirmed, and whoever sent an alert may name anybody
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


def _facts(
    finding: Finding, identified: Identified, entry: AllowlistEntry | MalformedEntry | None, services: Services
) -> Facts:
    account = identified.account
    return Facts(
        effective_at=finding.effective_at,
        naming=identified.naming,
        first_run=finding.first_run,
        protected=account is not None and account.object_id in services.settings.protected,
        allowlist=entry,
        exchange_on=identified.exchange_on,
        confirmed=took_effect(finding) and finding.source not in STATES - {Source.RECHECK},
        unverified_claim=finding.source is Source.HINT
        or (finding.source is Source.SWEEP and identified.naming is Naming.NOT_IN_EXCHANGE),
        on_since=finding.on_since,
        was_covered=finding.was_covered,
    )
