"""Who is bypassed: the last complete sweep, the allowlist beside it, and what was read since."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.errors import InputError
from bypass_responder.model.change import Actor
from bypass_responder.operating.bypassed import BypassedAccounts, bypassed_accounts
from tests.world import ALEX, BLAKE, START, World, a_finding, an_account, an_entry

WEEK = timedelta(days=7)


async def swept(*bypassed: str, **settings: object) -> World:
    """A world whose first sweep saw nobody on, and whose second one saw these."""
    world = World(an_account(), an_account(BLAKE, "blake@contoso.onmicrosoft.com"), **settings)
    await world.allowlist.put(an_entry(ALEX, expires_at=START + WEEK))
    await world.sweep()
    world.bypassed.update(dict.fromkeys(bypassed, True))
    world.now += timedelta(minutes=15)
    await world.sweep()
    return world


async def read(world: World) -> BypassedAccounts:
    return await bypassed_accounts(world.services)


async def test_before_the_first_sweep_nothing_is_known() -> None:
    found = await read(World())

    assert (found.as_of, found.accounts, found.doubt) == (None, (), "no sweep was requested yet")


async def test_an_allowlisted_account_has_its_justification() -> None:
    entry = an_entry(ALEX)
    [account] = (await read(await swept(ALEX))).accounts

    assert (account.allowlisted, account.justification, account.owner) == (True, entry.justification, entry.owner)
    assert (account.bypass, account.incident, account.expires_at) == ("on", "", START + WEEK)


async def test_an_account_without_an_entry_comes_first_with_its_incident() -> None:
    world = await swept(ALEX, BLAKE)
    await world.answer()
    found = await read(world)

    assert [account.object_id for account in found.accounts] == [BLAKE, ALEX]
    assert [bool(account.incident) for account in found.accounts] == [True, False]


async def test_a_later_read_of_the_responder_counts() -> None:
    world = await swept(BLAKE)
    before = (await read(world)).others
    await world.answer()
    await world.passes(minutes=61)  # the re-check after an hour
    await world.answer()
    found = await read(world)

    assert (before, found.others) == (1, 0)
    assert [(account.bypass, account.bypass_at) for account in found.accounts] == [("off", world.now)]


async def test_a_case_that_cannot_be_read_hides_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await swept(BLAKE)
    load = world.ledger.load

    async def broken(target: str, *, history: bool = False) -> Any:
        if target == BLAKE:
            raise InputError("corrupt_row", "a row was changed by hand")
        return await load(target, history=history)

    monkeypatch.setattr(world.ledger, "load", broken)
    found = await read(world)

    assert [(account.object_id, account.incident) for account in found.accounts] == [(BLAKE, "")]


async def test_a_sweep_that_is_late_is_a_doubt() -> None:
    world = await swept(ALEX)
    world.now += timedelta(hours=2)

    assert "SWEEP_OVERDUE_MINUTES" in (await read(world)).doubt


async def test_the_incident_of_an_account_is_not_one_about_it_as_an_actor() -> None:
    world = await swept(BLAKE, actor_response="contain")
    await world.answer()
    blake = Actor(user_id="blake@contoso.onmicrosoft.com", object_id=BLAKE)
    world.now += timedelta(minutes=1)
    world.allowlist.rows.clear()
    await world.sees(a_finding(actor=blake, effective_at=world.now, received_at=world.now))
    rows = {row.id: row.about_actor for row in await world.incidents(BLAKE)}
    [account] = [each for each in (await read(world)).accounts if each.object_id == BLAKE]

    assert sorted(rows.values()) == [False, True]
    assert rows[account.incident] is False
