"""`python -m tests.e2e.crashing_host`: the function host, which kills itself once with SIGKILL.

It dies right after the call that ``CRASH_AFTER`` names. ``CRASH_TARGET`` is the object id that the call must be about,
``CRASH_MARKER`` a file that records that it happened. Without them it is an ordinary host. Leases and read-backs are
shortened, so that recovery from a crash takes seconds.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from bypass_responder.adapters.exchange_queue import StorageExchangeQueue
from bypass_responder.adapters.graph import GraphDirectory
from bypass_responder.adapters.ledger_table import TableLedger
from bypass_responder.adapters.management_activity import ManagementActivityFeed
from bypass_responder.bootstrap import Responder
from bypass_responder.case import directory_call, observation, step
from sandbox.host.__main__ import main

LEASE = timedelta(seconds=4)
READ_BACK_AFTER = timedelta(seconds=1)
BEFORE = {"result received"}
"""Of these the call itself is the crash: the message is here, and nothing was done with it."""

CALLS: dict[str, tuple[type, str]] = {
    "finding stored": (TableLedger, "add_finding"),
    "plan stored": (TableLedger, "commit"),
    "block sent": (GraphDirectory, "set_sign_in"),
    "revoke sent": (GraphDirectory, "revoke_sessions"),
    "command queued": (StorageExchangeQueue, "send"),
    "result received": (Responder, "record_exchange_result"),
    "result recorded": (Responder, "record_exchange_result"),
}
"""By the words of the test: the method whose first argument must name the target."""


def crash(target: str, what: object) -> None:
    """End this process at once if the call was about the target and it is the first time."""
    marker = Path(os.environ["CRASH_MARKER"])
    if target in str(what) and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def crashing(call: Callable[..., Any], target: str, *, before: bool) -> Callable[..., Any]:
    """The method with the crash in it."""

    @wraps(call)
    async def method(self: object, *given: Any, **named: Any) -> Any:
        if before:
            crash(target, given[0])
        result = await call(self, *given, **named)
        crash(target, given[0])
        return result

    return method


def crashing_read(read: Callable[..., AsyncIterator[bytes]], target: str) -> Callable[..., AsyncIterator[bytes]]:
    """The feed's read, which ends with a crash when the blob speaks of the target."""

    @wraps(read)
    async def method(self: ManagementActivityFeed, blob: Any) -> AsyncIterator[bytes]:
        content = b""
        async for chunk in read(self, blob):
            content += chunk
            yield chunk
        crash(target, content)

    return method


def arm(after: str, target: str) -> None:
    """Put the crash where it is wanted."""
    if after == "blob read":
        ManagementActivityFeed.read = crashing_read(ManagementActivityFeed.read, target)  # type: ignore[method-assign]
    elif after:
        owner, name = CALLS[after]
        setattr(owner, name, crashing(getattr(owner, name), target, before=after in BEFORE))


if __name__ == "__main__":
    for module in (step, directory_call):
        vars(module)["LEASE"] = LEASE
    for module in (observation, directory_call):
        vars(module)["READ_BACK_AFTER"] = READ_BACK_AFTER
    arm(os.environ.get("CRASH_AFTER", ""), os.environ.get("CRASH_TARGET", ""))
    sys.exit(main())
