"""The console, put together: tables to read, the allowlist to write, one queue to send to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bypass_responder.bootstrap import storage_adapters
from bypass_responder.bootstrap.connected import Connected, new_id, utc_now
from bypass_responder.errors import PermissionMissingError
from bypass_responder.late import late
from bypass_responder.settings import Settings

if TYPE_CHECKING:
    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.services import Services

NO_HOST = "https://localhost"
"""Stands for the host account where there is none: the sandbox has a separate key."""


@dataclass(frozen=True)
class ConsoleServices(Connected):
    """All that the console works with: tables to read, the allowlist to write, one queue to send to."""

    services: Services
    self_checks: SelfChecks
    form_key: Callable[[], Awaitable[bytes]]
    """Returns what signs the forms; all instances have the same."""


class _NotForTheConsole:
    """Stands for what the console's identity has no right to.

    Every use but ``may`` raises PermissionMissingError.
    """

    def __init__(self, **may: Any) -> None:  # noqa: ANN401 - methods of any port
        vars(self).update(may)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - it stands for any port
        raise PermissionMissingError(f"The console cannot {name}.", permission="none: only the responder may")


def build_console(environment: Mapping[str, str]) -> ConsoleServices:
    """Put the console together, without Graph, Exchange and blobs.

    Raises SettingError that names the setting.
    """
    from azure.data.tables.aio import TableServiceClient
    from azure.identity.aio import DefaultAzureCredential

    from bypass_responder.adapters.allowlist_table import TableAllowlist
    from bypass_responder.adapters.decision_queue import StorageDecisionQueue
    from bypass_responder.adapters.feed_table import FeedTable
    from bypass_responder.adapters.form_key_table import FormKeyTable
    from bypass_responder.adapters.gathered_table import TableGatheredEvidence
    from bypass_responder.adapters.hunting_table import HuntingTable
    from bypass_responder.adapters.index_table import TableIndex
    from bypass_responder.adapters.inspection_table import TableInspections
    from bypass_responder.adapters.ledger_table import TableLedger
    from bypass_responder.adapters.outbox_table import TableOutbox
    from bypass_responder.adapters.self_check_table import SelfCheckTable
    from bypass_responder.adapters.storage_clients import connect
    from bypass_responder.adapters.sweep_list import SweepList
    from bypass_responder.adapters.work_table import TableWorkList
    from bypass_responder.model.decision_message import Channel
    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.services import Services

    settings = Settings.from_environment(environment)
    tenant = settings.tenant_id
    credential = DefaultAzureCredential(managed_identity_client_id=settings.azure_client_id)
    storage = connect(settings.storage, credential)
    host = TableServiceClient(environment.get("AzureWebJobsStorage__tableServiceUri", NO_HOST), credential=credential)
    queue = settings.decisions_console_queue
    absent: Any = _NotForTheConsole()
    listed: Any = _NotForTheConsole(baseline=SweepList(storage.tables, tenant).baseline)
    services = Services(
        settings=settings,
        clock=utc_now,
        new_id=new_id,
        directory=absent,
        allowlist=TableAllowlist(storage.tables, tenant),
        allowlist_snapshot=absent,
        ledger=TableLedger(storage.tables, tenant),
        work=TableWorkList(storage.tables, tenant),
        limit=absent,
        hint_checks=absent,
        index=TableIndex(storage.tables, tenant),
        checkpoints=absent,
        exchange=absent,
        decisions=StorageDecisionQueue(storage.queues, queue=queue, console=queue, tool=Channel.CONSOLE),
        inspections=TableInspections(storage.tables, tenant),
        evidence=absent,
        gathered=TableGatheredEvidence(storage.tables, absent, tenant),
        sources={},
        sweeps=listed,
        reads=absent,
        posture=late(lambda: storage_adapters.posture(storage, tenant)),
        posture_runs=late(lambda: storage_adapters.posture_runs(storage, tenant)),
        plans=absent,
        feed=absent,
        feed_store=FeedTable(storage.tables, tenant_id=tenant),
        hunting=absent,
        hunting_store=HuntingTable(storage.tables, tenant),
        permissions=late(lambda: storage_adapters.permissions(storage, tenant)),
        access=late(lambda: storage_adapters.access(storage, tenant)),
        outbox=TableOutbox(storage.tables, tenant),
        sender=absent,
        receivers={},
    )
    checks = SelfChecks(tokens=absent, storage=absent, store=SelfCheckTable(storage.tables, tenant))
    closing = (storage.close, host.close, credential.close)
    return ConsoleServices(services, checks, FormKeyTable(host).key, _closing=closing)
