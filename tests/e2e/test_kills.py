"""SIGKILL the host at the worst moments: after a restart everything ends as if nothing had happened."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.azurite import missing
from sandbox.tenant.client import SandboxClient
from tests.e2e.staged import (
    QUICK,
    SEED,
    Crash,
    CrashStage,
    EndState,
    end_state,
    log_problems,
    wait_for_first_poll,
    wait_until_settled,
)

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")

POINTS = (
    "blob read",
    "finding stored",
    "plan stored",
    "block sent",
    "revoke sent",
    "command queued",
    "result received",
    "result recorded",
)
SEEDS = 4
"""How many times the host is killed at a random moment. `pytest -p randomly --randomly-seed=N` replays them."""
LONGEST_SECONDS = 3.0
"""An undisturbed containment takes about as long, from the record to the read-back of its effect."""
CONTAINED = EndState(
    verdicts=("violation",),
    incidents=("contained",),
    effects=frozenset(
        {("block_sign_in", "effective"), ("revoke_sessions", "effective"), ("disable_bypass", "effective")}
    ),
    account_enabled=False,
    sessions_cut=True,
    audit_bypass_enabled=False,
)
NEVER = "2026-01-05T08:00:00Z"
"""Since when the sessions of a fresh account are valid."""


@dataclass
class Disturbed:
    """A stage on which everything was done to the host; ``targets`` by what was done."""

    stage: CrashStage
    client: SandboxClient
    targets: dict[str, str]

    def ending(self, what: str) -> EndState:
        return end_state(self.stage, self.client, self.targets[what], began=NEVER)


def moments() -> dict[str, float]:
    """Random moments after an attack, by name."""
    by_seed = random.Random(SEED)
    drawn = [by_seed.uniform(0, LONGEST_SECONDS) for _ in range(SEEDS)]
    return {f"{moment:.3f} s after the attack": moment for moment in drawn}


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disturbed]:
    """The host killed at each of the worst moments, and at random ones."""
    with disturbing(tmp_path_factory.mktemp("kills"), POINTS, moments()) as done:
        yield done


@contextmanager
def disturbing(folder: Path, points: Sequence[str], at_random: Mapping[str, float]) -> Iterator[Disturbed]:
    """One attack after the other on one stage, the host killed in each; then everything has time to end."""
    stage = CrashStage(folder, settings=QUICK | {"CONTAINMENT_LIMIT_PER_HOUR": "100"})
    with stage, SandboxClient(stage.tenant_url) as client:
        names = ("undisturbed", *points, *at_random)
        people = [{"user_principal_name": f"person{number}@contoso.onmicrosoft.com"} for number in range(len(names))]
        made = client.accounts(people)
        targets = {name: account["object_id"] for name, account in zip(names, made, strict=True)}
        wait_for_first_poll(stage)
        client.attack("bypass", target=targets["undisturbed"])
        for point in points:
            crash_at(stage, client, point, targets[point])
        for name, moment in at_random.items():
            client.attack("bypass", target=targets[name])
            time.sleep(moment)
            stage.kill_host()
            stage.start_host()
        wait_until_settled(stage, set(targets.values()))
        time.sleep(3)  # a command that was sent twice is answered twice
        yield Disturbed(stage, client, targets)


def crash_at(stage: CrashStage, client: SandboxClient, point: str, target: str) -> None:
    """Start the host with the crash in it, attack, wait for the crash, start the host without it."""
    stage.kill_host()
    stage.crash = Crash(point, target)
    stage.start_host()
    client.attack("bypass", target=target)
    stage.wait_for_crash()
    stage.crash = None
    stage.start_host()


def test_a_host_killed_after_the_block_was_sent_ends_as_if_undisturbed(tmp_path: Path) -> None:
    with disturbing(tmp_path, ["block sent"], {}) as done:
        endings = [done.ending(what) for what in ("undisturbed", "block sent")]
        touched = done.client.touched()
        problems = log_problems(done.stage)

    assert (endings, touched, problems) == ([CONTAINED, CONTAINED], set(done.targets.values()), [])


@pytest.mark.slow
def test_undisturbed_the_account_is_contained(disturbed: Disturbed) -> None:
    assert disturbed.ending("undisturbed") == CONTAINED


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_a_host_killed_at_this_point_ends_in_the_same_state(disturbed: Disturbed, point: str) -> None:
    assert disturbed.ending(point) == CONTAINED


@pytest.mark.slow
def test_a_host_killed_at_random_moments_ends_in_the_same_state(disturbed: Disturbed) -> None:
    killed = [name for name in disturbed.targets if name.endswith("after the attack")]

    assert {name: disturbed.ending(name) for name in killed} == dict.fromkeys(killed, CONTAINED)


@pytest.mark.slow
def test_nobody_else_was_touched(disturbed: Disturbed) -> None:
    assert disturbed.client.touched() == set(disturbed.targets.values())


@pytest.mark.slow
def test_the_response_log_verifies(disturbed: Disturbed) -> None:
    assert log_problems(disturbed.stage) == []
