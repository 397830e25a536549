"""The Exchange worker's own PowerShell on a tenant of any size.

This module measures what a sweep and a read of mailboxes take. Each function is a separate process, as each function
has separate instances in a Flex Consumption plan.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.exchange_pages import ON, created_at, listing
from sandbox.exchange_online import Function
from sandbox.exchange_online.powershell import PowerShellError
from sandbox.tenant.account import DOMAIN, TENANT_ID
from sandbox.tenant.identity import WORKER_SECRET, default_identities
from sandbox.tenant.server import environment

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence

    from bench.exchange_pages import Listing

SHARD = 50_000
"""Mailboxes of one message."""


class Memory(NamedTuple):
    """The memory of a process: its peak, and what lives in the heap of .NET after a collection.

    The peak is that of resident memory so far.
    """

    peak_mb: float
    live_mb: float


class Swept(NamedTuple):
    """One sweep: peak resident memory of the process, and seconds."""

    peak_mb: float
    seconds: float


class ReadAll(NamedTuple):
    """All mailboxes read, shard by shard in one process; ``calls``: cmdlets that were run in Exchange."""

    memory: Sequence[Memory]
    """After each shard."""
    seconds: float
    calls: Counter[str]


class Worker(Function):
    """A function of the worker, whose process can be measured."""

    def peak_mb(self) -> float:
        """Return the most resident memory that the process has had."""
        return (
            int(next(line for line in self._proc("status").splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
        )

    def live_mb(self) -> float:
        """Collect garbage; return what is left in the heap of .NET."""
        with self._lock:
            self._send(json.dumps({"measure": True}))
            return float(self._line("measured")["live_bytes"]) / (1 << 20)

    def cpu_seconds(self) -> float:
        """Return the processor time that the process has taken."""
        user, system = self._proc("stat").rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _proc(self, name: str) -> str:
        if self._process is None:
            raise PowerShellError("it was not started")
        return Path(f"/proc/{self._process.pid}/{name}").read_text(encoding="ascii")

    def answer(self, kind: str, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
        """Hand over one command, and return its answer."""
        command = {
            "schema_version": 1,
            "command_id": "bench",
            "kind": kind,
            "tenant_id": TENANT_ID,
            "not_after": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        }
        [result] = self.invoke(json.dumps(command | given)).results
        return result


def missing() -> str:
    """Why it cannot be measured here; empty when it can."""
    from sandbox.exchange_online import missing as no_worker

    return no_worker() or ("" if sys.platform == "linux" else "no /proc")


def settings(url: str) -> dict[str, str]:
    """Return the environment of a worker for the tenant at an address."""
    return {
        **environment(url, WORKER_SECRET),
        "EXCHANGE_STANDIN_URL": f"{url}/exchange",
        "TENANT_ID": TENANT_ID,
        "EXCHANGE_ORGANIZATION": DOMAIN,
        "AZURE_CLIENT_ID": default_identities()[WORKER_SECRET].client_id,
    }


def worker(name: str, url: str, folder: str) -> Worker:
    """Return a function of the worker for a tenant; what it logs goes into the folder."""
    return Worker(name, environment=settings(url), log=Path(folder) / f"{name}.log")


def sweep(objects: int) -> Swept:
    """Sweep a tenant of so many objects, ``ON`` of them on.

    Raises AssertionError when the answer says otherwise.
    """
    with _running("ExchangeSweeps", objects) as (sweeps, _):
        began = time.perf_counter()
        result = sweeps.answer("list_bypassed")
        swept = Swept(sweeps.peak_mb(), time.perf_counter() - began)
    if (result["outcome"], result["scanned"], result["bypassed"]) != ("listed", objects, ON):
        raise AssertionError(result)
    return swept


def read_all(mailboxes: int, *, shard: int = SHARD) -> ReadAll:
    """Read so many mailboxes. Raises AssertionError when a shard does not have its own, all of them."""
    with _running("ExchangeReads", mailboxes) as (reads, tenant):
        began = time.perf_counter()
        memory = []
        for first in range(0, mailboxes, shard):
            result = reads.answer("read_mailboxes", **shard_from(first, shard))
            if (result["rows"], result["complete"]) != (min(shard, mailboxes - first), True):
                raise AssertionError(result)
            memory.append(Memory(reads.peak_mb(), reads.live_mb()))
        return ReadAll(memory, time.perf_counter() - began, tenant.calls)


@contextmanager
def _running(name: str, objects: int) -> Iterator[tuple[Worker, Listing]]:
    """A function of the worker, and a tenant of so many objects."""
    with (
        tempfile.TemporaryDirectory() as folder,
        listing(objects) as tenant,
        worker(name, tenant.url, folder) as function,
    ):
        yield function, tenant


def shard_from(first: int, mailboxes: int) -> dict[str, Any]:
    """Return what a message says of a shard of so many mailboxes."""
    bounds = {"since": created_at(first).isoformat(), "until": created_at(first + mailboxes).isoformat()}
    bound = {"record": "none", "most_seconds": 600, "most_rows": mailboxes}
    return {"shard": {"recipients": "user"} | bounds} | bound
