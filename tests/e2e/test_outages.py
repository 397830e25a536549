"""Whatever is out of order, the demo ends in the same state, only later.

Storage is gone, Graph fails, or every service fails at random.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.azurite import missing
from sandbox.demo.main import main
from sandbox.demo.story import slow_exchange
from tests.e2e.staged import SEED
from tests.programs import report

if TYPE_CHECKING:
    from sandbox.stage import Stage
    from sandbox.tenant.client import SandboxClient

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")

OUTAGE_SECONDS = (2, pytest.param(20, marks=pytest.mark.slow))
BLOCKED = ["7809becc-da16-53e5-8e85-be128369d590", "c056122f-e441-5935-9677-f78aaca4518c"]
"""The two people of the built-in story."""
UNDISTURBED = {
    "detected": 2,
    "contained": 2,
    "stood_down": 1,
    "attempts": 1,
    "blocked": BLOCKED,
    "revoked": BLOCKED,
    "bypass_off": BLOCKED,
    "untouched": True,
    "log_verified": True,
}


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The JSON object at the end of what the demo said, without the time."""
    said = report(*capsys.readouterr())
    del said["seconds"]
    return said


@pytest.mark.parametrize("outage_seconds", OUTAGE_SECONDS)
def test_azurite_stopped_and_then_graph_answering_503_change_nothing_in_the_end(
    capsys: pytest.CaptureFixture[str], outage_seconds: int
) -> None:
    def take_storage_then_graph(stage: Stage, client: SandboxClient) -> None:
        stage.stop_azurite()
        time.sleep(outage_seconds)
        client.fault("server_error", "graph.*", times=None, status=503)
        stage.start_azurite()
        time.sleep(outage_seconds)
        client.clear_faults()
        slow_exchange(client)  # the story's own, which was cleared too: without it no sweep may see the bypass on

    ended = main(["--json"], meanwhile=take_storage_then_graph)

    assert (last_line(capsys), ended) == (UNDISTURBED, 0)


@pytest.mark.slow
def test_random_faults_change_nothing_in_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    ended = main(["--json"], meanwhile=lambda _, client: client.random_faults(SEED))

    assert (SEED, last_line(capsys), ended) == (SEED, UNDISTURBED, 0)
