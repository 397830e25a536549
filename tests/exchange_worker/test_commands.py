"""What the real worker does with commands that are right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bypass_responder.model.message import CommandKind, ExchangeCommand
from sandbox.exchange_online import Function
from sandbox.tenant import exchange
from sandbox.tenant.account import DOMAIN, TENANT_ID, Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.state import Tenant
from tests.exchange_worker.commands import ALEX, Start, a_check, a_command, ask

SET = "exchange.Set-MailboxAuditBypassAssociation"
GET = "exchange.Get-MailboxAuditBypassAssociation"


def test_a_bypass_is_switched_off_and_read_back(commands: Function, alex: Account) -> None:
    result = ask(commands, a_command(object_id=alex.object_id))

    assert (result.outcome, result.before, result.after, result.attempts) == ("verified", True, False, 1)
    assert (result.error, result.error_class) == (None, None)
    assert alex.audit_bypass_enabled is False


def test_a_command_as_the_responder_writes_it_is_understood(commands: Function, alex: Account) -> None:
    command = ExchangeCommand(
        command_id="command-2",
        kind=CommandKind.DISABLE_BYPASS,
        tenant_id=TENANT_ID,
        target=alex.object_id,
        object_id=alex.object_id,
        not_after=datetime.now(UTC) + timedelta(minutes=1),
    )

    result = ask(commands, command)

    assert (result.command_id, result.target, result.outcome) == ("command-2", alex.object_id, "verified")


def test_the_answer_names_both_guids(commands: Function, alex: Account) -> None:
    result = ask(commands, a_command(object_id=alex.object_id))

    assert result.resolved
    assert result.resolved.object_id == alex.object_id
    assert result.resolved.exchange_guid == alex.exchange_guid


def test_the_answer_names_the_versions_that_gave_it(commands: Function, alex: Account) -> None:
    result = ask(commands, a_command(object_id=alex.object_id))

    assert result.worker == f"ExchangeOnlineManagement 3.10.1, PowerShell {commands.version}"


def test_the_answer_says_when_the_last_read_began(commands: Function, alex: Account) -> None:
    before = datetime.now(UTC)

    result = ask(commands, a_command(object_id=alex.object_id))

    assert result.read_at
    assert before <= result.read_at <= datetime.now(UTC)


def test_what_is_off_stays_off(commands: Function, tenant: Tenant, alex: Account) -> None:
    alex.audit_bypass_enabled = False

    result = ask(commands, a_command(object_id=alex.object_id))

    assert (result.outcome, result.before, result.after, result.attempts) == ("already_off", False, False, 0)
    assert tenant.counters[SET] == 0


@pytest.mark.slow
def test_the_read_back_waits_for_replication(start: Start, control: SandboxClient, alex: Account) -> None:
    control.settings(exchange_delay_seconds=0.4)

    result = ask(start(READ_BACK_SECONDS="5"), a_command(object_id=alex.object_id))

    assert result.outcome == "verified"


def test_a_read_back_that_still_says_on_is_unverified(
    commands: Function, control: SandboxClient, alex: Account
) -> None:
    control.settings(exchange_delay_seconds=60)

    result = ask(commands, a_command(object_id=alex.object_id))

    assert (result.outcome, result.before, result.after) == ("unverified", True, True)


def test_an_account_that_is_not_there_is_not_found(commands: Function, tenant: Tenant, alex: Account) -> None:
    result = ask(commands, a_command(object_id="00000000-0000-0000-0000-000000000000"))

    assert (result.outcome, result.error_class) == ("not_found", "not_found")
    assert tenant.journal == []
    assert alex.audit_bypass_enabled is True


def test_a_deleted_account_is_not_found(commands: Function, tenant: Tenant, alex: Account) -> None:
    alex.deleted = True

    assert ask(commands, a_command(object_id=alex.object_id)).outcome == "not_found"
    assert tenant.journal == []


def test_an_answer_for_another_account_is_not_found(
    commands: Function, tenant: Tenant, alex: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    adele, get_user = {"Identity": f"adele@{DOMAIN}"}, exchange._CMDLETS["Get-User"]
    monkeypatch.setitem(exchange._CMDLETS, "Get-User", lambda stage, _, claims: get_user(stage, adele, claims))

    assert ask(commands, a_command(object_id=alex.object_id)).outcome == "not_found"
    assert tenant.counters[GET] == 0


def test_a_check_reads_and_changes_nothing(commands: Function, tenant: Tenant, alex: Account) -> None:
    result = ask(commands, a_check(object_id=alex.object_id))

    assert (result.kind, result.outcome, result.before, result.after) == ("check_bypass", "checked", True, None)
    assert tenant.journal == []


@pytest.mark.parametrize(
    "shape", ["{0.user_principal_name}", "{0.object_id}", "{0.exchange_guid}", "{0.exchange_name}"]
)
@pytest.mark.parametrize("change", [str, str.upper])
def test_a_check_finds_an_account_by_each_of_its_names(
    commands: Function, alex: Account, shape: str, change: type[str]
) -> None:
    alex.exchange_name = "Alex Wilber"

    result = ask(commands, a_check(identity=change(shape.format(alex))))

    assert result.resolved
    assert (result.outcome, result.resolved.object_id) == ("checked", alex.object_id)


@pytest.mark.parametrize("identity", ["nobody", "CN=Alex,OU=contoso.onmicrosoft.com,DC=example,DC=com", "-Identity"])
def test_a_check_of_an_unknown_name_is_not_found(
    commands: Function, tenant: Tenant, alex: Account, identity: str
) -> None:
    assert ask(commands, a_check(identity=identity)).outcome == "not_found"
    assert tenant.counters[GET] == 0


def test_a_check_of_a_name_of_two_is_ambiguous(commands: Function, tenant: Tenant) -> None:
    result = ask(commands, a_check(identity="seconduser"))
    both = {each.object_id for each in tenant.accounts.values() if each.exchange_name == "seconduser"}

    assert (result.outcome, set(result.candidates), len(result.candidates)) == ("ambiguous", both, 2)
    assert tenant.counters[GET] == 0


@pytest.mark.parametrize(
    "name",
    [
        "$(Set-MailboxAuditBypassAssociation -Identity alex -AuditBypassEnabled $true)",
        "`$(throw 'run')`",
        'a "quoted" name',
        "O'Neill",
        "'; Set-MailboxAuditBypassAssociation -Identity alex #",
        "${env:IDENTITY_HEADER}",
        "@{a=1}",
        "Zoë 界 \U0001f600",
    ],
)
def test_a_name_is_only_ever_a_value(commands: Function, tenant: Tenant, name: str) -> None:
    odd = Account.named("odd", exchange_name=name)
    tenant.add([odd])

    result = ask(commands, a_check(identity=name))

    assert result.resolved
    assert (result.outcome, result.resolved.object_id, result.resolved.name) == ("checked", odd.object_id, name)
    assert tenant.journal == []


def test_a_name_that_was_given_to_another_account_leads_to_nobody_else(
    commands: Function, tenant: Tenant, alex: Account
) -> None:
    other = tenant.find(f"adele@{DOMAIN}")
    assert other
    other.exchange_name, other.audit_bypass_enabled = alex.object_id, True

    result = ask(commands, a_command(object_id=alex.object_id))

    assert result.outcome == "verified"
    assert (alex.audit_bypass_enabled, other.audit_bypass_enabled) == (False, True)


@pytest.mark.parametrize("before_or_after", ["adele", "diego"])
def test_a_guid_that_is_anothers_name_in_exchange_touches_nobody(
    commands: Function, tenant: Tenant, alex: Account, before_or_after: str
) -> None:
    other = tenant.find(f"{before_or_after}@{DOMAIN}")
    assert other
    other.exchange_name, other.audit_bypass_enabled = alex.exchange_guid, True

    result = ask(commands, a_command(object_id=alex.object_id))

    assert result.outcome == "failed"
    assert tenant.journal == []


@pytest.mark.parametrize("read", [1, 2])
def test_an_object_that_vanishes_is_not_taken_for_all_others(
    commands: Function, tenant: Tenant, alex: Account, monkeypatch: pytest.MonkeyPatch, read: int
) -> None:
    """Before the first read, and before the read back: Exchange answers with every object."""
    other = tenant.find(f"adele@{DOMAIN}")
    assert other
    other.audit_bypass_enabled = True

    def vanish() -> None:
        alex.deleted = tenant.counters[GET] >= read

    monkeypatch.setattr(tenant, "synchronize", vanish)

    result = ask(commands, a_command(object_id=alex.object_id))

    assert (result.outcome, result.error_class) == ("failed", "not_found")
    assert other.audit_bypass_enabled is True
    assert {change.object_id for change in tenant.journal} <= {alex.object_id}


def test_the_state_of_the_only_other_object_is_not_taken_for_that_of_a_vanished_one(
    commands: Function, tenant: Tenant, alex: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Account.named("last", audit_bypass_enabled=True)
    tenant.accounts = {each.object_id: each for each in (alex, other)}

    def vanish() -> None:
        alex.deleted = tenant.counters[GET] >= 1

    monkeypatch.setattr(tenant, "synchronize", vanish)

    result = ask(commands, a_check(object_id=alex.object_id))

    assert (result.outcome, result.before) == ("failed", None)


def test_of_three_among_five_thousand_one_is_touched(commands: Function, tenant: Tenant) -> None:
    tenant.add(Account.named(f"user{number}", audit_bypass_enabled=number < 3) for number in range(5000))
    first = tenant.find(f"user0@{DOMAIN}")
    assert first

    result = ask(commands, a_command(object_id=first.object_id))

    assert result.outcome == "verified"
    assert [change.object_id for change in tenant.journal] == [first.object_id]
    assert sum(account.audit_bypass_enabled for account in tenant.accounts.values()) == 2


@pytest.mark.parametrize("text", ["True", "true"])
def test_the_text_true_counts_as_on(
    commands: Function, tenant: Tenant, alex: Account, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(tenant, "read", lambda *_, **__: text)

    assert ask(commands, a_check(object_id=alex.object_id)).before is True


def test_the_text_false_counts_as_off(
    commands: Function, tenant: Tenant, alex: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    alex.audit_bypass_enabled = False
    monkeypatch.setattr(tenant, "read", lambda *_, **__: "False")

    assert ask(commands, a_command(object_id=alex.object_id)).outcome == "already_off"


@pytest.mark.parametrize("value", [None, "", "Maybe", 1, ["True"]])
def test_a_state_that_is_neither_is_not_guessed(
    commands: Function, tenant: Tenant, alex: Account, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    monkeypatch.setattr(tenant, "read", lambda *_, **__: value)

    result = ask(commands, a_command(object_id=alex.object_id))

    assert (result.outcome, result.error_class, result.before) == ("failed", "other", None)
    assert tenant.counters[SET] == 0


def test_an_object_without_a_guid_is_not_read(commands: Function, tenant: Tenant, alex: Account) -> None:
    alex.exchange_guid = ""

    result = ask(commands, a_command(object_id=alex.object_id))

    assert (result.outcome, result.resolved) == ("failed", None)
    assert tenant.counters[GET] == 0


def test_by_upn_too_nobody_else_is_touched(commands: Function, tenant: Tenant, alex: Account) -> None:
    """``disable_bypass`` takes no name, so a name can never lead to the wrong account."""
    result = ask(commands, a_command(identity=ALEX))

    assert result.outcome == "refused"
    assert tenant.journal == []
