"""(r) The read of all mailboxes by the worker's own PowerShell: cmdlets that are run, and peak memory, by size.

As many messages as for 100,000 and for 1,000,000 mailboxes, 2 and 20, but of 5,000 mailboxes each instead of 50,000:
it takes minutes instead of an hour. Beside it, on the same stand-in, the pattern of calls of the widely used script.
Exchange makes up each page when it is asked for it, so the times say nothing about Exchange Online.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import worker_memory
from bench.exchange_pages import listing
from sandbox.exchange_online.powershell import FOLDER, PowerShellError

if TYPE_CHECKING:
    from bench.worker_memory import ReadAll

LARGE, SMALL, SHARD = 100_000, 10_000, 5_000
SCRIPTED = 200
"""Mailboxes that the script lists: it makes two calls for each."""
_SCRIPT = Path(__file__).with_name("call_per_mailbox.ps1")


def measure(large: int = LARGE, small: int = SMALL, shard: int = SHARD, scripted: int = SCRIPTED) -> dict[str, Any]:
    """Calls per shard and per mailbox, and the growth of memory. Raises PowerShellError without PowerShell."""
    if why := worker_memory.missing():
        raise PowerShellError(why)
    read = {mailboxes: worker_memory.read_all(mailboxes, shard=shard) for mailboxes in (small, large)}
    script_calls, script_seconds = by_script(scripted)
    return {
        "worker_memory_growth": round(read[large].peak_mb / read[small].peak_mb, 2),
        "calls_per_shard": max(_calls(each) / each.shards for each in read.values()),
        **{f"calls_for_{mailboxes}_mailboxes": _calls(each) for mailboxes, each in read.items()},
        **{f"shards_of_{mailboxes}_mailboxes": each.shards for mailboxes, each in read.items()},
        **{f"worker_{mailboxes}_mailboxes_peak_mb": round(each.peak_mb) for mailboxes, each in read.items()},
        **{f"worker_{mailboxes}_mailboxes_seconds": round(each.seconds, 1) for mailboxes, each in read.items()},
        f"script_calls_for_{scripted}_mailboxes": script_calls,
        "script_calls_per_mailbox": (script_calls - 1) / scripted,
        f"script_{scripted}_mailboxes_seconds": round(script_seconds, 1),
    }


def _calls(read: ReadAll) -> int:
    return sum(read.calls.values())


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
