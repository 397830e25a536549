"""An unresolved incident names the accounts that it may be about, and Exchange is asked about each."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.model.incident import Incident
from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.notification import Notification
from bypass_responder.operating.candidates import linked
from tests.world import ALEX, BLAKE, World, a_finding

TWO = {"object_id_text": ALEX, "identity_text": "blake@contoso.onmicrosoft.com"}


async def unresolved(**bypassed: bool) -> World:
    """A record whose object id is Alex's and whose name is Blake's."""
    world = World()
    world.bypassed |= {ALEX: bypassed.get("alex", False), BLAKE: bypassed.get("blake", False)}
    await world.sees(a_finding(**TWO))
    return world


async def the_incident(world: World) -> Incident:
    [incident] = [row for row in await world.incidents() if row.verdict == "unresolved"]
    return incident


async def answers(world: World, **fields: object) -> None:
    for _ in range(3):
        await world.answer(**fields)


async def test_the_candidates_are_named_at_once() -> None:
    incident = await the_incident(await unresolved())

    assert [each.name for each in incident.candidates] == [
        "alex@contoso.onmicrosoft.com",
        "blake@contoso.onmicrosoft.com",
    ]
    assert "blake@contoso.onmicrosoft.com" in incident.reason


async def test_each_is_checked_in_exchange() -> None:
    world = await unresolved(blake=True)
    await answers(world)

    assert [each.bypass_on for each in (await the_incident(world)).candidates] == [False, True]


async def test_a_candidate_that_is_bypassed_is_notified_when_all_are_checked() -> None:
    world = await unresolved(blake=True)
    await answers(world)
    texts = [row.text for row in (await world.case()).rows(Notification) if "Candidates" in row.title]

    assert len(texts) == 1
    assert "blake@contoso.onmicrosoft.com (bypass on)" in texts[0]


async def test_nobody_is_contained_for_being_a_candidate() -> None:
    world = await unresolved(alex=True, blake=True)
    await answers(world)

    assert world.directory.enabled == {ALEX: True, BLAKE: True}


async def test_the_answer_about_a_candidate_proves_nothing_about_the_target() -> None:
    world = await unresolved()
    await answers(world)

    assert (await world.ledger.head(ALEX)).off_at is None


async def test_a_question_that_failed_is_asked_again_later() -> None:
    world = await unresolved()
    await world.answer(
        outcome=ExchangeOutcome.FAILED, before=None, resolved=None, error="busy", error_class="transient"
    )
    asked = len(world.exchange.sent)
    await world.passes(minutes=1)
    assert len(world.exchange.sent) <= asked + 1
    await answers(world)
    world.now += timedelta(minutes=11)
    await world.passes(minutes=1)
    await answers(world)

    assert None not in [each.checked_at for each in (await the_incident(world)).candidates]


async def test_the_incident_that_the_sweep_opened_is_linked() -> None:
    world = World()
    await world.sweep()
    await world.sees(a_finding(**TWO))
    world.bypassed[BLAKE] = True
    world.now += timedelta(minutes=15)
    await world.sweep()
    await answers(world)
    [own] = await world.incidents(BLAKE)
    links = {candidate.object_id: found for candidate, found in await linked(await the_incident(world), world.services)}

    assert links[BLAKE] == own


async def test_a_name_that_exchange_has_twice_names_both_and_each_is_checked() -> None:
    world = World()
    world.names["somebody"] = [ALEX, BLAKE]
    await world.sees(finding := a_finding(object_id_text="somebody", identity_text="somebody"))
    await answers(world)
    [incident] = await world.incidents(finding.target)

    assert {each.object_id: each.bypass_on for each in incident.candidates} == {ALEX: False, BLAKE: False}
