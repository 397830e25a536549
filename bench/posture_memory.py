"""(t) The peak memory of comparing 1,000,000 mailboxes with the read before ÷ of 100,000.

Each in a separate process: two reads line by line, the comparison, the overview and the alerts, as after a read of
the worker. What the storage SDK holds is not in it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.posture_compare import lines_of
from bypass_responder.operating.posture.alerts import MANY, alerts_of
from bypass_responder.operating.posture.overview import overview_of
from bypass_responder.operating.posture.report import PostureReport
from bypass_responder.posture.baseline import measures
from bypass_responder.posture.comparison import Before, compare
from bypass_responder.posture.mailbox import MailboxReader
from bypass_responder.posture.organization import Organization
from bypass_responder.posture.packed import mailboxes_by_id
from bypass_responder.posture.read import TenantRead, read_line

SMALL, LARGE = 100_000, 1_000_000
NOW = datetime(2026, 11, 29, tzinfo=UTC)
_CHANGED = 1000
"""Of so many mailboxes, one has changed since the read before."""
_CHILD = "import sys; from bench.posture_memory import compared; print(compared(int(sys.argv[1])))"


def measure(small: int = SMALL, large: int = LARGE) -> dict[str, Any]:
    """Peak memory of both, their ratio, and the seconds of the large one."""
    first, (last, seconds) = _run(small)[0], _run(large)
    return {
        "small_mb": round(first, 1),
        "large_mb": round(last, 1),
        "memory_growth": round(last / first, 2),
        "large_seconds": round(seconds, 1),
    }


def _run(mailboxes: int) -> tuple[float, float]:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _CHILD, str(mailboxes)], capture_output=True, text=True, check=True)
    return float(done.stdout), time.perf_counter() - began


def compared(mailboxes: int) -> float:
    """Compare in this process; return its peak resident memory in MB.

    Raises AssertionError for a wrong report.
    """
    reader = MailboxReader()
    before = _read(mailboxes, reader, changed=False)
    found = compare(_read(mailboxes, reader, changed=True), measures(), before=Before(before.read_at, before.mailboxes))
    report = PostureReport(found, NOW)
    overview, alerts = overview_of(report), alerts_of(report, (), NOW)
    if (overview.summary.mailboxes, overview.summary.changed) != (mailboxes, -(-mailboxes // _CHANGED)):
        raise AssertionError(overview.summary)
    if ("posture_drift" in alerts) != (overview.summary.changed >= MANY):
        raise AssertionError(alerts)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def _read(mailboxes: int, reader: MailboxReader, *, changed: bool) -> TenantRead:
    switches = Organization(audit_disabled=False, ingestion_enabled=True)
    at = NOW - timedelta(hours=1 if changed else 25)
    into = TenantRead("bench", at, mailboxes_by_id(), bypassed=[], organization=switches)
    for number, line in enumerate(lines_of(mailboxes)):
        is_other = changed and number % _CHANGED == 0
        read_line(line.replace(b"90.00:00:00", b"91.00:00:00") if is_other else line, into, reader)
    return into


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
