"""Of many accounts that cannot be read, each has its turn, and people hear of each without a storm."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import timedelta

import pytest

from bypass_responder import bounded
from bypass_responder.errors import PermissionMissingError, TransientError
from bypass_responder.handling import reconcile
from bypass_responder.model.notification import Notification
from bypass_responder.triggers import resume_responses
from tests.world import TENANT, World, a_finding, an_account

ACCOUNTS = [f"{number:08}-0000-4000-8000-000000000000" for number in range(1, 13)]
FIRST, SECOND, THIRD = ACCOUNTS[:3]
ABOUT_STORAGE = "99999999-0000-4000-8000-000000000000"


async def contained(*accounts: str) -> World:
    """Accounts whose blocks are not proven yet."""
    world = World(*(an_account(each, f"{each}@contoso.com") for each in ACCOUNTS), containment_limit_per_hour=1000)
    await world.sees(*(a_finding(object_id_text=each, identity_text=f"{each}@contoso.com") for each in accounts))
    return world


def cannot_read(world: World, *accounts: str) -> None:
    for each in accounts:
        world.directory.fail("find", TransientError("503"), about=each, always=True)


async def runs(world: World, *, minutes: int, every: int = 1) -> list[Notification]:
    """The scheduler runs, each minute if nothing else is said. Returns the notifications of unread accounts."""
    before = len(world.notifier.sent)
    for _ in range(minutes // every):
        with suppress(ExceptionGroup):
            await world.passes(minutes=every)
    sent = world.notifier.sent[before:]
    return [note for note in sent if note.about == "health" and note.facts.get("alert") == "accounts_unread"]


def break_reads(world: World, monkeypatch: pytest.MonkeyPatch, *, hang: bool) -> set[str]:
    """From here on no read is answered, and a run reaches few accounts. Returns those that are read."""
    tried: set[str] = set()

    async def find(identity: str) -> None:
        tried.add(identity)
        world.now += timedelta(seconds=1)
        await asyncio.sleep(3600 if hang else 0.01)
        raise TransientError("Graph did not answer within 20 seconds.")

    monkeypatch.setattr(world.directory, "find", find)
    monkeypatch.setattr(bounded, "AT_ONCE", 1)
    monkeypatch.setattr(reconcile, "TARGET_SECONDS", 0.01 if hang else 100)
    monkeypatch.setattr(resume_responses, "RUN_SECONDS", 0.03)
    return tried


@pytest.mark.parametrize("hang", [True, False])
async def test_those_that_a_run_does_not_reach_have_their_turn(monkeypatch: pytest.MonkeyPatch, *, hang: bool) -> None:
    world = await contained(*ACCOUNTS)
    tried = break_reads(world, monkeypatch, hang=hang)
    await runs(world, minutes=1)
    of_one_run = set(tried)
    sent = await runs(world, minutes=60)

    assert 0 < len(of_one_run) < len(ACCOUNTS)
    assert tried == {*ACCOUNTS}
    assert sent


async def test_a_block_is_called_while_the_checks_of_others_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    *others, last = ACCOUNTS
    world = await contained(*others)
    await runs(world, minutes=1)
    world.now += timedelta(hours=1)
    find = world.directory.find
    break_reads(world, monkeypatch, hang=False)
    fails = world.directory.find
    monkeypatch.setattr(world.directory, "find", lambda identity: (find if identity == last else fails)(identity))
    await world.ledger.add_finding(a_finding(object_id_text=last, identity_text=f"{last}@contoso.com"))
    await world.work.touch(last, world.now)
    await runs(world, minutes=15)

    assert not world.directory.enabled[last]


async def test_an_account_whose_reads_take_all_of_its_time_is_notified(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await contained(FIRST)
    break_reads(world, monkeypatch, hang=True)

    assert len(await runs(world, minutes=17)) == 1


async def test_poison_alerts_leave_time_for_what_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await contained(FIRST)
    break_reads(world, monkeypatch, hang=True)
    monkeypatch.setattr(resume_responses, "POISON_SECONDS", 0.03)
    alerts = [json.dumps({"schemaVersion": 1, "tenantId": TENANT, "target": each}) for each in ACCOUNTS]
    world.exchange.poison_alerts += alerts
    await runs(world, minutes=1)

    assert 0 < len(world.exchange.poison_alerts) < len(alerts)


async def test_each_account_is_notified_once_and_named() -> None:
    world = await contained(FIRST, SECOND)
    cannot_read(world, FIRST, SECOND)
    [first] = await runs(world, minutes=60)
    await world.sees(a_finding(object_id_text=THIRD, identity_text=f"{THIRD}@contoso.com"))
    cannot_read(world, THIRD)
    [second] = await runs(world, minutes=60)

    assert first.text.startswith("2 in all; ")
    assert second.text.startswith(f"3 in all; {THIRD}, since ")
    assert all(each in text for each in (FIRST, SECOND) for text in (first.text, second.text))
    assert await runs(world, minutes=50 * 60, every=30) == []


async def test_an_account_that_takes_the_place_of_another_is_notified() -> None:
    world = await contained(FIRST)
    cannot_read(world, FIRST)
    await runs(world, minutes=40)
    await world.sees(a_finding(object_id_text=SECOND, identity_text=f"{SECOND}@contoso.com"))
    cannot_read(world, SECOND)
    await runs(world, minutes=20)
    world.directory.repair("find", about=FIRST)
    [sent] = await runs(world, minutes=60)

    assert sent.text.startswith(f"1 in all; {SECOND}, since ")


@pytest.mark.parametrize("order", [ACCOUNTS, ACCOUNTS[::-1]])
async def test_accounts_that_are_read_again_are_no_news(order: list[str]) -> None:
    world = await contained(*ACCOUNTS)
    cannot_read(world, *ACCOUNTS)
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


async def test_an_account_that_may_not_be_read_is_not_read_again() -> None:
    world = await contained(FIRST)
    cannot_read(world, FIRST)
    await runs(world, minutes=30)
    missing = PermissionMissingError("403", permission="User.Read.All")
    world.directory.fail("find", missing, about=FIRST, always=True)
    await runs(world, minutes=5)

    assert "accounts_unread" in await world.alerts()
