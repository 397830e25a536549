"""(r) The read of all mailboxes by the worker's own PowerShell: cmdlets run, and memory, by size.

1,000,000 mailboxes in one process, in messages of 50,000 as in production; it takes ten minutes. The first 100,000 of
them are the small size. Two figures: the peak of resident memory, which has what .NET keeps for its next garbage, and
what lives after a collection, which would show a list that grows. Beside it, on the same stand-in, the pattern of calls
of the widely used script. Exchange makes up each page when it is asked for it, so the times say nothing about Exchange
Online.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from bench import worker_memory
from bench.exchange_pages import listing
from sandbox.exchange_online.powershell import FOLDER, PowerShellError

LARGE, SMALL, SHARD = 1_000_000, 100_000, worker_memory.SHARD
SCRIPTED = 200
"""Mailboxes that the script lists: it makes two calls for each."""
_SCRIPT = Path(__file__).with_name("call_per_mailbox.ps1")


def measure(large: int = LARGE, small: int = SMALL, shard: int = SHARD, scripted: int = SCRIPTED) -> dict[str, Any]:
    """Return the calls per shard and per mailbox, and the growth of memory.

    The growth is from the first ``small`` mailboxes on to ``large``.

    Raises PowerShellError without PowerShell.
    """
    if why := worker_memory.missing():
        raise PowerShellError(why)
    read = worker_memory.read_all(large, shard=shard)
    memory = {small: read.memory[small // shard - 1], large: read.memory[-1]}
    calls = sum(read.calls.values())
    script_calls, script_seconds = by_script(scripted)
    return {
        "worker_memory_growth": round(memory[large].peak_mb / memory[small].peak_mb, 2),
        "worker_live_growth": round(memory[large].live_mb / memory[small].live_mb, 2),
        "calls_per_shard": calls / len(read.memory),
        f"calls_for_{large}_mailboxes": calls,
        f"shards_of_{large}_mailboxes": len(read.memory),
        **{f"worker_{mailboxes}_mailboxes_peak_mb": round(each.peak_mb) for mailboxes, each in memory.items()},
        **{f"worker_{mailboxes}_mailboxes_live_mb": round(each.live_mb, 1) for mailboxes, each in memory.items()},
        f"worker_{large}_mailboxes_seconds": round(read.seconds, 1),
        f"script_calls_for_{scripted}_mailboxes": script_calls,
        "script_calls_per_mailbox": (script_calls - 1) / scripted,
        f"script_{scripted}_mailboxes_seconds": round(script_seconds, 1),
    }


def by_script(mailboxes: int) -> tuple[int, float]:
    """Return the calls and the seconds of the script. Raises AssertionError when it does not list all."""
    command = ["pwsh", "-NoLogo", "-NoProfile", "-NonInteractive", "-File", str(_SCRIPT), "-ModulePath", str(FOLDER)]
    with listing(mailboxes) as tenant:
        began = time.perf_counter()
        environment = os.environ | worker_memory.settings(tenant.url)
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
    if ended.stdout.strip() != str(mailboxes):
        raise AssertionError(ended.stderr or ended.stdout)
    return sum(tenant.calls.values()), seconds


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
