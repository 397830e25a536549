"""From a stored finding to a decision that is stored before anything is done."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, assert_never

from bypass_responder.case import episode, evidence, no_action, restoration
from bypass_responder.case.evidence import FINDINGS_PER_TRANSACTION
from bypass_responder.case.exchange_question import ask
from bypass_responder.case.filing import file_decided
from bypass_responder.case.tasks import Task, contain_actors, switch_off
from bypass_responder.decision import Naming, Verdict
from bypass_responder.errors import ResponderError
from bypass_responder.handling.examine import STALE_READ, Decided, Elsewhere, Unlisted, Wait, examine
from bypass_responder.handling.identify import Ask
from bypass_responder.handling.record_events import recall
from bypass_responder.handling.run_steps import new_command
from bypass_responder.handling.store_decision import store_within_limit
from bypass_responder.model.base import backoff, guid_or_none, latest, target_key
from bypass_responder.model.change import Outcome
from bypass_responder.model.finding import STATES, Finding, FindingState, Source
from bypass_responder.model.message import CommandKind
from bypass_responder.model.notification import Severity
from bypass_responder.session import raise_health
from bypass_responder.settings import ActorResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from bypass_responder.case.draft import Draft
    from bypass_responder.handling.identify import Identified, Lookups
    from bypass_responder.handling.run_steps import Claimed
    from bypass_responder.model.account import Account
    from bypass_responder.ports import WorkItem
    from bypass_responder.services import Services
    from bypass_responder.session import Session


UNDECIDED_TOO_LONG = timedelta(minutes=15)
TURN, LONGEST_TURN = timedelta(minutes=5), timedelta(hours=1)
"""How long a hint waits until it is examined again: doubled each time."""


async def decide_findings(
    session: Session, services: Services, lookups: Lookups
) -> tuple[list[Claimed], dict[str, WorkItem], list[Exception]]:
    """Decide due findings, oldest first, until one has claimed a call, which is made before the rest.

    Hints come last, since a sender may send many. Returns what was claimed in the same transactions, the targets that
    findings were handed on to, and the errors of findings that could not be decided: they hold back no other and are
    retried.
    """
    now = services.clock()
    due = [
        finding
        for finding in session.case.rows(Finding)
        if finding.state is FindingState.UNDECIDED and (finding.next_at is None or finding.next_at <= now)
        if not finding.decides_nothing
    ]
    claimed: list[Claimed] = []
    elsewhere: dict[str, WorkItem] = {}
    problems: list[Exception] = []
    waiting = False
    due.sort(key=lambda found: (found.source is Source.HINT, found.effective_at, found.id))
    for finding in due:
        if claimed:
            return claimed, elsewhere, problems
        if finding.source is Source.HINT and waiting:
            continue
        try:
            await recall(finding, session, services)
            outcome = await examine(finding, session.case, services, lookups)
            mine, moved = await _store(finding, outcome, session, services)
        except ResponderError as error:
            problems.append(error)
            if now - finding.received_at > UNDECIDED_TOO_LONG:
                await session.apply(partial(_notify_undecided, finding=finding, why=error.diagnostics()))
            continue
        except Exception as error:  # noqa: BLE001 - one odd finding holds back no other of the account
            problems.append(error)
            why = f"{type(error).__name__}, which is a fault of this responder: report it with the record."
            await session.apply(partial(_notify_undecided, finding=finding, why=why))
            continue
        claimed += mine
        elsewhere |= moved
        waiting = waiting or outcome == Wait("no_question_left")
    return claimed, elsewhere, problems


def _notify_undecided(draft: Draft, finding: Finding, why: str) -> None:
    draft.notify(
        "undecided",
        f"Not decided yet: {finding.identity_text or finding.object_id_text}",
        f"{why} It is retried every minute; until then nobody is contained for it.",
        key=finding.id,
        severity=Severity.CRITICAL,
        left_to_do=(
            Task("Fix what it names", "bypassctl doctor"),
            *_check_yourself(finding),
            *contain_actors(() if str(finding.actor) == "unknown" else (finding.actor,)),
        ),
    )


def _check_yourself(finding: Finding) -> tuple[Task, ...]:
    name = guid_or_none(finding.target) or finding.identity_text or finding.object_id_text
    return (
        switch_off(
            name, "If it cannot wait, remove the bypass in Exchange Online PowerShell, as Exchange Administrator"
        ),
    )


async def _store(
    finding: Finding, outcome: Ask | Wait | Elsewhere | Unlisted | Decided, session: Session, services: Services
) -> tuple[list[Claimed], dict[str, WorkItem]]:
    """Store what ``examine`` found. Returns the claimed steps, and other targets that have findings now."""
    match outcome:
        case Ask():
            await session.apply(partial(_ask_exchange, finding=finding, question=outcome, services=services))
        case Wait("no_question_left"):
            await session.apply(_wait_for_a_turn)
            limit = services.settings.hint_checks_per_hour
            await raise_health("hints_waiting", f"More than {limit} alerts in an hour required a question.", services)
        case Wait(account=account):
            await session.apply(_until_decided(finding, partial(_wait_until_certain, account=account)))
        case Elsewhere(moving, account):
            return [], await _hand_on(moving, account, session, services)
        case Unlisted(identified):
            await session.apply(_until_decided(finding, partial(_record_gone, identified=identified)))
        case Decided():
            return await _store_decided(outcome, session, services)
        case _:
            assert_never(outcome)
    return [], {}


async def _store_decided(
    decided: Decided, session: Session, services: Services
) -> tuple[list[Claimed], dict[str, WorkItem]]:
    finding, decision = decided.finding, decided.decision
    news = not evidence.belongs_to_the_past(session.case, finding)
    violation = news and decision.verdict is Verdict.VIOLATION
    actor = await _also_the_actor(finding, decided.identified.account, services) if violation else {}
    return await store_within_limit(decided, session, services), actor


async def _also_the_actor(finding: Finding, target: Account | None, services: Services) -> dict[str, WorkItem]:
    """Where ``ACTOR_RESPONSE`` is contain, the account that ran the cmdlet gets its own finding."""
    actor = finding.actor
    names = {"object_id_text": actor.object_id or "", "identity_text": actor.user_id or ""}
    own = {target.object_id, target.user_principal_name.casefold()} if target else set()
    if services.settings.actor_response is not ActorResponse.CONTAIN or not any(names.values()):
        return {}
    if finding.source is Source.ACTOR or finding.source in STATES:
        return {}  # a state confirms only the target, and an alert may name any account as actor
    if {name.casefold() for name in names.values()} & own:
        return {}
    key = guid_or_none(names["object_id_text"]) or target_key(*names.values())
    about = {"id": f"actor-{finding.id}", "target": key, "source": Source.ACTOR, "checks": (), "confirmed_by": None}
    return await _add_elsewhere(finding.model_copy(update=about | names), services)


async def _add_elsewhere(finding: Finding, services: Services) -> dict[str, WorkItem]:
    """Store a finding in another case, which is marked before as well.

    After a crash in between, the finding that led to it is examined again, and may lead elsewhere.
    """
    await services.work.touch(finding.target, services.clock())
    await services.ledger.add_finding(finding)
    return {finding.target: await services.work.touch(finding.target, services.clock())}


async def _hand_on(finding: Finding, account: Account, session: Session, services: Services) -> dict[str, WorkItem]:
    """Move the finding to the case of the account that its names resolved to, with its evidence."""
    target = account.object_id
    moved = finding.model_copy(update={"target": target, "state": FindingState.UNDECIDED, "next_at": None})
    elsewhere = await _add_elsewhere(moved, services)

    def close(draft: Draft, current: Finding) -> None:
        no_action.close_finding(draft, current, verdict="resolved", reason=f"it is about {account}")
        draft.log("resolved", f"the names stand for {account}", record=finding.id, names=list(finding.names))

    await session.apply(_until_decided(finding, close))
    return elsewhere


def _wait_for_a_turn(draft: Draft) -> None:
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


def _record_gone(draft: Draft, finding: Finding, *, identified: Identified) -> None:
    """Record Exchange's answer about an account that the sweep omits: off, missing, or asked again."""
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
        restoration.mark_restored(draft, incident, at, how="the sweep did not list it, and Exchange says off")


def _wait_until_certain(draft: Draft, finding: Finding, *, account: Account | None) -> None:
    """Ask Exchange again when its answer can no longer be stale."""
    checks = tuple(check for check in finding.checks if account is None or check.object_id != account.object_id)
    again = (draft.case.head.restored_at or draft.now) + STALE_READ
    draft.put(finding.model_copy(update={"checks": checks, "next_at": max(again, draft.now + TURN)}))


def _ask_exchange(draft: Draft, finding: Finding, question: Ask, services: Services) -> None:
    """Plan the question that only Exchange can answer; the finding waits for it."""
    current = draft.case.row(Finding, finding.row_key)
    if current is None or current.state is not FindingState.UNDECIDED:
        return
    draft.put(current.model_copy(update={"state": FindingState.WAITING}))
    command = new_command(draft, CommandKind.CHECK_BYPASS, services)
    ask(draft, command.model_copy(update={"object_id": question.object_id, "identity": question.identity}))


def _until_decided(finding: Finding, transition: Callable[[Draft, Finding], None]) -> Callable[[Draft], None]:
    """The transition, on the finding as it is now, and only until it is decided (undecided or waiting)."""

    def only_once(draft: Draft) -> None:
        current = draft.case.row(Finding, finding.row_key)
        if current is not None and current.state is not FindingState.DECIDED:
            transition(draft, current)
            file_decided(draft)

    return only_once
