"""Errors of Exchange are distinguished, and temporary ones are retried."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.exchange_online import Function, PowerShellError
from sandbox.tenant import identity
from sandbox.tenant.account import Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.faults import Faults
from sandbox.tenant.state import Tenant
from tests.exchange_worker.commands import Start, a_check, a_command, ask

TRANSIENT = [
    "DCOverloadedException",
    "SuitabilityDirectoryException",
    "ServerInMMException",
    "ADServerSettingsChangedException",
    "StorageTransientException",
]


@pytest.mark.parametrize("name", TRANSIENT)
def test_a_temporary_error_is_retried(commands: Function, control: SandboxClient, alex: Account, name: str) -> None:
    control.fault("exception", "exchange.Get-User", name=name, times=3)

    assert ask(commands, a_command(object_id=alex.object_id)).outcome == "verified"


@pytest.mark.parametrize("kind", ["throttle", "server_error", "drop_before", "drop_after"])
@pytest.mark.parametrize(
    "cmdlet", ["Get-User", "Get-MailboxAuditBypassAssociation", "Set-MailboxAuditBypassAssociation"]
)
def test_a_lost_call_is_made_good(
    commands: Function, control: SandboxClient, alex: Account, kind: str, cmdlet: str
) -> None:
    control.fault(kind, f"exchange.{cmdlet}")

    assert ask(commands, a_command(object_id=alex.object_id)).outcome == "verified"


def test_an_exchange_that_is_down_fails_transiently_after_four_tries(
    commands: Function, control: SandboxClient, tenant: Tenant, alex: Account
) -> None:
    control.fault("server_error", "exchange.*", times=None)

    result = ask(commands, a_command(object_id=alex.object_id))

    assert (result.outcome, result.error_class) == ("failed", "transient")
    assert tenant.counters["exchange.Get-User"] == 4


def test_a_failure_between_set_and_read_back_keeps_what_was_found(
    commands: Function, control: SandboxClient, alex: Account
) -> None:
    control.fault("server_error", "exchange.Get-MailboxAuditBypassAssociation", times=None, skip=1)

    result = ask(commands, a_command(object_id=alex.object_id))

    assert (result.outcome, result.before, result.after, result.attempts) == ("failed", True, None, 1)
    assert result.resolved


def test_a_name_that_exchange_finds_ambiguous_is_ambiguous(
    commands: Function, control: SandboxClient, alex: Account
) -> None:
    control.fault("exception", "exchange.Get-User", name="ManagementObjectAmbiguousException")

    result = ask(commands, a_check(identity="alex"))

    assert (result.outcome, result.error_class) == ("ambiguous", None)


def test_an_error_that_nobody_foresaw_is_not_tried_again(
    commands: Function, control: SandboxClient, tenant: Tenant, alex: Account
) -> None:
    control.fault("exception", "exchange.Get-User", name="InvalidOperationException", times=None)

    result = ask(commands, a_command(object_id=alex.object_id))

    assert (result.outcome, result.error_class) == ("failed", "other")
    assert "InvalidOperationException" in str(result.error)
    assert tenant.counters["exchange.Get-User"] == 1


def test_a_long_error_is_cut_so_that_the_answer_fits_into_a_message(
    commands: Function, control: SandboxClient, alex: Account
) -> None:
    control.fault("exception", "exchange.Get-User", name="X" * 70_000)

    assert len(str(ask(commands, a_command(object_id=alex.object_id)).error)) == 1000


def test_a_missing_right_is_a_matter_of_permission_and_names_the_cmdlet(
    commands: Function, control: SandboxClient, alex: Account
) -> None:
    control.fault("server_error", "exchange.Get-User", status=403, times=None)

    result = ask(commands, a_command(object_id=alex.object_id))

    assert (result.outcome, result.error_class) == ("failed", "permission")
    assert "Get-User" in str(result.error)


def test_a_parameter_that_the_role_does_not_have_is_a_missing_permission_that_names_the_cmdlet(
    commands: Function, control: SandboxClient, alex: Account
) -> None:
    said = 'Some of the parameters specified with the "Get-User" cmdlet aren\'t present in the role definition'
    control.fault("exception", "exchange.Get-User", name=said, times=None)

    result = ask(commands, a_command(object_id=alex.object_id))

    assert (result.outcome, result.error_class) == ("failed", "permission")
    assert "may not run Get-User" in str(result.error)


def test_a_cmdlet_that_the_role_does_not_have_is_named(start: Start, tenant: Tenant, alex: Account) -> None:
    worker = start(EXCHANGE_STANDIN_NOT_GRANTED="Set-MailboxAuditBypassAssociation")

    result = ask(worker, a_command(object_id=alex.object_id))

    assert (result.outcome, result.error_class, result.before) == ("failed", "permission", True)
    assert "Set-MailboxAuditBypassAssociation" in str(result.error)


@pytest.mark.slow
def test_an_identity_that_gets_no_token_fails(start: Start, tenant: Tenant, alex: Account) -> None:
    result = ask(start(IDENTITY_HEADER="wrong"), a_command(object_id=alex.object_id))

    assert result.outcome == "failed"
    assert tenant.journal == []


def test_an_expired_session_is_opened_anew(
    commands: Function, control: SandboxClient, tenant: Tenant, alex: Account
) -> None:
    control.fault("server_error", "exchange.Set-MailboxAuditBypassAssociation", status=401)

    assert ask(commands, a_command(object_id=alex.object_id)).outcome == "verified"
    assert tenant.counters["identity.token"] >= 1


def test_a_right_that_stays_refused_does_not_connect_forever(
    commands: Function, control: SandboxClient, tenant: Tenant, alex: Account
) -> None:
    control.fault("server_error", "exchange.Get-User", status=401, times=None)

    result = ask(commands, a_command(object_id=alex.object_id))

    assert result.error_class == "permission"
    assert tenant.counters["exchange.Get-User"] == 2


@pytest.mark.slow
def test_a_worker_connects_once(start: Start, tenant: Tenant, alex: Account) -> None:
    worker = start()
    for _ in range(3):
        ask(worker, a_check(object_id=alex.object_id))

    assert tenant.counters["identity.token"] == 1


@pytest.mark.slow
def test_a_token_that_ran_out_makes_a_new_connection_in_place_of_the_old_one(
    start: Start, tenant: Tenant, alex: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-in module refuses a second connection beside the first."""
    monkeypatch.setattr(identity, "LIFETIME_SECONDS", 2)
    worker = start()
    ask(worker, a_check(object_id=alex.object_id))
    time.sleep(2)

    assert ask(worker, a_check(object_id=alex.object_id)).outcome == "checked"
    assert tenant.counters["identity.token"] >= 2


@pytest.mark.parametrize("seed", range(5))
def test_random_faults_never_touch_anybody_else(commands: Function, tenant: Tenant, alex: Account, seed: int) -> None:
    tenant.faults = Faults(seed, {"server_error": 0.3, "drop_before": 0.2, "drop_after": 0.2, "stale_read": 0.3})

    result = ask(commands, a_command(object_id=alex.object_id))

    assert result.outcome in {"verified", "already_off", "unverified", "failed"}
    assert {change.object_id for change in tenant.journal} <= {alex.object_id}


@pytest.mark.slow
def test_two_workers_on_the_same_command_end_in_the_same_state(
    commands: Function, start: Start, control: SandboxClient, tenant: Tenant, alex: Account
) -> None:
    """As a rule both read the bypass as on and both switch it off; the second has nothing to change."""
    control.fault("latency", "exchange.Set-*", seconds=0.5, times=2)
    command, second = a_command(object_id=alex.object_id), start()
    ask(second, a_check(object_id=alex.object_id))  # connects, so that both are equally fast

    with ThreadPoolExecutor() as both:
        results = list(both.map(lambda worker: ask(worker, command), [commands, second]))

    assert "verified" in {result.outcome for result in results} <= {"verified", "already_off"}
    assert [change.object_id for change in tenant.journal] == [alex.object_id]


@pytest.mark.slow
def test_a_worker_that_is_killed_between_set_and_read_back_left_the_bypass_off(
    start: Start, commands: Function, control: SandboxClient, tenant: Tenant, alex: Account
) -> None:
    control.fault("latency", "exchange.Get-MailboxAuditBypassAssociation", seconds=5, skip=1)
    command, killed = a_command(object_id=alex.object_id), start()

    with ThreadPoolExecutor() as pool:
        dying = pool.submit(ask, killed, command)
        give_up_at = time.monotonic() + 10
        while not tenant.journal and time.monotonic() < give_up_at:
            time.sleep(0.01)
        killed.kill()

        with pytest.raises(PowerShellError):
            dying.result()
    tenant.faults = Faults()

    assert ask(commands, command).outcome == "already_off"
    assert [change.object_id for change in tenant.journal] == [alex.object_id]
