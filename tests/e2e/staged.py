"""The whole sandbox with a host that can be made to kill itself, and what is true in it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bypass_responder import bootstrap
from bypass_responder.bootstrap import Responder
from bypass_responder.case.evidence import OWN
from bypass_responder.errors import ResponderError
from bypass_responder.model.base import Row
from bypass_responder.model.finding import Finding, FindingState
from bypass_responder.model.incident import Incident
from bypass_responder.model.step import Step
from bypass_responder.operating.verify_log import verify_log
from sandbox.child import ROOT, Child
from sandbox.stage import Stage
from sandbox.tenant.client import SandboxClient

EVERY_SECOND = "* * * * * *"
SEED = int(os.environ.get("E2E_SEED", "20261124"))
"""Of the moments of kills and of the random faults; another one finds other things."""
QUICK = {
    "POLL_SCHEDULE": EVERY_SECOND,
    "RESUME_SCHEDULE": EVERY_SECOND,
    "COMMAND_TIMEOUT_SECONDS": "5",
    "POSTURE_SCHEDULE": "0 0 0 1 1 *",
    "SWEEP_SCHEDULE": "0 0 0 1 1 *",  # these tests are about records; the sweep would see the same accounts
}
PATIENCE_SECONDS = 60
T = TypeVar("T")


@dataclass(frozen=True)
class Crash:
    """After which call the host kills itself, and whom the call must be about."""

    after: str
    target: str


@dataclass(frozen=True)
class EndState:
    """What became of one account: its verdict, its incident, the effect of each step, its true state.

    ``off`` is the effect of disable_bypass however it came about: a command that was sent twice is answered twice
    (verified, already off), and which answer is recorded first is chance.
    """

    verdicts: tuple[str, ...]
    incidents: tuple[str, ...]
    effects: frozenset[tuple[str, str]]
    account_enabled: bool
    sessions_cut: bool
    audit_bypass_enabled: bool


class CrashStage(Stage):
    """A stage with the host of ``crashing_host``; a start while ``crash`` is set has the crash in it."""

    crash: Crash | None = None

    @property
    def marker(self) -> Path:
        """Is there once the crash happened."""
        return self.folder / f"crashed-{self.crash.after}-{self.crash.target}" if self.crash else self.folder / "none"

    def start_host(self) -> None:
        """As the stage does, with the other module."""
        lease = ("--lease-seconds", "3", "--timer-status", str(self.folder / "timers.json"))
        arguments = ("--app-dir", str(ROOT), "--port", str(self.ports.host), *lease)
        armed = {}
        if self.crash:
            armed = {
                "CRASH_AFTER": self.crash.after,
                "CRASH_TARGET": self.crash.target,
                "CRASH_MARKER": str(self.marker),
            }
        command = [sys.executable, "-m", "tests.e2e.crashing_host", *arguments]
        self._host = Child("host", command, environment=self.env | armed, log=self.folder / "host.log")
        self._host.start(self.ports.host)

    def wait_for_crash(self) -> None:
        """Until the host killed itself."""
        wait_until(lambda: "host" in self.ended(), f"the host came to {self.crash}")
        assert self.marker.exists(), f"the host ended without being killed:\n{self.log('host')[-2000:]}"


def look(stage: Stage, question: Callable[[Responder], Awaitable[T]]) -> T:
    """Ask the ledger something, through the app's own adapters."""

    async def ask() -> T:
        responder = bootstrap.build(stage.env)
        try:
            return await question(responder)
        finally:
            await responder.aclose()

    return asyncio.run(ask())


def wait_until(is_true: Callable[[], object], what: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Until it is true; ``what`` says what it is."""
    give_up_at = time.monotonic() + patience_seconds
    while not is_true():
        assert time.monotonic() < give_up_at, f"not within {patience_seconds} s: {what}"
        time.sleep(0.05)


def wait_for_first_poll(stage: Stage) -> None:
    """Until the feed was listed once: what comes later is news, and not from before this installation."""

    async def listed(responder: Responder) -> bool:
        cursor = await responder.services.feed_store.cursor()
        return cursor is not None and cursor.last_success_at is not None

    wait_until(lambda: look(stage, listed), "the feed was listed once")


async def settled(responder: Responder, targets: set[str]) -> bool:
    """Every one of the targets has a decided finding, and nobody has anything left to do now."""
    ledger = responder.services.ledger
    if not targets <= await ledger.targets():
        return False
    for target in await ledger.targets():
        rows = (await ledger.load(target, history=True)).by_key.values()
        findings = [row.state for row in rows if isinstance(row, Finding)]
        if target in targets and not findings:
            return False
        if any(state is not FindingState.DECIDED for state in findings):
            return False
        if any(row.state.running for row in rows if isinstance(row, Step)):
            return False
    return True


def wait_until_settled(stage: Stage, targets: set[str], *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Until everything that belongs to the targets is done."""

    async def wait(responder: Responder) -> None:
        give_up_at = time.monotonic() + patience_seconds
        while True:
            try:
                if await settled(responder, targets):
                    return
            except ResponderError:
                pass  # storage is away for the moment
            assert time.monotonic() < give_up_at, f"not settled within {patience_seconds} s: {targets}"
            await asyncio.sleep(0.3)

    look(stage, wait)


def end_state(stage: Stage, client: SandboxClient, target: str, *, began: str) -> EndState:
    """What is true of one account in the end. ``began`` is the value that its sessions had before."""
    found, account = look(stage, lambda responder: _rows_at_rest(responder, target)), client.account(target)
    records = [row for row in found if isinstance(row, Finding) and OWN not in row.reason]
    steps = [row for row in found if isinstance(row, Step)]
    return EndState(
        verdicts=tuple(row.verdict for row in records),
        incidents=tuple(row.status.value for row in found if isinstance(row, Incident)),
        effects=frozenset((row.step.value, effect_of(row)) for row in steps),
        account_enabled=account["account_enabled"],
        sessions_cut=account["sign_in_sessions_valid_from"] > began,
        audit_bypass_enabled=account["audit_bypass_enabled"],
    )


async def _rows_at_rest(responder: Responder, target: str) -> list[Row]:
    """Read a case until its findings are decided.

    The record of the responder's own change may have only just arrived.
    """
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        rows = list((await responder.services.ledger.load(target, history=True)).by_key.values())
        undecided = [row for row in rows if isinstance(row, Finding) and row.state is not FindingState.DECIDED]
        if not undecided or time.monotonic() > give_up_at:
            return rows
        await asyncio.sleep(0.3)


def effect_of(step: Step) -> str:
    """The effect, or the state where there is none yet."""
    return step.effect.value if step.effect else step.state.value


def log_problems(stage: Stage) -> list[str]:
    """What the verification of the response log finds."""

    async def verify(responder: Responder) -> list[str]:
        return (await verify_log(responder.services.ledger, responder.services.checkpoints)).problems

    return look(stage, verify)
