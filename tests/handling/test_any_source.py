"""Records, alerts and sweeps about one episode give the same incident in any order.

They may also come more than once.

A sweep cannot overtake another one: one is outstanding at a time, and an older list never replaces a newer one
(test_sweep.py). So the sweeps keep their order among themselves, and everything else is shuffled. The worker answers in
between, at random moments.

``SEQUENCES=10000 make test-all ARGS="-k any_order_and_source"`` runs more; ``SEED=17`` runs the one of that number.
"""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident import Incident
from bypass_responder.model.step import Step
from bypass_responder.model.sweep import BypassedObject
from bypass_responder.triggers.sweep_bypass_state import plan_sweep
from tests.world import ALEX, START, World, a_finding, a_hint, exchange_guid

MINUTE = timedelta(minutes=1)
FEW = 60
SEQUENCES = int(os.environ.get("SEQUENCES", "1000"))
HOW_MANY = pytest.mark.parametrize("sequences", [FEW, pytest.param(SEQUENCES, marks=pytest.mark.slow, id="many")])
FEED: dict[str, dict[str, Any]] = {
    "feed-on": {"effective_at": START - 60 * MINUTE},
    "feed-off": {"effective_at": START - 40 * MINUTE, "switch": Switch.OFF},
    "feed-on-again": {"effective_at": START - 20 * MINUTE},
    "feed-failed": {"effective_at": START - 90 * MINUTE, "outcome": Outcome.FAILED},
}
HINTS = {
    "hint-on": START - 55 * MINUTE,
    "hint-off": START - 35 * MINUTE,
    "hint-failed": START - 85 * MINUTE,
}
SWEEPS = {"sweep-failed": 50, "sweep-on": 45, "sweep-off": 30}
"""Minutes before the start at which each began to read, in their own order."""
FACTS = (*FEED, *HINTS, *SWEEPS)


@dataclass
class Run:
    """One world, and the facts that reach it."""

    world: World
    answers: dict[str, dict[str, Any]]

    @classmethod
    async def begin(cls, facts: set[str]) -> Run:
        """A world whose first sweep, hours ago, found no bypass; the bypass is on if any fact reports it."""
        world = World()
        world.now = START - timedelta(hours=5)
        await world.sweep()
        world.now = START
        world.bypassed[ALEX] = any("-on" in fact for fact in facts)
        return cls(world, {})

    async def comes(self, fact: str) -> None:
        """Deliver a fact, for the first time or again."""
        if fact in FEED:
            await self.world.sees(a_finding(id=fact, **FEED[fact]))
        elif fact in HINTS:
            await self.world.sees(a_hint(id=fact, effective_at=HINTS[fact], claimed_at=HINTS[fact]))
        elif fact in self.answers:
            await self.world.answer_sweep(**self.answers[fact])
        else:
            self.answers[fact] = self._list(fact)
            self.world.now = START - SWEEPS[fact] * MINUTE  # it was asked for then, and answers now
            await plan_sweep(self.world.services)
            self.world.now = START
            await self.world.answer_sweep(**self.answers[fact])
            self.answers[fact] = self.answers[fact] | {"command_id": self.world.sweeps_asked[-1].command_id}

    def _list(self, fact: str) -> dict[str, Any]:
        on = [BypassedObject(object_id=ALEX, exchange_guid=exchange_guid(ALEX), name=ALEX)]
        content = {"started_at": START - SWEEPS[fact] * MINUTE, "bypassed": on if fact == "sweep-on" else []}
        return {"content": content, "started_at": content["started_at"]} | (
            {"complete": False, "warnings": ("w",)} if fact == "sweep-failed" else {}
        )

    async def end(self) -> tuple[Any, ...]:
        """Answer everything, let time pass, and return the final state."""
        world = self.world
        for _ in range(6):
            await world.answer()
            await world.passes(minutes=3)
        rows = (await world.case()).by_key.values()
        findings = {row.id: row for row in rows if isinstance(row, Finding)}
        incidents = [row for row in rows if isinstance(row, Incident)]
        steps = [row for row in rows if isinstance(row, Step)]
        return (
            dict(world.directory.enabled),
            dict(world.bypassed),
            [(it.status, it.verdict, it.blind_from, it.blind_from_proven, it.flapping) for it in incidents],
            [sorted(_named(findings[each]) for each in it.evidence) for it in incidents],
            sorted((step.step, step.state) for step in steps),
            sorted(_named(each) for each in findings.values()),
        )


def _named(finding: Finding) -> str:
    """Ids of a sweep's findings depend on the sweep's own random id."""
    return finding.id if finding.source != "sweep" else f"sweep {finding.switch}"


def sequence(seed: int) -> tuple[set[str], list[str]]:
    """Some of the facts, shuffled, some of them several times, with answers of the worker in between."""
    by_seed = random.Random(seed)
    facts = {fact for fact in FACTS if by_seed.random() < 0.6}
    order = [fact for fact in facts if fact not in SWEEPS]
    order.sort()
    order += by_seed.choices(order, k=by_seed.randrange(4)) if order else []
    by_seed.shuffle(order)
    for fact in (fact for fact in reversed(SWEEPS) if fact in facts):
        first = next((place for place, each in enumerate(order) if each in SWEEPS), len(order))
        order.insert(by_seed.randint(0, first), fact)
    for fact in [fact for fact in order if fact in SWEEPS and by_seed.random() < 0.3]:
        order.insert(by_seed.randint(order.index(fact) + 1, len(order)), fact)
    for _ in range(by_seed.randrange(4)):
        order.insert(by_seed.randint(0, len(order)), "answers")
    return facts, order


async def ends(facts: set[str], order: list[str]) -> tuple[Any, ...]:
    run = await Run.begin(facts)
    for fact in order:
        await (run.world.answer() if fact == "answers" else run.comes(fact))
    return await run.end()


def moment(fact: str) -> float:
    if fact in SWEEPS:
        return -SWEEPS[fact]
    at: datetime = FEED[fact]["effective_at"] if fact in FEED else HINTS[fact]
    return (at - START) / MINUTE


async def check(seeds: range) -> None:
    expected: dict[frozenset[str], tuple[Any, ...]] = {}
    for seed in seeds:
        facts, order = sequence(seed)
        key = frozenset(facts)
        if key not in expected:
            expected[key] = await ends(facts, sorted(facts, key=moment))

        assert await ends(facts, order) == expected[key], f"SEED={seed}: {order}"


@HOW_MANY
def test_any_order_and_source_ends_as_in_order(sequences: int) -> None:
    seed = os.environ.get("SEED")

    asyncio.run(check(range(int(seed), int(seed) + 1) if seed else range(sequences)))


async def enabled_after_release(seed: int) -> bool:
    """Contain, release as a person does, then deliver every fact about the old episode late."""
    facts, order = sequence(seed)
    run = await Run.begin(facts | {"feed-on"})
    await run.comes("feed-on")
    await run.world.answer()
    [incident] = await run.world.incidents()
    await run.world.decides("release", incident.id)
    for fact in order:
        await (run.world.answer() if fact == "answers" else run.comes(fact))
    await run.end()
    return run.world.directory.enabled[ALEX]


@HOW_MANY
def test_a_released_person_is_never_blocked_again_by_late_evidence_of_the_old_episode(sequences: int) -> None:
    async def check_all() -> list[int]:
        return [seed for seed in range(sequences // 4) if not await enabled_after_release(seed)]

    assert asyncio.run(check_all()) == []
