"""The Exchange worker dies between switching a bypass off and saying so: what it did counts as ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.azurite import missing
from sandbox.stage_settings import Worker
from sandbox.tenant.client import SandboxClient
from tests.e2e.staged import (
    QUICK,
    CrashStage,
    end_state,
    log_problems,
    wait_for_first_poll,
    wait_until,
    wait_until_settled,
)
from tests.e2e.test_kills import CONTAINED, NEVER

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")


@pytest.fixture(params=[pytest.param("auto", marks=pytest.mark.slow), "python"])
def kind(request: pytest.FixtureRequest) -> Worker:
    """The worker in PowerShell where there is pwsh, and its stand-in."""
    given: Worker = request.param
    return given


@pytest.fixture
def stage(tmp_path: Path, kind: Worker) -> Iterator[CrashStage]:
    with CrashStage(tmp_path, settings=QUICK, worker=kind) as begun:
        wait_for_first_poll(begun)
        yield begun


def bypass_changes(client: SandboxClient) -> list[tuple[str, bool]]:
    """What the worker changed: object id and new value."""
    journal = client.state()["journal"]
    found = [change for change in journal if change["by"] != "attacker" and change["field"] == "audit_bypass_enabled"]
    return [(change["object_id"], change["after"]) for change in found]


def test_a_worker_killed_before_its_answer_ends_in_the_same_state(stage: CrashStage) -> None:
    with SandboxClient(stage.tenant_url) as client:
        client.fault("latency", "exchange.Get-MailboxAuditBypassAssociation", seconds=30, skip=1)
        target = client.account("alex@contoso.onmicrosoft.com")["object_id"]
        client.attack("bypass", target=target)
        wait_until(lambda: bypass_changes(client), "the worker changed something")
        stage.kill_worker()
        client.clear_faults()
        stage.start_worker()
        wait_until_settled(stage, {target})

        assert end_state(stage, client, target, began=NEVER) == CONTAINED
        assert bypass_changes(client) == [(target, False)]
        assert log_problems(stage) == []
