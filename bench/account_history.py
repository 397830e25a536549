"""(h) An account with many old incidents ÷ a fresh one, up to the block and until it is settled.

Three times are compared: until the block is called, to settle the account, and to settle it idle.

The incidents are written by the product itself, one every 30 hours: a record, the block, the worker's answer, the
re-checks after an hour and a day. A person enables the account again each time; every tenth incident is released, the
others stay contained. Then every Graph call takes 100 ms more and every storage call 5 ms, and both accounts get one
violation after the other, in turns; the scheduler has done what was due before. 1,000 incidents take over 20 minutes to
write, so 150 are the default.
"""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bench.slow_services import SlowServices, medians_ms, on_slow_services
from bench.storage_calls import enforcing
from bypass_responder.handling.carry_out import carry_out
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.decision_message import Author, Channel, DecisionKind
from bypass_responder.operating.decide import prepare
from bypass_responder.triggers.resume_responses import resume_responses
from sandbox.tenant.account import Account
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant

if TYPE_CHECKING:
    from collections.abc import Mapping

_APART = timedelta(hours=30)
_LOOKS = (timedelta(minutes=1), timedelta(hours=1), timedelta(hours=24))
"""When the scheduler finds something due after an incident was opened."""
_RELEASED_EVERY = 10


def measure(incidents: int = 150, runs: int = 5) -> dict[str, Any]:
    """Ratios of medians."""
    with enforcing(Tenant(settings=Settings()), CONTAINMENT_LIMIT_PER_HOUR="1000") as env:
        return asyncio.run(_measured(env, incidents=incidents, runs=runs))


async def _measured(env: Mapping[str, str], *, incidents: int, runs: int) -> dict[str, Any]:
    async with on_slow_services(env) as world:
        old = Account.named("old")
        began = time.perf_counter()
        await _write_history(world, old, incidents)
        writing = time.perf_counter() - began
        await _one(world, Account.named("warm-up"))
        taken: dict[str, list[tuple[float, float, float]]] = {"old": [], "fresh": []}
        for number in range(runs):
            taken["fresh"].append(await _one(world, Account.named(f"fresh{number}")))
            taken["old"].append(await _one(world, old))
            await world.worker.answer(world.services)
            await _look(world, world.ahead[0])
            world.ahead[0] += _APART - _LOOKS[-1]
    old_ms, fresh_ms = (medians_ms(taken[name]) for name in ("old", "fresh"))
    names = ("until_block", "settling", "idle_settling")
    return {
        **{f"times_{name}": round(mine / its, 2) for name, mine, its in zip(names, old_ms, fresh_ms, strict=True)},
        **{f"{name}_old_ms": round(value, 1) for name, value in zip(names, old_ms, strict=True)},
        **{f"{name}_fresh_ms": round(value, 1) for name, value in zip(names, fresh_ms, strict=True)},
        "incidents": incidents,
        "writing_seconds": round(writing, 1),
        "runs": runs,
    }


async def _write_history(world: SlowServices, account: Account, incidents: int) -> None:
    services, began = world.services, -incidents * _APART
    for number in range(incidents):
        world.ahead[0] = began + number * _APART
        world.directory.add(account)
        world.worker.off.discard(account.object_id)
        await settle_all(await world.store(world.record(account)), services)
        await world.worker.answer(services)
        if number % _RELEASED_EVERY == 0:
            newest = await anext(services.index.newest(kinds=["incident"]))
            author = Author(name="bench")
            released = await prepare(DecisionKind.RELEASE, newest.id, services, reason="bench", author=author)
            await carry_out(released.message, Channel.BYPASSCTL, services)
        await _look(world, began + number * _APART)
    world.ahead[0] = timedelta()


async def _look(world: SlowServices, opened_at: timedelta) -> None:
    """The scheduler does what is due after an incident."""
    for look in _LOOKS:
        world.ahead[0] = opened_at + look
        await resume_responses(world.services)
        await world.worker.answer(world.services)


async def _one(world: SlowServices, account: Account) -> tuple[float, float, float]:
    """Return the seconds from a stored violation to its block, and to the end of its run.

    The third value is the seconds of another run without news.
    """
    world.directory.add(account)
    world.worker.off.discard(account.object_id)
    (target,) = await world.store(world.record(account))
    began = time.perf_counter()
    settled = await world.seconds_to_settle(target)
    blocked = await asyncio.wait_for(world.directory.blocked[target], timeout=0)
    return blocked - began, settled, await world.seconds_to_settle(target)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
