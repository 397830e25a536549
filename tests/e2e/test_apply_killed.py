"""Nothing of a plan or its undo is lost when worker and responder are killed after each mailbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bypass_responder.bootstrap import Responder
from sandbox.azurite import missing
from sandbox.child import ChildError
from sandbox.stage_settings import Worker
from sandbox.tenant.client import SandboxClient
from tests.e2e.ctl import run_bypassctl
from tests.e2e.staged import EVERY_SECOND, QUICK, CrashStage, log_problems, look, wait_for_first_poll, wait_until

pytestmark = [
    pytest.mark.skipif(missing() is not None, reason=f"{missing()}"),
    pytest.mark.slow,
    pytest.mark.timeout(390),  # pwsh starts anew after each kill
]
PATIENCE = 300.0
PLANNED = 3
SECONDS_PER_MAILBOX = 2.0
"""Long enough to see one change and kill both before the next."""
PINNED: tuple[dict[str, Any], ...] = (
    {"actions": {"Owner": ["Update", "HardDelete"]}},
    {"actions": {"Admin": [], "Delegate": ["Update"]}, "age_limit": "30.00:00:00"},
    {"actions": {"Admin": ["Copy", "Update"], "Owner": ["MessageBind", "Update"]}, "enabled": False},
)


@pytest.fixture(params=["auto", "python"])
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[CrashStage]:
    """With the worker in PowerShell where there is pwsh, and its stand-in."""
    kind: Worker = request.param
    settings = QUICK | {"POSTURE_SCHEDULE": "*/3 * * * * *", "RESUME_SCHEDULE": EVERY_SECOND}
    with CrashStage(tmp_path, settings=settings, worker=kind) as begun:
        wait_for_first_poll(begun)
        yield begun


def mailboxes(client: SandboxClient) -> dict[str, Any]:
    """What each mailbox audits, exactly."""
    accounts = client.state()["accounts"]
    rows = accounts.values() if isinstance(accounts, dict) else accounts
    return {each["object_id"]: each["mailbox"] for each in rows if each["mailbox"]}


def carried_out(stage: CrashStage, client: SandboxClient, before: dict[str, Any]) -> dict[str, Any]:
    """Kill both after each mailbox that changes, and wait until the run has ended. Returns the run."""
    for kill in range(1, PLANNED + 1):
        wait_until(
            lambda kill=kill: _changed(client, before) >= kill,  # type: ignore[misc]
            f"a mailbox is changed after {kill - 1} kills",
            patience_seconds=PATIENCE,
        )
        stage.kill_worker()
        stage.kill_host()
        for start in (stage.start_host, stage.start_worker):
            wait_until(lambda start=start: _starts(start), "it starts again", patience_seconds=PATIENCE)  # type: ignore[misc]
    wait_until(lambda: _last_run(stage)["state"] != "running", "the run has ended", patience_seconds=PATIENCE)
    return _last_run(stage)


def _starts(start: Callable[[], None]) -> bool:
    """Whether it listens in time; on a busy machine PowerShell may not."""
    try:
        start()
    except ChildError:
        return False
    return True


def _changed(client: SandboxClient, before: dict[str, Any]) -> int:
    now = mailboxes(client)
    return sum(now[key] != was for key, was in before.items())


def _last_run(stage: CrashStage) -> dict[str, Any]:
    runs: list[dict[str, Any]] = run_bypassctl(stage.env, "posture", "applied", "-o", "json").json
    return runs[0]


def test_a_plan_that_is_killed_after_each_mailbox_is_undone_exactly(stage: CrashStage, tmp_path: Path) -> None:
    plan, undo = tmp_path / "plan.json", tmp_path / "undo.json"
    with SandboxClient(stage.tenant_url) as client:
        accounts = list(mailboxes(client))[:PLANNED]
        client.accounts([{"object_id": key, "mailbox": how} for key, how in zip(accounts, PINNED, strict=True)])
        client_before = mailboxes(client)
        run_bypassctl(stage.env, "posture", "read")
        arguments = ("posture", "plan", "-o", str(plan), "--pinned", "--age-limit", "180")
        wait_until(
            lambda: run_bypassctl(stage.env, *arguments).code == 0 and _is_whole(plan, accounts),
            "all mailboxes were read",
            patience_seconds=PATIENCE,
        )
        client.fault("latency", "exchange.Set-Mailbox", seconds=SECONDS_PER_MAILBOX, times=None)
        said = run_bypassctl(stage.env, "posture", "apply", str(plan), "--reason", "drill", "--yes")
        run = carried_out(stage, client, client_before)
        changed = mailboxes(client)
        file = run_bypassctl(stage.env, "posture", "applied", run["id"], "--undo-file", str(undo))
        run_bypassctl(stage.env, "posture", "undo", run["id"], "--reason", "drill", "--yes")
        undone = carried_out(stage, client, changed)
        wait_until(
            lambda: look(stage, _questions_left) == 0, "what was delivered twice is answered", patience_seconds=PATIENCE
        )

        assert (said.code, file.code) == (0, 0), said.err + file.err
        assert (run["state"], undone["state"]) == ("done", "done"), (run, undone)
        assert {key for key in changed if changed[key] != client_before[key]} == set(accounts)
        assert {each["object_id"] for each in json.loads(undo.read_text())["entries"]} == set(accounts)
        assert mailboxes(client) == client_before
        assert log_problems(stage) == []


async def _questions_left(responder: Responder) -> int:
    """Messages in the queue of the worker, those that it had when it was killed as well."""
    name = responder.services.settings.exchange_reads_queue
    properties = await responder.storage.queues.get_queue_client(name).get_queue_properties()
    return properties.approximate_message_count or 0


def _is_whole(plan: Path, accounts: list[str]) -> bool:
    """Whether the read saw the mailboxes as they are now; a plan from before is thrown away."""
    whole = set(accounts) <= {each["object_id"] for each in json.loads(plan.read_text())["changes"]}
    if not whole:
        plan.unlink()
    return whole
