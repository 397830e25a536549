"""From a decided finding to an incident: opened, or strengthened until its episode ends."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.control import ended, look_for_older_wants, renew, wanting
from bypass_responder.case.directory_call import give_up_claim
from bypass_responder.case.evidence import (
    MILD,
    add_evidence,
    incident_of,
    search_alone,
)
from bypass_responder.case.filing import take_back
from bypass_responder.case.no_action import close_finding, notify_flapping
from bypass_responder.case.plain_text import DOES, name_of
from bypass_responder.model.finding import Finding, Source
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import Effect, Step, StepKind, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import Account
    from bypass_responder.model.case import Case

HELD, PLANNED, WITHHELD = StepState.HELD, StepState.PLANNED, StepState.WITHHELD


def open_or_strengthen(
    draft: Draft,
    finding: Finding,
    *,
    verdict: str,
    reason: str,
    steps: Mapping[StepKind, StepState],
    account: Account | None,
    incident_id: str,
) -> str:
    """Open an incident with its plan, or add the finding to the active one and strengthen its steps.

    ``steps`` holds PLANNED, HELD or WITHHELD for each step that is to be there. Returns the incident's id.
    """
    of_actor = finding.source is Source.ACTOR
    current = current_incident(draft.case, of_actor=of_actor)
    incident = current or Incident(
        id=incident_id,
        target=draft.case.target,
        status=IncidentStatus.OPEN,
        opened_at=_opened_at(draft),
        about_actor=of_actor,
        listed_once=finding.listed_once,
        verdict=verdict,
        reason=reason,
        account=account,
        refers_to=draft.case.head.last_incident,
        followed=None if of_actor else _end_of_last(draft.case),
    )
    stronger = [kind for kind, state in steps.items() if _strengthen(draft, incident.id, kind, state, reason, finding)]
    if current and incident.account is None and account is not None:
        incident = incident.model_copy(update={"account": account})
    if current and stronger:
        news = {"verdict": verdict, "reason": reason, "account": account or incident.account}
        listed_once = incident.listed_once and finding.listed_once
        incident = incident.model_copy(update=news | {"listed_once": listed_once})
    close_finding(draft, finding, verdict=verdict, reason=reason, incident=incident.id)
    add_evidence(draft, incident, finding)
    draft.move_head(last_incident=incident.id, **({} if of_actor else {"active_incident": incident.id}))
    if current is None and not of_actor:
        search_alone(draft, draft.case.incident(incident.id) or incident)
    settled = draft.settle_status(incident.id)
    draft.log(
        "decided" if not current else "evidence",
        f"{verdict}: {reason}",
        incident=incident.id,
        verdict=verdict,
        record=finding.id,
        actor=str(finding.actor),
        account=str(account) if account else None,
        names=list(finding.names),
        steps={kind.value: state.value for kind, state in steps.items()},
        stronger=[kind.value for kind in stronger],
    )
    if settled and stronger and not finding.listed_once:
        _notify_plan(draft, settled, steps)
    notify_flapping(draft, incident.id)
    return incident.id


def hold_the_block(draft: Draft, *, token: str, verdict: str, reason: str) -> None:
    """Hold the block claimed with this token: the hourly limit was reached while the plan was stored."""
    claimed = give_up_claim(draft, StepKind.BLOCK_SIGN_IN, token)
    for block in claimed:
        incident = draft.case.incident(block.incident_id)
        if incident is not None:
            _hold(draft, incident, block, verdict=verdict, reason=reason)


def _hold(draft: Draft, incident: Incident, block: Step, *, verdict: str, reason: str) -> None:
    undone = {"attempts": block.attempts - 1, "first_attempt_at": None, "lease_until": None}
    draft.put(block.model_copy(update=undone | {"state": HELD, "reason": reason}))
    draft.put(incident.model_copy(update={"verdict": verdict, "reason": reason}))
    for finding in draft.case.rows(Finding):
        if finding.incident_id == incident.id and finding.id == incident.evidence[-1]:
            draft.put(finding.model_copy(update={"verdict": verdict, "reason": reason}))
    steps = {StepKind.BLOCK_SIGN_IN.value: HELD.value}
    draft.log("decided", f"{verdict}: {reason}", incident=incident.id, verdict=verdict, steps=steps)
    held = draft.settle_status(incident.id)
    look_for_older_wants(draft)
    if held:
        _notify_plan(draft, held, {StepKind.BLOCK_SIGN_IN: HELD})


def hold_what_it_lacks(draft: Draft, finding: Finding, kinds: Sequence[StepKind], *, verdict: str, reason: str) -> None:
    """Hold the containment that a late record wants and its episode was too mild for.

    Such an episode was decided before the record came, as an expired entry or as history. Auditing was restored after
    the record, so a person decides. Nothing is held while another incident has the account blocked.
    """
    incident, block = incident_of(draft.case, finding), StepKind.BLOCK_SIGN_IN
    if incident is None or incident.verdict not in MILD or ended(draft.case, incident) or block not in kinds:
        return
    if wanting(draft.case, block):
        return
    take_back(draft, incident.id)
    why = f"{reason}, as a late record shows; auditing was restored since"
    for kind in kinds:
        if draft.case.step(incident.id, kind) is None:
            draft.put(Step(incident_id=incident.id, step=kind, state=HELD, reason=why))
    draft.put(incident.model_copy(update={"verdict": verdict, "reason": why, "listed_once": False}))
    held = draft.settle_status(incident.id)
    steps = {kind.value: HELD.value for kind in kinds}
    draft.log("decided", f"{verdict}: {why}", incident=incident.id, verdict=verdict, record=finding.id, steps=steps)
    if held:
        _notify_held(draft, held, kinds, key="late")


def new_incident_id(finding: Finding, *, tenant_id: str) -> str:
    """Deterministic: the day of the event and eight hex digits of a hash over tenant, target and finding.

    A finding that was decided before, in an incident that has ended, opens another one.
    """
    before = f"|{finding.incident_id}" if finding.incident_id else ""
    digest = hashlib.sha256(f"{tenant_id}|{finding.target}|{finding.id}{before}".encode()).hexdigest()
    return f"{finding.effective_at:%Y%m%d}-{digest[:8]}"


def current_incident(case: Case, *, of_actor: bool = False) -> Incident | None:
    """The active incident, None when there is none or a person ended it.

    ``of_actor``: the incident about the account as an actor that nobody has ended.
    """
    if of_actor:
        loaded = (row for row in case.rows(Incident) if row.about_actor and row.row_key not in case.kept)
        return next((row for row in loaded if not ended(case, row)), None)
    incident = case.incident(case.head.active_incident)
    return None if incident is None or incident.status.final else incident


def _end_of_last(case: Case) -> datetime | None:
    before = case.incident(case.head.last_incident)
    if before is not None and before.about_actor:
        return case.head.restored_at
    return before.restored_at if before else None


def _opened_at(draft: Draft) -> datetime:
    """Return now; after the last release, which ended what was opened before, whatever this host's clock says."""
    released = draft.case.head.released_through
    return draft.now if released is None else max(draft.now, released + timedelta(microseconds=1))


def _strengthen(
    draft: Draft, incident_id: str, kind: StepKind, state: StepState, reason: str, finding: Finding
) -> bool:
    """Strengthen a step. One that runs or has run stays, except a block whose last proof is older than this *on*."""
    step = draft.case.step(incident_id, kind)
    rank = {None: 0, WITHHELD: 1, HELD: 1, PLANNED: 2}
    before = step.state if step else None
    again = step is not None and state is PLANNED and _may_be_undone(draft.case, step, finding)
    if not again and (before not in rank or rank[before] >= rank.get(state, 0)):
        return False
    step = step or Step(incident_id=incident_id, step=kind, state=state)
    due = draft.now if state is PLANNED else None
    draft.put(step.model_copy(update={"state": state, "reason": reason, "next_at": due, "effect": None}))
    if state is PLANNED and kind is not StepKind.DISABLE_BYPASS:
        renew(draft, kind)
    return True


def _may_be_undone(case: Case, step: Step, finding: Finding) -> bool:
    """Return True for a block that was undone before this *on*, or that no read has shown since.

    A contained account is read only once a day: somebody may have enabled it since.
    """
    control = case.control(step.step)
    if step.effect is Effect.REVERTED:
        return control.shown_at is not None and finding.effective_at > control.shown_at
    over = step.step is StepKind.BLOCK_SIGN_IN and step.state is StepState.DONE
    return over and control.observed_at is not None and finding.effective_at > control.observed_at


def _notify_plan(draft: Draft, incident: Incident, steps: Mapping[StepKind, StepState]) -> None:
    waiting = [kind for kind, state in steps.items() if state is HELD]
    name = name_of(incident)
    if waiting:
        _notify_held(draft, incident, waiting, key="-".join(kind.value for kind in waiting))
    elif set(steps) == {StepKind.DISABLE_BYPASS} and PLANNED in steps.values():
        title = f"Restoring auditing, account not contained: {name}"
        draft.notify_about("restoring", incident, title, f"Why: {incident.reason}.", key="")
    elif WITHHELD in steps.values():
        text = f"MODE is observe, so nothing was changed. Why it would act: {incident.reason}."
        draft.notify_about("observed", incident, f"Observe mode: nothing was done about {name}", text, key="")


def _notify_held(draft: Draft, incident: Incident, kinds: Iterable[StepKind], *, key: str) -> None:
    title, what = f"Decision required: {name_of(incident)}", ", ".join(DOES[kind] for kind in kinds)
    draft.notify_about("held", incident, title, f"To decide: {what}. Why: {incident.reason}.", key=key)
