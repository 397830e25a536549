"""(i) One *on* among 3,000 *off* records of the same account ÷ one *on* alone, up to the block.

The time begins with the settling; all records are stored before it. Every Graph call takes 100 ms more, every storage
call 5 ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bench.slow_services import SlowServices, on_slow_services
from bench.storage_calls import enforcing
from bypass_responder.handling.reconcile import settle_all
from sandbox.tenant.account import Account
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant

if TYPE_CHECKING:
    from collections.abc import Mapping

_ON_AGE = timedelta(hours=2)
"""Of the *on*; every *off* is one second later than the last."""

_LONGEST_SECONDS = 300
"""Until the bench gives up."""


def measure(flood: int = 3000, runs: int = 3) -> dict[str, Any]:
    """The ratio of medians."""
    with enforcing(Tenant(settings=Settings()), CONTAINMENT_LIMIT_PER_HOUR="1000") as env:
        return asyncio.run(_measured(env, flood=flood, runs=runs))


async def _measured(env: Mapping[str, str], *, flood: int, runs: int) -> dict[str, Any]:
    async with on_slow_services(env) as world:
        await _until_block(world, Account.named("warm-up"), flood=0)
        alone = [await _until_block(world, Account.named(f"alone{number}"), flood=0) for number in range(runs)]
        among = [await _until_block(world, Account.named(f"among{number}"), flood=flood) for number in range(runs)]
    return {
        "times_until_block": round(statistics.median(among) / statistics.median(alone), 2),
        "among_ms": round(1000 * statistics.median(among), 1),
        "alone_ms": round(1000 * statistics.median(alone), 1),
        "off_records": flood,
        "runs": runs,
    }


async def _until_block(world: SlowServices, account: Account, *, flood: int) -> float:
    world.directory.add(account)
    ages = (_ON_AGE - timedelta(seconds=number + 1) for number in range(flood))
    offs = [world.record(account, switch="False", age=age) for age in ages]
    (target,) = await world.store(*offs[: flood // 2], world.record(account, age=_ON_AGE), *offs[flood // 2 :])
    async with world.slow():
        began = time.perf_counter()
        settling = asyncio.create_task(settle_all([target], world.services))
        blocked = await asyncio.wait_for(world.directory.blocked[target], _LONGEST_SECONDS)
        settling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await settling
    return blocked - began


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
