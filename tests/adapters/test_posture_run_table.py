"""The row of the read that is under way, in memory and on Azurite."""

from __future__ import annotations

import pytest

from bypass_responder.adapters.posture_run_table import ROW, TABLE, PostureRunTable
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.errors import ConflictError
from bypass_responder.ports import PostureRuns
from bypass_responder.posture.run import begin
from tests.fakes import FakePostureRuns
from tests.world import START


@pytest.fixture(params=["fake", "azurite"])
def runs(request: pytest.FixtureRequest, tenant_id: str) -> PostureRuns:
    if request.param == "fake":
        return FakePostureRuns()
    clients: StorageClients = request.getfixturevalue("clients")
    return PostureRunTable(clients.tables, tenant_id)


async def test_there_is_none_before_the_first(runs: PostureRuns) -> None:
    assert await runs.current() is None


async def test_it_comes_back_as_it_was_written(runs: PostureRuns) -> None:
    written = await runs.replace(begin("run", START, None))

    assert await runs.current() == written
    assert written.parts == begin("run", START, None).parts


async def test_the_next_replaces_the_last(runs: PostureRuns) -> None:
    first = await runs.replace(begin("first", START, None))
    await runs.replace(begin("next", START, first))
    found = await runs.current()

    assert found is not None
    assert found.id == "next"


async def test_one_that_was_changed_meanwhile_is_a_conflict(runs: PostureRuns) -> None:
    first = await runs.replace(begin("run", START, None))
    await runs.replace(first.model_copy(update={"ended_at": START}))

    with pytest.raises(ConflictError):
        await runs.replace(first.model_copy(update={"compared_at": START}))


async def test_a_second_first_is_a_conflict(runs: PostureRuns) -> None:
    await runs.replace(begin("run", START, None))

    with pytest.raises(ConflictError):
        await runs.replace(begin("other", START, None))


async def test_a_damaged_row_is_replaced_by_the_next_read(clients: StorageClients, tenant_id: str) -> None:
    row = {"PartitionKey": f"{tenant_id}_posture-run", "RowKey": ROW, "Body": b"no gzip"}
    await clients.tables.get_table_client(TABLE).create_entity(row)
    runs = PostureRunTable(clients.tables, tenant_id)
    damaged = await runs.current()
    await runs.replace(begin("next", START, damaged))
    found = await runs.current()

    assert damaged is not None
    assert damaged.compared_at is not None
    assert found is not None
    assert found.parts == begin("next", START, None).parts
