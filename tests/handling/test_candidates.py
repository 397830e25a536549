"""An unresolved incident names the accounts that it may be about, and Exchange is asked about each."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.model.change import Actor
from bypass_responder.model.incident import Incident
from bypass_responder.model.message import MOST_CANDIDATES, ExchangeOutcome
from bypass_responder.model.notification import Notification
from bypass_responder.operating.candidates import linked
from tests.world import ALEX, BLAKE, World, a_finding, an_account

if TYPE_CHECKING:
    from bypass_responder.model.account import Account

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


# ---- in an incident of one account -----------------------------------------------------------------------------------


async def listed_once(*accounts: Account) -> World:
    """A world whose first sweep had ALEX on: the incident is held and was never notified."""
    world = World(an_account(), an_account(BLAKE, "blake@contoso.onmicrosoft.com"), *accounts)
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.passes(minutes=15)
    return world


async def about_another(world: World) -> list[Notification]:
    notifications = (await world.case()).rows(Notification)
    return [row for row in notifications if row.title.startswith("A record may be about another account")]


async def test_a_record_that_may_be_about_another_account_is_notified_and_the_other_is_checked() -> None:
    world = await listed_once()
    await world.sees(a_finding(effective_at=world.now, **TWO))
    await answers(world)
    [incident] = await world.incidents()

    assert "blake@contoso.onmicrosoft.com" in (await about_another(world))[0].text
    assert [(each.object_id, each.bypass_on) for each in incident.candidates] == [(BLAKE, False)]
    assert world.directory.enabled == {ALEX: True, BLAKE: True}


async def test_a_record_whose_name_nobody_knows_is_notified_once() -> None:
    world = await listed_once()
    world.bypassed[ALEX] = False
    for number in range(3):
        await world.sees(a_finding(id=f"record-{number}", effective_at=world.now, identity_text=f"nobody {number}"))
        await answers(world)

    assert len(await about_another(world)) == 1


async def test_any_number_of_such_records_opens_no_incident_and_is_notified_a_bounded_number_of_times() -> None:
    ids = [f"00000000-0000-4000-8000-{number:012d}" for number in range(MOST_CANDIDATES + 5)]
    world = await listed_once(*(an_account(each, f"user-{each}@contoso.onmicrosoft.com") for each in ids))
    for each in ids * 2:
        found = len((await world.case()).by_key)
        await world.sees(
            a_finding(id=f"record-{each}-{found}", effective_at=world.now, object_id_text=ALEX, identity_text=each)
        )

    assert len(await world.incidents()) == 1
    assert len(await about_another(world)) == MOST_CANDIDATES


async def test_a_late_record_that_may_be_about_another_account_is_notified() -> None:
    """That the bypass of ALEX is proven off says nothing about the other account."""
    world = World(an_account(), an_account(BLAKE, "blake@contoso.onmicrosoft.com"))
    on = world.now
    world.bypassed[ALEX] = True
    await world.sees(a_finding(effective_at=on))
    await world.answer()
    world.now += timedelta(hours=1)
    await world.sees(a_finding(id="late", effective_at=on, received_at=world.now, **TWO))
    await answers(world)
    [incident] = await world.incidents()

    assert len(await about_another(world)) == 1
    assert [(each.object_id, each.bypass_on) for each in incident.candidates] == [(BLAKE, False)]


async def test_the_candidates_are_checked_after_the_incident_has_its_account_too() -> None:
    world = await unresolved(alex=True, blake=True)
    await world.sees(a_finding(id="certain"))
    await answers(world)
    [incident] = await world.incidents()

    assert incident.account is not None
    assert {each.object_id: each.bypass_on for each in incident.candidates}[BLAKE] is True


async def test_an_incident_about_a_candidate_as_an_actor_is_not_linked_in_its_place() -> None:
    world = World(actor_response="contain")
    await world.sweep()
    await world.sees(a_finding(**TWO))
    world.bypassed[BLAKE] = True
    world.now += timedelta(minutes=15)
    await world.sweep()
    await answers(world)
    [own] = await world.incidents(BLAKE)
    incident = await the_incident(world)
    blake = Actor(user_id="blake@contoso.onmicrosoft.com", object_id=BLAKE)
    world.now += timedelta(minutes=15)
    await world.sees(a_finding(actor=blake, effective_at=world.now, received_at=world.now))
    links = {candidate.object_id: found for candidate, found in await linked(incident, world.services)}
    found = links[BLAKE]

    assert len(await world.incidents(BLAKE)) == 2
    assert found is not None
    assert found.id == own.id
