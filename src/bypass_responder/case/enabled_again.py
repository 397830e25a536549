"""What follows when somebody enables an account that an incident wants blocked. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.control import BLOCK, MOST_PROJECTED, ended
from bypass_responder.case.step import GONE
from bypass_responder.model.base import latest
from bypass_responder.model.step import Effect, Step, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import Account
    from bypass_responder.model.case import Case
    from bypass_responder.model.incident import Incident

BLOCK_AGAIN_FOR = timedelta(hours=24)
"""For this long after the last evidence, an account that is found enabled is blocked without a decision."""
STILL_ALLOWED = "the directory still allows sign-in"


def block_again_or_hold(draft: Draft, wants: Sequence[Step]) -> None:
    """Block an enabled account again if there is recent evidence; otherwise hold the block for a decision.

    Somebody else had disabled the account, or it had been deleted, or no read ever showed our block. In the last case,
    people have been notified: without recent evidence, nothing is done.
    """
    for step in wants:
        fresh = draft.now - _last_evidence(draft.case, step.incident_id) <= BLOCK_AGAIN_FOR
        unverified = step.effect is Effect.UNVERIFIED
        if step.state is not StepState.DONE or (unverified and not fresh):
            continue
        _follow_later(draft)
        state = StepState.PLANNED if fresh else StepState.HELD
        why = _why_sign_in_is_allowed(step)
        draft.put(step.model_copy(update={"state": state, "effect": None, "detail": why, "next_at": None}))
        draft.log("reverted", why, incident=step.incident_id, step=step.step.value, state=state.value)
        incident = draft.settle_status(step.incident_id)
        if incident and not fresh:
            title = f"Decision required: {incident.account or incident.target}"
            draft.notify_about(
                "held",
                incident,
                title,
                f"To decide: block sign-in. Why: {why}.",
                key=f"enabled-{draft.now.isoformat()}",
            )


def _why_sign_in_is_allowed(step: Step) -> str:
    if step.effect is Effect.UNVERIFIED:
        return STILL_ALLOWED
    who = "had been deleted" if step.detail == GONE else "somebody else had disabled"
    return f"the account, which {who}, is enabled"


def _last_evidence(case: Case, incident_id: str) -> datetime:
    incident = case.incident(incident_id)
    return latest(incident.last_evidence_at, incident.opened_at) if incident else case.opened_at(incident_id)


def report_reverted(draft: Draft, wants: Iterable[Step]) -> None:
    """Report that somebody else enabled the account. It is blocked again only for a new reason."""
    _follow_later(draft)
    for step in wants:
        incident = _show_reverted(draft, step)
        if incident is not None:
            draft.notify_about(
                "step_ineffective",
                incident,
                f"Sign-in is allowed again: {incident.account}",
                _who_enabled(incident.account),
                key=f"reverted-{draft.now.isoformat()}",
            )


def _who_enabled(account: Account | None) -> str:
    if account is not None and account.on_premises_sync_enabled:
        who = "The directory synchronization, or somebody, enabled the account"
    else:
        who = "Somebody enabled the account"
    release = "If a colleague did so and the bypass was legitimate, release the account."
    return f"{who} after the responder had blocked it. {release}"


def _show_reverted(draft: Draft, step: Step) -> Incident | None:
    why = "the account was found enabled again"
    reverted = {"state": StepState.FAILED, "effect": Effect.REVERTED, "detail": why, "next_at": None}
    draft.put(step.model_copy(update=reverted))
    draft.log("reverted", why, incident=step.incident_id)
    return draft.settle_status(step.incident_id)


def _follow_later(draft: Draft) -> None:
    """Mark that incidents of the history have yet to show that the account is enabled."""
    if draft.case.head.filed_through is not None:
        draft.move_head(enabled_again_at=draft.now)


def show_reverted(draft: Draft) -> None:
    """Show in incidents of the history that the block was undone, as many as one transaction takes."""
    since = draft.case.head.enabled_again_at
    if since is None:
        return
    kept = [
        step
        for step in draft.case.rows(Step)
        if step.row_key in draft.case.kept
        and step.step is BLOCK
        and step.stands
        and draft.case.opened_at(step.incident_id) <= since
        and (incident := draft.case.incident(step.incident_id)) is not None
        and not ended(draft.case, incident)
    ]
    for step in kept[:MOST_PROJECTED]:
        _show_reverted(draft, step)
    if len(kept) <= MOST_PROJECTED:
        draft.move_head(enabled_again_at=None)
