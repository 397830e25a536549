"""``list_bypassed``: everybody whose bypass is on, and whether that is everybody."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from bypass_responder.model.sweep import SweepCommand, SweepContent, SweepResult
from sandbox.exchange_online import Function
from sandbox.tenant import exchange
from sandbox.tenant.account import Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.exchange_rows import Rows
from sandbox.tenant.state import Tenant
from tests.exchange_worker.commands import a_command, ask

ONE_SWITCH: Rows = [{"UnifiedAuditLogIngestionEnabled": True}]
CMDLETS = ["Get-MailboxAuditBypassAssociation", "Get-User", "Get-OrganizationConfig", "Get-AdminAuditLogConfig"]


def a_sweep(**given: Any) -> dict[str, Any]:
    command = a_command(kind="list_bypassed", **given)
    del command["target"]
    return command


def sweep(sweeps: Function, command: dict[str, Any]) -> tuple[SweepResult, SweepContent | None]:
    ended = sweeps.invoke(json.dumps(command), message_id="message-7")
    [result] = ended.results
    contents = ended.outputs.get("Sweep", [])
    return SweepResult.model_validate(result), SweepContent.model_validate_json(contents[0]) if contents else None


@pytest.mark.parametrize(("accounts", "bypassed"), [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (5000, 3), (1001, 1001)])
def test_everybody_is_looked_at_and_those_that_are_on_are_named(
    sweeps: Function, tenant: Tenant, accounts: int, bypassed: int
) -> None:
    """Also past the first 1,000, and with the last of all among them."""
    tenant.accounts = {}
    first = accounts - bypassed
    tenant.add(Account.named(f"user{number}", audit_bypass_enabled=number >= first) for number in range(accounts))

    result, content = sweep(sweeps, a_sweep())

    assert content
    assert (result.outcome, result.complete, result.scanned, result.bypassed) == ("listed", True, accounts, bypassed)
    on = {each.object_id for each in tenant.accounts.values() if each.audit_bypass_enabled}
    assert {each.object_id for each in content.bypassed} == on


def test_the_answer_names_its_blob_by_hash(sweeps: Function, alex: Account) -> None:
    ended = sweeps.invoke(json.dumps(a_sweep()), message_id="message-7")

    [result], [content] = ended.results, ended.outputs["Sweep"]
    assert isinstance(content, bytes)
    assert (result["blob"], result["sha256"]) == ("message-7.json", hashlib.sha256(content).hexdigest())


def test_a_command_as_the_responder_would_write_it_is_understood(sweeps: Function, tenant: Tenant) -> None:
    command = SweepCommand.model_validate(a_sweep())

    [result] = sweeps.invoke(command.model_dump_json()).results

    assert result["outcome"] == "listed"


def test_each_is_named_by_both_guids_and_its_name(sweeps: Function, alex: Account) -> None:
    _, content = sweep(sweeps, a_sweep())

    assert content
    [found] = content.bypassed
    assert (found.object_id, found.exchange_guid, found.name) == (
        alex.object_id,
        alex.exchange_guid,
        alex.exchange_name,
    )


def test_nobody_takes_the_place_of_an_object_that_exchange_no_longer_finds(
    sweeps: Function, tenant: Tenant, alex: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish() -> None:
        alex.deleted = tenant.counters["exchange.Get-User"] >= 1

    monkeypatch.setattr(tenant, "synchronize", vanish)

    result, content = sweep(sweeps, a_sweep())

    assert content
    assert result.outcome == "listed"
    assert [(each.object_id, each.exchange_guid) for each in content.bypassed] == [(None, alex.exchange_guid)]


@pytest.mark.parametrize("switch", ["audit_disabled", "unified_audit_log_ingestion_enabled"])
@pytest.mark.parametrize("value", [True, False])
def test_the_switches_of_the_organization_are_reported(
    sweeps: Function, control: SandboxClient, switch: str, value: bool
) -> None:
    control.settings(**{switch: value})

    result, _ = sweep(sweeps, a_sweep())

    assert getattr(result, switch) is value


@pytest.mark.parametrize("cmdlet", CMDLETS)
def test_a_warning_makes_the_list_incomplete(
    sweeps: Function, alex: Account, monkeypatch: pytest.MonkeyPatch, cmdlet: str
) -> None:
    run = exchange._CMDLETS[cmdlet]

    def warn(*given: Any) -> Any:
        rows, _ = cast("tuple[Rows, list[str]]", run(*given))
        return rows, ["Partial."]

    monkeypatch.setitem(exchange._CMDLETS, cmdlet, warn)

    result, _ = sweep(sweeps, a_sweep())

    assert (result.outcome, result.complete, result.warnings) == ("listed", False, ("Partial.",))


def test_many_long_warnings_still_fit_into_a_message(
    sweeps: Function, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings = [f"{'V' * number}{'W' * 100_000}" for number in range(50)]
    monkeypatch.setitem(exchange._CMDLETS, "Get-AdminAuditLogConfig", lambda *_: (ONE_SWITCH, warnings))

    result, _ = sweep(sweeps, a_sweep())

    assert not result.complete
    assert result.warnings[-1] == "30 more warnings"
    assert len({*result.warnings[:-1]} & {text[:500] for text in warnings}) == 20


def test_a_warning_that_comes_for_many_objects_is_reported_once(
    sweeps: Function, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings = [f"The object contoso.onmicrosoft.com/Room {number} has been corrupted." for number in range(50)]
    monkeypatch.setitem(exchange._CMDLETS, "Get-AdminAuditLogConfig", lambda *_: (ONE_SWITCH, warnings))

    result, _ = sweep(sweeps, a_sweep())

    assert result.warnings == (warnings[0],)


def test_a_switch_that_exchange_does_not_tell_leaves_no_list(
    sweeps: Function, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(exchange._CMDLETS, "Get-OrganizationConfig", lambda *_: ([], []))

    result, content = sweep(sweeps, a_sweep())

    assert (result.outcome, content) == ("failed", None)
    assert "Get-OrganizationConfig returned 0 rows" in str(result.error)


def test_many_that_are_on_are_looked_up_in_one_pass(sweeps: Function, tenant: Tenant) -> None:
    tenant.accounts = {}
    tenant.add(Account.named(f"user{number}", audit_bypass_enabled=number < 150) for number in range(300))

    result, _ = sweep(sweeps, a_sweep())

    assert (result.bypassed, tenant.counters["exchange.Get-User"]) == (150, 1)


def test_a_list_that_breaks_off_is_started_again_from_the_first_row(
    sweeps: Function, tenant: Tenant, control: SandboxClient
) -> None:
    tenant.accounts = {}
    tenant.add(Account.named(f"user{number}", audit_bypass_enabled=number == 0) for number in range(2500))
    control.fault("server_error", "exchange.Get-MailboxAuditBypassAssociation", skip=1)

    result, _ = sweep(sweeps, a_sweep())

    assert (result.scanned, result.bypassed, result.complete) == (2500, 1, True)


@pytest.mark.parametrize("cmdlet", CMDLETS)
def test_an_error_leaves_no_list(sweeps: Function, control: SandboxClient, alex: Account, cmdlet: str) -> None:
    control.fault("server_error", f"exchange.{cmdlet}", times=None)

    result, content = sweep(sweeps, a_sweep())

    assert (result.outcome, result.error_class, result.complete, content) == ("failed", "transient", False, None)
    assert (result.blob, result.sha256) == (None, None)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"kind": "disable_bypass"}, "kind"),
        ({"not_after": "2026-01-01T00:00:00Z"}, "expired"),
        ({"object_id": "00000000-0000-0000-0000-000000000000"}, "no account"),
        ({"identity": "alex"}, "no account"),
        ({"schema_version": 2}, "schema_version"),
        ({"tenant_id": "11111111-2222-3333-4444-555555555555"}, "tenant"),
    ],
)
def test_a_sweep_that_is_not_right_is_refused(
    sweeps: Function, tenant: Tenant, changed: dict[str, Any], reason: str
) -> None:
    result, content = sweep(sweeps, a_sweep() | changed)

    assert (result.outcome, content) == ("refused", None)
    assert reason in str(result.error)
    assert not [name for name in tenant.counters if name.startswith("exchange.")]


def test_a_sweep_changes_nothing(sweeps: Function, tenant: Tenant, alex: Account) -> None:
    sweep(sweeps, a_sweep())

    assert tenant.journal == []


@pytest.mark.slow
def test_a_command_is_done_while_a_sweep_runs(
    sweeps: Function, commands: Function, tenant: Tenant, control: SandboxClient, alex: Account
) -> None:
    tenant.add(Account.named(f"user{number}") for number in range(5000))
    ask(commands, a_command(object_id=alex.object_id))
    alex.audit_bypass_enabled = True
    control.fault("latency", "exchange.Get-OrganizationConfig", seconds=1)

    with ThreadPoolExecutor() as pool:
        running = pool.submit(sweep, sweeps, a_sweep())
        result = ask(commands, a_command(object_id=alex.object_id))
        sweep_was_running = not running.done()

    assert (result.outcome, sweep_was_running) == ("verified", True)
