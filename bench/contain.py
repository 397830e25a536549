"""(b) Containing one account, from parsed record to blocked and revoked, ÷ three bare Graph calls.

Our time includes storage. Every Graph call takes 100 ms more in the stand-in tenant, and every storage call of ours 5
ms. Both begin in this process and end when the journal of the tenant says that the sessions were revoked: the clocks
are one, because all runs on this machine. The two take turns, on accounts that nobody touched before, in a warm process
with warm connections.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from bench.slow_services import MALLORY, parsed
from bench.storage_calls import GRAPH_SECONDS, STORAGE_SECONDS, Latency, build_counted
from bypass_responder.handling.identify import Lookups
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.rights import GRAPH_SCOPE
from bypass_responder.triggers.store_records import store_records
from sandbox.azurite import Azurite
from sandbox.child import Child, free_ports
from sandbox.tenant.account import TENANT_ID, Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.records import bypass_record
from sandbox.tenant.server import environment
from sandbox.tenant.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.record import AuditRecord

_WARM_UP = 9
_SELECT = (
    "id,userPrincipalName,displayName,accountEnabled,onPremisesSyncEnabled,userType,signInSessionsValidFromDateTime,"
    "mail,mailNickname,proxyAddresses,otherMails"
)
_SETTINGS = Settings(exchange_delay_seconds=0, graph_delay_seconds=0)


def measure(runs: int = 31) -> dict[str, Any]:
    """Medians in milliseconds, and how many times the bare calls' time ours takes."""
    with tempfile.TemporaryDirectory() as folder, _services(Path(folder)) as (client, storage):
        return asyncio.run(_take_turns(client, storage, runs=runs))


@contextmanager
def _services(folder: Path) -> Iterator[tuple[SandboxClient, str]]:
    """Azurite and a stand-in tenant without replication delay, each in a separate process."""
    state = folder / "state.json"
    state.write_text(json.dumps({"settings": _SETTINGS.model_dump()}))
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "sandbox.tenant", "--port", str(port), "--state", str(state)]
    tenant = Child("tenant", command, environment=os.environ, log=folder / "tenant.log")
    url = f"http://127.0.0.1:{port}"
    os.environ.update(environment(url))
    try:
        tenant.start(port)
        with Azurite(log=folder / "azurite.log") as azurite, SandboxClient(url) as client:
            yield client, azurite.connection_string
    finally:
        tenant.stop()


async def _take_turns(client: SandboxClient, storage: str, *, runs: int) -> dict[str, Any]:
    responder = build_counted(
        {
            "TENANT_ID": TENANT_ID,
            "ResponderStorage": storage,
            "GRAPH_URL": client.url,
            "MODE": "enforce",
            "PROTECTED_OBJECT_IDS": "none",
            "CONTAINMENT_LIMIT_PER_HOUR": "1000",
        },
        Counter(),
        latency=Latency(STORAGE_SECONDS),
    )
    people = [Account.named(f"person{number}") for number in range(2 * (_WARM_UP + runs))]
    client.accounts([person.model_dump(mode="json") for person in people])
    client.fault("latency", "graph.*", seconds=GRAPH_SECONDS, times=None)
    token = (await responder.credential.get_token(GRAPH_SCOPE)).token
    headers = {"Authorization": f"Bearer {token}"}
    began: dict[str, datetime] = {}
    whole: list[float] = []
    async with httpx.AsyncClient(base_url=client.url, headers=headers, trust_env=False) as http:
        await responder.create_storage()
        for bare, ours in zip(people[::2], people[1::2], strict=True):
            began[bare.object_id] = datetime.now(UTC)
            await _bare_calls(http, bare.object_id)
            record = _parsed(ours)
            began[ours.object_id] = datetime.now(UTC)
            await _respond(record, responder)
            whole.append(_milliseconds(began[ours.object_id], datetime.now(UTC)))
    await responder.aclose()
    took = _until_revoked(client, began)
    floor = statistics.median(took[person.object_id] for person in people[::2][_WARM_UP:])
    contained = statistics.median(took[person.object_id] for person in people[1::2][_WARM_UP:])
    return {
        "times_bare_calls": round(contained / floor, 3),
        "responder_ms": round(contained, 1),
        "bare_calls_ms": round(floor, 1),
        "until_all_is_recorded_ms": round(statistics.median(whole[_WARM_UP:]), 1),
        "runs": runs,
    }


async def _bare_calls(http: httpx.AsyncClient, object_id: str) -> None:
    """What one would write first: read, block, revoke."""
    path = f"/v1.0/users/{object_id}"
    for answer in (
        await http.get(path, params={"$select": _SELECT}),
        await http.patch(path, json={"accountEnabled": False}),
        await http.post(f"{path}/revokeSignInSessions"),
    ):
        answer.raise_for_status()


async def _respond(record: AuditRecord, responder: Responder) -> None:
    """What a poll of the feed does with the records of a blob."""
    services = responder.services
    now, lookups = services.clock(), Lookups(services)
    stored = await store_records([record], services, source="bench", available_at=now, first_run=False, lookups=lookups)
    await settle_all(stored.targets, services, lookups=lookups)
    await lookups.aclose()


def _parsed(person: Account) -> AuditRecord:
    return parsed(bypass_record(_SETTINGS, person, MALLORY))


def _until_revoked(client: SandboxClient, began: dict[str, datetime]) -> dict[str, float]:
    """Return the milliseconds per account.

    Raises KeyError when an account was not revoked, AssertionError when one was not blocked.
    """
    state = client.state()
    blocked = {account["object_id"] for account in state["accounts"] if not account["account_enabled"]}
    if not blocked >= began.keys():
        raise AssertionError(began.keys() - blocked)
    revoked = {
        change["object_id"]: datetime.fromisoformat(change["at"])
        for change in state["journal"]
        if change["field"] == "sign_in_sessions_valid_from"
    }
    return {object_id: _milliseconds(start, revoked[object_id]) for object_id, start in began.items()}


def _milliseconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() * 1000


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
