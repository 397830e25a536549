"""What is left to do: the commands in it can be carried out."""

from __future__ import annotations

from bypass_responder.case.follow_up import left_to_do, with_command
from bypass_responder.model.change import Actor
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import Effect, Step, StepKind, StepState
from tests.world import ALEX, START, an_account

FAILED = Incident(
    id="20260302-a",
    target=ALEX,
    status=IncidentStatus.FAILED,
    opened_at=START,
    verdict="violation",
    reason="not on the allowlist",
    account=an_account(guest=True),
)


def a_step(kind: StepKind, state: StepState, effect: Effect | None = None) -> Step:
    return Step(incident_id=FAILED.id, step=kind, state=state, effect=effect)


def test_a_step_that_failed_can_be_approved() -> None:
    todo = left_to_do(FAILED, steps=[a_step(StepKind.BLOCK_SIGN_IN, StepState.FAILED)])

    assert any(f'bypassctl incidents approve {FAILED.id} --reason "TICKET"' in each for each in todo)


def test_what_was_refused_is_done_by_a_person_before_it_is_approved() -> None:
    """The call would be refused again."""
    todo = left_to_do(FAILED, steps=[a_step(StepKind.BLOCK_SIGN_IN, StepState.FAILED)])

    assert [each.partition(":")[0].partition(" (needs")[0] for each in todo[:3]] == [
        "To do it yourself. Block sign-in",
        "Revoke the sessions of alex@contoso.onmicrosoft.com",
        "Decide (an action failed). To contain the account",
    ]


def test_in_observe_an_approval_is_refused_so_the_mode_comes_first() -> None:
    incident = FAILED.model_copy(update={"status": IncidentStatus.OBSERVED})
    todo = left_to_do(incident, steps=[a_step(StepKind.BLOCK_SIGN_IN, StepState.WITHHELD)])

    assert any("To contain the account, set MODE=enforce, then: bypassctl incidents approve" in each for each in todo)


def test_a_failed_step_can_be_approved_while_another_one_goes_on() -> None:
    incident = FAILED.model_copy(update={"status": IncidentStatus.OPEN})
    steps = [a_step(StepKind.BLOCK_SIGN_IN, StepState.FAILED), a_step(StepKind.DISABLE_BYPASS, StepState.ACTED)]

    decide = "Decide (an action failed). To contain the account: bypassctl incidents"
    assert any(each.startswith(decide) for each in left_to_do(incident, steps=steps))


def test_an_incident_of_which_every_step_is_done_is_closed_and_not_approved() -> None:
    """The sessions of a guest cannot be revoked, so the responder would refuse an approval."""
    todo = left_to_do(FAILED, steps=[a_step(StepKind.REVOKE_SESSIONS, StepState.DONE, Effect.INEFFECTIVE)])

    assert any(f'bypassctl incidents close {FAILED.id} --reason "TICKET"' in each for each in todo)
    assert not any("approve" in each for each in todo)


def test_a_notification_without_an_incident_names_its_finding() -> None:
    assert str(with_command(("Investigate the actor",), "9e5695f8")[-1]).endswith("bypassctl incidents show 9e5695f8")


def test_an_incident_about_an_actor_has_no_gap_to_document_and_is_no_self_bypass() -> None:
    actor = Actor(user_id="alex@contoso.onmicrosoft.com", object_id=ALEX)
    todo = " ".join(left_to_do(FAILED.model_copy(update={"about_actor": True, "actors": (actor,)})))

    assert "self-bypass" not in todo
    assert "Document the gap" not in todo
