"""(q) A containment while the evidence run waits for bad sources ÷ the same while it does not run.

Every source hangs, throttles, fails, or gives page after page without an end; the run asks them about 20 incidents in
the process of the responder. Until the block is called, and until auditing is restored. The two take turns. Graph
takes 100 ms and storage 5 ms more for each call.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bench.slow_services import SlowServices, medians_ms, on_slow_services
from bench.storage_calls import enforcing
from bypass_responder.errors import ThrottledError, TransientError
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.triggers.gather_evidence import gather_evidence
from sandbox.tenant.account import Account
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bypass_responder.model.question import Answer, Question
    from bypass_responder.ports import EvidenceSource
    from bypass_responder.services import Services

_LATER = timedelta(hours=1)
"""After it, what failed is asked again."""
_HOUR = 3600.0
_PAGE = [{"id": str(number), "subject": "made up"} for number in range(1000)]


@dataclasses.dataclass(frozen=True)
class _Bad:
    """A source of one kind of trouble."""

    trouble: str

    async def ask(self, question: Question, memo: str | None) -> Answer:
        """Never answer."""
        del memo
        if self.trouble == "throttles":
            raise ThrottledError(f"{question.source} is throttled", retry_after_seconds=5)
        ends_at = time.monotonic() + _HOUR
        while self.trouble == "pages" and time.monotonic() < ends_at:
            await asyncio.sleep(0.1)
            json.loads(json.dumps(_PAGE))
        if self.trouble == "hangs":
            await asyncio.sleep(_HOUR)
        raise TransientError(f"{question.source} answered with a page")


def measure(incidents: int = 20, runs: int = 5) -> dict[str, Any]:
    """Return ratios of medians, and the milliseconds they are made of.

    ``incidents`` is the number of incidents whose sources are being asked.
    """
    with enforcing(Tenant(settings=Settings()), CONTAINMENT_LIMIT_PER_HOUR="1000") as env:
        return asyncio.run(_measured(env, incidents=incidents, runs=runs))


async def _measured(env: Mapping[str, str], *, incidents: int, runs: int) -> dict[str, Any]:
    taken: dict[str, list[tuple[float, float]]] = {"alone": [], "beside": []}
    async with on_slow_services(env) as world:
        bad = ("hangs", "throttles", "fails", "pages")
        names = sorted(world.services.sources)
        sources: dict[str, EvidenceSource] = {name: _Bad(bad[n % len(bad)]) for n, name in enumerate(names)}
        services = dataclasses.replace(world.services, sources=sources)
        for number in range(incidents):
            await _contain(world, Account.named(f"old{number}"))
        await _contain(world, Account.named("warm-up"))
        for number in range(runs):
            taken["alone"].append(await _contain(world, Account.named(f"alone{number}")))
            async with _gathering(services):
                taken["beside"].append(await _contain(world, Account.named(f"beside{number}")))
            world.ahead[0] += _LATER
    alone, beside = (medians_ms(taken[name]) for name in ("alone", "beside"))
    figures = ("until_block", "until_restored")
    return {
        **{f"times_{name}": round(mine / its, 2) for name, mine, its in zip(figures, beside, alone, strict=True)},
        **{f"{name}_beside_ms": round(value, 1) for name, value in zip(figures, beside, strict=True)},
        **{f"{name}_alone_ms": round(value, 1) for name, value in zip(figures, alone, strict=True)},
        "incidents": incidents,
        "runs": runs,
    }


@contextlib.asynccontextmanager
async def _gathering(services: Services) -> AsyncIterator[None]:
    """The evidence run is in the middle of its questions."""
    run = asyncio.create_task(gather_evidence(services))
    await asyncio.sleep(1)
    if run.done():
        raise AssertionError("nothing was asked: the run had ended before it was measured")
    yield
    run.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await run


async def _contain(world: SlowServices, account: Account) -> tuple[float, float]:
    """Seconds from a stored violation to its block, and to the restoration of auditing."""
    world.directory.add(account)
    (target,) = await world.store(world.record(account))
    async with world.slow():
        began = time.perf_counter()
        await settle_all([target], world.services)
        await world.worker.answer(world.services)
        restored = time.perf_counter()
    blocked = await asyncio.wait_for(world.directory.blocked[target], timeout=0)
    return blocked - began, restored - began


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
