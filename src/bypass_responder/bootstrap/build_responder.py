"""The responder, put together: one for each event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from bypass_responder.bootstrap import api_adapters, evidence_sources, storage_adapters
from bypass_responder.bootstrap.connected import new_id, utc_now
from bypass_responder.bootstrap.use_cases import Responder, write_failure
from bypass_responder.late import closing, late, late_mapping
from bypass_responder.settings import Settings

if TYPE_CHECKING:
    import httpx
    from azure.core.credentials_async import AsyncTokenCredential

    from bypass_responder.adapters.management_activity import ManagementActivityFeed
    from bypass_responder.adapters.storage_clients import StorageClients
    from bypass_responder.operating.self_check import SelfChecks

_responders: WeakKeyDictionary[asyncio.AbstractEventLoop, Responder] = WeakKeyDictionary()


async def responder() -> Responder:
    """The responder of this event loop, built from the environment on the first call.

    Raises SettingError.
    """
    from bypass_responder.adapters import telemetry
    from bypass_responder.event_lines import write_line

    loop = asyncio.get_running_loop()
    if loop in _responders:
        return _responders[loop]
    telemetry.start(os.environ)
    try:
        built = _responders[loop] = build(os.environ)
    except Exception as error:
        write_failure("start", error)
        await telemetry.flush()
        raise
    settings = built.services.settings
    write_line("started", mode=settings.mode.value, tenant_id=settings.tenant_id)
    return built


def build(environment: Mapping[str, str], *, short_lived: bool = False) -> Responder:
    """Put the adapters together. Raises SettingError that names the setting; nothing connects yet.

    ``short_lived``: for a process that ends after some calls; the clients of storage then load faster.
    """
    from bypass_responder.adapters.storage_clients import connect
    from bypass_responder.services import Services

    settings = Settings.from_environment(environment)
    tenant = settings.tenant_id
    credential = late(lambda: api_adapters.credential(settings))
    storage = connect(settings.storage, credential, short_lived=short_lived)
    http = late(api_adapters.http)
    directory = late(lambda: api_adapters.directory(credential, settings))
    feed = late(lambda: api_adapters.feed(http, credential, settings))
    graph = late(lambda: api_adapters.graph_reader(credential, settings))
    hunting = late(lambda: api_adapters.hunting(http, credential, settings))
    index = late(lambda: storage_adapters.index(storage, tenant))
    ledger = late(lambda: storage_adapters.ledger(storage, tenant))
    allowlist = late(lambda: storage_adapters.allowlist(storage, tenant))
    reads = late(lambda: storage_adapters.reads(storage, settings))
    gathered = late(lambda: storage_adapters.gathered(storage, tenant))
    services = Services(
        settings=settings,
        clock=utc_now,
        new_id=new_id,
        directory=directory,
        allowlist=allowlist,
        allowlist_snapshot=late(lambda: storage_adapters.allowlist_snapshot(storage, tenant)),
        ledger=ledger,
        work=late(lambda: storage_adapters.work(storage, tenant)),
        limit=late(lambda: storage_adapters.limit(storage, tenant)),
        hint_checks=late(lambda: storage_adapters.limit(storage, tenant, "hints")),
        index=index,
        checkpoints=late(lambda: storage_adapters.checkpoints(storage, tenant)),
        exchange=late(lambda: storage_adapters.exchange(storage, settings)),
        decisions=late(lambda: storage_adapters.decisions(storage, settings)),
        inspections=late(lambda: storage_adapters.inspections(storage, tenant)),
        evidence=late(lambda: storage_adapters.evidence(storage, tenant)),
        gathered=gathered,
        sources=late_mapping(
            lambda: {
                "exports_without_sign_in": late(lambda: evidence_sources.exports(gathered)),
                "other_changes": late(lambda: evidence_sources.other_changes(index)),
                "authorization": late(lambda: evidence_sources.authorization(settings, index, ledger, allowlist)),
                **evidence_sources.of_worker(reads, settings),
                **evidence_sources.of_graph(
                    graph, hunting, late(lambda: api_adapters.graph_tokens(credential)), directory
                ),
                "mailbox_access": late(
                    lambda: evidence_sources.mailbox_search(graph, api_adapters.graph_tokens(credential))
                ),
            }
        ),
        sweeps=late(lambda: storage_adapters.sweeps(storage, tenant)),
        reads=reads,
        posture=late(lambda: storage_adapters.posture(storage, tenant)),
        posture_runs=late(lambda: storage_adapters.posture_runs(storage, tenant)),
        plans=late(lambda: storage_adapters.plans(storage, tenant)),
        feed=feed,
        feed_store=late(lambda: storage_adapters.feed_store(storage, tenant)),
        hunting=hunting,
        hunting_store=late(lambda: storage_adapters.hunting_store(storage, tenant)),
        permissions=late(lambda: storage_adapters.permissions(storage, tenant)),
        access=late(lambda: storage_adapters.access(storage, tenant)),
        outbox=late(lambda: storage_adapters.outbox(storage, tenant)),
        sender=late(lambda: storage_adapters.sender(storage, settings)),
        receivers=api_adapters.receivers(http, settings),
    )
    return Responder(
        services,
        storage,
        credential,
        late(lambda: _self_checks(environment, storage, http, credential, settings, feed)),
        _closing=(
            closing(directory, "aclose"),
            closing(graph, "aclose"),
            storage.close,
            closing(http, "aclose"),
            closing(credential),
        ),
    )


def _self_checks(
    environment: Mapping[str, str],
    storage: StorageClients,
    http: httpx.AsyncClient,
    credential: AsyncTokenCredential,
    settings: Settings,
    feed: ManagementActivityFeed,
) -> SelfChecks:
    from bypass_responder.adapters.self_check_table import SelfCheckTable
    from bypass_responder.adapters.storage_clients import CONTAINERS, TABLES
    from bypass_responder.adapters.storage_probe import StorageProbe
    from bypass_responder.operating.self_check import SelfChecks

    url = settings.console_url
    return SelfChecks(
        tokens=late(lambda: api_adapters.own_tokens(credential, feed)),
        storage=StorageProbe(
            storage.tables,
            storage.queues,
            storage.blobs,
            expected_tables=TABLES,
            expected_containers=CONTAINERS,
            clock=utc_now,
        ),
        store=SelfCheckTable(storage.tables, settings.tenant_id),
        granted=late(lambda: api_adapters.granted(http, credential, settings)),
        console=late(lambda: api_adapters.console_probe(http, url, settings)) if url else None,
        telemetry=bool(environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING", "").strip()),
    )
