"""Reports of the sixty mailboxes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bypass_responder.operating.posture.report import PostureReport
from bypass_responder.posture.baseline import measures
from bypass_responder.posture.comparison import compare
from bypass_responder.posture.mailbox import Bypassed
from bypass_responder.posture.read import TenantRead
from tests.posture.mailboxes import CASES, Case, a_read

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ARCHIVE = "0c0c0c0c-0000-4000-8000-000000000001"


def read_at(*cases: Case) -> TenantRead:
    read = a_read(cases or CASES)
    read.read_at = datetime(2026, 3, 1, tzinfo=UTC)
    return read


def report_of(
    *cases: Case, read: TenantRead | None = None, watched: tuple[str, ...] = (), **fields: Any
) -> PostureReport:
    found = compare(read or read_at(*cases), measures(), watched=watched)
    return PostureReport(found, NOW, **fields)


def with_archive() -> TenantRead:
    """A read with a bypassed account that has no mailbox."""
    read = read_at()
    read.bypassed = [*(read.bypassed or ()), Bypassed(ARCHIVE, None, "svc-archive")]
    return read


def partial() -> TenantRead:
    read = read_at(CASES[0])
    read.problem("the worker was throttled")
    return read
