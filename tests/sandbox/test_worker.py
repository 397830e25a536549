"""The stand-in worker keeps the contract of the real one."""

from __future__ import annotations

from typing import Any

import pytest

from bypass_responder.model.message import ExchangeResult
from bypass_responder.model.sweep import SweepContent, SweepResult
from sandbox.tenant.account import DOMAIN, Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.faults import Faults
from sandbox.tenant.state import Tenant
from sandbox.worker import ExchangeCalls, answer, sweep
from tests.exchange_worker.commands import a_check, a_command

ALEX = f"alex@{DOMAIN}"


@pytest.fixture
def alex(tenant: Tenant) -> Account:
    """Bypassed."""
    account = tenant.find(ALEX)
    assert account
    account.audit_bypass_enabled = True
    return account


async def outcome(exchange: ExchangeCalls, command: dict[str, Any], read_back_seconds: float = 0.0) -> ExchangeResult:
    return ExchangeResult.model_validate(await answer(command, exchange, read_back_seconds=read_back_seconds))


async def test_a_bypass_is_switched_off_and_read_back(exchange: ExchangeCalls, alex: Account) -> None:
    result = await outcome(exchange, a_command(object_id=alex.object_id))

    assert (result.outcome, result.before, result.after, result.error) == ("verified", True, False, None)
    assert alex.audit_bypass_enabled is False


async def test_nobody_else_is_touched(exchange: ExchangeCalls, tenant: Tenant, alex: Account) -> None:
    await outcome(exchange, a_command(object_id=alex.object_id))

    assert {change.object_id for change in tenant.journal} == {alex.object_id}


async def test_the_answer_names_both_guids_and_its_command(exchange: ExchangeCalls, alex: Account) -> None:
    result = await outcome(exchange, a_command(object_id=alex.object_id))

    assert result.resolved
    assert (result.resolved.object_id, result.resolved.exchange_guid) == (alex.object_id, alex.exchange_guid)
    assert (result.command_id, result.target, result.worker) == ("command-1", "the ledger's key", "python stand-in")


async def test_what_is_off_stays_off(exchange: ExchangeCalls, tenant: Tenant, alex: Account) -> None:
    alex.audit_bypass_enabled = False

    result = await outcome(exchange, a_command(object_id=alex.object_id))

    assert (result.outcome, result.before) == ("already_off", False)
    assert tenant.counters["exchange.Set-MailboxAuditBypassAssociation"] == 0


async def test_the_read_back_waits_for_replication(
    exchange: ExchangeCalls, control: SandboxClient, alex: Account
) -> None:
    control.settings(exchange_delay_seconds=0.3)

    result = await outcome(exchange, a_command(object_id=alex.object_id), read_back_seconds=5)

    assert result.outcome == "verified"


async def test_a_read_back_that_still_says_on_is_unverified(
    exchange: ExchangeCalls, control: SandboxClient, alex: Account
) -> None:
    control.settings(exchange_delay_seconds=60)

    result = await outcome(exchange, a_command(object_id=alex.object_id))

    assert (result.outcome, result.after) == ("unverified", True)


async def test_an_unknown_object_id_is_not_found(exchange: ExchangeCalls, tenant: Tenant) -> None:
    result = await outcome(exchange, a_command(object_id="00000000-0000-0000-0000-000000000000"))

    assert result.outcome == "not_found"
    assert tenant.journal == []


async def test_an_object_id_that_is_anothers_name_is_still_one_account(
    exchange: ExchangeCalls, tenant: Tenant, alex: Account
) -> None:
    other = tenant.find(f"adele@{DOMAIN}")
    assert other
    other.exchange_name = alex.object_id

    result = await outcome(exchange, a_command(object_id=alex.object_id))

    assert result.outcome == "verified"
    assert {change.object_id for change in tenant.journal} == {alex.object_id}


async def test_a_check_reads_and_changes_nothing(exchange: ExchangeCalls, tenant: Tenant, alex: Account) -> None:
    result = await outcome(exchange, a_check(object_id=alex.object_id))

    assert (result.outcome, result.before) == ("checked", True)
    assert tenant.journal == []


@pytest.mark.parametrize("identity", [ALEX, ALEX.upper()])
async def test_a_check_resolves_a_name(exchange: ExchangeCalls, alex: Account, identity: str) -> None:
    result = await outcome(exchange, a_check(identity=identity))

    assert result.resolved
    assert (result.outcome, result.resolved.object_id) == ("checked", alex.object_id)


async def test_a_check_of_an_unknown_name_is_not_found(exchange: ExchangeCalls) -> None:
    assert (await outcome(exchange, a_check(identity="nobody"))).outcome == "not_found"


async def test_a_check_of_a_name_of_two_is_ambiguous(exchange: ExchangeCalls) -> None:
    result = await outcome(exchange, a_check(identity="seconduser"))

    assert (result.outcome, len(set(result.candidates))) == ("ambiguous", 2)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"not_after": "2026-01-01T00:00:00Z"}, "after its time"),
        ({"tenant_id": "11111111-2222-3333-4444-555555555555"}, "tenant"),
        ({"schema_version": 99}, "schema_version"),
        ({"schema_version": [1]}, "schema_version"),
        ({"kind": "enable_bypass"}, "kind"),
        ({"AuditBypassEnabled": True}, "AuditBypassEnabled"),
        ({"object_id": None}, "exactly one"),
    ],
)
async def test_a_command_that_is_not_right_is_refused(
    exchange: ExchangeCalls, tenant: Tenant, alex: Account, changed: dict[str, Any], reason: str
) -> None:
    result = await outcome(exchange, a_command(object_id=alex.object_id) | changed)

    assert result.outcome == "refused"
    assert reason in str(result.error)
    assert not [name for name in tenant.counters if name.startswith("exchange.")]


@pytest.mark.parametrize("identity", ["", "  ", "*", "al*x", "a?", "alex\0"])
async def test_an_identity_that_could_mean_many_is_refused(exchange: ExchangeCalls, identity: str) -> None:
    assert (await outcome(exchange, a_check(identity=identity))).outcome == "refused"


async def test_an_object_that_vanishes_is_not_taken_for_all_others(
    exchange: ExchangeCalls, tenant: Tenant, control: SandboxClient, alex: Account
) -> None:
    class Vanishing(ExchangeCalls):
        async def run(self, cmdlet: str, **parameters: object) -> list[dict[str, Any]]:
            rows = await super().run(cmdlet, **parameters)
            alex.deleted = True
            return rows

    vanishing = Vanishing(exchange.http, exchange.url, exchange.tenant_id, exchange.token)

    result = await outcome(vanishing, a_command(object_id=alex.object_id))

    assert (result.outcome, result.error_class) == ("failed", "not_found")
    assert tenant.journal == []


async def test_a_missing_role_fails_for_lack_of_permission(
    exchange: ExchangeCalls, control: SandboxClient, alex: Account
) -> None:
    control.fault("server_error", "exchange.*", status=403, times=None)

    result = await outcome(exchange, a_command(object_id=alex.object_id))

    assert (result.outcome, result.error_class) == ("failed", "permission")


async def test_an_exchange_that_is_down_fails_transiently(
    exchange: ExchangeCalls, control: SandboxClient, alex: Account
) -> None:
    control.fault("server_error", "exchange.*", times=None)

    result = await outcome(exchange, a_command(object_id=alex.object_id))

    assert (result.outcome, result.error_class) == ("failed", "transient")


async def test_a_lost_answer_to_the_write_is_made_good(
    exchange: ExchangeCalls, control: SandboxClient, alex: Account
) -> None:
    control.fault("drop_after", "exchange.Set-*")

    assert (await outcome(exchange, a_command(object_id=alex.object_id))).outcome == "verified"


@pytest.mark.parametrize("seed", range(5))
async def test_random_faults_never_touch_anybody_else(
    exchange: ExchangeCalls, tenant: Tenant, alex: Account, seed: int
) -> None:
    tenant.faults = Faults(seed, {"server_error": 0.3, "drop_before": 0.2, "drop_after": 0.2, "stale_read": 0.3})

    result = await outcome(exchange, a_command(object_id=alex.object_id))

    assert result.outcome in {"verified", "already_off", "unverified", "failed"}
    assert {change.object_id for change in tenant.journal} <= {alex.object_id}


# ---- list_bypassed ---------------------------------------------------------------------------------------------------


def a_sweep(**given: Any) -> dict[str, Any]:
    command = a_command(kind="list_bypassed", **given)
    del command["target"]
    return command


async def listed(exchange: ExchangeCalls, command: dict[str, Any]) -> tuple[SweepResult, SweepContent | None]:
    result, content = await sweep(command, exchange, blob="m.json")
    return SweepResult.model_validate(result), SweepContent.model_validate_json(content) if content else None


@pytest.mark.parametrize(("accounts", "bypassed"), [(0, 0), (1, 1), (2, 1), (1001, 1001), (5000, 3)])
async def test_a_sweep_names_everybody_who_is_on(
    exchange: ExchangeCalls, tenant: Tenant, accounts: int, bypassed: int
) -> None:
    tenant.accounts = {}
    first = accounts - bypassed
    tenant.add(Account.named(f"user{number}", audit_bypass_enabled=number >= first) for number in range(accounts))

    result, content = await listed(exchange, a_sweep())

    assert content
    assert (result.outcome, result.complete, result.scanned, result.bypassed) == ("listed", True, accounts, bypassed)
    on = {account.object_id for account in tenant.accounts.values() if account.audit_bypass_enabled}
    assert {each.object_id for each in content.bypassed} == on


async def test_a_sweep_reports_the_switches(exchange: ExchangeCalls, control: SandboxClient) -> None:
    control.settings(audit_disabled=True, unified_audit_log_ingestion_enabled=False)

    result, _ = await listed(exchange, a_sweep())

    assert (result.audit_disabled, result.unified_audit_log_ingestion_enabled) == (True, False)


async def test_a_sweep_that_breaks_off_leaves_no_list(exchange: ExchangeCalls, control: SandboxClient) -> None:
    control.fault("server_error", "exchange.Get-User", times=None)

    result, content = await listed(exchange, a_sweep())

    assert (result.outcome, result.error_class, content) == ("failed", "transient", None)


@pytest.mark.parametrize(
    ("changed", "error_class"),
    [({"schema_version": 2}, "transient"), ({"tenant_id": "11111111-2222-3333-4444-555555555555"}, None)],
)
async def test_a_sweep_that_is_not_right_is_refused(
    exchange: ExchangeCalls, changed: dict[str, Any], error_class: str | None
) -> None:
    result, content = await listed(exchange, a_sweep() | changed)

    assert (result.outcome, result.error_class, content) == ("refused", error_class, None)
