"""Apply changed rules (mode, protected accounts) to a case: withhold steps, or hold withheld ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case import step as steps
from bypass_responder.case.tasks import decide
from bypass_responder.decision import weakened
from bypass_responder.model.notification import Severity
from bypass_responder.model.step import Rule, Step, StepKind, StepState

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case
    from bypass_responder.services import Services
    from bypass_responder.session import Session
    from bypass_responder.settings import Settings

MOST_ROWS = 60
"""Rows and log entries of a transaction, which holds 100, above which no further step is taken."""


def follow_rules(draft: Draft, settings: Settings) -> None:
    """Withhold steps that may no longer act, hold those that may again, as many as one transaction takes."""
    for step in draft.case.rows(Step):
        incident = draft.case.incident(step.incident_id)
        change = changed_by_rules(draft.case, step, settings)
        if incident is None or change is None or len(draft.changed) + len(draft.entries) > MOST_ROWS:
            continue
        steps.withhold(
            draft, incident, step, state=change[0], reason=change[1], summarized=step.state is StepState.WITHHELD
        )


def rules_due_at(case: Case, settings: Settings, now: datetime) -> list[datetime]:
    """Return now while steps are left that the rules change, else nothing."""
    return [now] if any(changed_by_rules(case, step, settings) for step in case.rows(Step)) else []


def changed_by_rules(case: Case, step: Step, settings: Settings) -> tuple[StepState, str] | None:
    """Return the state of a step under today's rules, and why; None when it does not change.

    Removing a rule lets nothing act: what it withheld waits for a person, except the auditing that a person wanted
    when they released the account.
    """
    incident = case.incident(step.incident_id)
    if incident is None:
        return None
    protected = incident.account is not None and incident.account.object_id in settings.protected
    weaker = weakened(step.step, enforce=settings.enforce, protected=protected, slot=True)
    if step.state is StepState.PLANNED:
        return weaker
    by_protection = step.state is StepState.CANCELED and step.reason == Rule.PROTECTED
    if weaker or step.step is StepKind.RELEASE or not (step.state is StepState.WITHHELD or by_protection):
        return None
    if not incident.status.final:
        return StepState.HELD, f"withheld while {'the account was protected' if by_protection else 'MODE was observe'}"
    wanted = step.step is StepKind.DISABLE_BYPASS
    return (StepState.PLANNED, "wanted by the release, MODE is enforce again") if wanted else None


async def report_protected(session: Session, services: Services) -> None:
    """Notify once that a protected account is still blocked by the responder."""
    prior = session.case.head.prior
    protected = session.target in services.settings.protected
    if not protected or prior is None or prior.protected_reported_at is not None:
        return
    account = await services.directory.find(session.target)
    if account is not None and not account.account_enabled:
        await session.apply(lambda draft: _report_protected(draft, str(account)))


def _report_protected(draft: Draft, account: str) -> None:
    prior, incident = draft.case.head.prior, draft.case.head.last_incident
    if prior is None or prior.protected_reported_at is not None:
        return
    draft.move_head(prior=prior.model_copy(update={"protected_reported_at": draft.now}))
    text = "protected, still blocked by us"
    draft.log("protected_blocked", text, incident=incident)
    draft.notify(
        "protected_blocked",
        f"Protected, and still blocked: {account}",
        "The account was added to PROTECTED_OBJECT_IDS after the responder had blocked it. It still cannot sign in.",
        key=prior.recorded_at.isoformat(),
        severity=Severity.CRITICAL,
        incident=incident,
        left_to_do=(decide("release", incident, "To enable it"),) if incident else (),
    )
