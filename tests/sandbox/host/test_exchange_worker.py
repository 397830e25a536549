"""The host with the Exchange worker: run.ps1 and its stand-in fulfill the same contract.

The real run.ps1 runs under ``pwsh``; the stand-in is in Python.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from bypass_responder.model.exchange_read import (
    ApplyMailbox,
    ReadAccount,
    ReadCommand,
    ReadMailboxes,
    ReadOrganization,
    ReadResult,
    Recipients,
    RecordMailbox,
    Shard,
)
from bypass_responder.model.mailbox_audit import AuditChange, LogonType
from bypass_responder.model.message import CommandKind, ExchangeCommand, ExchangeOutcome, ExchangeResult
from bypass_responder.model.sweep import SweepCommand, SweepContent, SweepResult
from sandbox.child import Child, free_ports
from sandbox.exchange_online import missing
from sandbox.exchange_online.powershell import APP
from sandbox.tenant.account import DOMAIN, TENANT_ID, Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.faults import Faults
from sandbox.tenant.identity import WORKER_SECRET, default_identities
from sandbox.tenant.mailbox import Mailbox
from sandbox.tenant.server import environment, serving
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant
from tests.sampling import sampled

SCHEMAS = APP.parents[1] / "docs" / "schemas"
Eventually = Callable[[Callable[[], object]], None]


class WorkerHost:
    """The worker on separate queues, and what it put there."""

    def __init__(self, folder: Path, storage: str, url: str, *arguments: str) -> None:
        name = uuid4().hex
        self.storage = storage
        self.log = folder / "worker.log"
        self.port = free_ports(1)[0]
        kinds = ("commands", "checks", "sweeps", "reads", "results", "read_results")
        self.names = {kind: f"{kind.replace('_', '-')}-{name}" for kind in kinds}
        settings = {
            **environment(url, WORKER_SECRET),
            **{f"EXCHANGE_{kind.upper()}_QUEUE": queue for kind, queue in self.names.items()},
            "EXCHANGE_STANDIN_URL": f"{url}/exchange",
            "TENANT_ID": TENANT_ID,
            "EXCHANGE_ORGANIZATION": DOMAIN,
            "AZURE_CLIENT_ID": default_identities()[WORKER_SECRET].client_id,
            "ResponderStorage": storage,
            "READ_BACK_SECONDS": "0",
            "RETRY_PAUSE_SECONDS": "0.01",
            "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.2",
            "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00",
        }
        command = [sys.executable, "-m", "sandbox.host", "--app-dir", str(APP), "--port", str(self.port)]
        command += ["--lease-seconds", "2", *arguments]
        self.child = Child("worker", command, environment={**os.environ, **settings}, log=self.log)

    def start(self) -> None:
        self.child.start(self.port)

    def queue(self, kind: str) -> QueueClient:
        name, _, twin = kind.partition("-")
        return QueueClient.from_connection_string(
            self.storage,
            self.names[name] + (f"-{twin}" if twin else ""),
            message_encode_policy=TextBase64EncodePolicy(),
            message_decode_policy=TextBase64DecodePolicy(),
        )

    def put(self, kind: str, text: str) -> None:
        with self.queue(kind) as queue:
            queue.send_message(text)

    def on(self, kind: str) -> list[str]:
        from azure.core.exceptions import ResourceNotFoundError

        with self.queue(kind) as queue:
            try:
                return [str(message.content) for message in queue.peek_messages(32)]
            except ResourceNotFoundError:
                return []

    def results(self, command_id: str, *, on: str = "results") -> list[dict[str, Any]]:
        found = [json.loads(text) for text in self.on(on)]
        return [result for result in found if result["command_id"] == command_id]

    def answers(self) -> str:
        lines = [json.loads(line) for line in self.log.read_text("utf-8").splitlines() if '"host_started"' in line]
        return str(lines[-1]["answers"])


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Tenant, str]]:
    shared = Tenant()
    with serving(shared) as url:
        yield shared, url


@pytest.fixture(scope="module")
def workers(
    tmp_path_factory: pytest.TempPathFactory, azurite: str, served: tuple[Tenant, str]
) -> Iterator[Callable[[str], WorkerHost]]:
    """Starts a worker of a kind once for all tests."""
    with ExitStack() as stack, BlobServiceClient.from_connection_string(azurite) as blobs:
        for container in ("sweeps", "reads", "changes"):
            if not blobs.get_container_client(container).exists():
                blobs.create_container(container)
        started: dict[str, WorkerHost] = {}

        def begin(kind: str) -> WorkerHost:
            if kind not in started:
                arguments = () if kind == "PowerShell" else ("--stand-in",)
                host = WorkerHost(tmp_path_factory.mktemp(kind), azurite, served[1], *arguments)
                for name in host.names:
                    host.queue(name).create_queue()
                host.start()
                stack.callback(host.child.stop)
                started[kind] = host
            return started[kind]

        yield begin


@pytest.fixture(params=["PowerShell", "stand-in"])
def worker(request: pytest.FixtureRequest, workers: Callable[[str], WorkerHost]) -> WorkerHost:
    if request.param == "PowerShell" and missing():
        pytest.skip(missing())
    return workers(request.param)


@pytest.fixture
def tenant(served: tuple[Tenant, str]) -> Tenant:
    """A tenant in its first state, that replicates at once."""
    shared, _ = served
    vars(shared).update(vars(Tenant(settings=Settings(exchange_delay_seconds=0, graph_delay_seconds=0))))
    return shared


@pytest.fixture
def alex(tenant: Tenant) -> Account:
    """Bypassed."""
    account = tenant.find(f"alex@{DOMAIN}")
    assert account
    account.audit_bypass_enabled = True
    return account


def a_disable(account: Account) -> ExchangeCommand:
    return ExchangeCommand(
        command_id=str(uuid4()),
        kind=CommandKind.DISABLE_BYPASS,
        tenant_id=TENANT_ID,
        target=account.object_id,
        object_id=account.object_id,
        not_after=datetime.now(UTC) + timedelta(minutes=5),
    )


def slow_read_back(client: SandboxClient) -> None:
    """The read after the change takes 20 s, so that there is time to kill the worker."""
    client.fault("latency", "exchange.Get-MailboxAuditBypassAssociation", seconds=20, skip=1)


def check(schema: str, text: str) -> None:
    jsonschema.validate(json.loads(text), json.loads((SCHEMAS / f"{schema}.schema.json").read_text("utf-8")))


def test_it_says_what_answers(worker: WorkerHost) -> None:
    kind = "a stand-in in Python (asked for)" if "--stand-in" in worker.child.command else "PowerShell 7."

    assert worker.answers().startswith(kind)


def test_a_command_on_the_queue_is_answered_as_the_responder_reads_it(
    worker: WorkerHost, alex: Account, eventually: Eventually
) -> None:
    command = a_disable(alex)
    worker.put("commands", command.model_dump_json())
    eventually(lambda: worker.results(command.command_id))
    [answer] = worker.results(command.command_id)

    check("exchange-result", json.dumps(answer))
    result = ExchangeResult.model_validate(answer)
    assert (result.outcome, result.target, result.deliveries) == (ExchangeOutcome.VERIFIED, alex.object_id, 1)


def test_a_disable_bypass_does_not_wait_behind_500_checks(
    worker: WorkerHost, tenant: Tenant, alex: Account, eventually: Eventually
) -> None:
    disable = a_disable(alex)
    check_first = disable.model_copy(update={"kind": CommandKind.CHECK_BYPASS}).model_dump_json()
    with worker.queue("checks") as queue:
        for _ in range(500):
            queue.send_message(check_first)
        worker.put("commands", disable.model_dump_json())
        eventually(lambda: tenant.journal)
        left = queue.get_queue_properties().approximate_message_count
        queue.clear_messages()
    with worker.queue("results") as results:
        results.clear_messages()  # they would hide the answers of other tests, which peek

    assert left is not None
    assert left > 0


@pytest.mark.skipif(bool(missing()), reason="pwsh is not on PATH")
def test_a_command_is_one_line_of_the_hosts_log_that_names_no_account(
    workers: Callable[[str], WorkerHost], alex: Account, eventually: Eventually
) -> None:
    worker, command = workers("PowerShell"), a_disable(alex)
    worker.put("commands", command.model_dump_json())
    eventually(lambda: worker.results(command.command_id))
    beginning = f"disable_bypass {command.command_id}: verified after "

    def lines() -> list[str]:
        return [line for line in worker.log.read_text("utf-8").splitlines() if line.startswith(beginning)]

    eventually(lines)
    assert len(lines()) == 1
    assert lines()[0].removeprefix(beginning).endswith(" s")


def test_a_sweep_on_the_queue_is_answered_with_a_blob_of_that_hash(
    worker: WorkerHost, alex: Account, eventually: Eventually
) -> None:
    not_after = datetime.now(UTC) + timedelta(minutes=5)
    command = SweepCommand(command_id=str(uuid4()), tenant_id=TENANT_ID, not_after=not_after)
    worker.put("sweeps", command.model_dump_json())
    eventually(lambda: worker.results(command.command_id))
    [answer] = worker.results(command.command_id)
    check("sweep-result", json.dumps(answer))
    result = SweepResult.model_validate(answer)
    with BlobServiceClient.from_connection_string(worker.storage) as blobs:
        content = blobs.get_blob_client("sweeps", str(result.blob)).download_blob().readall()
    check("sweep-content", content.decode())

    assert (result.outcome, result.complete, hashlib.sha256(content).hexdigest()) == ("listed", True, result.sha256)
    assert [each.object_id for each in SweepContent.model_validate_json(content).bypassed] == [alex.object_id]


def answer_to(worker: WorkerHost, eventually: Eventually, command: ReadCommand) -> ReadResult:
    """The answer of exchange-reads, by its schema."""
    worker.put("reads", command.model_dump_json())
    eventually(lambda: worker.results(command.command_id, on="read_results"))
    [answer] = worker.results(command.command_id, on="read_results")
    check("read-result", json.dumps(answer))
    return ReadResult.model_validate(answer)


def test_a_read_on_its_queue_is_answered_with_a_blob_of_that_hash(
    worker: WorkerHost, alex: Account, eventually: Eventually
) -> None:
    common: dict[str, Any] = {"tenant_id": TENANT_ID, "not_after": datetime.now(UTC) + timedelta(minutes=5)}
    shard = Shard(recipients=Recipients.USER)
    commands: dict[str, ReadCommand] = {
        "account-read": ReadAccount(command_id=str(uuid4()), object_id=alex.object_id, **common),
        "organization-read": ReadOrganization(command_id=str(uuid4()), **common),
        "mailbox-row": ReadMailboxes(command_id=str(uuid4()), shard=shard, **common),
    }

    for schema, command in commands.items():
        result = answer_to(worker, eventually, command)
        with BlobServiceClient.from_connection_string(worker.storage) as blobs:
            packed = blobs.get_blob_client("reads", str(result.blob)).download_blob().readall()
        assert (result.outcome, hashlib.sha256(packed).hexdigest()) == ("read", result.sha256)
        lines = gzip.decompress(packed).decode().splitlines()
        assert len(lines) == result.rows
        check(schema, lines[0])


def test_a_change_finds_the_record_that_the_worker_stored(
    worker: WorkerHost, alex: Account, eventually: Eventually
) -> None:
    alex.mailbox = Mailbox(actions={"Owner": ["Update"]})
    not_after = datetime.now(UTC) + timedelta(minutes=5)
    common: dict[str, Any] = {"tenant_id": TENANT_ID, "not_after": not_after, "object_id": alex.object_id}
    recorded = answer_to(worker, eventually, RecordMailbox(command_id=str(uuid4()), **common))
    common |= {"record": recorded.record, "expected": recorded.before}
    change = AuditChange(default_set=(LogonType.OWNER,))
    applied = answer_to(worker, eventually, ApplyMailbox(command_id=str(uuid4()), change=change, **common))
    unrecorded = common | {"record": str(uuid4())}
    refused = answer_to(worker, eventually, ApplyMailbox(command_id=str(uuid4()), change=change, **unrecorded))

    assert (recorded.outcome, applied.outcome, refused.outcome) == ("recorded", "applied", "refused")
    assert alex.mailbox is not None
    assert alex.mailbox.actions == {}


def test_a_command_of_a_version_that_is_not_known_is_refused_and_may_be_asked_again(
    worker: WorkerHost, alex: Account, eventually: Eventually
) -> None:
    command = a_disable(alex)
    worker.put("commands", json.dumps(json.loads(command.model_dump_json()) | {"schema_version": 2}))
    eventually(lambda: worker.results(command.command_id))
    [result] = worker.results(command.command_id)

    assert (result["outcome"], result["error_class"]) == ("refused", "transient")
    assert alex.audit_bypass_enabled


@pytest.mark.parametrize("text", sampled(["not JSON", "[]", '{"command_id": ""}']))
def test_what_cannot_be_answered_goes_to_poison_as_it_was(
    worker: WorkerHost, tenant: Tenant, eventually: Eventually, text: str
) -> None:
    worker.put("commands", text)
    eventually(lambda: text in worker.on("commands-poison"))

    assert text not in worker.on("commands")


def test_a_worker_killed_between_set_and_answer_leaves_the_command_to_the_next(
    worker: WorkerHost, tenant: Tenant, alex: Account, served: tuple[Tenant, str], eventually: Eventually
) -> None:
    command = a_disable(alex)
    with SandboxClient(served[1]) as client:
        slow_read_back(client)
        worker.put("commands", command.model_dump_json())
        eventually(lambda: tenant.journal)
        worker.child.kill()
    tenant.faults = Faults()
    worker.start()
    eventually(lambda: worker.results(command.command_id))
    [result] = worker.results(command.command_id)

    assert (result["outcome"], result["after"], result["deliveries"]) == ("already_off", False, 2)
    assert [change.object_id for change in tenant.journal] == [alex.object_id]


@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
@pytest.mark.slow
def test_a_powershell_process_that_dies_is_started_anew(
    workers: Callable[[str], WorkerHost],
    tenant: Tenant,
    alex: Account,
    served: tuple[Tenant, str],
    eventually: Eventually,
) -> None:
    worker, command = workers("PowerShell"), a_disable(alex)
    with SandboxClient(served[1]) as client:
        slow_read_back(client)
        worker.put("commands", command.model_dump_json())
        eventually(lambda: tenant.journal)
        kill_powershell("ExchangeCommands", below=worker.child.pid)
    tenant.faults = Faults()
    eventually(lambda: worker.results(command.command_id))

    assert worker.results(command.command_id)[0]["outcome"] == "already_off"


def kill_powershell(function: str, *, below: int) -> None:
    """Send SIGKILL to the processes of a function that descend from ``below``.

    The platform's memory limit would do the same.
    """
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text("utf-8").split("\0")
            if function in words and "driver.ps1" in " ".join(words) and is_below(int(folder.name), below):
                os.kill(int(folder.name), 9)
        except (OSError, ProcessLookupError):
            continue
    time.sleep(0.1)


def is_below(process: int, ancestor: int) -> bool:
    while process > 1:
        if process == ancestor:
            return True
        process = int(Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[1])
    return False
