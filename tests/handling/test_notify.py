"""The outbox: which notifications people receive, when, and how often."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from bypass_responder.errors import RefusedError, ThrottledError, TransientError
from bypass_responder.handling import notify
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Actor, Outcome
from bypass_responder.model.decision_message import Shown
from bypass_responder.model.notification import Notification
from bypass_responder.operating.deliveries import deliveries_of
from bypass_responder.ports import OutboxItem
from bypass_responder.triggers.resume_responses import resume_responses
from bypass_responder.triggers.send_notifications import send_notifications
from tests.fakes import FakeNotifier, FakeOutbox
from tests.world import ALEX, World, a_finding, an_account, some_settings


def an_attempt(number: int) -> dict[str, object]:
    object_id, upn = f"aaaaaaaa-0000-4000-8000-{number:012d}", f"p{number}@contoso.onmicrosoft.com"
    return {"object_id_text": object_id, "identity_text": upn, "outcome": Outcome.FAILED}


async def attempts(count: int, world: World) -> None:
    """Failed attempts at as many accounts, each of which is notified."""
    await world.sees(*(a_finding(**an_attempt(number)) for number in range(count)))


def people(count: int) -> World:
    return World(
        *(an_account(f"aaaaaaaa-0000-4000-8000-{n:012d}", f"p{n}@contoso.onmicrosoft.com") for n in range(count))
    )


class Slow(FakeNotifier):
    """Each message takes a minute of the world's time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    async def send(self, notifications: Sequence[Notification]) -> None:
        self._world.now += timedelta(minutes=1)
        await super().send(notifications)


class AddedAgain(FakeOutbox):
    """The first target that a run finishes was added again meanwhile."""

    def __init__(self, outbox: FakeOutbox) -> None:
        super().__init__()
        self.__dict__ |= outbox.__dict__
        self._first = True

    async def finish(self, item: OutboxItem, due_at: datetime | None) -> None:
        if not self._first:
            await super().finish(item, due_at)
        self._first = False


def with_receivers(world: World, **receivers: FakeNotifier) -> World:
    world.services = dataclasses.replace(world.services, receivers=dict(receivers))
    return world


async def test_every_notification_ends_with_the_remaining_tasks() -> None:
    world = World()
    await world.sees(a_finding())
    await world.passes(seconds=6)

    assert world.notifier.sent
    assert all("mallory" in " ".join(notification.left_to_do) for notification in world.notifier.sent)


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
    world = people(12)
    await attempts(12, world)

    assert [len(message) for message in world.notifier.messages] == [12]


async def test_one_odd_notification_in_a_flood_holds_back_no_other() -> None:
    world = people(12)
    send = world.notifier.send

    async def all_but_one(notifications: Sequence[Notification]) -> None:
        if any(note.target.endswith("3") for note in notifications):
            raise RefusedError("422")
        await send(notifications)

    world.notifier.send = all_but_one  # type: ignore[method-assign]
    await attempts(12, world)

    assert len(world.notifier.sent) == 11


async def test_critical_notifications_are_sent_first() -> None:
    world = World()
    world.notifier.fail("send", TransientError("down"))
    await world.sees(a_finding(outcome=Outcome.FAILED), a_finding())
    await world.passes(minutes=2)

    assert [note.about for note in world.notifier.sent] == ["contained", "attempt"]


async def test_without_a_channel_a_finished_target_is_left_alone() -> None:
    world = with_receivers(World())
    await world.sees(a_finding(outcome=Outcome.FAILED))
    await world.passes(minutes=1)

    assert world.work.held == {}


async def test_without_a_channel_a_notification_is_deleted_after_thirty_days() -> None:
    world = with_receivers(World())
    await world.sees(a_finding(outcome=Outcome.FAILED))
    for days in (2, 30):
        world.now += timedelta(days=days)
        await world.sees(a_finding(outcome=Outcome.FAILED))

    assert len(await world.notifications()) == 2


async def test_two_runs_at_once_deliver_a_notification_once() -> None:
    world = World()
    await world.sees(a_finding())
    world.now += timedelta(seconds=6)
    await world.passes()
    await asyncio.gather(send_notifications(world.services), send_notifications(world.services))

    assert [notification.about for notification in world.notifier.sent] == ["contained"]


async def test_what_was_accepted_and_could_not_be_recorded_is_not_sent_again_in_this_run() -> None:
    world = World()
    await world.sees(a_finding())
    world.now += timedelta(seconds=6)
    await resume_responses(world.services, world.self_checks)
    world.services = dataclasses.replace(world.services, outbox=AddedAgain(world.outbox))
    world.ledger.fail("commit", TransientError("503"), about=ALEX)
    with pytest.raises(ExceptionGroup):
        await send_notifications(world.services)

    assert [notification.about for notification in world.notifier.sent] == ["contained"]


async def test_a_silent_receiver_gets_one_message_and_then_none_for_a_while() -> None:
    world = people(5)
    world.notifier.fail("send", TransientError("no answer"), always=True)
    await attempts(5, world)
    await world.passes(seconds=20)

    assert world.notifier.calls.count(("send", "")) == 1


async def test_a_silent_receiver_is_tried_with_one_message_at_a_time_at_least_every_ten_minutes() -> None:
    world = people(5)
    world.notifier.fail("send", TransientError("no answer"), always=True)
    await attempts(5, world)
    for _ in range(120):
        await world.passes(minutes=1)

    assert 12 <= world.notifier.calls.count(("send", "")) <= 18


async def test_after_a_silence_everything_is_delivered() -> None:
    world = people(5)
    world.notifier.fail("send", TransientError("no answer"))
    await attempts(5, world)
    await world.passes(minutes=1)

    assert len(world.notifier.sent) == 5


async def test_a_receiver_that_waits_in_vain_holds_back_no_other() -> None:
    silent, quick = FakeNotifier(), FakeNotifier()
    silent.fail("send", TransientError("no answer"), always=True)
    world = with_receivers(people(3), silent=silent, quick=quick)
    await attempts(3, world)

    assert len(quick.sent) == 3


async def test_a_notification_is_delivered_to_each_receiver_once() -> None:
    late, quick = FakeNotifier(), FakeNotifier()
    late.fail("send", TransientError("no answer"))
    world = with_receivers(people(3), late=late, quick=quick)
    await attempts(3, world)
    for _ in range(3):
        await world.passes(minutes=1)

    assert (len(late.sent), len(quick.sent)) == (3, 3)


async def test_a_slow_receiver_gets_a_minute_of_a_run_and_the_rest_later() -> None:
    world = people(3)
    slow = Slow(world)
    with_receivers(world, slow=slow)
    await attempts(3, world)
    in_one_run = len(slow.sent)
    for _ in range(3):
        await world.passes(minutes=1)

    assert (in_one_run, len(slow.sent)) == (1, 3)


async def test_a_receiver_that_hangs_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "SEND_SECONDS", 0.01)
    world = people(3)

    async def hangs(notifications: Sequence[Notification]) -> None:
        await asyncio.sleep(60 * len(notifications))

    world.notifier.send = hangs  # type: ignore[method-assign]
    await attempts(3, world)

    assert world.outbox.turns["webhook"][1] == 1


async def test_a_receiver_that_refuses_everything_is_tried_three_times_in_a_run() -> None:
    world = people(8)
    world.notifier.fail("send", RefusedError("401"), always=True)
    await attempts(8, world)

    assert world.notifier.calls.count(("send", "")) == 3


async def test_a_refused_notification_is_retried_less_and_less_often() -> None:
    world = people(1)
    world.notifier.fail("send", RefusedError("422"), always=True)
    await attempts(1, world)
    for _ in range(240):
        await world.passes(minutes=1)

    assert world.notifier.calls.count(("send", "")) < 12


async def test_a_receiver_may_ask_for_a_pause_of_an_hour_at_most() -> None:
    world = people(1)
    world.notifier.fail("send", ThrottledError("429", retry_after_seconds=1e12))
    await attempts(1, world)
    await world.passes(minutes=30)
    early = len(world.notifier.sent)
    await world.passes(minutes=31)

    assert (early, len(world.notifier.sent)) == (0, 1)


async def test_an_undelivered_notification_is_not_loaded_after_a_day_and_is_delivered_all_the_same() -> None:
    world = people(1)
    target = str(an_attempt(0)["object_id_text"])
    world.notifier.fail("send", RefusedError("422"), always=True)
    await attempts(1, world)
    world.now += timedelta(days=2)
    await attempts(1, world)
    loaded = [row.created_at for row in (await world.ledger.load(target)).rows(Notification)]
    world.notifier.recover()
    await world.passes(hours=2)

    assert (len(loaded), len(world.notifier.sent)) == (1, 2)


async def test_one_account_that_cannot_be_read_holds_back_no_other() -> None:
    world = people(3)
    world.notifier.fail("send", TransientError("down"))
    await attempts(3, world)
    world.ledger.fail("load", TransientError("503"), about=str(an_attempt(1)["object_id_text"]), always=True)
    world.now += timedelta(minutes=1)
    with pytest.raises(ExceptionGroup):
        await send_notifications(world.services)

    assert len(world.notifier.sent) == 2


async def test_a_lost_wake_up_is_made_up_for_by_the_scheduler() -> None:
    world = people(1)
    world.sender.fail("wake", TransientError("queue"))
    with pytest.raises(ExceptionGroup):
        await attempts(1, world)
    await world.passes(minutes=1)

    assert len(world.notifier.sent) == 1


def quiet(world: World, name: str, minimum: str) -> FakeNotifier:
    """A second receiver with a minimum severity."""
    receiver = FakeNotifier()
    listed = [{"name": name, "kind": "teams", "url": "https://x.example", "minimum": minimum}]
    with_receivers(world, webhook=world.notifier, **{name: receiver})
    world.services = dataclasses.replace(
        world.services, settings=some_settings(notification_receivers=json.dumps(listed))
    )
    return receiver


async def test_a_receiver_gets_what_has_its_minimum_severity() -> None:
    world = World()
    soc = quiet(world, "soc", "critical")
    await world.sees(a_finding(outcome=Outcome.FAILED), a_finding())
    await world.answer()
    await world.passes(seconds=6)

    assert [note.about for note in soc.sent] == ["contained"]
    assert sorted(note.about for note in world.notifier.sent) == ["attempt", "contained", "restored"]


async def test_what_no_receiver_wants_is_not_loaded_after_a_day_and_waits_for_nobody() -> None:
    world = World()
    soc = quiet(world, "soc", "critical")
    world.services = dataclasses.replace(world.services, receivers={"soc": soc})
    await attempts(1, world)
    await world.passes(days=2)

    assert world.work.held == {}
    assert soc.sent == []


async def test_everybody_gets_who_has_the_incident() -> None:
    world = World()
    soc = quiet(world, "soc", "emergency")
    await world.sees(a_finding())
    await world.passes(seconds=6)
    await world.decides("acknowledge", (await world.incidents())[0].id)

    assert [note.about for note in soc.sent] == ["acknowledged"]


@pytest.mark.parametrize(("receiver", "expected"), [(None, (1, 1)), ("soc", (0, 1))])
async def test_a_test_goes_to_the_receivers_that_it_names(receiver: str | None, expected: tuple[int, int]) -> None:
    world = World()
    soc = quiet(world, "soc", "emergency")
    message = await world.a_decision("test_notification", "", TENANT_TARGET, shown=Shown(), receiver=receiver)
    await world.delivers(message)
    await world.passes()

    assert (len(world.notifier.sent), len(soc.sent)) == expected
    assert [each.accepted for each in await deliveries_of(message.message_id, world.services)] == [True] * sum(expected)


async def test_a_test_of_an_unknown_receiver_is_refused_with_the_names_that_there_are() -> None:
    world = World()
    quiet(world, "soc", "info")
    message = await world.a_decision("test_notification", "", TENANT_TARGET, shown=Shown(), receiver="sco")
    recorded = await world.delivers(message)

    assert recorded.why == "The app has no receiver sco. It has: soc, webhook."


async def test_a_test_names_the_answer_of_a_receiver_that_refuses() -> None:
    world = World()
    world.notifier.fail("send", RefusedError("Teams answered 404."), always=True)
    message = await world.a_decision("test_notification", "", TENANT_TARGET, shown=Shown())
    await world.delivers(message)
    await world.passes()

    assert [each.result for each in await deliveries_of(message.message_id, world.services)] == ["Teams answered 404."]


async def test_what_waited_for_more_than_a_day_is_delivered_once_however_much_it_is() -> None:
    """Fifty notifications of one account need more than one transaction of 100 rows.

    In a single one, they would be sent again every ten minutes.
    """
    world = World()
    world.notifier.fail("send", TransientError("down"), always=True)
    for number in range(60):
        await world.sees(a_finding(outcome=Outcome.FAILED, effective_at=world.now + timedelta(seconds=number)))
    world.now += timedelta(hours=30)
    await world.sees(a_finding(outcome=Outcome.FAILED))
    world.notifier.recover()
    for _ in range(3):
        await world.passes(minutes=15)

    assert len(world.notifier.sent) == len({each.id for each in world.notifier.sent}) == 61
