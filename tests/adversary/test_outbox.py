"""One notification, one receiver or one account holds back neither the others nor a response."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Sequence

import httpx
import pytest

from bypass_responder.adapters.webhook import WebhookNotifier
from bypass_responder.model.case import Case
from bypass_responder.model.change import Outcome
from bypass_responder.model.notification import Notification
from bypass_responder.triggers import resume_responses as resume_responses_module
from bypass_responder.triggers.resume_responses import resume_responses
from tests.adversary.scenes import (
    SilentReceiver,
    a_finding_about,
    a_world,
    about_blake,
    minutes_pass,
    numbered_accounts,
    problems_of,
    undelivered,
)
from tests.world import ALEX, BLAKE, World, a_finding


class ThrottlingReceiver:
    """Answers the first message with 429 and ``retry_after``, and accepts every other."""

    def __init__(self, retry_after: str) -> None:
        self._answers = [httpx.Response(429, headers={"Retry-After": retry_after})]
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, _: httpx.Request) -> httpx.Response:
        return self._answers.pop() if self._answers else httpx.Response(204)

    def of(self, world: World) -> World:
        """The same world, which notifies this receiver."""
        notifier = WebhookNotifier(self.http, "https://hook.example", "secret")
        world.services = dataclasses.replace(world.services, receivers={"webhook": notifier})
        return world


async def test_an_absurd_retry_after_breaks_no_run() -> None:
    """A wait of 30,000 years does not overflow the clock and hold back what is queued behind it."""
    world = ThrottlingReceiver("999999999999").of(a_world())
    await world.sees(a_finding(), about_blake())
    problems = await problems_of(world.passes(seconds=6))

    assert problems == []


@pytest.mark.parametrize("retry_after", ["31536000", "99999999999"])
async def test_a_receiver_cannot_put_a_notification_off_for_longer_than_a_day(retry_after: str) -> None:
    """The receiver says how long its messages wait, up to a bound."""
    world = ThrottlingReceiver(retry_after).of(a_world())
    await world.sees(a_finding())
    await minutes_pass(world, 2)
    await world.passes(hours=25)

    assert await undelivered(ALEX, world) == []


async def test_a_notification_that_cannot_be_sent_holds_back_no_other() -> None:
    """Delivery goes on behind an odd notification, in this run and in each one after."""
    world = a_world()
    deliver = world.notifier.send

    async def all_but_alex(notifications: Sequence[Notification]) -> None:
        if notifications[0].target == ALEX:
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
        await deliver(notifications)

    world.notifier.send = all_but_alex  # type: ignore[method-assign]
    await problems_of(world.sees(a_finding(), about_blake()))
    await problems_of(world.passes(minutes=5))

    assert await undelivered(BLAKE, world) == []


async def test_a_run_waits_for_a_silent_receiver_once_at_most() -> None:
    """Nine accounts do not cost nine timeouts of ten seconds, which delay the timer's next run."""
    accounts = numbered_accounts(9)
    receiver = SilentReceiver()
    world = World(*accounts, containment_limit_per_hour=100)
    world.services = dataclasses.replace(world.services, receivers={"webhook": receiver})
    await world.sees(*map(a_finding_about, accounts))
    await world.passes(seconds=6)

    assert receiver.timeouts <= 1


async def runs_that_the_host_ends(world: World) -> None:
    """Three runs with findings about two accounts; the host ends each, as BLAKE's rows never load."""
    load = world.ledger.load

    async def never_for_blake(target: str, *, history: bool = False) -> Case:
        await asyncio.sleep(3600 * (target == BLAKE))
        return await load(target, history=history)

    world.ledger.load = never_for_blake  # type: ignore[method-assign]
    for finding in (about_blake(), a_finding(outcome=Outcome.FAILED)):
        await world.work.touch(finding.target, world.now)
        await world.ledger.add_finding(finding)
    for _ in range(3):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                await resume_responses(world.services)


async def test_one_slow_account_holds_back_no_notification_about_another() -> None:
    """A run sends what is settled before the slow account is."""
    world = a_world()
    await runs_that_the_host_ends(world)
    await world.sends()

    assert [notification.target for notification in world.notifier.sent] == [ALEX]


async def test_one_slow_account_holds_back_no_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that the host ends early has written a checkpoint of what it has done."""
    monkeypatch.setattr(resume_responses_module, "HEAD_SECONDS", 0.05)
    world = a_world()
    await runs_that_the_host_ends(world)

    assert world.checkpoints.held
