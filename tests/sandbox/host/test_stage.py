"""The whole sandbox: everything starts, and each part can go and come back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from sandbox.azurite import missing
from sandbox.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A sandbox that the tests of this module share."""
    with Stage(tmp_path_factory.mktemp("stage"), settings={"MODE": "observe"}) as running:
        yield running


def outcomes(stage: Stage, function: str) -> list[str]:
    lines = [json.loads(line) for line in stage.log("host").splitlines() if line.startswith('{"event": "invocation"')]
    return [line["outcome"] for line in lines if line["function"] == function]


@pytest.mark.parametrize("function", ["poll_audit_feed", "resume_responses"])
def test_the_timers_of_the_real_app_succeed(
    stage: Stage, function: str, eventually: Callable[[Callable[[], object]], None]
) -> None:
    eventually(lambda: "succeeded" in outcomes(stage, function))


def test_health_says_up(stage: Stage) -> None:
    assert httpx.get(f"{stage.host_url}/api/health").text == "up"


def test_a_killed_host_comes_back_at_the_same_address(stage: Stage) -> None:
    stage.kill_host()
    stage.start_host()

    assert httpx.get(f"{stage.host_url}/api/health").text == "up"


def test_settings_of_the_environment_stay_outside(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "of a real tenant")

    assert "AZURE_CLIENT_SECRET" not in stage.env


def test_nothing_ended_without_being_stopped(stage: Stage) -> None:
    assert stage.ended() == []
