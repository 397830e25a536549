"""Incidents in each situation, made by the responder on fakes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from bypass_responder.model.change import Actor
from bypass_responder.operating.incidents.read_view import read_incident
from bypass_responder.operating.incidents.view import IncidentView
from tests.world import ALEX, START, World, a_finding, an_account

Scene = Callable[[], Awaitable["World"]]


async def bypassed(world: World, **finding: Any) -> None:
    """ALEX goes dark, a record says so, and the responder does what it can."""
    world.bypassed[ALEX] = True
    await world.sees(a_finding(**({"effective_at": START - timedelta(minutes=10)} | finding)))
    await world.answer()
    await world.passes(seconds=10)


async def view(world: World, target: str = ALEX) -> IncidentView:
    """The newest incident of a target, as it is shown."""
    return await read_incident((await world.incidents(target))[-1].id, world.services)


async def contained(**settings: Any) -> World:
    world = World(**settings)
    await bypassed(world)
    return world


async def held() -> World:
    """From a blob of before the first start."""
    world = World()
    await bypassed(world, first_run=True)
    return world


async def failed() -> World:
    """The account is an administrator, whom the responder may not block."""
    world = World()
    world.directory.admins.add(ALEX)
    await bypassed(world)
    return world


async def reverted() -> World:
    world = await contained()
    world.directory.change(ALEX, account_enabled=True)
    await world.passes(hours=1, minutes=1)
    await world.passes(minutes=3)
    return world


async def guest() -> World:
    world = World(an_account(guest=True))
    await bypassed(world)
    return world


async def synced() -> World:
    world = World(an_account(on_premises_sync_enabled=True))
    await bypassed(world)
    return world


async def observed() -> World:
    return await contained(mode="observe")


async def in_progress() -> World:
    """The directory does not show the block yet."""
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    return world


async def refused() -> World:
    """The block is refused while the other steps are under way."""
    world = World()
    world.directory.admins.add(ALEX)
    await world.sees(a_finding())
    return world


async def off_already() -> World:
    world = World()
    await world.sees(a_finding(effective_at=START - timedelta(minutes=10)))
    await world.answer()
    await world.passes(seconds=10)
    return world


async def released() -> World:
    return await _ended("release")


async def dismissed() -> World:
    return await _ended("dismiss")


async def closed() -> World:
    return await _ended("close")


async def _ended(kind: str) -> World:
    world = await contained()
    await world.decides(kind, (await world.incidents())[-1].id)
    await world.passes(seconds=10)
    return world


async def by_name() -> World:
    """A record without an object id names somebody whom nobody knows."""
    world = World()
    await world.sees(a_finding(object_id_text="old name", identity_text="old name", actor=Actor(user_id="mallory")))
    await world.answer()
    return world
