"""The key that signs the forms of the console: one row in the console's host account.

Only the console can read this account.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from azure.core.exceptions import ResourceExistsError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import row_or_none, write_if_unchanged
from bypass_responder.errors import ConflictError, TransientError

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

TABLE, PARTITION, ROW = "ConsoleForms", "console", "form-key"
WHAT = "the key of the forms"


class FormKeyTable:
    """Makes the key at its first use.

    Delete the row to replace the key: open pages must then be loaded again.
    """

    def __init__(self, service: TableServiceClient) -> None:
        """Use the tables of the host account; nothing is called yet."""
        self._service = service
        self._table = service.get_table_client(TABLE)

    async def key(self) -> bytes:
        """Return the key that all instances share. Raises TransientError."""
        with translated(WHAT):
            try:
                await self._service.create_table(TABLE)
            except ResourceExistsError:
                if (found := await self._read()) is not None:
                    return found
        made = {"PartitionKey": PARTITION, "RowKey": ROW, "Key": secrets.token_hex(32)}
        with suppress(ConflictError):  # another instance was first
            await write_if_unchanged(self._table, made, None, WHAT)
        if (found := await self._read()) is None:
            raise TransientError(f"{WHAT} cannot be read back")
        return found

    async def _read(self) -> bytes | None:
        row = await row_or_none(self._table, PARTITION, ROW, WHAT)
        return None if row is None else str(row["Key"]).encode()
