"""A timer's run is noted at most every ten minutes, and never at its cost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import TransientError
from bypass_responder.operating.self_check import SelfChecks
from bypass_responder.operating.timer_runs import note_run
from tests.fakes.self_check import FakeProbe, FakeSelfCheckStore, FakeTokens
from tests.world import START, TENANT, World


def checks() -> tuple[SelfChecks, FakeSelfCheckStore]:
    store = FakeSelfCheckStore()
    return SelfChecks(tokens=FakeTokens(TENANT), storage=FakeProbe(), store=store), store


async def run() -> None:
    """A run that ends well."""


async def failing() -> None:
    raise TransientError("no answer")


async def test_runs_are_noted_every_ten_minutes() -> None:
    world, (made, store) = World(), checks()
    for _ in range(4):
        await note_run("read_posture", run(), world.services, made)
        world.now += timedelta(minutes=5)

    assert store.ran == {"read_posture": START + timedelta(minutes=10)}
    assert len(store.calls) == 2


async def test_a_run_that_fails_is_not_noted() -> None:
    made, store = checks()
    with pytest.raises(TransientError):
        await note_run("read_posture", failing(), World().services, made)

    assert store.ran == {}


async def test_a_run_that_cannot_be_noted_is_a_run_all_the_same() -> None:
    world, (made, store) = World(), checks()
    store.fail("save_run", TransientError("no answer"))
    await note_run("read_posture", run(), world.services, made)
    await note_run("read_posture", run(), world.services, made)

    assert store.ran == {"read_posture": START}
