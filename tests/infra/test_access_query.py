"""The daily query of watched mailboxes runs in a KQL engine, and counts as the stand-in does."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bypass_responder.model.feed import Window
from bypass_responder.sensing.access.query import access_query
from infra.checks.workflows import HOME
from sandbox.tenant.hunting_counts import counted, mailboxes_of
from sandbox.tenant.hunting_rows import rows_of
from tests.sensing.access.records import APP, CEO, a_record, by_owner

ROOT = Path(__file__).resolve().parents[2]
ENGINE = shutil.which("duckdb-kql", path=HOME) or shutil.which("duckdb-kql")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COLUMNS = {
    "Timestamp": "datetime",
    "ReportId": "string",
    "ActionType": "string",
    "AccountObjectId": "string",
    "RecordId": "string",
    "RawEventData": "dynamic",
    "Application": "string",
    "IPAddress": "string",
}
RECORDS = [
    a_record(NOON),
    a_record(NOON + timedelta(hours=1), ClientIPAddress="198.51.100.1"),
    a_record(NOON, UserId="S-1-5-18", LogonType=1, ClientAppId=APP),
    a_record(NOON, LogonUserSid="", Operation="Send"),
    a_record(NOON, MailboxOwnerUPN=CEO.upper(), MailboxGuid="another"),
    a_record(NOON, MailboxOwnerUPN="cfo@contoso.com"),
    a_record(NOON - timedelta(days=1)),
    by_owner(NOON),
]

pytestmark = pytest.mark.skipif(not ENGINE, reason="duckdb-kql is not installed: `make infra`")


def test_the_query_counts_what_the_stand_in_counts() -> None:
    window = Window(start=NOON - timedelta(hours=12), end=NOON + timedelta(hours=12))
    query = access_query(window, [CEO])
    rows = [*rows_of(RECORDS, visible_at=NOON)]
    cells = [row.cells | {"Application": "Microsoft Exchange Online", "IPAddress": "192.0.2.1"} for row in rows]
    expected = counted([row for row in rows if window.start <= row.at < window.end], mailboxes_of(query) or set())
    tables = {"CloudAppEvents": COLUMNS}
    asked = {"tables": tables, "queries": {"access": query}, "scenarios": {"day": {"CloudAppEvents": cells}}}
    engine = [str(Path(str(ENGINE)).with_name("python")), str(ROOT / "infra/checks/run_kql.py")]
    ended = subprocess.run(engine, input=json.dumps(asked), capture_output=True, text=True, check=True)

    assert json.loads(ended.stdout)["access"] == {"day": {"columns": list(expected[0]), "rows": len(expected)}}
