"""(j) What receivers and old notifications cost the runs that respond.

One run of the scheduler contains 1,000 accounts, with two receivers of which one hangs ÷ with none that hangs, until
the last account is blocked. Notifications are delivered meanwhile, in the same process: in Azure they have their own.

A poll and a run of the scheduler with nothing to do, beside 10,000 notifications that are 40 days old, half of them
undelivered ÷ beside none. The scheduler has filed them before.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import statistics
import time
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.slow_services import SlowServices, on_slow_services
from bench.storage_calls import enforcing
from bypass_responder.errors import TransientError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.notification import Notification
from bypass_responder.session import announced, open_session
from bypass_responder.triggers.poll_audit_feed import poll_audit_feed
from bypass_responder.triggers.resume_responses import resume_responses
from bypass_responder.triggers.send_notifications import send_notifications
from sandbox.tenant.account import Account
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from bypass_responder.case.draft import Draft
    from bypass_responder.services import Services

_AGE = timedelta(days=40)
_TOGETHER = 40
"""Notifications that are written in one transaction."""
_WARM_UP = 10
"""Runs before the first that counts: a new feed is listed over seven days."""
_MOST_RUNS = 200
"""Of the scheduler, until it has filed them."""


class _Accepting:
    async def send(self, notifications: Sequence[Notification]) -> None:
        """Accept."""


class _Hanging:
    async def send(self, notifications: Sequence[Notification]) -> None:
        """Answer nothing for as long as the webhook's adapter waits."""
        await asyncio.sleep(10)
        raise TransientError(f"no answer about {len(notifications)} notifications")


class _Woken(asyncio.Event):
    """The queue that starts a delivery."""

    async def wake(self) -> None:
        """Start it."""
        self.set()


def measure(accounts: int = 1000, old: int = 10_000, runs: int = 15) -> dict[str, Any]:
    """Ratios, and the seconds they are made of."""
    figures: dict[str, Any] = {"accounts": accounts, "old_notifications": old, "runs": runs}
    with enforcing(Tenant(settings=Settings()), CONTAINMENT_LIMIT_PER_HOUR="1000") as env:
        figures |= asyncio.run(_beside_old_ones(env, old, runs))
    seconds = {}
    for name, hanging in (("none", {}), ("one", {"hanging": _Hanging()}), ("none_again", {})):
        with enforcing(Tenant(settings=Settings()), CONTAINMENT_LIMIT_PER_HOUR="1000") as env:
            seconds[name] = asyncio.run(_until_contained(env, accounts, {"accepting": _Accepting(), **hanging}))
    none = statistics.mean((seconds["none"], seconds["none_again"]))
    return (
        {"times_until_contained": round(seconds["one"] / none, 2)}
        | figures
        | {f"until_contained_{name}_hanging_seconds": round(value, 2) for name, value in seconds.items()}
    )


@asynccontextmanager
async def _delivering(services: Services) -> AsyncIterator[Services]:
    """Yield the same services; deliveries run side by side with what the caller does.

    Each message that starts a delivery starts one.
    """
    woken = _Woken()
    services = dataclasses.replace(services, sender=woken)

    async def sends() -> None:
        while True:
            await woken.wait()
            woken.clear()
            await send_notifications(services)

    task = asyncio.create_task(sends())
    try:
        yield services
    finally:
        task.cancel()


async def _until_contained(env: Mapping[str, str], accounts: int, receivers: Mapping[str, Any]) -> float:
    async with on_slow_services(env) as world:
        people = [Account.named(f"user{number}") for number in range(accounts)]
        for person in people:
            world.directory.add(person)
        await world.store(*map(world.record, people))
        async with _delivering(dataclasses.replace(world.services, receivers=receivers)) as services:
            began = time.perf_counter()
            run = asyncio.create_task(resume_responses(services))
            blocked = await asyncio.gather(*world.directory.blocked.values())
            await run
        return max(blocked) - began


async def _beside_old_ones(env: Mapping[str, str], old: int, runs: int) -> dict[str, float]:
    async with on_slow_services(env) as world:
        services = dataclasses.replace(world.services, receivers={"hanging": _Hanging()})
        idle: dict[str, Callable[[], Awaitable[object]]] = {
            "poll": partial(poll_audit_feed, services),
            "resume": partial(resume_responses, services),
        }
        for run in idle.values():
            await _seconds(run, _WARM_UP)
        none = {name: await _seconds(run, runs) for name, run in idle.items()}
        await _write_old(world, services, old)
        for _ in range(_MOST_RUNS):
            await resume_responses(services)
            if not (await open_session(TENANT_TARGET, services)).case.rows(Notification):
                break
        else:
            raise AssertionError("the scheduler has not filed the old notifications")
        many = {name: await _seconds(run, runs) for name, run in idle.items()}
    ratios = {f"times_idle_{name}": round(many[name] / none[name], 2) for name in idle}
    return ratios | {
        f"idle_{name}_{which}_ms": round(1000 * of[name], 1)
        for name in idle
        for which, of in (("beside_none", none), ("beside_old", many))
    }


async def _seconds(run: Callable[[], Awaitable[object]], runs: int) -> float:
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        await run()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


async def _write_old(world: SlowServices, services: Services, old: int) -> None:
    """Notifications about the tenant; the scheduler finds its case due."""
    world.ahead[0] -= _AGE
    session = await open_session(TENANT_TARGET, services)
    for first in range(0, old, _TOGETHER):
        await session.apply(partial(_notify, numbers=range(first, min(first + _TOGETHER, old))))
    world.ahead[0] += _AGE
    async with announced(TENANT_TARGET, services):
        pass


def _notify(draft: Draft, numbers: range) -> None:
    for number in numbers:
        draft.notify("health", f"Health: number {number}", "It was long ago.", key=str(number))
    for row in list(draft.changed.values()):
        if isinstance(row, Notification) and int(row.title.rpartition(" ")[2]) % 2:
            draft.put(row.model_copy(update={"sent_at": draft.now}))


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
