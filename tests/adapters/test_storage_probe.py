"""What the self-check reads of storage, on Azurite and on a stand-in that refuses as Azure does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr

from bypass_responder.adapters.storage_clients import StorageClients, connect
from bypass_responder.adapters.storage_probe import StorageProbe
from bypass_responder.model.self_check import Access, StorageCheck
from bypass_responder.settings import Storage
from sandbox.child import free_ports
from tests.storage_gate import NO_ROLE, StorageGate


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
