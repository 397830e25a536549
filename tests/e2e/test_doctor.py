"""`bypassctl doctor` on Azurite and the stand-in tenant, in which one thing at a time is missing."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bypass_responder.rights import RESPONDER_ROLES, Api
from sandbox.azurite import Azurite, missing
from sandbox.child import free_ports
from sandbox.tenant.identity import ADMINISTRATOR_SECRET, GRAPH, MANAGEMENT, RESPONDER_SECRET, Identity
from sandbox.tenant.state import Tenant
from tests.e2e.conftest import Start
from tests.e2e.ctl import Said, bypassctl
from tests.e2e.live import Live
from tests.sampling import sampled
from tests.storage_gate import NO_ROLE, StorageGate

RESOURCES = {Api.GRAPH: GRAPH, Api.MANAGEMENT: MANAGEMENT}
QUEUES = {
    "EXCHANGE_COMMANDS_QUEUE": "exchange-commands",
    "EXCHANGE_CHECKS_QUEUE": "exchange-checks",
    "EXCHANGE_SWEEPS_QUEUE": "exchange-sweeps",
    "EXCHANGE_READS_QUEUE": "exchange-reads",
    "EXCHANGE_READ_RESULTS_QUEUE": "exchange-read-results",
    "EXCHANGE_RESULTS_QUEUE": "exchange-results",
    "ALERTS_QUEUE": "alerts",
    "DECISIONS_QUEUE": "decisions",
    "NOTIFICATIONS_QUEUE": "notifications",
    "DECISIONS_CONSOLE_QUEUE": "decisions-console",
}
TABLES = ("Allowlist", "Ledger", "Work", "CaseIndex", "Feed", "Checkpoints")
CONTAINERS = ("evidence", "log-checkpoints", "sweeps", "dead-letters")
ALL_QUEUES = [name for queue in QUEUES.values() for name in (queue, f"{queue}-poison")]
PERSON = {"AZURE_TOKEN_CREDENTIALS": "AzureCliCredential", "PATH": ""}
"""Nobody is signed in: with a storage key that is enough to look."""
WORKER_IDS = "dddddddd-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An Azurite that only these tests share.

    Each test begins with everything there, and may remove something.
    """
    if reason := missing():
        pytest.skip(reason)
    with Azurite(log=tmp_path_factory.mktemp("azurite") / "azurite.log") as own:
        yield own.connection_string


@pytest.fixture
def gate(storage: str) -> Iterator[StorageGate]:
    with StorageGate(storage) as standing:
        yield standing


async def empty_the_queues(live: Live) -> None:
    """Delete what an earlier test left: the storage is shared, and tests run in any order."""
    for name in ALL_QUEUES:
        await live.responder.storage.queues.get_queue_client(name).clear_messages()


@pytest.fixture
async def well(gate: StorageGate, start: Start) -> Live:
    """An installation in order: polled, swept, and the app has checked itself."""
    live = await start(ResponderStorage=gate.connection_string, EXCHANGE_WORKER_IDS=WORKER_IDS, **QUEUES)
    live.tampered = True
    await empty_the_queues(live)
    await live.poll()
    await live.sweep()
    await live.responder.resume_responses()
    return live


async def examined(live: Live, **env: str) -> Said:
    """As the app's own identity, unless ``env`` says otherwise."""
    return await bypassctl(live.env | env, "doctor", "--output", "json")


def problems_of(said: Said) -> list[tuple[str, str]]:
    return [(found["id"], found["about"]) for found in said.json["problems"]]


def responder_of(tenant: Tenant) -> Identity:
    return tenant.identities[RESPONDER_SECRET]


async def as_person(live: Live, monkeypatch: pytest.MonkeyPatch) -> Said:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.delenv(name)
    return await examined(live, **PERSON)


# ---- in order


async def test_an_installation_in_order_has_nothing(well: Live) -> None:
    said = await examined(well)

    assert (problems_of(said), said.code) == ([], 0)


async def test_a_person_sees_the_same(well: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    said = await as_person(well, monkeypatch)

    assert (problems_of(said), said.code) == ([], 0)


async def test_for_people_each_finding_is_one_line(well: Live) -> None:
    await well.responder.storage.queues.delete_queue("alerts")
    said = await bypassctl(well.env, "doctor")
    wrong = [line for line in said.out.splitlines() if line.startswith("FAIL")]

    assert said.code == 1
    assert len(wrong) == 1
    assert "the queue alerts does not exist. Fix: azd provision" in wrong[0]


async def test_no_token_is_shown(well: Live) -> None:
    said = await examined(well)

    assert "eyJ" not in said.out
    assert "roles" in said.out


# ---- rights


@pytest.mark.parametrize("role", sampled(RESPONDER_ROLES), ids=lambda role: role.value)
async def test_each_role_that_is_missing_is_named(well: Live, role: Any) -> None:
    responder_of(well.tenant).roles[RESOURCES[role.api]].remove(role.value)
    said = await examined(well)

    assert (problems_of(said), said.code) == ([("role_missing", role.value)], 1)


async def test_what_the_app_found_missing_is_reported_to_a_person(well: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    responder_of(well.tenant).roles[GRAPH].remove("User.Read.All")
    await well.deploy()
    await well.responder.resume_responses()
    said = await as_person(well, monkeypatch)

    assert (problems_of(said), said.code) == ([("role_missing", "User.Read.All")], 1)


async def test_a_token_from_before_the_grant_is_reported_with_its_times(well: Live) -> None:
    issued = int(time.time()) - 3600
    responder_of(well.tenant).cached[GRAPH] = (issued, ["User.Read.All", "User.RevokeSessions.All"])
    said = await examined(well)
    [token] = [each for each in said.json["self_check"]["tokens"] if each["api"] == Api.GRAPH]

    assert problems_of(said) == [("role_missing", "User.EnableDisableAccount.All")]
    assert token["issued_at"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(issued))
    assert time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(issued + 24 * 3600)) in said.json["problems"][0]["fix"]


async def test_a_person_sees_that_a_right_is_given_and_the_apps_token_is_older(gate: StorageGate, start: Start) -> None:
    """A role that `bypassctl grant` gave after the app had fetched its token does not work yet.

    The role is not reported as missing.
    """
    live = await start(ResponderStorage=gate.connection_string, EXCHANGE_WORKER_IDS=WORKER_IDS, **QUEUES)
    live.tampered = True
    issued = int(time.time()) - 3600
    given = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(issued + 1800))
    responder = responder_of(live.tenant)
    responder.cached[GRAPH] = (issued, ["User.Read.All", "User.RevokeSessions.All"])
    live.tenant.granted_at[responder.object_id, "User.EnableDisableAccount.All"] = given
    await live.poll()
    await live.sweep()
    await live.responder.resume_responses()
    said = await examined(live, IDENTITY_HEADER=ADMINISTRATOR_SECRET)
    [found] = [each for each in said.json["problems"] if each["about"] == "User.EnableDisableAccount.All"]

    assert found["id"] == "role_not_in_token"
    assert time.strftime("%Y-%m-%d %H:%M", time.gmtime(issued + 24 * 3600)) in found["what"] + found["fix"]


async def test_another_tenants_identity_is_named(well: Live) -> None:
    said = await examined(well, TENANT_ID="99999999-9999-4999-8999-999999999999")

    assert ("tenant_wrong", "TENANT_ID") in problems_of(said)
    assert not {found for found, _ in problems_of(said)} & {"role_missing", "feed_refused"}


@pytest.mark.parametrize("status", ["disabled", "missing"])
async def test_the_state_of_the_subscription_is_named(well: Live, status: str) -> None:
    well.client.subscription(status)
    said = await examined(well)

    assert (problems_of(said), said.code) == ([(f"subscription_{status}", "Audit.Exchange")], 1)


# ---- storage


@pytest.mark.parametrize("name", sampled(TABLES))
async def test_each_table_that_is_missing_is_named(well: Live, name: str) -> None:
    await well.responder.storage.tables.delete_table(name)
    said = await examined(well)

    assert (problems_of(said), said.code) == ([("storage_missing", f"table {name}")], 1)


@pytest.mark.parametrize("name", sampled(ALL_QUEUES))
async def test_each_queue_that_is_missing_is_named(well: Live, name: str) -> None:
    await well.responder.storage.queues.delete_queue(name)
    said = await examined(well)

    assert (problems_of(said), said.code) == ([("storage_missing", f"queue {name}")], 1)


@pytest.mark.parametrize("name", sampled(CONTAINERS))
async def test_each_container_that_is_missing_is_named(well: Live, name: str) -> None:
    await well.responder.storage.blobs.delete_container(name)
    said = await examined(well)

    assert (problems_of(said), said.code) == ([("storage_missing", f"container {name}")], 1)


@pytest.mark.parametrize(
    "name", sampled(["Allowlist", "Feed", "exchange-results", "alerts-poison", "evidence", "sweeps"])
)
async def test_a_place_that_is_closed_to_the_app_is_named(well: Live, gate: StorageGate, name: str) -> None:
    gate.refused[name] = NO_ROLE
    said = await examined(well)

    assert [found for found, _ in problems_of(said)] == ["storage_forbidden"]
    assert problems_of(said)[0][1].split()[1] == name
    assert said.code == 1


async def test_what_is_closed_to_the_person_only_is_no_finding(
    well: Live, gate: StorageGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.refused["sweeps"] = NO_ROLE
    said = await as_person(well, monkeypatch)

    assert (problems_of(said), said.code) == ([], 0)


async def test_a_person_who_may_not_read_feed_cannot_look(
    well: Live, gate: StorageGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.refused["Feed"] = NO_ROLE
    said = await as_person(well, monkeypatch)

    assert (problems_of(said), said.code) == ([], 3)


async def test_a_message_in_a_poison_queue_is_named(well: Live) -> None:
    await well.responder.storage.queues.get_queue_client("alerts-poison").send_message("it")
    said = await examined(well)

    assert (problems_of(said), said.code) == ([("poison_waiting", "alerts-poison")], 1)


# ---- clock, app, worker, settings


async def test_a_skewed_clock_of_the_app_is_named(well: Live, gate: StorageGate) -> None:
    gate.skew_seconds = 45
    said = await examined(well)

    assert [found for found, _ in problems_of(said)] == ["clock_skew_app"]
    assert "behind storage" in said.json["problems"][0]["what"]


async def test_a_skewed_clock_of_this_machine_is_named(
    well: Live, gate: StorageGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.skew_seconds = -45
    said = await as_person(well, monkeypatch)

    assert problems_of(said) == [("clock_skew_here", "this machine")]


async def test_an_app_that_never_ran_is_named(storage: str, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    live = await start(ResponderStorage=storage, **QUEUES)
    await empty_the_queues(live)
    said = await as_person(live, monkeypatch)

    assert ([found for found, _ in problems_of(said)], said.code) == (["app_silent"], 1)


async def test_a_scheduler_that_stopped_is_named(well: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    store = well.responder.self_checks.store
    check = await store.last()
    assert check is not None
    await store.save(check.model_copy(update={"at": check.at.replace(year=check.at.year - 1)}))
    said = await as_person(well, monkeypatch)

    assert [found for found, _ in problems_of(said)] == ["resume_late"]


async def test_a_silent_worker_is_named(well: Live) -> None:
    await well.responder.sweep_bypass_state()
    for _ in range(2):
        await well.passes(seconds=4300)
        await well.responder.sweep_bypass_state()
    said = await examined(well)

    assert "sweeps_silent" in [found for found, _ in problems_of(said)]
    assert not {"sweep_overdue", "sweep_unknown"} & {found for found, _ in problems_of(said)}


async def test_a_missing_setting_of_this_shell_is_named(well: Live) -> None:
    said = await examined(well, TENANT_ID="")

    assert (problems_of(said), said.code) == ([("setting_wrong", "TENANT_ID")], 3)


def nowhere(connection_string: str) -> str:
    """The same account where nobody listens."""
    return re.sub(r":\d+/", lambda _: f":{free_ports(1)[0]}/", connection_string)


async def test_an_account_that_the_app_does_not_reach_is_named_by_service(well: Live, gate: StorageGate) -> None:
    said = await examined(well, ResponderStorage=nowhere(gate.connection_string))

    assert [found for found, _ in problems_of(said)] == ["storage_unreachable"] * 3


@pytest.mark.slow
async def test_an_account_that_a_person_does_not_reach_cannot_be_looked_at(
    well: Live, gate: StorageGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    well.env["ResponderStorage"] = nowhere(gate.connection_string)
    said = await as_person(well, monkeypatch)

    assert (problems_of(said), said.code) == ([], 3)
