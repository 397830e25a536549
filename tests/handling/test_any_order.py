"""Whatever the order, the repetition and the interruptions: the same accounts end in the same state."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bypass_responder.errors import TransientError
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.finding import Finding
from tests.world import ALEX, START, World, a_finding

EVENTS: dict[str, dict[str, Any]] = {
    "on": {"switch": Switch.ON},
    "on-earlier": {"switch": Switch.ON, "effective_at": START - timedelta(hours=3)},
    "off": {"switch": Switch.OFF, "effective_at": START - timedelta(minutes=30)},
    "failed": {"outcome": Outcome.FAILED, "effective_at": START - timedelta(hours=2)},
}
ORDERS = st.lists(st.sampled_from(sorted(EVENTS)), max_size=6)
FAILURES = st.lists(st.sampled_from(["commit", "load"]), max_size=4)


def finding(name: str) -> Finding:
    return a_finding(id=f"record-{name}", **EVENTS[name])


async def end_state(order: list[str], failures: list[str]) -> tuple[object, ...]:
    world = World()
    world.bypassed[ALEX] = True
    for name in order:
        for method in failures[:1]:
            world.ledger.fail(method, TransientError("gone"))
        failures = failures[1:]
        try:
            await world.sees(finding(name))
        except* TransientError:
            pass
    world.ledger.recover()
    for name in EVENTS:
        await world.sees(finding(name))
    for _ in range(4):
        await world.passes(minutes=2)
        await world.answer()
    [incident] = await world.incidents()
    return (
        world.directory.enabled,
        world.bypassed,
        incident.status,
        incident.blind_from,
        sorted(incident.evidence),
        {kind: step.effect for kind, step in (await world.steps()).items()},
    )


@pytest.mark.parametrize("examples", [15, pytest.param(150, marks=pytest.mark.slow)])
def test_any_order_with_repetition_and_storage_errors_ends_as_in_order(examples: int) -> None:
    settings(max_examples=examples)(given(ORDERS, FAILURES)(ends_as_in_order))()


def ends_as_in_order(order: list[str], failures: list[str]) -> None:
    disturbed = asyncio.run(end_state(order, failures))
    in_order = asyncio.run(end_state(["on-earlier", "failed", "on", "off"], []))

    assert disturbed[:4] == in_order[:4]
    assert disturbed[5] == in_order[5]
