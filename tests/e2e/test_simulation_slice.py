"""A slice of the simulation's seeds on Azurite and the stand-in tenant, with hosts that are killed (SIGKILL)."""

from __future__ import annotations

import pytest

from sandbox.azurite import missing
from tests.simulation.processes import play_on_processes
from tests.simulation.schedule import schedule

pytestmark = [pytest.mark.slow, pytest.mark.skipif(missing() is not None, reason=f"{missing()}")]

SEEDS = (0, 1, 2, 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_rule_holds_when_hosts_are_killed(seed: int) -> None:
    assert play_on_processes(schedule(seed)).problems == []
