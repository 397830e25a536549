"""The responder in this process, on its real adapters.

It uses Azurite, a stand-in tenant over HTTP, azure-identity and msgraph.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import httpx
from azure.data.tables.aio import TableClient
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from bypass_responder import bootstrap
from bypass_responder.adapters import ledger_entities
from bypass_responder.adapters.allowlist_table import TABLE as ALLOWLIST
from bypass_responder.case.evidence import OWN
from bypass_responder.model.base import Row
from bypass_responder.model.finding import Finding
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.notification import Notification
from bypass_responder.model.step import Step
from bypass_responder.operating.verify_log import verify_log
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.identity import EXCHANGE, WORKER_SECRET
from sandbox.tenant.records import bypass_record
from sandbox.worker import ExchangeCalls, answer, sweep
from sandbox.worker.reads import read
from tests.e2e.ctl import Said, bypassctl

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.ports import Directory
    from sandbox.tenant.state import Tenant

R = TypeVar("R", bound=Row)
BYSTANDERS = {"attacker", "sandbox", "Entra Connect"}
READ_BACK = 6.0
"""Seconds after which the first read-back of an effect is due."""
CONTAINED = {
    "block_sign_in": ("done", "effective"),
    "revoke_sessions": ("done", "effective"),
    "disable_bypass": ("done", "effective"),
}
ALL_HELD = {
    "block_sign_in": ("held", None),
    "revoke_sessions": ("held", None),
    "disable_bypass": ("held", None),
}
Changes = set[tuple[str, str]]


def body_of(message: QueueMessage) -> bytes:
    """What was sent."""
    return base64.b64decode(message.content)


def changes(alias: str, *fields: str) -> Changes:
    """What the journal holds when these fields of one account, and nothing else, were changed."""
    return {(alias, name) for name in fields}


def all_of(alias: str) -> Changes:
    """What the journal holds after a whole containment."""
    return changes(alias, "account_enabled", "sign_in_sessions_valid_from", "audit_bypass_enabled")


@dataclass(frozen=True)
class Ending:
    """How one incident ended: the decision, and each step with its state and effect."""

    verdict: str
    status: IncidentStatus
    steps: Mapping[str, tuple[str, str | None]]


@dataclass
class Live:
    """One responder of one tenant. Its clock is the real one, ``ahead`` of it by what ``passes`` added."""

    tenant: Tenant
    client: SandboxClient
    env: dict[str, str]
    responder: Responder
    ahead: timedelta = timedelta(0)
    tampered: bool = False
    """True: the response log is not expected to verify at the end."""
    answered: bytes = b""
    """The answer to the last sweep, as it came on the queue."""
    _http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(trust_env=False))

    @classmethod
    async def start(cls, tenant: Tenant, client: SandboxClient, storage: str, **settings: str) -> Live:
        """Build the responder from an environment, as the app does; separate queues keep tests apart."""
        name = uuid4().hex
        env = {
            "TENANT_ID": tenant.settings.tenant_id,
            "ResponderStorage": storage,
            "GRAPH_URL": client.url,
            "MANAGEMENT_API_URL": client.url,
            "NOTIFICATION_WEBHOOK_URL": f"{client.url}/webhook",
            "NOTIFICATION_WEBHOOK_SECRET": "of the tests",
            "EXCHANGE_COMMANDS_QUEUE": f"commands-{name}",
            "EXCHANGE_CHECKS_QUEUE": f"checks-{name}",
            "EXCHANGE_SWEEPS_QUEUE": f"sweeps-{name}",
            "EXCHANGE_READS_QUEUE": f"reads-{name}",
            "EXCHANGE_READ_RESULTS_QUEUE": f"read-results-{name}",
            "EXCHANGE_RESULTS_QUEUE": f"results-{name}",
            "ALERTS_QUEUE": f"alerts-{name}",
            "DECISIONS_QUEUE": f"decisions-{name}",
            "NOTIFICATIONS_QUEUE": f"notifications-{name}",
            "DECISIONS_CONSOLE_QUEUE": f"console-{name}",
            "MODE": "enforce",
            "PROTECTED_OBJECT_IDS": "none",
        } | settings
        live = cls(tenant, client, env, bootstrap.build(env))
        live._use_clock()
        await live.responder.create_storage()
        return live

    async def deploy(self, **settings: str) -> None:
        """Run the same app with other settings."""
        await self.responder.aclose()
        self.env |= settings
        self.responder = bootstrap.build(self.env)
        self._use_clock()

    def _use_clock(self) -> None:
        services = dataclasses.replace(self.responder.services, clock=lambda: datetime.now(UTC) + self.ahead)
        self.responder = dataclasses.replace(self.responder, services=services)

    def use_directory(self, directory: Directory) -> None:
        """Put something between the responder and Graph."""
        services = dataclasses.replace(self.responder.services, directory=directory)
        self.responder = dataclasses.replace(self.responder, services=services)

    async def aclose(self) -> None:
        """Close every connection."""
        await self.responder.aclose()
        await self._http.aclose()

    # ---- what happens ------------------------------------------------------------------------------------------

    async def poll(self) -> None:
        """The timer polls the feed."""
        await self.responder.poll_audit_feed()

    async def passes(self, *, seconds: float) -> None:
        """Time passes and the scheduler runs."""
        self.ahead += timedelta(seconds=seconds)
        await self.responder.resume_responses()
        await self.responder.send_notifications()

    async def work(self) -> int:
        """The worker answers every queued command; its answers are recorded. Gives how many there were."""
        return await self._work_off("EXCHANGE_COMMANDS_QUEUE") + await self._work_off("EXCHANGE_CHECKS_QUEUE")

    async def _work_off(self, setting: str) -> int:
        async def carry_out(message: QueueMessage) -> None:
            result = await answer(json.loads(body_of(message)), self.exchange, read_back_seconds=2)
            await self.responder.record_exchange_result(json.dumps(result).encode())

        return await self._take_all(setting, carry_out)

    async def reads(self) -> int:
        """The worker answers every queued question about mailboxes. Gives how many there were."""

        async def carry_out(message: QueueMessage) -> None:
            command = json.loads(body_of(message))
            changes = self.responder.storage.blobs.get_container_client("changes")
            record = changes.get_blob_client(f"{command['record']}.json")
            found = (await (await record.download_blob()).readall()).decode() if await record.exists() else None
            done = await read(command, self.exchange, message_id=message.id, record=found, read_back_seconds=2)
            if done.record is not None:
                await changes.upload_blob(f"{message.id}.json", done.record, overwrite=True)
            if done.content is not None:
                blob = self.responder.storage.blobs.get_blob_client("reads", done.answer["blob"])
                await blob.upload_blob(done.content, overwrite=True)
            await self.responder.record_exchange_read(json.dumps(done.answer).encode())

        return await self._take_all("EXCHANGE_READS_QUEUE", carry_out)

    async def decisions(self) -> int:
        """The host hands the queued decisions to the responder. Gives how many there were."""

        async def carry_out(message: QueueMessage) -> None:
            await self.responder.carry_out_decision(body_of(message), "bypassctl")

        return await self._take_all("DECISIONS_QUEUE", carry_out)

    async def _take_all(self, setting: str, carry_out: Callable[[QueueMessage], Awaitable[None]]) -> int:
        """Carry out every message of the queue that a setting names, and delete it then."""
        count = 0
        queue = QueueClient.from_connection_string(self.env["ResponderStorage"], self.env[setting])
        async with queue:
            while message := await queue.receive_message():
                await carry_out(message)
                await queue.delete_message(message)
                count += 1
        return count

    async def sweep(self, change: Callable[[bytes], bytes] = bytes, **fields: Any) -> None:
        """The timer asks for a sweep, and the worker answers.

        ``change`` spoils the list, ``fields`` the answer.
        """
        await self.responder.sweep_bypass_state()
        queue = QueueClient.from_connection_string(self.env["ResponderStorage"], self.env["EXCHANGE_SWEEPS_QUEUE"])
        async with queue:
            message = await queue.receive_message()
            assert message is not None
            blob = f"{message.id}.json"
            result, content = await sweep(json.loads(body_of(message)), self.exchange, blob=blob)
            await queue.delete_message(message)
        if content is not None:
            await self.responder.storage.blobs.get_blob_client("sweeps", blob).upload_blob(change(content))
        self.answered = json.dumps(result | fields).encode()
        await self.responder.record_exchange_result(self.answered)

    async def hint(self, data: object, **envelope: object) -> None:
        """Event Grid delivers an alert."""
        event = {
            "specversion": "1.0",
            "id": uuid4().hex,
            "source": "/siem/rules/17",
            "type": "bypass",
            "time": datetime.now(UTC).isoformat(),
            "data": data,
        }
        await self.responder.receive_alert(json.dumps(event | envelope).encode())

    async def says(self, alias: str, **fields: object) -> None:
        """A hint in the minimal form."""
        target = f"{alias}@{self.tenant.settings.domain}"
        await self.hint({"tenantId": self.env["TENANT_ID"], "target": target} | fields)

    async def alerts(self) -> set[str]:
        """The health alerts that are on."""
        return {row.id for row in await self.rows(HealthAlert) if row.recovered_at is None}

    async def runs(self) -> None:
        """Everything that happens automatically within half a minute.

        The feed is polled twice, so that our own traces are read too. It is asked up to the last whole second: what was
        published just now is a little older at the poll.
        """
        self.ahead += timedelta(seconds=1)
        await self.poll()
        while await self.work():
            pass
        await self.passes(seconds=READ_BACK)
        await self.poll()
        while await self.work():
            pass
        await self.passes(seconds=3 * READ_BACK)

    async def first_start(self) -> None:
        """The responder's first poll lies behind: from now on a blob is news."""
        await self.poll()

    def attack(self, scenario: str, **options: Any) -> dict[str, Any]:
        """Stage a scenario in the tenant; its records are in the feed afterwards."""
        return self.client.attack(scenario, **options)

    def bypassed(self, alias: str, *, ago: timedelta = timedelta(0), on: bool = True, **fields: Any) -> dict[str, Any]:
        """Somebody bypassed the account some time ago, and the feed has the record.

        ``on`` is the state of the bypass today.
        """
        account = self.tenant.find(f"{alias}@{self.tenant.settings.domain}")
        assert account is not None
        self.client.accounts([{"object_id": account.object_id, "audit_bypass_enabled": on}])
        at = datetime.now(UTC) - ago
        record = bypass_record(self.tenant.settings, account, f"mallory@{self.tenant.settings.domain}", at=at, **fields)
        self.client.publish([record])
        return record

    async def allowlist(self, alias: str, **columns: object) -> None:
        """Write an allowlist row as a person with a storage tool does; a column that is None is left out."""
        given = {
            "PartitionKey": self.env["TENANT_ID"],
            "RowKey": self.id_of(alias),
            "ReasonClass": "archiving",
            "Justification": "journal archive",
            "Owner": "ops@contoso.onmicrosoft.com",
            "Ticket": "CHG-1042",
            "ExpiresAt": datetime.now(UTC) + timedelta(days=30),
        } | columns
        async with self.table(ALLOWLIST) as table:
            await table.upsert_entity({name: value for name, value in given.items() if value is not None})

    def table(self, name: str) -> TableClient:
        """A table, read and written past the responder."""
        return TableClient.from_connection_string(self.env["ResponderStorage"], name)

    @property
    def ledger(self) -> TableClient:
        """The ledger's table."""
        return self.table(ledger_entities.TABLE)

    @property
    def cli_env(self) -> dict[str, str]:
        """The environment of `bypassctl` as a separate program."""
        identity = {name: os.environ[name] for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "PATH")}
        return identity | self.env

    # ---- what is true afterwards -------------------------------------------------------------------------------

    def id_of(self, alias: str) -> str:
        """The object id of ``alias@domain``."""
        return str(self.client.account(f"{alias}@{self.tenant.settings.domain}")["object_id"])

    def account(self, alias: str) -> dict[str, Any]:
        """The account's true state in the tenant."""
        return self.client.account(f"{alias}@{self.tenant.settings.domain}")

    def changed(self) -> Changes:
        """Alias and field of everything that the responder or the worker changed in the tenant."""
        state = self.client.state()
        names = {it["object_id"]: it["user_principal_name"].partition("@")[0] for it in state["accounts"]}
        return {(names[it["object_id"]], it["field"]) for it in state["journal"] if it["by"] not in BYSTANDERS}

    async def rows(self, kind: type[R]) -> list[R]:
        """Every row of one kind, of every target."""
        ledger = self.responder.services.ledger
        cases = [await ledger.load(target, history=True) for target in sorted(await ledger.targets())]
        return [row for case in cases for row in case.by_key.values() if isinstance(row, kind)]

    async def incident(self) -> Incident:
        """The one incident that there is."""
        incidents = await self.rows(Incident)
        assert len(incidents) == 1
        return incidents[0]

    async def endings(self) -> list[Ending]:
        """How every incident ended, in the order in which they were opened."""
        steps = await self.rows(Step)
        return [
            Ending(
                verdict=incident.verdict,
                status=incident.status,
                steps={
                    step.step.value: (step.state.value, step.effect.value if step.effect else None)
                    for step in steps
                    if step.incident_id == incident.id
                },
            )
            for incident in sorted(await self.rows(Incident), key=lambda row: row.opened_at)
        ]

    async def verdicts(self) -> list[str]:
        """The verdict of every finding that was decided, our own traces and findings handed on left out."""
        findings = await self.rows(Finding)
        return [row.verdict for row in findings if OWN not in row.reason and row.verdict != "resolved"]

    async def problems(self) -> list[str]:
        """What the verification of the response log finds."""
        services = self.responder.services
        return (await verify_log(services.ledger, services.checkpoints)).problems

    async def notified(self) -> set[str]:
        """What people were notified of. Every notification was delivered."""
        notifications = await self.rows(Notification)
        assert all(notification.sent_at for notification in notifications)
        return {notification.about for notification in notifications}

    @property
    def exchange(self) -> ExchangeCalls:
        async def token() -> str:
            answered = await self._http.get(
                f"{self.client.url}/identity/token",
                params={"resource": EXCHANGE, "api-version": "2019-08-01"},
                headers={"X-IDENTITY-HEADER": WORKER_SECRET},
            )
            return str(answered.json()["access_token"])

        return ExchangeCalls(
            self._http, f"{self.client.url}/exchange", self.env["TENANT_ID"], token, pause_seconds=0.01
        )


async def waiting(live: Live, *command: str) -> Said:
    """Run a command that decides with ``--wait``, while the responder takes decisions."""
    running = asyncio.create_task(bypassctl(live.cli_env, *command, "--reason", "CHG-7", "--yes", "--wait"))
    for _ in range(600):
        if await live.decisions() or running.done():
            break
        await asyncio.sleep(0.1)
    return await running
