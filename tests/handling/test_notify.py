"""The outbox: which notifications people receive, and when."""

from __future__ import annotations

import dataclasses

from bypass_responder.errors import TransientError
from bypass_responder.model.change import Actor, Outcome
from tests.world import ALEX, World, a_finding, an_account


async def test_every_notification_ends_with_the_remaining_tasks() -> None:
    world = World()
    await world.sees(a_finding())
    await world.passes(seconds=6)

    assert world.notifier.sent
    assert all("mallory" in notification.left_to_do[0] for notification in world.notifier.sent)


async def test_a_self_bypass_is_named() -> None:
    world = World()
    await world.sees(a_finding(actor=Actor(user_id="Alex@contoso.onmicrosoft.com")))
    await world.passes(seconds=6)

    assert any("self-bypass" in todo for notification in world.notifier.sent for todo in notification.left_to_do)


async def test_a_notification_that_cannot_be_delivered_delays_nothing_and_is_sent_later() -> None:
    world = World()
    world.notifier.fail("send", TransientError("down"))
    await world.sees(a_finding())
    await world.passes(seconds=6)
    undelivered = list(world.notifier.sent)

    await world.passes(minutes=2)

    assert undelivered == []
    assert not world.directory.enabled[ALEX]
    assert [notification.about for notification in world.notifier.sent] == ["contained"]


async def test_a_flood_is_reported_in_one_notification() -> None:
    people = [an_account(f"aaaaaaaa-0000-4000-8000-{i:012d}", f"p{i}@contoso.onmicrosoft.com") for i in range(12)]
    world = World(*people)

    await world.sees(
        *(
            a_finding(object_id_text=p.object_id, identity_text=p.user_principal_name, outcome=Outcome.FAILED)
            for p in people
        )
    )

    assert [len(message) for message in world.notifier.messages] == [12]


async def test_without_a_channel_a_finished_target_is_left_alone() -> None:
    world = World()
    world.services = dataclasses.replace(world.services, notifier=None)
    await world.sees(a_finding(outcome=Outcome.FAILED))
    await world.passes(minutes=1)

    assert world.work.held == {}
