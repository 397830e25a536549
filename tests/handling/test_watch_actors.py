"""An actor who hides several accounts within a day is notified of once, as an emergency."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import RefusedError, TransientError
from bypass_responder.handling import reconcile
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Actor
from bypass_responder.model.notification import Notification, Severity
from tests.world import World, a_finding, an_account

MALLORY = "dddddddd-0000-4000-8000-000000000004"
IDS = [f"aaaaaaaa-0000-4000-8000-{number:012d}" for number in range(4)]


def people() -> World:
    return World(*(an_account(each, f"p{number}@contoso.onmicrosoft.com") for number, each in enumerate(IDS)))


async def hides(world: World, number: int, actor: str = "mallory@contoso.onmicrosoft.com") -> None:
    name = f"p{number}@contoso.onmicrosoft.com"
    about = {"object_id_text": IDS[number], "identity_text": name, "target": IDS[number]}
    await world.sees(a_finding(id=f"record-{number}", effective_at=world.now, actor=Actor(user_id=actor), **about))
    await world.answer()


async def reported(world: World) -> list[Notification]:
    await world.passes(minutes=1)
    return [note for note in (await world.case(TENANT_TARGET)).rows(Notification) if note.about == "many_targets"]


async def test_two_accounts_are_not_many() -> None:
    world = people()
    for number in range(2):
        await hides(world, number)

    assert await reported(world) == []


@pytest.mark.parametrize("object_id", [IDS[3], None], ids=["by_object_id", "by_name"])
async def test_the_incident_about_the_actor_is_none_of_the_accounts_that_they_hid(object_id: str | None) -> None:
    world = people()
    world.deploy(actor_response="contain")
    actor = Actor(user_id="p3@contoso.onmicrosoft.com", object_id=object_id)
    for number in range(2):
        name = f"p{number}@contoso.onmicrosoft.com"
        await world.sees(a_finding(object_id_text=IDS[number], identity_text=name, actor=actor))

    assert await reported(world) == []


async def test_three_accounts_of_one_actor_are_reported_once_with_their_names() -> None:
    world = people()
    for number in range(4):
        await hides(world, number)
    [note] = await reported(world)

    assert note.severity is Severity.EMERGENCY
    assert all(f"p{number}@contoso.onmicrosoft.com" in note.text for number in range(3))


async def test_three_accounts_of_three_actors_are_not_many() -> None:
    world = people()
    for number in range(3):
        await hides(world, number, f"actor{number}@contoso.onmicrosoft.com")

    assert await reported(world) == []


async def test_three_accounts_within_more_than_a_day_are_not_many() -> None:
    world = people()
    for number in range(3):
        await hides(world, number)
        world.now += timedelta(hours=13)

    assert await reported(world) == []


async def test_the_later_notifications_of_the_third_are_more_than_critical() -> None:
    world = people()
    for number in range(3):
        await hides(world, number)
    await world.passes(seconds=6)
    severities = {note.target: note.severity for note in world.notifier.sent if note.about == "contained"}

    assert severities[IDS[2]] is Severity.EMERGENCY


async def test_settling_again_reads_the_index_no_more() -> None:
    world = people()
    await hides(world, 0)
    before = len([call for call in world.index.calls if call[0] == "newest"])
    await world.passes(minutes=1)

    assert len([call for call in world.index.calls if call[0] == "newest"]) == before


async def test_after_the_report_of_the_day_the_tenants_case_is_not_read_again() -> None:
    world = people()
    for number in range(3):
        await hides(world, number)
    world.ledger.calls.clear()
    about = {"object_id_text": IDS[3], "identity_text": "p3@contoso.onmicrosoft.com", "target": IDS[3]}
    await world.sees(a_finding(effective_at=world.now, **about))

    assert ("load", TENANT_TARGET) not in world.ledger.calls


async def test_the_actor_of_many_accounts_is_read_once_for_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "TOGETHER_SECONDS", 60.0)
    world = people()
    admin = Actor(user_id="mallory@contoso.onmicrosoft.com", user_type="2")
    names = [f"p{number}@contoso.onmicrosoft.com" for number in range(4)]
    shown = zip(IDS, names, strict=True)
    await world.sees(*(a_finding(object_id_text=each, identity_text=name, actor=admin) for each, name in shown))

    assert sorted(call for call in world.directory.calls if admin.user_id in call) == [
        ("find", admin.user_id),
        ("is_administrator", admin.user_id),
    ]
    assert len([call for call in world.index.calls if call[0] == "newest"]) == 1


async def test_where_an_actor_cannot_be_judged_the_accounts_stay_due() -> None:
    world = people()
    world.index.fail("newest", TransientError("503"))
    about = {"object_id_text": IDS[0], "identity_text": "p0@contoso.onmicrosoft.com"}
    with pytest.raises(ExceptionGroup):
        await world.sees(a_finding(**about))
    await world.passes(minutes=1)

    assert [each.actors_counted for each in await world.incidents(IDS[0])] == [1]


async def test_an_actor_who_cannot_be_looked_up_hides_no_other() -> None:
    world = people()
    world.directory.accounts[MALLORY] = an_account(MALLORY, "mallory@contoso.onmicrosoft.com")
    world.directory.fail("find", RefusedError("odd"), about="odd@contoso.onmicrosoft.com", always=True)
    actors = ("odd@contoso.onmicrosoft.com", "mallory@contoso.onmicrosoft.com")
    findings = [
        a_finding(
            object_id_text=IDS[number],
            identity_text=f"p{number}@contoso.onmicrosoft.com",
            actor=Actor(user_id=actor),
        )
        for number, actor in enumerate(actors)
    ]
    await world.sees(*findings)

    assert [each.actor_ids for each in await world.incidents(IDS[1])] == [{actors[1]: MALLORY}]
