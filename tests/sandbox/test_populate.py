"""Made-up incidents in a sandbox look as if the responder had written them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bypass_responder.adapters.allowlist_table import TableAllowlist
from bypass_responder.adapters.checkpoint_store import CheckpointStore
from bypass_responder.adapters.index_table import TableIndex
from bypass_responder.adapters.ledger_table import TableLedger
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.incident import Incident
from bypass_responder.operating.verify_log import verify_log
from sandbox.populate import accounts, main, populate


def test_there_are_as_many_incidents_as_asked_for_and_each_has_a_unique_id() -> None:
    found = [incident.id for one in accounts(250, now=datetime(2026, 3, 2, tzinfo=UTC)) for incident in one]

    assert (len(found), len(set(found))) == (250, 250)


async def test_the_sandbox_is_filled(azurite: str, clients: StorageClients, tenant_id: str) -> None:
    await populate(azurite, tenant_id, incidents=130, allowlist=101)
    index, ledger = TableIndex(clients.tables, tenant_id), TableLedger(clients.tables, tenant_id)
    entries = [entry async for entry in index.newest()]
    case = await ledger.load(entries[0].target, history=True)
    allowed = [entry async for entry in TableAllowlist(clients.tables, tenant_id).entries()]
    verified = await verify_log(ledger, CheckpointStore(clients.tables, clients.blobs, tenant_id))

    assert (len(entries), len(allowed), verified.problems) == (130, 101, [])
    assert all(isinstance(entry, AllowlistEntry) for entry in allowed)
    assert entries[0].id in {incident.id for incident in case.rows(Incident)}


def test_without_a_sandbox_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    nobody = "AccountName=a;AccountKey=YQ==;" + ";".join(
        f"{name}Endpoint=http://127.0.0.1:9/a" for name in ("Blob", "Queue", "Table")
    )
    code = main(["--incidents", "1", "--storage", nobody])

    assert (code, "Start `make serve` first" in capsys.readouterr().err) == (1, True)
