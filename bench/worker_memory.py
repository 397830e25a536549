"""The Exchange worker's peak memory over a sweep: its own PowerShell, in a separate process for each tenant."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from bench.exchange_pages import ON, listing
from sandbox.exchange_online import Function
from sandbox.exchange_online.powershell import PowerShellError
from sandbox.tenant.account import DOMAIN, TENANT_ID
from sandbox.tenant.identity import WORKER_SECRET, default_identities
from sandbox.tenant.server import environment


class Swept(NamedTuple):
    """One sweep: peak resident memory of the process, and seconds."""

    peak_mb: float
    seconds: float


class _Worker(Function):
    """The function ExchangeSweeps, whose process can be measured."""

    def peak_mb(self) -> float:
        if self._process is None:
            raise PowerShellError("it was not started")
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def missing() -> str:
    """Why it cannot be measured here; empty when it can."""
    from sandbox.exchange_online import missing as no_worker

    return no_worker() or ("" if sys.platform == "linux" else "no /proc")


def sweep(objects: int) -> Swept:
    """Sweep a tenant of so many objects, ``ON`` of them on. Raises AssertionError when the answer says otherwise."""
    with tempfile.TemporaryDirectory() as folder, listing(objects) as url:
        settings = {
            **environment(url, WORKER_SECRET),
            "EXCHANGE_STANDIN_URL": f"{url}/exchange",
            "TENANT_ID": TENANT_ID,
            "EXCHANGE_ORGANIZATION": DOMAIN,
            "AZURE_CLIENT_ID": default_identities()[WORKER_SECRET].client_id,
        }
        command = {
            "schema_version": 1,
            "command_id": "bench",
            "kind": "list_bypassed",
            "tenant_id": TENANT_ID,
            "not_after": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        }
        with _Worker("ExchangeSweeps", environment=settings, log=Path(folder) / "worker.log") as worker:
            began = time.perf_counter()
            [result] = worker.invoke(json.dumps(command)).results
            swept = Swept(worker.peak_mb(), time.perf_counter() - began)
    if (result["outcome"], result["scanned"], result["bypassed"]) != ("listed", objects, ON):
        raise AssertionError(result)
    return swept
