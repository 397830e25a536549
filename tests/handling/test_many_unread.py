"""Many accounts that cannot be read: each is retried and notified, in few messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta

import pytest

from bypass_responder import bounded
from bypass_responder.errors import PermissionMissingError, TransientError
from bypass_responder.handling import reconcile
from bypass_responder.model.finding import Finding
from bypass_responder.model.notification import Notification
from tests.simulation.loop import SimulatedLoop
from tests.world import TENANT, World, a_finding, an_account

ACCOUNTS = [f"{number:08}-0000-4000-8000-000000000000" for number in range(1, 31)]
FEW = ACCOUNTS[:12]
FIRST, SECOND, THIRD = ACCOUNTS[:3]
HANGING = 3600
"""Seconds that no limit allows."""
ABOUT_STORAGE = "99999999-0000-4000-8000-000000000000"


def finding_of(account: str) -> Finding:
    return a_finding(object_id_text=account, identity_text=f"{account}@contoso.com")


async def contained(*accounts: str) -> World:
    """Accounts whose blocks are not proven yet."""
    world = World(*(an_account(each, f"{each}@contoso.com") for each in ACCOUNTS), containment_limit_per_hour=1000)
    await world.sees(*map(finding_of, accounts))
    return world


def cannot_read(world: World, *accounts: str) -> None:
    for each in accounts:
        world.directory.fail("find", TransientError("503"), about=each, always=True)


async def runs(world: World, *, minutes: int, every: int = 1) -> list[Notification]:
    """The scheduler runs for ``minutes``, at intervals of ``every``. Returns the notifications of unread accounts."""
    before = len(world.notifier.sent)
    for _ in range(minutes // every):
        with suppress(ExceptionGroup):
            await world.passes(minutes=every)
    sent = world.notifier.sent[before:]
    return [note for note in sent if note.about == "health" and note.facts.get("alert") == "accounts_unread"]


def in_simulated_time(played: Coroutine[None, None, None]) -> None:
    """Run it in a loop whose clock jumps to the next timer, so that limits of minutes take no time."""

    def idle(seconds: float | None) -> None:
        assert seconds is not None, "nothing can go on"
        loop.now += seconds

    loop = SimulatedLoop(idle)
    try:
        loop.run_until_complete(played)
    finally:
        loop.close()


def break_reads(world: World, monkeypatch: pytest.MonkeyPatch, *, seconds: int) -> set[str]:
    """Let every read fail after so many seconds, one account at a time. Returns the names that were read."""
    tried: set[str] = set()

    async def find(identity: str) -> None:
        tried.add(identity)
        world.now += timedelta(seconds=min(seconds, reconcile.TARGET_SECONDS))
        await asyncio.sleep(seconds)
        raise TransientError("Graph did not answer within 20 seconds.")

    monkeypatch.setattr(world.directory, "find", find)
    monkeypatch.setattr(bounded, "AT_ONCE", 1)
    return tried


@pytest.mark.parametrize("seconds", [HANGING, 20])
def test_accounts_that_a_run_does_not_reach_are_read_later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    async def played() -> None:
        world = await contained(*ACCOUNTS)
        tried = break_reads(world, monkeypatch, seconds=seconds)
        await runs(world, minutes=1)
        of_one_run = set(tried)
        sent = await runs(world, minutes=60)

        assert 0 < len(of_one_run) < len(ACCOUNTS)
        assert tried == {*ACCOUNTS}
        assert sent

    in_simulated_time(played())


def test_a_block_is_made_while_the_checks_of_others_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    async def played() -> None:
        *others, last = ACCOUNTS
        world = await contained(*others)
        await runs(world, minutes=1)
        world.now += timedelta(hours=1)
        find = world.directory.find
        break_reads(world, monkeypatch, seconds=20)
        fails = world.directory.find
        monkeypatch.setattr(world.directory, "find", lambda identity: (find if identity == last else fails)(identity))
        await world.ledger.add_finding(finding_of(last))
        await world.work.touch(last, world.now)
        await runs(world, minutes=15)

        assert not world.directory.enabled[last]

    in_simulated_time(played())


def test_an_account_whose_reads_take_all_of_its_time_is_notified(monkeypatch: pytest.MonkeyPatch) -> None:
    async def played() -> None:
        world = await contained(FIRST)
        break_reads(world, monkeypatch, seconds=HANGING)

        assert len(await runs(world, minutes=17)) == 1

    in_simulated_time(played())


def test_a_run_leaves_poison_alerts_for_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def played() -> None:
        world = await contained(FIRST)
        tried = break_reads(world, monkeypatch, seconds=20)
        alerts = [json.dumps({"schemaVersion": 1, "tenantId": TENANT, "target": each}) for each in ACCOUNTS[1:]]
        world.exchange.poison_alerts += alerts
        await runs(world, minutes=1)

        assert 0 < len(world.exchange.poison_alerts) < len(alerts)
        assert FIRST in tried

    in_simulated_time(played())


async def test_accounts_are_named_in_one_notification() -> None:
    world = await contained(*FEW)
    cannot_read(world, *FEW)
    [sent] = await runs(world, minutes=60)

    assert sent.text.startswith(f"12 in all; {FIRST}, since ")
    assert all(each in sent.text for each in FEW)


async def test_an_outage_of_two_days_is_notified_once() -> None:
    world = await contained(FIRST)
    cannot_read(world, FIRST)

    assert len(await runs(world, minutes=50 * 60, every=30)) == 1


async def test_a_further_account_is_notified() -> None:
    world = await contained(FIRST, SECOND)
    cannot_read(world, FIRST, SECOND)
    await runs(world, minutes=60)
    await world.sees(finding_of(THIRD))
    cannot_read(world, THIRD)
    [sent] = await runs(world, minutes=60)

    assert sent.text.startswith(f"3 in all; {THIRD}, since ")


async def test_an_account_that_takes_the_place_of_another_is_notified() -> None:
    world = await contained(FIRST)
    cannot_read(world, FIRST)
    await runs(world, minutes=40)
    await world.sees(finding_of(SECOND))
    cannot_read(world, SECOND)
    await runs(world, minutes=20)
    world.directory.repair("find", about=FIRST)
    [sent] = await runs(world, minutes=60)

    assert sent.text.startswith(f"1 in all; {SECOND}, since ")


@pytest.mark.parametrize("order", [FEW, FEW[::-1]])
async def test_the_recovery_of_some_accounts_is_not_notified(order: list[str]) -> None:
    world = await contained(*FEW)
    cannot_read(world, *FEW)
    await runs(world, minutes=30)
    sent = []
    for each in order:
        world.directory.repair("find", about=each)
        sent += await runs(world, minutes=20)

    assert sent == []
    assert "accounts_unread" not in await world.alerts()


async def test_the_alert_ends_although_another_case_cannot_be_loaded() -> None:
    world = await contained(FIRST)
    cannot_read(world, FIRST)
    await runs(world, minutes=30)
    world.directory.repair("find", about=FIRST)
    world.ledger.fail("load", TransientError("500"), about=ABOUT_STORAGE, always=True)
    await world.work.touch(ABOUT_STORAGE, world.now)
    await runs(world, minutes=5)

    assert "accounts_unread" not in await world.alerts()


async def test_a_missing_permission_does_not_end_the_alert() -> None:
    world = await contained(FIRST)
    cannot_read(world, FIRST)
    await runs(world, minutes=30)
    missing = PermissionMissingError("403", permission="User.Read.All")
    world.directory.fail("find", missing, about=FIRST, always=True)
    await runs(world, minutes=5)

    assert "accounts_unread" in await world.alerts()
