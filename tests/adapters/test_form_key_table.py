"""The key of the forms: made once, the same for every instance."""

from __future__ import annotations

import asyncio

from azure.data.tables.aio import TableServiceClient

from bypass_responder.adapters.form_key_table import TABLE, FormKeyTable


async def test_all_instances_get_one_long_key(azurite: str) -> None:
    async with TableServiceClient.from_connection_string(azurite) as tables:
        keys = await asyncio.gather(*(FormKeyTable(tables).key() for _ in range(5)))
        later = await FormKeyTable(tables).key()
        await tables.delete_table(TABLE)

    assert {*keys} == {later}
    assert len(later) == 64
