"""What a person decides, carried out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import RefusedError
from bypass_responder.model.decision_message import Author
from bypass_responder.model.incident import Candidate, Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import Effect, StepKind
from bypass_responder.session import open_session
from tests.world import ALEX, BLAKE, START, World, a_finding, an_account

BLOCK = StepKind.BLOCK_SIGN_IN
HOUR = timedelta(hours=1)


async def test_an_approved_block_goes_ahead_over_the_limit_and_a_release_restores_the_prior_state() -> None:
    world = World(containment_limit_per_hour=0)
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await world.answer()
    [incident] = await world.incidents()

    await world.decides("approve", incident.id)
    blocked = not world.directory.enabled[ALEX]
    await world.decides("release", incident.id)

    assert blocked
    assert world.directory.enabled[ALEX]
    assert (await world.incidents())[0].status is IncidentStatus.RELEASED
    assert (await world.case()).head.prior is None


async def test_an_account_that_was_disabled_before_is_not_released() -> None:
    world = World(an_account(account_enabled=False))
    await world.sees(a_finding())
    [incident] = await world.incidents()

    with pytest.raises(RefusedError, match="has not blocked"):
        await world.decides("release", incident.id)
    assert not world.directory.enabled[ALEX]
    assert (await world.steps())[BLOCK].effect is Effect.NOT_NEEDED


async def test_a_dismissed_incident_is_closed_and_its_evidence_never_acts_again() -> None:
    world = World()
    await world.sees(a_finding(first_run=True))
    [incident] = await world.incidents()
    await world.decides("dismiss", incident.id)

    await world.sees(a_finding(effective_at=START - HOUR / 2))

    assert world.directory.enabled[ALEX]
    assert [row.status for row in await world.incidents()] == [IncidentStatus.DISMISSED]


async def test_an_on_after_the_dismissal_is_decided_anew() -> None:
    world = World()
    await world.sees(a_finding(first_run=True))
    [incident] = await world.incidents()
    await world.decides("dismiss", incident.id)

    await world.sees(a_finding(effective_at=START + timedelta(seconds=1)))

    assert not world.directory.enabled[ALEX]


async def test_a_person_names_the_account_of_an_unresolved_incident_and_it_is_contained() -> None:
    world = World()
    finding = a_finding(object_id_text="alexw", identity_text="alexw")
    await world.sees(finding)
    await world.answer()
    [incident] = await world.incidents(finding.target)

    await world.decides("approve", incident.id, finding.target, account=ALEX)

    assert world.directory.enabled == {ALEX: False, BLAKE: True}
    assert (await world.incidents(finding.target))[0].status is IncidentStatus.CLOSED


async def test_an_account_that_is_no_candidate_is_refused_while_one_may_be_bypassed() -> None:
    world, incident = await an_unresolved_incident(Candidate(object_id=BLAKE, name="blake", bypass_on=True))

    with pytest.raises(RefusedError, match="not a candidate"):
        await world.decides("approve", incident.id, incident.target, account=ALEX)
    assert world.directory.enabled == {ALEX: True, BLAKE: True}


async def test_an_account_that_is_no_candidate_can_be_named_when_exchange_has_ruled_out_every_candidate() -> None:
    ruled_out = Candidate(object_id=BLAKE, name="blake", bypass_on=False, checked_at=START)
    world, incident = await an_unresolved_incident(ruled_out)

    await world.decides("approve", incident.id, incident.target, account=ALEX)

    assert world.directory.enabled == {ALEX: False, BLAKE: True}


async def an_unresolved_incident(*candidates: Candidate) -> tuple[World, Incident]:
    world = World()
    finding = a_finding(object_id_text="alexw", identity_text="alexw")
    await world.sees(finding)
    await world.answer()
    session = await open_session(finding.target, world.services)
    [incident] = await world.incidents(finding.target)
    named = incident.model_copy(update={"candidates": candidates})
    await session.apply(lambda draft: draft.put(named))
    return world, named


async def test_a_failed_block_is_planned_again_when_a_person_approves() -> None:
    world = World()
    world.directory.admins.add(ALEX)
    await world.sees(a_finding())
    [incident] = await world.incidents()
    world.directory.admins.clear()

    await world.decides("approve", incident.id)

    assert not world.directory.enabled[ALEX]


async def test_the_release_cancels_the_rechecks() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    [incident] = await world.incidents()
    await world.decides("release", incident.id)
    sent = len(world.exchange.sent)

    await world.passes(hours=25)

    assert len(world.exchange.sent) == sent
    assert "reverted" not in {entry.event async for entry in world.ledger.log(ALEX)}


async def test_a_block_that_the_limit_held_leaves_nothing_to_release() -> None:
    world = World(containment_limit_per_hour=0)
    await world.sees(a_finding())

    assert (await world.case()).head.prior is None


async def test_nobody_decides_about_a_case_under_their_own_object_id_without_an_account() -> None:
    """A person gave the record to an account that is deleted: nothing in the incident names it."""
    world = World(an_account())
    finding = a_finding(object_id_text="", identity_text="Alexander")
    await world.sees(finding)
    await world.answer()
    [unresolved] = await world.incidents(finding.target)
    await world.decides("approve", unresolved.id, finding.target, account=BLAKE)
    [incident] = await world.incidents(BLAKE)

    with pytest.raises(RefusedError, match="the account of"):
        await world.decides("dismiss", incident.id, BLAKE, author=Author(object_id=BLAKE, name="b@contoso.com"))
