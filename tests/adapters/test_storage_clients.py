"""The usual storage clients and those of a process that ends soon do the same.

What ``create_storage`` makes is tested as well.
"""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from pydantic import SecretStr

from bypass_responder.adapters import (
    allowlist_table,
    checkpoint_store,
    evidence_blob,
    index_table,
    ledger_entities,
    limit_table,
    work_table,
)
from bypass_responder.adapters.storage_clients import CONTAINERS, TABLES, StorageClients, connect
from bypass_responder.adapters.table_rows import row_or_none
from bypass_responder.adapters.work_table import TableWorkList
from bypass_responder.errors import SettingError
from bypass_responder.settings import Storage

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MORE_THAN_A_PAGE = 1_100
MORE_THAN_A_BLOCK = gzip.compress(b"x") * 300_000


@pytest.fixture
async def short_lived(storage: Storage) -> AsyncIterator[StorageClients]:
    connected = connect(storage, short_lived=True)
    yield connected
    await connected.close()


async def test_rows_are_written_and_read_over_pages(short_lived: StorageClients, tenant_id: str) -> None:
    work = TableWorkList(short_lived.tables, tenant_id)
    await work.touch_all(dict.fromkeys((f"t{number:05}" for number in range(MORE_THAN_A_PAGE)), NOW))

    assert len(await work.items()) == MORE_THAN_A_PAGE


async def test_a_row_that_is_missing_is_none(short_lived: StorageClients, tenant_id: str) -> None:
    assert await row_or_none(short_lived.tables.get_table_client("Work"), tenant_id, "nobody", "the row") is None


@pytest.mark.parametrize("key", ["alex@contoso.com", "o'neil@contoso.com", "a b+c~d(e)=f,g;h:i$j&k", "größe", "%40"])
async def test_a_key_with_any_character_is_found(short_lived: StorageClients, storage: Storage, key: str) -> None:
    """With a connection string each request is signed, path included."""
    table, partition = short_lived.tables.get_table_client("Work"), str(uuid4())
    await table.upsert_entity({"PartitionKey": partition, "RowKey": key})
    app = connect(storage)
    found = [await row_or_none(each.tables.get_table_client("Work"), partition, key, "") for each in (short_lived, app)]
    await app.close()

    assert [row["RowKey"] for row in found if row] == [key, key]


async def test_a_large_compressed_blob_is_read_as_it_was_written(short_lived: StorageClients) -> None:
    blob = short_lived.blobs.get_blob_client("evidence", str(uuid4()))
    await blob.upload_blob(MORE_THAN_A_BLOCK)

    assert await (await blob.download_blob()).readall() == MORE_THAN_A_BLOCK


async def test_a_message_is_sent_and_received(short_lived: StorageClients) -> None:
    queue = short_lived.queues.get_queue_client(f"short-lived-{uuid4()}")
    await queue.create_queue()
    await queue.send_message("one")

    assert [message.content async for message in queue.receive_messages()] == ["one"]


def test_every_table_and_container_that_an_adapter_names_is_created() -> None:
    tables = {module.TABLE for module in (allowlist_table, ledger_entities, work_table, limit_table, index_table)}

    assert tables | {checkpoint_store.TABLE} <= set(TABLES)
    assert {checkpoint_store.CONTAINER, evidence_blob.CONTAINER} <= set(CONTAINERS)


@pytest.mark.parametrize(
    "wrong",
    [
        Storage(connection_string=SecretStr("nonsense")),
        Storage(),
        Storage(table_service_uri="https://a.table.core.windows.net"),
    ],
)
def test_a_wrong_storage_setting_is_named(wrong: Storage) -> None:
    with pytest.raises(SettingError, match="ResponderStorage"):
        connect(wrong)
