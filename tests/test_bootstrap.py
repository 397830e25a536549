"""The app begins to send with its first run, and each run ends with its lines on their way."""

from __future__ import annotations

import json
import logging
from typing import Any, cast

import pytest

from bypass_responder import bootstrap
from bypass_responder.adapters import telemetry
from bypass_responder.bootstrap import build_responder
from bypass_responder.errors import SettingError, TransientError
from bypass_responder.operating.self_check import SelfChecks
from tests.adapters.test_slack import a_note
from tests.fakes.self_check import FakeProbe, FakeSelfCheckStore, FakeTokens
from tests.world import TENANT, World

STORAGE = "UseDevelopmentStorage=true"

RUNS = (
    *("poll_audit_feed", "hunt_audit_events", "resume_responses", "sweep_bypass_state", "gather_evidence"),
    "read_posture",
)
BODIES = ("receive_alert", "record_exchange_result")


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A mark for each time that lines were sent."""
    marks: list[str] = []

    async def flush() -> None:
        marks.append("flushed")

    monkeypatch.setattr(telemetry, "flush", flush)
    return marks


def a_responder(world: World) -> bootstrap.Responder:
    unused = cast("Any", None)
    checks = SelfChecks(tokens=FakeTokens(TENANT), storage=FakeProbe(), store=FakeSelfCheckStore())
    return bootstrap.Responder(world.services, unused, unused, checks, _closing=())


@pytest.mark.parametrize("run", RUNS)
async def test_a_timers_run_ends_with_its_lines_sent(run: str, flushed: list[str]) -> None:
    await getattr(a_responder(World()), run)()

    assert flushed == ["flushed"]


@pytest.mark.parametrize("run", BODIES)
async def test_a_messages_run_ends_with_its_lines_sent(run: str, flushed: list[str]) -> None:
    await getattr(a_responder(World()), run)(b"what nobody can read")

    assert flushed == ["flushed"]


async def test_a_run_that_fails_says_so_and_sends_its_lines(
    flushed: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    world.work.fail("items", TransientError("storage of alex@contoso.onmicrosoft.com is away"))

    with pytest.raises(TransientError):
        await a_responder(world).resume_responses()

    assert flushed == ["flushed"]
    line = vars(next(record for record in caplog.records if record.getMessage() == "run_failed"))
    assert (line["function"], line["error_class"]) == ("resume_responses", "TransientError")
    assert "alex@" not in str(line)


async def test_a_wrong_setting_is_logged_and_sent(
    flushed: list[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANT_ID", "contoso")
    with pytest.raises(SettingError):
        await bootstrap.responder()

    assert flushed == ["flushed"]
    line = vars(next(record for record in caplog.records if record.getMessage() == "run_failed"))
    assert (line["function"], line["error_class"]) == ("start", "SettingError")


async def test_the_first_run_begins_to_send_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(telemetry, "start", lambda _environment: order.append("start"))

    def build(environment: object) -> bootstrap.Responder:
        order.append("build")
        return a_responder(World())

    monkeypatch.setattr(build_responder, "build", build)
    first, second = await bootstrap.responder(), await bootstrap.responder()

    assert order == ["start", "build"]
    assert first is second


async def test_no_log_has_the_address_of_a_receiver(caplog: pytest.LogCaptureFixture) -> None:
    listed = [{"name": "soc", "kind": "slack", "url": "http://127.0.0.1:9/services/geheim"}]
    environment = {"TENANT_ID": TENANT, "ResponderStorage": STORAGE, "NOTIFICATION_RECEIVERS": json.dumps(listed)}
    caplog.set_level(logging.INFO)
    built = bootstrap.build(environment)
    try:
        with pytest.raises(TransientError):
            await built.services.receivers["soc"].send([a_note()])
    finally:
        await built.aclose()

    assert logging.getLogger("httpx").getEffectiveLevel() == logging.WARNING
    assert "geheim" not in caplog.text
