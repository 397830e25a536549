"""What the self-check asks, on Azurite and on a stand-in that refuses as Azure does; tokens as azure-identity gives."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from pydantic import SecretStr

from bypass_responder.adapters.own_token import OwnTokens
from bypass_responder.adapters.self_check_table import ROW, TABLE, SelfCheckTable
from bypass_responder.adapters.storage_clients import StorageClients, connect
from bypass_responder.adapters.storage_probe import StorageProbe
from bypass_responder.errors import InputError
from bypass_responder.model.self_check import Access, LogVerification, SelfCheck, StorageCheck
from bypass_responder.operating.self_check import SelfCheckStore
from bypass_responder.settings import Storage
from sandbox.child import free_ports
from tests.fakes.self_check import FakeSelfCheckStore
from tests.storage_gate import NO_ROLE, StorageGate

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def a_check(**fields: Any) -> SelfCheck:
    return SelfCheck(**({"at": NOON, "version": "1", "mode": "observe", "schedules": {"A": "* * * * * *"}} | fields))


def a_verification(**fields: Any) -> LogVerification:
    about = {"seconds": 1.0, "since": NOON.date(), "logs": 1, "entries": 2, "checkpoints": 3}
    return LogVerification(**({"at": NOON, "last_checkpoint_at": NOON, "intact_at": NOON} | about | fields))


# ---- the row


@pytest.fixture(params=["fake", "azurite"])
def store(request: pytest.FixtureRequest, tenant_id: str) -> SelfCheckStore:
    if request.param == "fake":
        return FakeSelfCheckStore()
    clients: StorageClients = request.getfixturevalue("clients")
    return SelfCheckTable(clients.tables, tenant_id)


async def test_the_last_run_of_each_timer_is_kept(store: SelfCheckStore) -> None:
    await store.save(a_check())
    await store.save_run("read_posture", NOON)
    await store.save_run("gather_evidence", NOON)
    await store.save_run("read_posture", NOON + timedelta(minutes=10))

    assert await store.runs() == {"gather_evidence": NOON, "read_posture": NOON + timedelta(minutes=10)}


async def test_there_is_none_before_the_first(store: SelfCheckStore) -> None:
    assert await store.last() is None


async def test_the_last_one_is_kept(store: SelfCheckStore) -> None:
    await store.save(a_check())
    await store.save(a_check(mode="enforce"))

    assert await store.last() == a_check(mode="enforce")


async def test_the_last_verification_is_kept_beside_it(store: SelfCheckStore) -> None:
    none = await store.last_verification()
    await store.save(a_check())
    await store.save_verification(a_verification(found=1, problems=("one",)))
    await store.save_verification(a_verification())

    assert none is None
    assert await store.last_verification() == a_verification()
    assert await store.last() == a_check()


async def test_what_a_newer_app_says_more_is_left_out(clients: StorageClients, tenant_id: str) -> None:
    body = json.dumps({"at": "2026-03-01T12:00:00Z", "version": "9", "mode": "enforce", "of_tomorrow": 1})
    await clients.tables.get_table_client(TABLE).upsert_entity({"PartitionKey": tenant_id, "RowKey": ROW, "Body": body})
    check = await SelfCheckTable(clients.tables, tenant_id).last()

    assert check is not None
    assert check.version == "9"


async def test_a_row_that_somebody_changed_is_unreadable(clients: StorageClients, tenant_id: str) -> None:
    await clients.tables.get_table_client(TABLE).upsert_entity({"PartitionKey": tenant_id, "RowKey": ROW, "Body": "x"})
    with pytest.raises(InputError, match=r"table Feed, \S+ / self-check"):
        await SelfCheckTable(clients.tables, tenant_id).last()


# ---- storage


@pytest.fixture
def gate(azurite: str) -> Iterator[StorageGate]:
    with StorageGate(azurite) as standing:
        yield standing


@pytest.fixture
async def place(gate: StorageGate) -> AsyncIterator[tuple[StorageClients, str]]:
    """Clients through the gate, and the name of a table, queue and container that are there."""
    name = f"probe{uuid4().hex}"
    clients = connect(Storage(connection_string=SecretStr(gate.connection_string)))
    await clients.tables.create_table(name)
    await clients.queues.create_queue(name)
    await clients.blobs.create_container(name)
    yield clients, name
    await clients.close()


async def looked(clients: StorageClients, name: str, *, days_ahead: int = 0) -> StorageCheck:
    probe = StorageProbe(
        clients.tables,
        clients.queues,
        clients.blobs,
        expected_tables=[name],
        expected_containers=[name],
        clock=lambda: datetime.now(UTC) + timedelta(days=days_ahead),
    )
    return await probe.probe([name])


def accesses(look: StorageCheck) -> set[tuple[str, Access, str]]:
    return {(reach.place.value, reach.access, reach.code) for reach in look.reaches}


async def test_what_is_there_can_be_reached(place: tuple[StorageClients, str]) -> None:
    look = await looked(*place)

    assert accesses(look) == {("table", Access.OK, ""), ("queue", Access.OK, ""), ("container", Access.OK, "")}


async def test_what_is_not_there_is_missing(place: tuple[StorageClients, str]) -> None:
    look = await looked(place[0], f"{place[1]}not")

    assert accesses(look) == {
        ("table", Access.MISSING, "TableNotFound"),
        ("queue", Access.MISSING, "QueueNotFound"),
        ("container", Access.MISSING, "ContainerNotFound"),
    }


async def test_what_is_refused_is_forbidden_with_azures_code(
    gate: StorageGate, place: tuple[StorageClients, str]
) -> None:
    gate.refused[place[1]] = NO_ROLE
    look = await looked(*place)

    assert accesses(look) == {(kind, Access.FORBIDDEN, NO_ROLE) for kind in ("table", "queue", "container")}


async def test_what_does_not_answer_is_unreachable(azurite: str) -> None:
    nobody = re.sub(r":\d+/", lambda _: f":{free_ports(1)[0]}/", azurite)
    clients = connect(Storage(connection_string=SecretStr(nobody)))
    look = await looked(clients, "any")
    await clients.close()

    assert {reach.access for reach in look.reaches} == {Access.UNREACHABLE}
    assert look.skew_seconds is None


def held(look: StorageCheck) -> dict[str, int]:
    return {reach.place.value: reach.held for reach in look.reaches}


async def test_messages_that_failed_are_counted_and_stay(place: tuple[StorageClients, str]) -> None:
    clients, name = place
    queue = clients.queues.get_queue_client(f"{name}-poison")
    await queue.create_queue()
    for text in ("one", "two"):
        await queue.send_message(text)

    assert [held(await looked(clients, queue.queue_name))["queue"] for _ in range(2)] == [2, 2]


async def dead_letters(clients: StorageClients, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files, and the container is the one of Event Grid."""
    monkeypatch.setattr("bypass_responder.adapters.storage_probe.DEAD_LETTERS", name)
    for number in range(2):
        await clients.blobs.get_blob_client(name, f"BYPASS-ALERTS/2026/3/2/{number}/1.json").upload_blob(b"[]")


async def test_dead_letters_of_the_last_days_are_counted(
    place: tuple[StorageClients, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await dead_letters(*place, monkeypatch)

    assert [held(await looked(*place, days_ahead=days))["container"] for days in (0, 8)] == [2, 0]


async def test_a_full_page_of_dead_letters_counts_whole(
    place: tuple[StorageClients, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes after it, and is newer, is not read."""
    await dead_letters(*place, monkeypatch)
    monkeypatch.setattr("bypass_responder.adapters.storage_probe._MOST_LISTED", 2)

    assert held(await looked(*place, days_ahead=8))["container"] == 2


@pytest.mark.parametrize("skew", [-120.0, 120.0])
async def test_the_clock_is_held_against_the_services(
    gate: StorageGate, place: tuple[StorageClients, str], skew: float
) -> None:
    gate.skew_seconds = skew
    look = await looked(*place)

    assert look.skew_seconds == pytest.approx(-skew, abs=3)


async def test_a_clock_that_is_right_has_no_skew(place: tuple[StorageClients, str]) -> None:
    look = await looked(*place)

    assert look.skew_seconds == pytest.approx(0, abs=2)


# ---- tokens


class GivenToken:
    """A credential that has one token, or none."""

    def __init__(self, token: str | None) -> None:
        self.token = token
        self.asked: list[str] = []

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.asked += scopes
        if self.token is None:
            raise ClientAuthenticationError("No managed identity here.\nTo mitigate this issue, …")
        return AccessToken(self.token, int(time.time()) + 60)


def a_jwt(**claims: object) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "signature"])


def tokens(token: str | None) -> OwnTokens:
    credential: Any = GivenToken(token)
    return OwnTokens(credential, {"api": "https://api.example/.default"})


async def test_a_token_tells_its_roles_its_times_and_whose_it_is() -> None:
    issued = int(NOON.timestamp())
    jwt = a_jwt(roles=["B", "A"], iat=issued, exp=issued + 3600, oid="O", appid="P", tid="T")
    told = await tokens(jwt).inspect("api")

    assert (told.roles, told.issued_at, told.expires_at) == (("A", "B"), NOON, NOON + timedelta(hours=1))
    assert (told.object_id, told.application_id, told.tenant_id, told.delegated) == ("o", "p", "t", False)


async def test_a_token_with_scopes_is_a_persons() -> None:
    assert (await tokens(a_jwt(scp="User.Read")).inspect("api")).delegated


async def test_nothing_of_the_token_itself_is_told() -> None:
    jwt = a_jwt(oid="o")

    assert not set(jwt.split(".")) & set((await tokens(jwt).inspect("api")).model_dump_json().split('"'))


async def test_without_a_token_it_tells_why_in_one_line() -> None:
    assert (await tokens(None).inspect("api")).problem == "No managed identity here."


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", f"a.{base64.urlsafe_b64encode(b'[1]').decode()}.c"])
async def test_a_token_that_is_no_jwt_is_told_as_one(token: str) -> None:
    assert "JWT" in (await tokens(token).inspect("api")).problem


@pytest.mark.parametrize("claims", [{"iat": "soon", "exp": 10**30, "roles": "User.Read.All"}, {}])
async def test_claims_of_another_shape_are_left_out(claims: dict[str, object]) -> None:
    told = await tokens(a_jwt(**claims)).inspect("api")

    assert (told.roles, told.issued_at, told.expires_at, told.problem) == ((), None, None, "")
