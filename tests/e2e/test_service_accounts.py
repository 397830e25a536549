"""An allowlisted, bypassed account that a person uses, from the signs to bypassctl.

The signs are in the sign-in log and the mailbox.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.tenant.logs.planted import plant
from sandbox.tenant.scene import account_named
from tests.e2e.ctl import bypassctl
from tests.e2e.test_evidence import allowed

if TYPE_CHECKING:
    from tests.e2e.conftest import Start
    from tests.e2e.live import Live

RUNS = 8


async def watched(live: Live) -> str:
    """Diego is allowlisted and bypassed, and the evidence timer runs; what bypassctl shows of the entry."""
    await live.allowlist("diego")
    live.client.accounts([{"object_id": live.id_of("diego"), "audit_bypass_enabled": True}])
    await live.sweep()
    for _ in range(RUNS):
        await live.passes(seconds=300)
        await live.responder.gather_evidence()
        await live.reads()
    shown = await bypassctl(live.cli_env, "allowlist", "show", live.id_of("diego"))
    return shown.out


async def test_a_sign_in_from_a_new_country_and_a_new_rule_are_warned_of(start: Start) -> None:
    live = await start()
    allowed(live)
    diego, mallory = (account_named(live.tenant, alias) for alias in ("diego", "mallory"))
    plant(live.tenant.traces, diego, mallory, datetime.now(UTC) - timedelta(minutes=5))
    shown = await watched(live)

    assert "like_a_person" in await live.alerts()
    for sign in ("interactive sign-in", "new country: ZZ", "new inbox rule"):
        assert sign in shown


async def test_an_account_that_only_a_service_uses_is_not(start: Start) -> None:
    live = await start()
    allowed(live)
    shown = await watched(live)

    assert "like_a_person" not in await live.alerts()
    assert "no sign, as of" in shown


async def test_without_the_permissions_it_is_not_checked(start: Start) -> None:
    shown = await watched(await start())

    assert "not checked: " in shown
    assert "The permission AuditLog.Read.All is missing (bypassctl grant --evidence AuditLog.Read.All)" in shown
