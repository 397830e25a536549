"""Who else opened a watched mailbox, from the stand-in's logs to bypassctl, on the real adapters.

Either hunting or the audit log has the records.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandbox.tenant.hunting_rows import rows_of
from sandbox.tenant.identity import GRAPH, RESPONDER_SECRET
from sandbox.tenant.opened import APPLICATION, opened
from sandbox.tenant.scene import account_named
from tests.e2e.ctl import bypassctl

if TYPE_CHECKING:
    from tests.e2e.conftest import Start
    from tests.e2e.live import Live

HUNTING, AUDIT_LOG = "ThreatHunting.Read.All", "AuditLogsQuery-Exchange.Read.All"
RUNS = 9


async def watching(start: Start, *permissions: str, runs: int = RUNS) -> Live:
    live = await start(WATCHED_MAILBOXES="patti@contoso.onmicrosoft.com")
    live.tenant.identities[RESPONDER_SECRET].roles[GRAPH] += permissions
    known = {alias: account_named(live.tenant, alias) for alias in ("patti", "adele", "nestor")}
    records = opened(known, datetime.now(UTC))
    live.tenant.hunting += rows_of(records, visible_at=live.tenant.clock())
    live.tenant.traces.audit_records += records
    for _ in range(runs):
        await live.responder.gather_evidence()
    return live


async def test_hunting_counts_a_delegate_an_administrator_and_an_application(start: Start) -> None:
    live = await watching(start, HUNTING)
    said = await bypassctl(live.cli_env, "posture", "access", "-o", "json")

    assert said.code == 0, said.err
    assert {(each["actor"], each["logon"]) for each in said.json} == {
        ("adele@contoso.onmicrosoft.com", "delegate"),
        ("nestor@contoso.onmicrosoft.com", "admin"),
        (f"application {APPLICATION}", "admin"),
    }
    assert sum(each["count"] for each in said.json) == 33


async def test_the_table_has_one_line_for_each_actor(start: Start) -> None:
    live = await watching(start, HUNTING)
    said = await bypassctl(live.cli_env, "posture", "access", "--logon-type", "admin", "--since", "3d")

    assert said.out.startswith("2 other actors opened 1 watched mailbox, since")
    assert "HardDelete 1" in said.out


async def test_without_hunting_the_audit_log_is_searched(start: Start) -> None:
    live = await watching(start, AUDIT_LOG, runs=3)
    said = await bypassctl(live.cli_env, "posture", "access", "-o", "csv")
    days = await live.responder.services.access.days(datetime(2026, 1, 1, tzinfo=UTC).date())

    assert {each.source for each in days} == {"audit log"}
    assert (said.code, "INCOMPLETE: not read: " in said.err) == (1, True)


async def test_without_permissions_it_is_unavailable_and_the_fix_is_named(start: Start) -> None:
    live = await watching(start, runs=1)
    said = await bypassctl(live.cli_env, "posture", "access")

    assert (said.code, said.out.startswith("UNAVAILABLE: it is not known who else")) == (1, True)
    assert f"bypassctl grant --evidence {HUNTING}" in " ".join(said.err.split())


async def test_a_time_that_is_none_is_a_wrong_call(start: Start) -> None:
    live = await start()
    said = await bypassctl(live.cli_env, "posture", "access", "--since", "yesterday")
    future = await bypassctl(live.cli_env, "posture", "access", "--since", "2999-01-01")

    assert (said.code, "--since" in said.err) == (2, True)
    assert (future.code, future.err) == (2, "--since must be before --until, and not in the future.\n")
