"""What the answers of the Exchange worker mean. Pure transitions; the queue is not touched here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.candidates import is_about_a_candidate, record_check
from bypass_responder.case.evidence import FINDINGS_PER_TRANSACTION
from bypass_responder.case.exchange_question import end_repetition, outstanding
from bypass_responder.case.observation import DELETED_FOR
from bypass_responder.case.restoration import mark_restored, reopen
from bypass_responder.case.step import GONE, fail, finish, retry
from bypass_responder.case.tasks import Task
from bypass_responder.model.base import backoff, latest
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.finding import Check, Finding, FindingState, Source
from bypass_responder.model.message import Command, CommandKind, ExchangeOutcome, ExchangeResult
from bypass_responder.model.notification import Severity
from bypass_responder.model.step import Effect, Recheck, Step, StepKind, StepState

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case
    from bypass_responder.model.incident import Incident


WITHDRAWN = frozenset({StepState.WITHHELD, StepState.HELD})
"""What became of a step whose command was withdrawn."""
COUNTS_LATE = {
    CommandKind.CHECK_BYPASS: {ExchangeOutcome.CHECKED, ExchangeOutcome.NOT_FOUND, ExchangeOutcome.AMBIGUOUS},
    CommandKind.DISABLE_BYPASS: {ExchangeOutcome.VERIFIED, ExchangeOutcome.ALREADY_OFF},
}
"""Answers that count although the question was asked again: what was read, or proven."""
ANOTHER_ACCOUNT = "the worker answered about another account; the answer is ignored"


def take_answer(draft: Draft, result: ExchangeResult) -> None:
    """An answer counts once, against its own command, kind and target; any other is logged.

    Of a question that was asked again, the first answer that reads or proves the state counts, to whichever of the
    two: else nothing would count of a worker that is always too late. A command that was withdrawn in observe may have
    been carried out all the same. A late ``verified`` shows whose effect another answer reported.
    """
    command = draft.case.row(Command, f"command-{result.command_id}")
    if command is not None and command.answer == result:
        return
    if command is None or command.command is not result.kind or not _waits_for(command, result):
        if command is not None and result.outcome is ExchangeOutcome.VERIFIED:
            _it_was_us(draft, command, result)
        draft.log(
            "answer_ignored",
            "an answer to no outstanding command",
            command=result.command_id,
            kind=result.kind.value,
            outcome=result.outcome.value,
        )
        return
    draft.put(command.model_copy(update={"state": "answered", "sent": True, "answer": result}))
    if command.state == "superseded":
        end_repetition(draft, command)
    draft.log(
        "answered",
        f"{command.command.value}: {result.outcome.value}{f', {result.error}' if result.error else ''}",
        incident=command.incident_id,
        command=command.id,
        kind=command.command.value,
        outcome=result.outcome.value,
        before=result.before,
        after=result.after,
        worker=result.worker,
    )
    if command.command is CommandKind.CHECK_BYPASS:
        _checked(draft, command, result)
    else:
        _disabled(draft, command, result)


def _waits_for(command: Command, result: ExchangeResult) -> bool:
    if command.state == "superseded":
        return result.outcome in COUNTS_LATE.get(command.command, ())
    return command.state in {"outstanding", "withdrawn"}


def _it_was_us(draft: Draft, command: Command, result: ExchangeResult) -> None:
    """Record a late ``verified`` after an ``already_off`` to the same question: the effect was ours."""
    draft.put(command.model_copy(update={"answer": result}))
    step = draft.case.step(command.incident_id, StepKind.DISABLE_BYPASS) if command.incident_id else None
    if step is not None and step.effect is Effect.NOT_NEEDED and result.is_about(draft.case.target):
        finish(draft, step, Effect.EFFECTIVE, "switched off and read back")


def _verified_before(case: Case, incident_id: str) -> bool:
    answers = [row.answer for row in case.rows(Command) if row.incident_id == incident_id]
    proofs = [answer for answer in answers if answer is not None and answer.outcome is ExchangeOutcome.VERIFIED]
    return any(proof.is_about(case.target) for proof in proofs)


def _checked(draft: Draft, command: Command, result: ExchangeResult) -> None:
    if _is_astray(command, result):
        result = result.model_copy(update={"outcome": ExchangeOutcome.FAILED, "error": ANOTHER_ACCOUNT})
    check = Check(
        name=command.identity or "",
        outcome=result.outcome,
        object_id=result.resolved.object_id if result.resolved else None,
        exchange_guid=result.resolved.exchange_guid if result.resolved else None,
        bypass_on=result.before,
        read_at=_read_at(result, draft.now),
        candidates=result.candidates,
    )
    failed = result.outcome is ExchangeOutcome.FAILED or _too_late(draft, command, result)
    if is_about_a_candidate(command):
        record_check(draft, command, check, failed=failed)
        return
    if not failed and check.bypass_on is False and result.is_about(draft.case.target):
        draft.move_head(off_at=latest(draft.case.head.off_at, check.read_at or draft.now))
    for finding in _waiting(draft.case):
        if failed:
            _not_checked(draft, finding, result)
        elif _is_about(command, check, finding):
            checks = (*(old for old in finding.checks if old.name != check.name), check)
            draft.put(finding.model_copy(update={"checks": checks, "state": FindingState.UNDECIDED}))
    if command.recheck:
        _rechecked(draft, command, check, failed=failed)


def _is_astray(command: Command, result: ExchangeResult) -> bool:
    """Return True for an answer about another account than the one whose object id was asked for."""
    return command.object_id is not None and result.resolved is not None and not result.is_about(command.object_id)


def revive(draft: Draft) -> None:
    """Reopen late findings and ask again about waiting ones that exceeded one transaction."""
    reopen(draft)
    if outstanding(draft.case, CommandKind.CHECK_BYPASS) is None:
        for finding in _waiting(draft.case):
            draft.put(finding.model_copy(update={"state": FindingState.UNDECIDED}))


def _waiting(case: Case) -> list[Finding]:
    """Findings that await an answer, as many as one transaction takes."""
    return [finding for finding in case.rows(Finding) if finding.state is FindingState.WAITING][
        :FINDINGS_PER_TRANSACTION
    ]


def _is_about(command: Command, check: Check, finding: Finding) -> bool:
    """Return False for a finding that came while the question was under way, and is later than its read.

    ``revive`` asks again about it. Only *on* would still be true: it may have been switched on since.
    """
    asked_or_read = latest(check.read_at, command.created_at)
    return bool(check.bypass_on) or asked_or_read >= min(finding.effective_at, finding.received_at)


def _too_late(draft: Draft, command: Command, result: ExchangeResult) -> bool:
    """Refused because the worker got it after its end, or for a reason that passes: the question stands."""
    passes = result.error_class == "transient" or command.not_after <= draft.now
    return result.outcome is ExchangeOutcome.REFUSED and passes


def _not_checked(draft: Draft, finding: Finding, result: ExchangeResult) -> None:
    """Exchange could not be asked: the finding stays open and is asked again, later each time."""
    failed = finding.asks_failed + 1
    again = draft.now + backoff(failed, first=timedelta(minutes=1), longest=timedelta(hours=1))
    draft.put(finding.model_copy(update={"state": FindingState.UNDECIDED, "next_at": again, "asks_failed": failed}))
    draft.notify(
        "worker_failed",
        f"Exchange could not be asked about {finding.identity_text or finding.object_id_text}",
        f"{result.error or 'the worker gave no reason'}. It is retried; until then nothing is decided.",
        key=finding.id,
        severity=Severity.CRITICAL,
        left_to_do=(Task("Check the Exchange worker, its permission and the reason above", "bypassctl doctor"),),
    )


def _rechecked(draft: Draft, command: Command, check: Check, *, failed: bool) -> None:
    read_at = check.read_at or draft.now
    incident = draft.case.incident(command.incident_id)
    if check.outcome is ExchangeOutcome.CHECKED and check.bypass_on and incident and incident.restored_at:
        draft.put(
            Finding(
                id=f"recheck-{command.id}",
                target=draft.case.target,
                source=Source.RECHECK,
                switch=Switch.ON,
                outcome=Outcome.SUCCESS,
                effective_at=read_at,
                object_id_text=command.object_id or "",
                received_at=draft.now,
                checks=(check,),
            )
        )
    for recheck in draft.case.rows(Recheck):
        if recheck.incident_id != command.incident_id or recheck.result != "asked":
            continue
        if failed:
            draft.put(recheck.model_copy(update={"result": "", "due_at": draft.now + timedelta(minutes=10)}))
        else:
            result = "on" if check.bypass_on else check.outcome.value if check.bypass_on is None else "off"
            draft.put(recheck.model_copy(update={"done": True, "result": result}))


def _disabled(draft: Draft, command: Command, result: ExchangeResult) -> None:
    incident = draft.case.incident(command.incident_id)
    step = draft.case.step(command.incident_id, StepKind.DISABLE_BYPASS) if command.incident_id else None
    if incident is None or step is None or not _counts(command, step, result):
        return
    if _is_astray(command, result):
        fail(draft, step, ANOTHER_ACCOUNT)
        return
    match result.outcome:
        case ExchangeOutcome.VERIFIED:
            finish(draft, step, Effect.EFFECTIVE, "switched off and read back")
        case ExchangeOutcome.ALREADY_OFF if _verified_before(draft.case, incident.id):
            finish(draft, step, Effect.EFFECTIVE, "switched off and read back")
        case ExchangeOutcome.ALREADY_OFF if max(step.attempts, command.asked, result.deliveries) > 1:
            finish(
                draft,
                step,
                Effect.EFFECTIVE,
                "read back as off, after an earlier attempt of ours without a clear answer",
            )
        case ExchangeOutcome.ALREADY_OFF:
            finish(draft, step, Effect.NOT_NEEDED, "Exchange reports that it was off already")
        case ExchangeOutcome.NOT_FOUND if _account_is_gone(draft.case, incident.id):
            finish(draft, step, Effect.NOT_NEEDED, GONE)
            draft.move_head(active_incident=None)
            return
        case ExchangeOutcome.NOT_FOUND if draft.case.control(StepKind.BLOCK_SIGN_IN).absent_since:
            retry(draft, step, "neither Exchange nor the directory finds the account")
            draft.settle_status(step.incident_id)
            return
        case _:
            _not_disabled(draft, command, incident, step, result)
            return
    restored = draft.case.incident(incident.id)
    if restored:
        mark_restored(draft, restored, _proven_at(command, result, draft.now), how=result.outcome.value)


def _counts(command: Command, step: Step, result: ExchangeResult) -> bool:
    """Return what a step still waits for; of a withdrawn or repeated command, only a proof counts."""
    if command.state == "outstanding":
        return step.state.running
    proven = result.outcome in {ExchangeOutcome.VERIFIED, ExchangeOutcome.ALREADY_OFF}
    return proven and (step.state.running or step.state in WITHDRAWN)


def _account_is_gone(case: Case, incident_id: str) -> bool:
    """True when Entra reported for every other step that the account no longer exists."""
    others = [step for step in case.steps(incident_id) if step.step is not StepKind.DISABLE_BYPASS]
    return bool(others) and all(step.detail == GONE for step in others)


def _proven_at(command: Command, result: ExchangeResult, now: datetime) -> datetime:
    """Return when it was read as off: after everything known at the question, independent of clocks."""
    return latest(command.known_until, _read_at(result, now) or now)


def _read_at(result: ExchangeResult, now: datetime) -> datetime | None:
    """Return when it was read: not later than the answer, also if the worker's clock is ahead."""
    return min(result.read_at, now) if result.read_at else None


def _not_disabled(draft: Draft, command: Command, incident: Incident, step: Step, result: ExchangeResult) -> None:
    why = result.error or f"the worker answered {result.outcome.value}"
    failed = result.outcome is ExchangeOutcome.FAILED
    passes = failed and result.error_class != "permission"
    if (
        passes
        or _nobody_can_approve(incident, draft.now, failed=failed)
        or result.outcome is ExchangeOutcome.UNVERIFIED
        or _too_late(draft, command, result)
    ):
        retry(draft, step, why)
        draft.settle_status(step.incident_id)
    else:
        fail(draft, step, why)


def _nobody_can_approve(incident: Incident, now: datetime, *, failed: bool) -> bool:
    """Return True for the bypass of a released account. One that Exchange does not find may come back for 30 days."""
    if not incident.status.final or incident.closed_at is None:
        return False
    return failed or now - incident.closed_at <= DELETED_FOR
