"""A worker process that sends telemetry, started by the test with the settings of an app.

Its arguments say what it writes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time

from bypass_responder.adapters import telemetry
from bypass_responder.event_lines import write_entry, write_line, write_notification
from bypass_responder.model.log import LogEntry
from bypass_responder.model.notification import Notification, Severity

ALEX = "aaaaaaaa-0000-4000-8000-000000000001"
AT = "2026-03-02T09:00:00Z"
SECRETS = {"actor": "mallory@contoso.onmicrosoft.com", "names": ["alex@contoso.onmicrosoft.com"], "token": "eyJ0"}


def decided(seq: int) -> LogEntry:
    facts = {"verdict": "violation"} | SECRETS
    text = "violation: alex@contoso.onmicrosoft.com read mail"
    entry = LogEntry(
        target=ALEX, seq=seq, at=AT, event="decided", text=text, incident_id="20260302-a", facts=facts, previous="p"
    )
    return entry.model_copy(update={"hash": entry.digest()})


def unsampled() -> None:
    """What the worker attaches of an invocation whose trace the host samples away."""
    from opentelemetry import context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-00"}
    context.attach(TraceContextTextMapPropagator().extract(carrier))


async def hang() -> None:
    """Many runs end while ingestion does not answer; then something else wants a thread."""
    telemetry.FLUSH_SECONDS = 0.2
    began = time.monotonic()
    await asyncio.gather(*(telemetry.flush() for _ in range(50)))
    await asyncio.to_thread(os.getpid)
    print(json.dumps({"seconds": time.monotonic() - began}), flush=True)  # noqa: T201 - the answer
    os._exit(0)


async def main() -> None:
    started = telemetry.start(os.environ) and telemetry.start(os.environ)
    if started:
        unsampled()
    logging.getLogger("azure.core").warning("somebody else's line")
    for seq in range(1, int(sys.argv[1]) + 1):
        write_entry(decided(seq))
    notification = Notification(
        id="n1", about="contained", severity=Severity.CRITICAL, title="Contained: alex", text="mail", created_at=AT,
        incident_id="20260302-a", target=ALEX, facts={"opened_at": AT} | SECRETS,
    )  # fmt: skip
    write_notification(notification)
    write_line("resumed", targets=3, problems=0)
    if len(sys.argv) > 2:
        await hang()
    await telemetry.flush()
    loaded = {name.split(".")[0] for name in sys.modules} & {"opentelemetry", "psutil", "requests"}
    print(json.dumps({"started": started, "loaded": sorted(loaded)}), flush=True)  # noqa: T201 - the answer
    os._exit(0)  # an instance that is taken away: nothing is sent at the end


asyncio.run(main())
