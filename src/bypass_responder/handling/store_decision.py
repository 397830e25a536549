"""Stores a decision's plan in one transaction, and takes the slot that a block needs."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.case import candidates, episode, evidence, no_action, restoration
from bypass_responder.case.allowlist import record_use
from bypass_responder.case.directory_call import may_sign_in
from bypass_responder.case.filing import file_decided
from bypass_responder.case.tasks import Task, show
from bypass_responder.decision import Decision, Disposition, Verdict
from bypass_responder.handling.run_steps import claim_steps, due_steps
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.finding import Finding, FindingState, Source
from bypass_responder.model.notification import Severity
from bypass_responder.model.step import StepKind, StepState

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft
    from bypass_responder.handling.examine import Decided
    from bypass_responder.handling.identify import Identified
    from bypass_responder.handling.run_steps import Claimed
    from bypass_responder.services import Services
    from bypass_responder.session import Session


async def store_within_limit(decided: Decided, session: Session, services: Services) -> list[Claimed]:
    """Store the plan and take the slot that a block needs, concurrently; no step runs before both."""
    limited = decided.decision.over_limit()
    account = decided.identified.account
    called = account is not None and may_sign_in(session.case, account, services.clock()) and services.settings.enforce
    blocks = called and limited.verdict is Verdict.LIMIT_REACHED
    store = partial(store_plan, decided=decided, services=services, slot=blocks or not called)
    if not blocks or evidence.belongs_to_the_past(session.case, decided.finding):
        return await session.apply(store)
    limit = services.settings.containment_limit_per_hour
    taking = services.limit.take(decided.finding.target, limit=limit, now=services.clock())
    claimed, taken = await asyncio.gather(session.apply(store), taking, return_exceptions=True)
    if isinstance(claimed, BaseException):
        raise claimed
    if isinstance(taken, BaseException):
        raise taken
    if taken:
        return claimed
    for claim in claimed:
        if token := claim.tokens.get(StepKind.BLOCK_SIGN_IN):
            hold = partial(episode.hold_the_block, token=token, verdict=limited.verdict.value, reason=limited.reason)
            await session.apply(hold)
    return [claim.without(StepKind.BLOCK_SIGN_IN) for claim in claimed]


def store_plan(draft: Draft, decided: Decided, services: Services, *, slot: bool) -> list[Claimed]:
    """Decide in the ledger: past evidence, standing down, or the incident with its plan, claimed at once.

    ``slot``: a block has one under the hourly limit, or needs none. Without it, a block that an earlier decision wants
    waits for the next claim, which takes a slot.
    Returns what was claimed; nothing when another instance decided it meanwhile.
    """
    claimed = _decide(draft, decided, services, slot=slot)
    file_decided(draft)
    return claimed


def _decide(draft: Draft, decided: Decided, services: Services, *, slot: bool) -> list[Claimed]:
    finding, decision, identified = decided.finding, decided.decision, decided.identified
    current = draft.case.row(Finding, finding.row_key)
    if current is None or current.state is FindingState.DECIDED:
        return []
    current = current.model_copy(update={"effective_at": finding.effective_at})
    if evidence.belongs_to_the_past(draft.case, current):
        no_action.add_to_past(draft, current)
        wanted, verdict = _late_steps(decision), decision.verdict.value
        episode.hold_what_it_lacks(draft, current, wanted, verdict=verdict, reason=decision.reason)
        _name_others(draft, current, decided)
        return []
    if decision.stands_down:
        no_action.stand_down(draft, current, verdict=decision.verdict.value, reason=decision.reason)
        if decision.verdict is Verdict.ALLOWLISTED and isinstance(decided.entry, AllowlistEntry):
            record_use(draft, decided.entry, record=current.id)
        return []
    enforce = services.settings.enforce
    reason = _reason(decision, identified)
    answered = current.source is Source.ACTOR and evidence.is_answered(draft.case, current)  # perhaps only just now
    incident_id = episode.open_or_strengthen(
        draft,
        current,
        verdict=decision.verdict.value,
        reason=reason,
        steps={
            kind: _state(Disposition.HELD if answered else disposition, enforce=enforce)
            for kind, disposition in decision.steps.items()
            if disposition is not Disposition.NOT
        },
        account=identified.account,
        incident_id=_incident_id(draft, current, services),
    )
    incident = draft.case.incident(incident_id)
    if incident is None:
        return []
    if identified.account is None:
        candidates.name_candidates(draft, incident, identified.candidates, reason=reason)
    restores = decision.disable_bypass is Disposition.NOW and enforce
    if decision.verdict is Verdict.ALLOWLIST_EXPIRED and restores:
        _notify_owner(draft, incident_id, decision.reason)
    if decision.verdict is Verdict.HISTORY:
        restoration.mark_restored(draft, incident, identified.read_at or draft.now, how="Exchange says that it is off")
    if not slot and due_steps(draft.case, StepKind.BLOCK_SIGN_IN, draft.now):
        return []
    return claim_steps(draft, account=identified.account, services=services, slot=True)


def _late_steps(decision: Decision) -> list[StepKind]:
    """Return what a late record wants of an account beyond its auditing, which was restored since."""
    violation = decision.verdict is Verdict.VIOLATION
    return [kind for kind in decision.steps if violation and kind is not StepKind.DISABLE_BYPASS]


def _name_others(draft: Draft, finding: Finding, decided: Decided) -> None:
    """Name the other accounts that a late record may be about: the end of this episode proves nothing about them."""
    stored = draft.case.row(Finding, finding.row_key)
    incident = draft.case.incident(stored.incident_id) if stored else None
    identified = decided.identified
    if incident is not None and any(each.object_id != finding.target for each in identified.candidates):
        reason = _reason(decided.decision, identified)
        candidates.name_candidates(draft, incident, identified.candidates, reason=reason)


def _reason(decision: Decision, identified: Identified) -> str:
    names = ", ".join(account.user_principal_name for account in identified.candidates)
    return f"{decision.reason} (candidates: {names})" if names else decision.reason


def _state(disposition: Disposition, *, enforce: bool) -> StepState:
    if disposition is Disposition.HELD:
        return StepState.HELD
    return StepState.PLANNED if enforce else StepState.WITHHELD


def _incident_id(draft: Draft, finding: Finding, services: Services) -> str:
    current = episode.current_incident(draft.case, of_actor=finding.source is Source.ACTOR)
    return current.id if current else episode.new_incident_id(finding, tenant_id=services.settings.tenant_id)


def _notify_owner(draft: Draft, incident_id: str, reason: str) -> None:
    draft.notify(
        "allowlist_expired",
        "An expired allowlist entry: auditing is restored",
        f"{reason}. The bypass is being removed, and the account is not contained.",
        key=incident_id,
        severity=Severity.WARNING,
        incident=incident_id,
        left_to_do=(
            Task("If the account still has to be bypassed, renew its entry before the bypass is set again"),
            Task("How", "bypassctl allowlist add --help"),
            show(incident_id),
        ),
    )
