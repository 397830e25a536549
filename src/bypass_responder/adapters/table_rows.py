"""Single rows of Table Storage: rows that may be missing, conditional writes, corrupt rows."""

from __future__ import annotations

import gzip
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.errors import InputError, NotFoundError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from azure.data.tables.aio import TableClient

T = TypeVar("T")
_PART = 16_000
"""Characters per property: a property holds 64 KiB of UTF-16, and a character takes two units at most."""
_PARTS = 30
"""An entity holds 1 MiB."""
_BINARY_PART, _BINARY_PARTS = 60_000, 15
"""Bytes per property, which holds 64 KiB, and properties."""


def body_of(text: str) -> dict[str, Any]:
    """Return a text as the columns Body, Body1, Body2 … Raises RefusedError for one that no row holds."""
    if len(text) > _PART * _PARTS:
        raise RefusedError(f"{len(text)} characters are too many for one row ({_PART * _PARTS}).")
    return {f"Body{start // _PART or ''}": text[start : start + _PART] for start in range(0, len(text), _PART)}


def text_of(entity: Mapping[str, Any]) -> str:
    """Return the text of the columns Body, Body1, Body2 … Raises TypeError where one is no text."""
    return "".join(
        entity[name] for name in ("Body", *(f"Body{number}" for number in range(1, _PARTS))) if name in entity
    )


def batches(items: Iterable[T], most: int) -> Iterator[list[T]]:
    """Yield the items in lists of at most ``most``, such as fit into a transaction."""
    left = iter(items)
    while batch := list(islice(left, most)):
        yield batch


def packed_body(text: str, code: str, what: str) -> dict[str, bytes]:
    """Return a text, gzipped, as columns: Body, Body1, Body2 and so on.

    Raises InputError for one that no row holds.
    """
    packed = gzip.compress(text.encode(), mtime=0)
    if len(packed) > _BINARY_PART * _BINARY_PARTS:
        raise InputError(code, f"{what} has {len(packed)} bytes")
    starts = range(0, len(packed), _BINARY_PART)
    return {f"Body{start // _BINARY_PART or ''}": packed[start : start + _BINARY_PART] for start in starts}


def unpacked_body(entity: Mapping[str, Any]) -> bytes:
    """Return the text of ``packed_body``.

    Raises KeyError, TypeError, OSError, EOFError or zlib.error for another.
    """
    more = (entity.get(f"Body{number}", b"") for number in range(1, _BINARY_PARTS))
    return gzip.decompress(b"".join((entity["Body"], *more)))


async def row_or_none(
    table: TableClient, partition: str, row: str, what: str, *, select: list[str] | None = None
) -> Any:  # noqa: ANN401 - TableEntity holds any values
    """The entity, or None when there is none; ``what`` names it for people.

    ``select``: only these columns.
    """
    try:
        with translated(what):
            return await table.get_entity(partition, row, select=select)
    except NotFoundError:
        return None


async def write_if_unchanged(table: TableClient, entity: Mapping[str, Any], etag: str | None, what: str) -> str:
    """Insert without an etag, else replace that version. Returns the new etag. Raises ConflictError."""
    with translated(what):
        if etag is None:
            return str((await table.create_entity(entity))["etag"])
        condition = MatchConditions.IfNotModified
        saved = await table.update_entity(entity, mode=UpdateMode.REPLACE, etag=etag, match_condition=condition)
        return str(saved["etag"])


def corrupt(entity: Mapping[str, Any], table: str, why: object) -> InputError:
    """The error for a row that cannot be read."""
    return InputError("corrupt_row", f"table {table}, {entity['PartitionKey']} / {entity['RowKey']}: {why}")
