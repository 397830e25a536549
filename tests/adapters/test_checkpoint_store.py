"""The chain of checkpoints: the same facts hold for the fake and for the append blobs.

They hold whatever a crash or a race left.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from bypass_responder.adapters import checkpoint_store
from bypass_responder.adapters.checkpoint_store import CheckpointStore
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.errors import ConflictError, InputError, TransientError
from bypass_responder.model.log import Checkpoint, TornLine
from bypass_responder.ports import Checkpoints
from tests.fakes import FakeCheckpoints

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
DAY = timedelta(days=1)


def a_checkpoint(seq: int, *, at: datetime = NOON, heads: int = 1, text: str = "h") -> Checkpoint:
    return Checkpoint(seq=seq, at=at, heads={f"t{n}": (n, text) for n in range(heads)}, previous="p", hash=f"{seq}")


async def read(checkpoints: Checkpoints, since: date | None = None) -> list[Checkpoint | TornLine]:
    return [each async for each in checkpoints.all(since)]


async def fill(checkpoints: Checkpoints, *moments: datetime) -> list[Checkpoint]:
    """Append one checkpoint of each moment."""
    filled = [a_checkpoint(seq, at=at) for seq, at in enumerate(moments, start=1)]
    for checkpoint in filled:
        await checkpoints.append(checkpoint)
    return filled


# ---- the fake and the store


@pytest.fixture(params=["fake", "azurite"])
def checkpoints(request: pytest.FixtureRequest, tenant_id: str) -> Checkpoints:
    if request.param == "fake":
        return FakeCheckpoints()
    clients: StorageClients = request.getfixturevalue("clients")
    return CheckpointStore(clients.tables, clients.blobs, tenant_id)


async def test_the_first_checkpoint_has_nothing_before_it(checkpoints: Checkpoints) -> None:
    assert await checkpoints.last() is None
    assert await read(checkpoints) == []


async def test_checkpoints_come_back_in_order(checkpoints: Checkpoints) -> None:
    filled = await fill(checkpoints, *[NOON] * 9)

    assert await checkpoints.last() == filled[-1]
    assert await read(checkpoints) == filled


async def test_checkpoints_of_several_days_come_back_in_order(checkpoints: Checkpoints) -> None:
    filled = await fill(checkpoints, NOON, NOON, NOON + DAY, NOON + DAY, NOON + 2 * DAY, NOON + 2 * DAY)

    assert await checkpoints.last() == filled[-1]
    assert await read(checkpoints) == filled


async def test_clocks_that_differ_at_midnight_break_no_order(checkpoints: Checkpoints) -> None:
    filled = await fill(checkpoints, NOON, NOON + DAY, NOON, NOON + DAY, NOON, NOON, NOON + 2 * DAY, NOON)

    assert await checkpoints.last() == filled[-1]
    assert await read(checkpoints) == filled


async def test_a_number_is_taken_once(checkpoints: Checkpoints) -> None:
    await checkpoints.append(a_checkpoint(1))
    with pytest.raises(ConflictError):
        await checkpoints.append(a_checkpoint(1, text="another"))

    assert await checkpoints.last() == a_checkpoint(1)


async def test_no_number_is_left_out(checkpoints: Checkpoints) -> None:
    await checkpoints.append(a_checkpoint(1))
    with pytest.raises(ConflictError):
        await checkpoints.append(a_checkpoint(3))

    assert await read(checkpoints) == [a_checkpoint(1)]


async def test_the_same_checkpoint_again_is_our_own(checkpoints: Checkpoints) -> None:
    await checkpoints.append(a_checkpoint(1))
    await checkpoints.append(a_checkpoint(1))

    assert await read(checkpoints) == [a_checkpoint(1)]


async def test_a_checkpoint_of_many_targets_fits(checkpoints: Checkpoints) -> None:
    await checkpoints.append(a_checkpoint(1, heads=3000, text="h" * 64))

    assert await checkpoints.last() == a_checkpoint(1, heads=3000, text="h" * 64)


@pytest.mark.parametrize("day", range(-1, 5))
async def test_since_leaves_out_no_checkpoint_of_the_day(checkpoints: Checkpoints, day: int) -> None:
    filled = await fill(checkpoints, *(NOON + number // 2 * DAY for number in range(8)))
    since = (NOON + day * DAY).date()
    needed = [each for each in filled if each.at.date() >= since]

    found = await read(checkpoints, since)

    assert found == filled[len(filled) - len(found) :]
    assert len(found) >= len(needed)


async def test_since_leaves_out_what_is_long_before(checkpoints: Checkpoints) -> None:
    filled = await fill(checkpoints, *(NOON + number * DAY for number in range(6)))

    assert filled[-3] not in await read(checkpoints, filled[-1].at.date())


# ---- the store alone


class Stored(NamedTuple):
    """Three checkpoints of one day, and the places where they lie."""

    store: CheckpointStore
    clients: StorageClients
    tenant: str

    @property
    def container(self) -> ContainerClient:
        return self.clients.blobs.get_container_client(checkpoint_store.CONTAINER)

    async def names(self) -> list[str]:
        found = self.container.list_blob_names(name_starts_with=f"{self.tenant}/")
        return sorted([name.removeprefix(f"{self.tenant}/") async for name in found])

    async def append(self, text: bytes) -> None:
        """Append to the newest blob, past the store."""
        await self.container.get_blob_client(f"{self.tenant}/{(await self.names())[-1]}").append_block(text)

    async def forget(self, **row: Any) -> None:
        """Set the place of the newest back to that row, or delete it."""
        table = self.clients.tables.get_table_client(checkpoint_store.TABLE)
        await table.delete_entity(f"{self.tenant}_last", "last")
        if row:
            await table.create_entity({"PartitionKey": f"{self.tenant}_last", "RowKey": "last"} | row)


@pytest.fixture
async def stored(clients: StorageClients, tenant_id: str) -> Stored:
    store = CheckpointStore(clients.tables, clients.blobs, tenant_id)
    await fill(store, NOON, NOON, NOON)
    return Stored(store, clients, tenant_id)


async def test_a_day_is_one_blob_after_its_first_checkpoint(stored: Stored) -> None:
    for seq, at in enumerate([NOON + DAY] * 3 + [NOON + 2 * DAY] * 2, start=4):
        await stored.store.append(a_checkpoint(seq, at=at))

    named = ["000000000001-0001-01-01", "000000000002-2026-03-01", "000000000005-2026-03-02", "000000000008-2026-03-03"]
    assert await stored.names() == [f"{name}.jsonl" for name in named]


async def test_a_blob_takes_so_many_checkpoints(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_store, "MOST_LINES", 3)
    for seq in range(4, 9):
        await stored.store.append(a_checkpoint(seq))

    assert len(await stored.names()) == 4
    assert len(await read(stored.store)) == 8
    assert await stored.store.last() == a_checkpoint(8)


@pytest.mark.parametrize("row", [{}, {"Seq": 1, "Blob": "x", "Start": 0}, {"Seq": "x"}])
async def test_the_newest_is_found_without_its_place(stored: Stored, row: dict[str, Any]) -> None:
    await stored.forget(**row)

    assert await stored.store.last() == a_checkpoint(3)


@pytest.mark.parametrize("start", [0, 1, 9999])
async def test_the_newest_is_found_from_an_old_place(stored: Stored, start: int) -> None:
    """As after a crash between the append and the row, and a new day."""
    await stored.store.append(a_checkpoint(4, at=NOON + DAY))
    await stored.store.append(a_checkpoint(5, at=NOON + DAY))
    await stored.forget(Seq=1, Blob=f"{stored.tenant}/{(await stored.names())[0]}", Start=start)

    assert await stored.store.last() == a_checkpoint(5, at=NOON + DAY)


async def test_a_torn_line_is_no_checkpoint_and_the_next_one_starts_a_new_line(stored: Stored) -> None:
    await stored.append(a_checkpoint(4).model_dump_json().encode()[:40])

    assert await stored.store.last() == a_checkpoint(3)

    await stored.store.append(a_checkpoint(4))

    *before, torn, last = await read(stored.store)
    assert isinstance(torn, TornLine)
    assert [*before, last] == [a_checkpoint(seq) for seq in (1, 2, 3, 4)]


async def test_a_torn_line_at_the_beginning_of_a_day_is_no_checkpoint(stored: Stored) -> None:
    await stored.store.append(a_checkpoint(4, at=NOON + DAY))
    blob = stored.container.get_blob_client(f"{stored.tenant}/000000000005-2026-03-02.jsonl")
    await blob.create_append_blob()
    await blob.append_block(b'{"seq":5,')
    await stored.store.append(a_checkpoint(5, at=NOON + DAY))

    assert await stored.store.last() == a_checkpoint(5, at=NOON + DAY)


async def test_a_blob_that_a_crash_left_empty_is_taken(stored: Stored) -> None:
    await stored.store.append(a_checkpoint(4, at=NOON + DAY))
    await stored.container.get_blob_client(f"{stored.tenant}/000000000005-2026-03-02.jsonl").create_append_blob()

    assert len(await read(stored.store)) == 4

    await stored.store.append(a_checkpoint(5, at=NOON + DAY))

    assert len(await read(stored.store)) == 5


class Answers(AioHttpTransport):  # type: ignore[misc] # untyped in azure-core
    """The SDK's transport, disturbed at an append.

    Before the first append it calls ``before``. With ``lost``, the answer to an append does not arrive.
    """

    before: Any = None
    lost = False

    async def send(self, request: Any, **config: Any) -> Any:
        if "comp=appendblock" not in request.url:
            return await super().send(request, **config)
        before, self.before = self.before, None
        if before:
            await before()
        answer = await super().send(request, **config)
        if self.lost:
            raise ServiceResponseError("the connection was closed")
        return answer


class Other(NamedTuple):
    """A second host's store, and what comes between it and storage."""

    store: CheckpointStore
    answers: Answers


@pytest.fixture
async def other(stored: Stored, azurite: str) -> Any:
    answers = Answers()
    blobs = BlobServiceClient.from_connection_string(azurite, transport=answers, retry_total=0)
    yield Other(CheckpointStore(stored.clients.tables, blobs, stored.tenant), answers)
    await blobs.close()


async def test_an_append_without_an_answer_is_found_and_is_ours(stored: Stored, other: Other) -> None:
    other.answers.lost = True
    await other.store.append(a_checkpoint(4))

    assert await read(stored.store) == [a_checkpoint(seq) for seq in (1, 2, 3, 4)]


async def test_an_append_that_was_tried_again_after_it_was_made_is_ours(stored: Stored, other: Other) -> None:
    """The SDK sends it again, and the second is refused: the position is not the end any more."""
    other.answers.before = lambda: stored.append(a_checkpoint(4).model_dump_json().encode() + b"\n")
    await other.store.append(a_checkpoint(4))

    assert await read(stored.store) == [a_checkpoint(seq) for seq in (1, 2, 3, 4)]


@pytest.mark.parametrize("days", [0, 1, 2])
async def test_of_two_hosts_that_append_at_once_one_wins(stored: Stored, other: Other, days: int) -> None:
    """Whatever their clocks say of the day."""
    await stored.store.append(a_checkpoint(4, at=NOON + DAY))
    other.answers.before = lambda: stored.store.append(a_checkpoint(5, at=NOON + DAY))
    with pytest.raises(ConflictError):
        await other.store.append(a_checkpoint(5, at=NOON + days * DAY, text="other"))

    assert (await read(stored.store))[4:] == [a_checkpoint(5, at=NOON + DAY)]


async def test_an_append_that_was_not_made_is_an_error(stored: Stored, other: Other) -> None:
    async def fails() -> None:
        raise ServiceResponseError("the connection was closed")

    other.answers.before = fails
    with pytest.raises(TransientError):
        await other.store.append(a_checkpoint(4))

    assert await stored.store.last() == a_checkpoint(3)


async def test_the_newest_checkpoint_that_is_gone_is_named(stored: Stored) -> None:
    await stored.container.delete_blob(f"{stored.tenant}/{(await stored.names())[-1]}")
    with pytest.raises(InputError, match="cut after checkpoint 1; table Checkpoints names 3"):
        await read(stored.store)


async def test_a_blob_that_is_not_the_responders_is_named(stored: Stored) -> None:
    await stored.container.upload_blob(f"{stored.tenant}/000000000004.json", b"{}")
    with pytest.raises(InputError, match="unknown_blob"):
        await read(stored.store)


async def test_a_day_is_read_with_one_request(stored: Stored, azurite: str) -> None:
    requests = list[str]()

    class Counted(AioHttpTransport):  # type: ignore[misc] # untyped in azure-core
        async def send(self, request: Any, **config: Any) -> Any:
            requests.append(request.url)
            return await super().send(request, **config)

    async with BlobServiceClient.from_connection_string(azurite, transport=Counted()) as blobs:
        await read(CheckpointStore(stored.clients.tables, blobs, stored.tenant))

    assert sum(".jsonl" in url for url in requests) == len(await stored.names())
