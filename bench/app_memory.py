"""(i) Memory of the process that runs the app: the most that each kind of work made resident at once.

The sandbox's host runs the real function_app.py against Azurite and a stand-in tenant. Before each kind of work the
kernel's high-water mark is set back, so a figure is of that work on top of what the process holds by then. In the
figures is what the host itself needs (a web server); not in them is what Azure's host and worker need beside the app.
Where there is PowerShell: the peak of the Exchange worker, with a stand-in for Microsoft's module, which is smaller.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from bench import worker_memory
from bench.mixed_records import blob
from sandbox.stage import Stage
from sandbox.tenant.account import TENANT_ID, Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.records import bypass_record
from sandbox.tenant.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

FINDINGS = 100
SCANNED, ON = 100_000, 1000
BLOB_MB = 100
_LONGEST_SECONDS = 600
_CONFIGURE = """
from pathlib import Path
peak = lambda: int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
bare = peak()
from azure.monitor.opentelemetry import configure_azure_monitor
key = "00000000-0000-0000-0000-000000000000"
configure_azure_monitor(connection_string=f"InstrumentationKey={key};IngestionEndpoint=http://127.0.0.1:9/")
print(peak() - bare, flush=True)
import os
os._exit(0)
"""
_SETTINGS = {"CONTAINMENT_LIMIT_PER_HOUR": "1000", "COMMAND_TIMEOUT_SECONDS": "600", "SWEEP_SCHEDULE": "*/2 * * * * *"}


def measure(findings: int = FINDINGS, scanned: int = SCANNED, on: int = ON, blob_mb: int = BLOB_MB) -> dict[str, Any]:
    """Megabytes by kind of work."""
    if sys.platform != "linux":
        raise AssertionError("the high-water mark of a process is read from /proc, which only Linux has")
    with tempfile.TemporaryDirectory() as folder:
        figures = _app(Path(folder), findings=findings, scanned=scanned, on=on, blob_mb=blob_mb)
    worker = {} if worker_memory.missing() else {"worker_sweep_peak_mb": round(worker_memory.sweep(scanned).peak_mb)}
    return figures | worker | {"application_insights_mb": round(_application_insights()), "blob_mb": blob_mb}


def _application_insights() -> float:
    """What loading and configuring the SDK adds to a bare Python; nothing is sent."""
    run = subprocess.run([sys.executable, "-c", _CONFIGURE], capture_output=True, text=True, check=True)
    return float(run.stdout)


def _app(folder: Path, *, findings: int, scanned: int, on: int, blob_mb: int) -> dict[str, Any]:
    targets = [Account.named(f"target{number}") for number in range(findings + 1)]
    state = folder / "state.json"
    state.write_text(json.dumps({"accounts": [each.model_dump(mode="json") for each in targets]}))
    with (
        Stage(folder, settings=_SETTINGS, tenant_arguments=("--state", str(state)), worker="python") as stage,
        SandboxClient(stage.tenant_url) as client,
    ):
        figures = {"start_peak_mb": _resident(stage, "VmHWM")}
        stage.stop_worker()
        _until(lambda: "succeeded" in _ended(stage, "resume_responses"), "the first invocations")
        figures["idle_mb"] = _resident(stage, "VmRSS")

        def during(work: Callable[[], None]) -> float:
            Path(f"/proc/{stage.host_pid}/clear_refs").write_text("5")  # sets the high-water mark back
            work()
            return _resident(stage, "VmHWM")

        figures["sweep_peak_mb"] = during(lambda: _sweep(stage, scanned, on))
        stage.start_worker()
        figures["big_blob_peak_mb"] = during(lambda: _poll(client, targets[:1], blob_mb))
        figures["findings_peak_mb"] = during(lambda: _contain(client, targets[1:]))
    return {name: round(value) for name, value in figures.items()}


def _resident(stage: Stage, field: str) -> float:
    """Megabytes: what is resident now (VmRSS), or the most there was since the mark was set back (VmHWM)."""
    status = Path(f"/proc/{stage.host_pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith(field)).split()[1]) / 1024


def _sweep(stage: Stage, scanned: int, on: int) -> None:
    """Answer the sweep that the app asked for, and wait until the answer was taken."""
    with QueueClient.from_connection_string(stage.connection_string, "exchange-sweeps") as queue:
        _until(lambda: any(queue.peek_messages()), "the app to ask for a sweep")
        command = json.loads(base64.b64decode(next(iter(queue.receive_messages())).content))
        queue.clear_messages()
    about = {"command_id": command["command_id"], "tenant_id": TENANT_ID, "scanned": scanned, "complete": True}
    about |= {"schema_version": 1, "started_at": datetime.now(UTC).isoformat()}
    found = [{"object_id": str(uuid.uuid4()), "exchange_guid": str(uuid.uuid4()), "name": "n"} for _ in range(on)]
    content = json.dumps(about | {"bypassed": found}).encode()
    name = f"{command['command_id']}.json"
    with BlobServiceClient.from_connection_string(stage.connection_string) as blobs:
        blobs.get_blob_client("sweeps", name).upload_blob(content)
    summary = {"kind": "list_bypassed", "outcome": "listed", "bypassed": on, "blob": name}
    result = about | summary | {"sha256": hashlib.sha256(content).hexdigest()}
    before = len(_ended(stage, "record_exchange_result"))
    with QueueClient.from_connection_string(stage.connection_string, "exchange-results") as queue:
        queue.send_message(base64.b64encode(json.dumps(result).encode()).decode())
    _until(lambda: len(_ended(stage, "record_exchange_result")) > before, "the answer to be taken")
    if "failed" in _ended(stage, "record_exchange_result"):
        raise AssertionError(stage.log("host")[-3000:])
    resumed = len(_ended(stage, "resume_responses"))
    _until(lambda: len(_ended(stage, "resume_responses")) > resumed + 1, "what follows from the sweep")


def _poll(client: SandboxClient, target: list[Account], megabytes: int) -> None:
    """Let the app read one blob of that size, whose last record is the only one that matters."""
    piece = blob(1)[1:-1]
    many = b",".join([piece] * (megabytes * 1_000_000 // len(piece)))
    last = json.dumps(bypass_record(Settings(), target[0], "mallory@contoso.onmicrosoft.com")).encode()
    client.publish_raw(b"[" + many + b"," + last + b"]")
    _until(lambda: _is_off(client, target), "the blob to be read")


def _contain(client: SandboxClient, targets: list[Account]) -> None:
    """Let the app contain everybody, on one blob with all of the records."""
    client.accounts([{"object_id": each.object_id, "audit_bypass_enabled": True} for each in targets])
    client.publish([bypass_record(Settings(), each, "mallory@contoso.onmicrosoft.com") for each in targets])
    _until(lambda: _is_off(client, targets), "everybody to be contained")


def _is_off(client: SandboxClient, targets: list[Account]) -> bool:
    enabled = {each["object_id"]: each["account_enabled"] for each in client.state()["accounts"]}
    return not any(enabled[each.object_id] for each in targets)


def _ended(stage: Stage, function: str) -> list[str]:
    """How the invocations of a function ended so far."""
    lines = [json.loads(line) for line in stage.log("host").splitlines() if line.startswith('{"event": "invocation"')]
    return [line["outcome"] for line in lines if line["function"] == function]


def _until(done: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + _LONGEST_SECONDS
    while not done():
        if time.monotonic() > give_up_at:
            raise AssertionError(f"waited {_LONGEST_SECONDS} s for {what}")
        time.sleep(0.3)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
