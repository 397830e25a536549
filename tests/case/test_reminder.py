"""Reminders: an unacknowledged incident is notified again, more severely, at most three times."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import RefusedError, TransientError
from bypass_responder.model.change import Actor
from bypass_responder.model.decision_message import Author
from bypass_responder.model.notification import Notification, Severity
from tests.world import ALEX, BLAKE, World, a_finding, an_account, an_entry

ADELE = Author(object_id="0a0a0a0a-0000-4000-8000-00000000000a", name="adele@contoso.onmicrosoft.com")


async def contained() -> World:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    await world.passes(seconds=6)
    return world


async def reminders(world: World, target: str = ALEX) -> list[Notification]:
    return [note for note in (await world.case(target)).rows(Notification) if note.about == "unacknowledged"]


async def acknowledged(world: World, author: Author = ADELE) -> None:
    await world.decides("acknowledge", (await world.incidents())[0].id, author=author)


async def test_nobody_is_reminded_before_the_hours_of_the_setting() -> None:
    world = await contained()
    await world.passes(hours=3, minutes=58)

    assert await reminders(world) == []


async def test_an_incident_that_nobody_has_acknowledged_is_notified_again_as_an_emergency() -> None:
    world = await contained()
    await world.passes(hours=4)

    assert [note.severity for note in await reminders(world)] == [Severity.EMERGENCY]


async def test_a_reminder_says_what_is_true_now() -> None:
    world = await contained()
    await world.passes(hours=4)
    [note] = await reminders(world)

    assert (
        "Now sign-in is blocked, its sessions are revoked, and the bypass was off already when it was read" in note.text
    )


async def test_a_change_for_the_worse_postpones_no_reminder() -> None:
    world = await contained()
    await world.passes(hours=2)
    world.directory.change(ALEX, account_enabled=True)
    for minutes in (60, 3, 58):
        await world.passes(minutes=minutes)

    assert [note.severity for note in await reminders(world)] == [Severity.EMERGENCY]


async def test_the_setting_moves_the_reminder() -> None:
    world = await contained()
    world.deploy(decision_reminder_hours=1)
    await world.passes(hours=1)

    assert len(await reminders(world)) == 1


async def test_there_are_three_reminders_at_most() -> None:
    world = await contained()
    for _ in range(48):
        await world.passes(hours=1)

    assert len(await reminders(world)) == 3


async def test_reminders_that_were_missed_are_made_once() -> None:
    world = await contained()
    await world.passes(days=2)

    assert len(await reminders(world)) == 1


async def test_a_held_incident_is_reminded_of() -> None:
    world = World(an_account(), an_account("b1a8e000-0000-4000-8000-000000000001", "blake@contoso.onmicrosoft.com"))
    await world.sees(a_finding(identity_text="blake@contoso.onmicrosoft.com"))
    await world.answer()
    await world.passes(hours=4, minutes=1)

    assert len(await reminders(world)) == 1


async def test_a_bypass_from_before_the_first_start_is_reminded_of_alone() -> None:
    """It was notified alone as well: the first sweep does not list it."""
    world = World()
    await world.sees(a_finding(first_run=True))
    await world.passes(hours=4, minutes=1)

    assert (await world.incidents())[0].verdict == "first_run"
    assert len(await reminders(world)) == 1


async def first_sweep(*, hours: float) -> World:
    """Two accounts were bypassed before monitoring began; sweeps go on for some hours."""
    world = World(an_account(), an_account(BLAKE, "blake@contoso.onmicrosoft.com"))
    world.bypassed |= {ALEX: True, BLAKE: True}
    await world.sweep()
    await world.passes(minutes=1)
    await sweeps_go_on(world, hours=hours)
    return world


async def sweeps_go_on(world: World, *, hours: float) -> None:
    for _ in range(int(hours * 2)):
        await world.passes(minutes=30)
        await world.sweep()


async def lists(world: World) -> list[Notification]:
    sent = [note for note in world.notifier.sent if note.about == "first_sweep"]
    return [note for note in sent if note.title.startswith("No decision yet")]


async def test_what_the_first_sweep_lists_is_reminded_of_in_one_list() -> None:
    world = await first_sweep(hours=4.5)
    [note] = await lists(world)

    assert [await reminders(world, target) for target in (ALEX, BLAKE)] == [[], []]
    assert note.text.startswith(f"alex@contoso.onmicrosoft.com ({ALEX}), blake@contoso.onmicrosoft.com ({BLAKE}). Each")
    assert note.severity is Severity.CRITICAL


async def test_the_list_is_sent_three_times_at_most() -> None:
    assert len(await lists(await first_sweep(hours=48))) == 3


async def test_who_is_acknowledged_or_dismissed_is_not_in_the_list() -> None:
    world = await first_sweep(hours=0)
    await acknowledged(world)
    await world.decides("dismiss", (await world.incidents(BLAKE))[0].id, target=BLAKE)
    await sweeps_go_on(world, hours=17)

    assert await lists(world) == []


async def test_an_account_that_is_allowlisted_or_on_no_longer_is_not_in_the_list() -> None:
    world = await first_sweep(hours=0)
    await world.allowlist.put(an_entry(ALEX))
    world.bypassed[BLAKE] = False
    await sweeps_go_on(world, hours=17)

    assert await lists(world) == []


async def test_an_observed_incident_is_not_reminded_of() -> None:
    world = World(mode="observe")
    await world.sees(a_finding())
    await world.passes(days=1)

    assert await reminders(world) == []


async def test_an_acknowledged_incident_is_not_reminded_of() -> None:
    world = await contained()
    await acknowledged(world)
    await world.passes(days=1)

    assert await reminders(world) == []


async def test_an_incident_that_a_person_ended_is_not_reminded_of() -> None:
    world = await contained()
    await world.decides("close", (await world.incidents())[0].id)
    await world.passes(days=1)

    assert await reminders(world) == []


async def test_who_approves_has_the_incident() -> None:
    world = World(containment_limit_per_hour=0)
    await world.sees(a_finding())
    await world.decides("approve", (await world.incidents())[0].id, author=ADELE)

    assert (await world.incidents())[0].acknowledged_by == ADELE.name


async def test_the_incident_and_its_entry_name_who_has_it() -> None:
    world = await contained()
    await acknowledged(world)
    [incident] = await world.incidents()
    entry = await world.index.get(incident.id)

    assert incident.acknowledged_at == world.now
    assert (incident.acknowledged_by, entry.acknowledged_by if entry else None) == (ADELE.name, ADELE.name)


async def test_everybody_is_notified_of_who_has_it() -> None:
    world = await contained()
    await acknowledged(world)
    [note] = [note for note in world.notifier.sent if note.about == "acknowledged"]

    assert note.text.startswith(f"{ADELE.name} has been handling it since {world.now:%Y-%m-%d %H:%MZ}.")


async def test_another_person_can_take_it_over() -> None:
    world = await contained()
    await acknowledged(world)
    await acknowledged(world, ADELE.model_copy(update={"name": "blake@contoso.onmicrosoft.com"}))

    assert (await world.incidents())[0].acknowledged_by == "blake@contoso.onmicrosoft.com"


async def test_an_acknowledgment_is_in_the_log() -> None:
    world = await contained()
    await acknowledged(world)
    lines = [entry async for entry in world.ledger.log(ALEX)]

    assert [entry.who for entry in lines if entry.event == "acknowledged"] == [f"{ADELE}, claimed"]


@pytest.mark.parametrize("name", ["mallory@contoso.onmicrosoft.com", "alex@contoso.onmicrosoft.com"])
async def test_whom_an_incident_names_cannot_acknowledge_it(name: str) -> None:
    world = await contained()

    with pytest.raises(RefusedError, match="Another person must"):
        await acknowledged(world, Author(name=name))


async def test_an_ended_incident_cannot_be_acknowledged() -> None:
    world = await contained()
    await world.decides("close", (await world.incidents())[0].id)

    with pytest.raises(RefusedError, match="closed already"):
        await acknowledged(world)


async def test_the_newest_of_many_incidents_of_one_account_is_reminded_of() -> None:
    """The older incidents of an account that is switched on and off repeatedly cause no reminders."""
    world = await contained()
    for number in range(1, 6):
        world.now += timedelta(minutes=30)
        world.bypassed[ALEX] = True
        await world.sees(a_finding(id=f"again-{number}", effective_at=world.now))
        await world.answer()
        await world.passes(seconds=6)
    await world.passes(days=2)

    assert len(await reminders(world)) <= 3


async def test_an_administrator_as_the_actor_raises_the_severity() -> None:
    world = World(an_account(), an_account(BLAKE, "mallory@contoso.onmicrosoft.com"))
    world.directory.admins = {BLAKE}
    await world.sees(a_finding(actor=Actor(user_id="mallory@contoso.onmicrosoft.com", user_type="Admin")))
    await world.passes(seconds=6)
    [note] = [note for note in world.notifier.sent if note.about == "contained"]

    assert (note.severity, note.facts["raised"]) == (
        Severity.EMERGENCY,
        "the actor is an administrator of the directory",
    )


@pytest.mark.parametrize("broken", [False, True])
async def test_the_user_type_of_the_record_alone_does_not(broken: bool) -> None:
    world = World()
    if broken:
        world.directory.fail("is_administrator", TransientError("503"), always=True)
    await world.sees(a_finding(actor=Actor(user_id="mallory@contoso.onmicrosoft.com", user_type="Admin")))
    await world.passes(seconds=6)
    [note] = [note for note in world.notifier.sent if note.about == "contained"]

    assert note.severity is Severity.CRITICAL


async def test_the_same_person_acknowledges_once() -> None:
    world = await contained()
    [incident] = await world.incidents()
    await world.decides("acknowledge", incident.id, author=ADELE)
    before = len(await world.notifications())
    with pytest.raises(RefusedError, match="has been handling it since"):
        await world.decides("acknowledge", incident.id, author=ADELE)

    assert len(await world.notifications()) == before


async def test_any_other_actor_does_not() -> None:
    world = await contained()

    assert {note.severity for note in world.notifier.sent if note.about == "contained"} == {Severity.CRITICAL}


async def test_an_incident_that_predates_monitoring_is_reminded_of_when_no_summary_lists_it() -> None:
    world = World()
    await world.sees(a_finding(first_run=True))
    await world.passes(hours=4)

    assert len(await reminders(world)) == 1
