"""Azure Storage's own errors, provoked in Azurite, and what `translated` makes of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.data.tables.aio import TableClient, TableServiceClient
from azure.identity import CredentialUnavailableError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.errors import (
    ConflictError,
    NotFoundError,
    NoTokenError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    ThrottledError,
    TransientError,
)


@pytest.fixture
async def table(azurite: str) -> AsyncIterator[TableClient]:
    async with TableServiceClient.from_connection_string(azurite) as service:
        yield await service.create_table_if_not_exists("StorageErrors")


def a_row() -> dict[str, str]:
    return {"PartitionKey": str(uuid4()), "RowKey": "row"}


async def test_a_row_that_is_there_already_is_a_conflict(table: TableClient) -> None:
    row = a_row()
    await table.create_entity(row)
    with pytest.raises(ConflictError, match="Adding it: ResourceExistsError"), translated("Adding it"):
        await table.create_entity(row)


async def test_a_row_that_changed_is_a_conflict(table: TableClient) -> None:
    row = a_row()
    old = await table.create_entity(row)
    await table.upsert_entity(row)
    with pytest.raises(ConflictError), translated("Changing it"):
        await table.update_entity(row, etag=old["etag"], match_condition=MatchConditions.IfNotModified)


async def test_a_transaction_that_meets_a_row_is_a_conflict(table: TableClient) -> None:
    row = a_row()
    await table.create_entity(row)
    with pytest.raises(ConflictError), translated("Adding both"):
        await table.submit_transaction([("create", row | {"RowKey": "other"}), ("create", row)])


async def test_a_row_that_is_not_there_is_not_found(table: TableClient) -> None:
    with pytest.raises(NotFoundError), translated("Reading it"):
        await table.get_entity("nothing", "here")


async def test_a_row_that_is_too_large_is_refused(table: TableClient) -> None:
    with pytest.raises(RefusedError), translated("Adding it"):
        await table.create_entity(a_row() | {"Body": "x" * 33_000})


async def test_a_wrong_key_is_a_missing_permission(azurite: str) -> None:
    wrong = azurite.replace("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsu", "A" * 48)
    async with TableServiceClient.from_connection_string(wrong) as service:
        with pytest.raises(PermissionMissingError), translated("Reading it"):
            await service.get_table_client("StorageErrors").get_entity("nothing", "here")


class _Answer:
    """As much of an answer as the SDK's errors read."""

    def __init__(self, status_code: int, **headers: str) -> None:
        self.status_code = status_code
        self.reason = "as scripted"
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def text(self, encoding: str | None = None) -> str:
        return ""


def an_answer(status_code: int, **headers: str) -> Any:
    return _Answer(status_code, **headers)


def with_code(error: HttpResponseError, code: str) -> HttpResponseError:
    error.error_code = code  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (HttpResponseError(response=an_answer(500)), TransientError),
        (HttpResponseError(response=an_answer(503)), TransientError),
        (HttpResponseError(response=an_answer(429)), ThrottledError),
        (HttpResponseError(response=an_answer(403)), PermissionMissingError),
        (ClientAuthenticationError(response=an_answer(401)), PermissionMissingError),
        (CredentialUnavailableError("no identity here"), NoTokenError),
        (ClientAuthenticationError("the sign-in has expired"), NoTokenError),
        (with_code(ResourceNotFoundError(response=an_answer(404)), "TableNotFound"), TransientError),
        (with_code(HttpResponseError(response=an_answer(409)), "TableBeingDeleted"), TransientError),
        (with_code(HttpResponseError(response=an_answer(409)), "EntityAlreadyExists"), ConflictError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_each_answer_has_its_type(error: HttpResponseError, ours: type[ResponderError]) -> None:
    with pytest.raises(ours) as raised, translated("Trying"):
        raise error

    assert type(raised.value) is ours


def test_the_service_says_how_long_to_wait() -> None:
    with pytest.raises(ThrottledError) as raised, translated("Trying"):
        raise HttpResponseError(response=an_answer(429, Retry_After="7"))

    assert raised.value.retry_after_seconds == 7


def test_an_error_that_is_not_of_storage_passes() -> None:
    with pytest.raises(ZeroDivisionError), translated("Trying"):
        raise ZeroDivisionError
