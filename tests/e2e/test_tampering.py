"""If somebody with write access to storage covers their tracks, `bypassctl log verify` exits with 1.

It names what they did.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.data.tables import UpdateMode

from bypass_responder.adapters.checkpoint_store import CONTAINER
from bypass_responder.model.log import LogEntry
from sandbox.azurite import missing
from tests.e2e.ctl import Said, bypassctl_program
from tests.e2e.live import Live

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")


@pytest.fixture
async def contained(live: Live) -> Live:
    """Alex was contained, another attempt failed, and two checkpoints saw it."""
    live.attack("bypass", target="alex")
    live.attack("failed", target="diego")
    await live.runs()
    live.tampered = True
    return live


def partition(live: Live, alias: str = "alex") -> str:
    return f"{live.env['TENANT_ID']}_{live.id_of(alias)}"


async def rows(live: Live, alias: str = "alex") -> list[dict[str, Any]]:
    """Every entity of the account's partition, in the order of the keys."""
    async with live.ledger as table:
        found = table.query_entities("PartitionKey eq @it", parameters={"it": partition(live, alias)})
        return [dict(entity) async for entity in found]


async def log_lines(live: Live) -> list[dict[str, Any]]:
    return [row for row in await rows(live) if row["RowKey"].startswith("log-")]


async def delete(live: Live, gone: list[dict[str, Any]]) -> None:
    async with live.ledger as table:
        for row in gone:
            await table.delete_entity(row["PartitionKey"], row["RowKey"])


async def rewrite(live: Live, row: dict[str, Any], **fields: object) -> None:
    """Change fields of the model in a row's body."""
    body = json.dumps(json.loads(row["Body"]) | fields)
    async with live.ledger as table:
        await table.upsert_entity(row | {"Body": body}, mode=UpdateMode.REPLACE)


def verify(live: Live) -> Said:
    return bypassctl_program(live.cli_env, "log", "verify")


async def test_an_untouched_log_verifies(contained: Live) -> None:
    said = verify(contained)

    assert (said.code, "0 problems" in said.out) == (0, True)


async def test_a_changed_line_is_named(contained: Live) -> None:
    await rewrite(contained, (await log_lines(contained))[1], text="nothing happened")
    said = verify(contained)

    assert (said.code, f"{contained.id_of('alex')}: log entry 2 was changed" in said.out) == (1, True)


@pytest.mark.slow
async def test_a_line_that_is_no_json_any_more_is_named(contained: Live) -> None:
    line = (await log_lines(contained))[1]
    async with contained.ledger as table:
        await table.upsert_entity(line | {"Body": "gone"}, mode=UpdateMode.REPLACE)
    said = verify(contained)

    assert (said.code, contained.id_of("alex") in said.out, line["RowKey"] in said.out) == (1, True, True)


async def test_a_deleted_line_is_named(contained: Live) -> None:
    await delete(contained, (await log_lines(contained))[1:2])
    said = verify(contained)

    assert (said.code, f"{contained.id_of('alex')}: log entry 2 is missing" in said.out) == (1, True)


@pytest.mark.slow
async def test_a_cut_tail_is_named_by_the_head(contained: Live) -> None:
    lines = await log_lines(contained)
    await delete(contained, lines[-3:])
    said = verify(contained)

    assert (said.code, f"the log ends with {len(lines) - 3}" in said.out) == (1, True)


async def test_a_tail_that_was_cut_with_its_head_is_named_by_the_checkpoint(contained: Live) -> None:
    lines = await log_lines(contained)
    last = LogEntry.model_validate_json(lines[1]["Body"])
    [head] = [row for row in await rows(contained) if row["RowKey"] == "now-head"]
    await delete(contained, lines[2:])
    await rewrite(contained, head, log_seq=last.seq, log_hash=last.hash)
    said = verify(contained)

    assert (said.code, f"{contained.id_of('alex')}: cut after log entry 2" in said.out) == (1, True)


async def test_a_deleted_incident_is_named(contained: Live) -> None:
    incident = await contained.incident()
    await delete(contained, [row for row in await rows(contained) if incident.id in row["RowKey"]])
    said = verify(contained)

    assert (said.code, f"{contained.id_of('alex')}: incident {incident.id} was deleted" in said.out) == (1, True)


async def test_a_deleted_partition_is_named(contained: Live) -> None:
    target = contained.id_of("alex")
    await delete(contained, await rows(contained))
    said = verify(contained)

    assert (said.code, f"{target}: cut after log entry 0" in said.out) == (1, True)


async def test_a_target_without_an_incident_is_watched_too(contained: Live) -> None:
    await delete(contained, await rows(contained, "diego"))
    said = verify(contained)

    assert (said.code, f"{contained.id_of('diego')}: cut after log entry 0" in said.out) == (1, True)


async def checkpoint_blobs(live: Live) -> dict[str, bytes]:
    """Name and content; in Azure they can be neither changed nor deleted."""
    container = live.responder.storage.blobs.get_container_client(CONTAINER)
    names = [name async for name in container.list_blob_names(name_starts_with=live.env["TENANT_ID"])]
    return {name: await (await container.download_blob(name)).readall() for name in sorted(names)}


async def write_checkpoints(live: Live, name: str, content: bytes) -> None:
    blob = live.responder.storage.blobs.get_blob_client(CONTAINER, name)
    await blob.upload_blob(content, blob_type="AppendBlob", overwrite=True)


async def test_a_deleted_checkpoint_is_named(contained: Live) -> None:
    first = next(iter(await checkpoint_blobs(contained)))
    await contained.responder.storage.blobs.get_blob_client(CONTAINER, first).delete_blob()
    said = verify(contained)

    assert (said.code, "checkpoint 1 is missing" in said.out) == (1, True)


async def test_a_cut_off_checkpoint_is_named_by_the_table(contained: Live) -> None:
    last, content = list((await checkpoint_blobs(contained)).items())[-1]
    await write_checkpoints(contained, last, b"".join(content.splitlines(keepends=True)[:-1]))
    said = verify(contained)

    assert (said.code, "cut after checkpoint" in said.out) == (1, True)


async def test_a_changed_checkpoint_is_named(contained: Live) -> None:
    first, content = next(iter((await checkpoint_blobs(contained)).items()))
    forged = json.loads(content) | {"at": "2026-01-01T00:00:00Z"}
    await write_checkpoints(contained, first, json.dumps(forged).encode() + b"\n")
    said = verify(contained)

    assert (said.code, "checkpoint 1 was changed" in said.out) == (1, True)
