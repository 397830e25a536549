"""Fill the storage of a running sandbox with made-up incidents and allowlist entries.

They show how pages and commands look at scale. Each account has its incidents in its case, with log lines that
`bypassctl log verify` accepts; the newest may need a decision, older ones were ended by a person. Nothing of it
happened in the stand-in tenant. For each row that it writes, Azurite searches the rows of a partition, so the time
grows with the square: 1,000 incidents take about half a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from azure.core.exceptions import AzureError
from azure.data.tables.aio import TableServiceClient

from bypass_responder.adapters import allowlist_table
from bypass_responder.adapters.index_table import TableIndex
from bypass_responder.adapters.ledger_table import TableLedger
from bypass_responder.adapters.storage_clients import connect
from bypass_responder.case.draft import Draft
from bypass_responder.case.listing import digest_of, entry_of
from bypass_responder.errors import ResponderError
from bypass_responder.model.account import Account
from bypass_responder.model.case import Case
from bypass_responder.model.change import Actor
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.settings import Storage
from sandbox.azurite import ACCOUNT, KEY
from sandbox.stage_settings import Ports
from sandbox.tenant.settings import Settings

PER_ACCOUNT = 60
_IN_A_TRANSACTION = 45
"""Incidents, each with its log line; a transaction holds 100 rows."""
_ROWS = 100
_EVERY = timedelta(minutes=5)
_NEWEST = (IncidentStatus.HELD, IncidentStatus.FAILED, *(IncidentStatus.CONTAINED,) * 18)
_OLDER = (IncidentStatus.CLOSED, IncidentStatus.CLOSED, IncidentStatus.RELEASED, IncidentStatus.DISMISSED)
T = TypeVar("T")


def accounts(count: int, *, now: datetime) -> Iterator[list[Incident]]:
    """Yield the incidents of one account after the other, each account's oldest first: ``count`` in all."""
    number_of_accounts = -(-count // PER_ACCOUNT)
    for number in range(number_of_accounts):
        account = _account(number)
        places = range(number, count, number_of_accounts)
        incidents = [_incident(account, place, now=now, newest=place < number_of_accounts) for place in places]
        yield incidents[::-1]


def _account(number: int) -> Account:
    name = f"user{number:05d}@contoso.onmicrosoft.com"
    return Account(object_id=str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), user_principal_name=name, account_enabled=True)


def _incident(account: Account, place: int, *, now: datetime, newest: bool) -> Incident:
    """Return the incident that is number ``place`` from the newest."""
    opened = now - place * _EVERY
    status = _NEWEST[place % len(_NEWEST)] if newest else _OLDER[place % len(_OLDER)]
    incident = Incident(
        id=f"{opened:%Y%m%d}-{uuid.uuid5(uuid.NAMESPACE_OID, str(place)).hex[:8]}",
        target=account.object_id,
        status=status,
        opened_at=opened,
        verdict="violation",
        reason="not on the allowlist",
        account=account,
        actors=(Actor(user_id=f"admin{place % 7}@contoso.onmicrosoft.com", client_ip="203.0.113.7"),),
        names=(account.user_principal_name,),
        blind_from=opened - timedelta(minutes=2),
        restored_at=None if status in {IncidentStatus.HELD, IncidentStatus.FAILED} else opened,
        closed_at=opened + timedelta(hours=1) if status.final else None,
        closed_by="ops@contoso.onmicrosoft.com" if status.final else None,
    )
    return incident.model_copy(update={"listed": digest_of(entry_of(incident))})


async def store(incidents: list[Incident], ledger: TableLedger, index: TableIndex) -> None:
    """Write the case of one account, and its entries in the index."""
    case = Case(target=incidents[0].target)
    for group in _groups(iter(incidents), _IN_A_TRANSACTION):
        draft = Draft(case, now=group[-1].opened_at)
        for incident in group:
            draft.put(incident)
            draft.log("decided", f"{incident.verdict}: {incident.reason}", incident=incident.id)
        newest = group[-1].id
        draft.move_head(last_incident=newest, active_incident=None if group[-1].status.final else newest)
        case = await ledger.commit(case, list(draft.changed.values()), draft.entries)
    await store_index(incidents, index)


async def store_index(incidents: list[Incident], index: TableIndex) -> None:
    """Write the entries of incidents that the index does not have."""
    entries = [entry_of(incident) for incident in incidents]
    await index.put(entries, was={entry.id: "" for entry in entries})


def allowlist_rows(count: int, tenant_id: str, *, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield rows of the table Allowlist."""
    for number in range(count):
        name = f"svc{number:05d}@contoso.onmicrosoft.com"
        yield {
            "PartitionKey": tenant_id,
            "RowKey": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
            "ReasonClass": "archiving",
            "Justification": "Journal archive",
            "Owner": f"ops{number % 20}@contoso.onmicrosoft.com",
            "Ticket": f"CHG-{1000 + number}",
            "ApprovedBy": "ops@contoso.onmicrosoft.com",
            "DisplayName": name,
            "ExpiresAt": now + timedelta(days=1 + number % 365),
        }


def _groups(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while group := list(islice(items, size)):
        yield group


async def populate(storage: str, tenant_id: str, *, incidents: int, allowlist: int) -> None:
    """Write everything, in transactions of up to 100 rows."""
    now = datetime.now(UTC).replace(microsecond=0)
    clients = connect(Storage.model_validate({"connection_string": storage}))
    try:
        ledger, index = TableLedger(clients.tables, tenant_id), TableIndex(clients.tables, tenant_id)
        began, done = time.monotonic(), 0
        for one in accounts(incidents, now=now):
            await store(one, ledger, index)
            done += len(one)
            sys.stderr.write(f"\r{done} of {incidents} incidents, {time.monotonic() - began:.0f} s")
        await _fill(clients.tables, allowlist_rows(allowlist, tenant_id, now=now))
        sys.stderr.write(f"\r{done} incidents and {allowlist} entries in {time.monotonic() - began:.0f} s\n")
    finally:
        await clients.close()


async def _fill(tables: TableServiceClient, rows: Iterator[Mapping[str, Any]]) -> None:
    table = tables.get_table_client(allowlist_table.TABLE)
    for group in _groups(rows, _ROWS):
        await table.submit_transaction([("upsert", row) for row in group])


def main(argv: list[str]) -> int:
    """Fill the sandbox that runs; 1 when no storage answers or it holds such incidents already."""
    ports = Ports()
    default = (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
        f"BlobEndpoint=http://127.0.0.1:{ports.blob}/{ACCOUNT};QueueEndpoint=http://127.0.0.1:{ports.queue}/{ACCOUNT};"
        f"TableEndpoint=http://127.0.0.1:{ports.table}/{ACCOUNT};"
    )
    parser = argparse.ArgumentParser(prog="python -m sandbox populate", description=__doc__)
    parser.add_argument("--incidents", type=int, default=1_000, help="number of incidents (default: %(default)s)")
    parser.add_argument("--allowlist", type=int, default=100, help="number of allowlist entries (default: %(default)s)")
    parser.add_argument("--storage", default=os.environ.get("ResponderStorage", default), help="connection string")  # noqa: SIM112 - the app's setting
    parser.add_argument("--tenant-id", default=Settings().tenant_id, help="tenant (default: the sandbox's)")
    given = parser.parse_args(argv)
    try:
        asyncio.run(populate(given.storage, given.tenant_id, incidents=given.incidents, allowlist=given.allowlist))
    except (ResponderError, AzureError) as error:
        line = str(error).splitlines()[0]
        sys.stderr.write(f"\npopulate: {line}\nStart `make serve` first; a sandbox is filled once.\n")
        return 1
    except KeyboardInterrupt:
        return 1
    return 0
