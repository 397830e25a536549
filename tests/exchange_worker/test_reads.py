"""Reads of an account and the organization: each fact holds for ExchangeReads and its stand-in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bypass_responder.model.account_read import AccountSection
from bypass_responder.model.exchange_read import READ_COMMAND
from sandbox.exchange_online import Function
from sandbox.tenant import exchange
from sandbox.tenant.account import Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.mailbox import Rule
from sandbox.tenant.state import Tenant
from tests.exchange_worker.commands import a_command
from tests.exchange_worker.commands import ask as answer_to
from tests.exchange_worker.reads import Ask, a_read, an_account, by_powershell, of_account, of_shard

ALL = tuple(AccountSection)


def test_a_clean_account_has_empty_sections_without_an_error(ask: Ask, mallory: Account) -> None:
    answered = ask(of_account(mallory.object_id, *ALL))
    account = answered.account

    assert (answered.result.outcome, answered.result.complete, answered.result.partial) == ("read", True, None)
    assert (account.object_id, account.exchange_guid) == (mallory.object_id, mallory.exchange_guid)
    for name in (*ALL[1:],):
        section = getattr(account, name)
        assert (name, section.items, section.total, section.error) == (name, (), 0, None)


def test_only_the_sections_that_were_asked_are_read(ask: Ask, tenant: Tenant, mallory: Account) -> None:
    account = ask(of_account(mallory.object_id, "inbox_rules")).account

    assert account.inbox_rules is not None
    assert account.mailbox is None
    assert tenant.counters["exchange.Get-MailboxPermission"] == 0


def test_a_hidden_rule_is_found_and_named_as_hidden(ask: Ask, tenant: Tenant) -> None:
    forward = {"ForwardTo": ['"Drop" [SMTP:drop@example.net]'], "SubjectContainsWords": ["invoice"]}
    shown = Rule(id="11", name="Newsletters", properties={"MoveToFolder": "News"})
    hidden = Rule(id="12", name=".", hidden=True, properties={**forward, "DeleteMessage": True})
    alex = an_account(tenant, "alex.a", rules=[shown, hidden])

    section = ask(of_account(alex.object_id, "inbox_rules")).account.inbox_rules

    assert section is not None
    one, other = section.items
    assert (one.id, one.hidden, one.move_to) == ("11", False, "News")
    assert (other.id, other.hidden, other.delete) == ("12", True, True)
    assert other.forward_to == ('"Drop" [SMTP:drop@example.net]',)
    assert other.conditions == ("SubjectContainsWords",)


def test_the_words_of_a_condition_never_leave_exchange(ask: Ask, tenant: Tenant) -> None:
    words = {"SubjectContainsWords": ["salary"], "BodyContainsWords": ["salary"], "From": ["payroll@contoso.com"]}
    alex = an_account(tenant, "alex.a", rules=[Rule(id="11", name="rule", properties=words)])

    assert "salary" not in str(ask(of_account(alex.object_id, "inbox_rules")).rows)


def test_forwarding_and_what_is_audited_are_read(ask: Ask, tenant: Tenant, mallory: Account) -> None:
    alex = an_account(
        tenant,
        "alex.a",
        forwarding_smtp_address="smtp:drop@example.net",
        deliver_and_forward=True,
        send_on_behalf=[mallory.object_id],
        actions={"Owner": ["Update"]},
    )

    section = ask(of_account(alex.object_id, "mailbox")).account.mailbox

    assert section is not None
    [mailbox] = section.items
    assert (mailbox.forwarding_smtp_address, mailbox.deliver_and_forward) == ("smtp:drop@example.net", True)
    assert len(mailbox.send_on_behalf) == 1
    assert (mailbox.audit.default_set, mailbox.audit.owner) == (("Admin", "Delegate"), ("Update",))


def test_who_can_open_the_mailbox_or_send_as_it_is_read(ask: Ask, tenant: Tenant, mallory: Account) -> None:
    given = {"full_access": [mallory.object_id], "send_as": [mallory.object_id]}
    alex = an_account(tenant, "alex.a", folders={"\\Inbox": {mallory.object_id: ["Reviewer"]}}, **given)

    account = ask(of_account(alex.object_id, "opened_by", "sent_as_by", "folder_permissions")).account

    sections = [account.opened_by, account.sent_as_by, account.folder_permissions]
    found = [(each.trustee, each.rights, each.folder) for section in sections if section for each in section.items]
    upn = mallory.user_principal_name
    assert found == [(upn, ("FullAccess",), ""), (upn, ("SendAs",), ""), (upn, ("Reviewer",), "\\Inbox")]


def test_what_the_account_can_open_is_read_in_reverse(ask: Ask, tenant: Tenant, mallory: Account) -> None:
    own = {"send_as": [mallory.object_id], "send_on_behalf": [mallory.object_id], "full_access": [mallory.object_id]}
    an_account(tenant, "sales", type="SharedMailbox", **own)
    an_account(tenant, "support", type="SharedMailbox")

    account = ask(of_account(mallory.object_id, "can_send_as", "can_send_on_behalf", "can_open")).account

    sections = [account.can_send_as, account.can_send_on_behalf, account.can_open]
    found = [(each.mailbox.partition("@")[0], each.rights) for section in sections if section for each in section.items]
    assert found == [("sales", ("SendAs",)), ("sales", ("SendOnBehalf",)), ("sales", ("FullAccess",))]


def test_a_mailbox_that_it_can_open_is_named_by_its_address(ask: Ask, tenant: Tenant, mallory: Account) -> None:
    sales = an_account(tenant, "sales", type="SharedMailbox", full_access=[mallory.object_id])

    section = ask(of_account(mallory.object_id, "can_open")).account.can_open

    assert section is not None
    assert [each.mailbox for each in section.items] == [sales.user_principal_name]


def test_a_name_with_an_apostrophe_is_found_in_reverse(ask: Ask, tenant: Tenant) -> None:
    oneill = an_account(tenant, "o'neill")
    an_account(tenant, "sales", type="SharedMailbox", send_on_behalf=[oneill.object_id])

    section = ask(of_account(oneill.object_id, "can_send_on_behalf")).account.can_send_on_behalf

    assert section is not None
    assert section.total == 1


def test_what_was_not_enumerated_is_named(ask: Ask, tenant: Tenant, mallory: Account) -> None:
    for number in range(3):
        an_account(tenant, f"shared{number}", type="SharedMailbox", full_access=[mallory.object_id])

    section = ask(of_account(mallory.object_id, "can_open", most_checks=2)).account.can_open

    assert section is not None
    assert (section.total, tenant.counters["exchange.Get-MailboxPermission"]) == (2, 2)
    assert section.not_enumerated == (
        "FullAccess to shared mailboxes after the first 2",
        "FullAccess to mailboxes that are not shared",
        "access through a group",
    )


def in_german(tenant: Tenant, mallory: Account) -> Account:
    """A mailbox whose inbox has another name; Mallory may read it."""
    rights = {"\\Inbox": {mallory.object_id: ["Reviewer"]}}
    return an_account(tenant, "alex.a", renamed={"\\Inbox": "\\Posteingang"}, folders=rights)


def test_a_folder_in_another_language_is_found_by_its_type(ask: Ask, tenant: Tenant, mallory: Account) -> None:
    section = ask(of_account(in_german(tenant, mallory).object_id, "folder_permissions")).account.folder_permissions

    assert section is not None
    assert [(each.folder, each.rights) for each in section.items] == [("\\Posteingang (Inbox)", ("Reviewer",))]
    assert section.not_enumerated == ("other folders",)


def test_without_its_cmdlet_a_folder_in_another_language_is_named_as_not_enumerated(
    ask: Ask, tenant: Tenant, mallory: Account, control: SandboxClient
) -> None:
    control.settings(withheld_cmdlets=["Get-MailboxFolderStatistics"])
    alex = in_german(tenant, mallory)

    section = ask(of_account(alex.object_id, "folder_permissions")).account.folder_permissions

    assert section is not None
    assert (section.error, len(section.not_enumerated)) == (None, 3)
    assert section.not_enumerated[:2] == (
        "folders with names of another language: Get-MailboxFolderStatistics could not be run",
        "the folder Inbox, which has another name in this mailbox",
    )


NEEDS = {
    "mailbox": "Get-Mailbox",
    "inbox_rules": "Get-InboxRule",
    "opened_by": "Get-MailboxPermission",
    "sent_as_by": "Get-RecipientPermission",
    "folder_permissions": "Get-MailboxFolderPermission",
    "can_send_as": "Get-RecipientPermission",
    "can_send_on_behalf": "Get-Mailbox",
    "can_open": "Get-EXOMailbox",
}


@pytest.mark.parametrize("cmdlet", sorted({*NEEDS.values()}))
def test_a_missing_cmdlet_makes_only_its_sections_unavailable_and_is_named(
    ask: Ask, control: SandboxClient, mallory: Account, cmdlet: str
) -> None:
    control.settings(withheld_cmdlets=[cmdlet])

    answered = ask(of_account(mallory.object_id, *ALL))
    failed = {name for name in ALL if getattr(answered.account, name).error}

    assert failed == {name for name, needed in NEEDS.items() if needed == cmdlet}
    assert {getattr(answered.account, name).error_class for name in failed} == {"permission"}
    assert (answered.result.outcome, answered.result.complete) == ("read", False)


def test_the_worker_names_the_cmdlet_that_is_missing(reads: Function, control: SandboxClient, mallory: Account) -> None:
    control.settings(withheld_cmdlets=["Get-InboxRule"])

    result = by_powershell(reads)(of_account(mallory.object_id, "inbox_rules")).result

    assert "inbox_rules: The worker's identity may not run Get-InboxRule" in str(result.partial)


def test_an_account_without_a_mailbox_has_empty_sections_and_says_so(ask: Ask, tenant: Tenant) -> None:
    guest = Account.named("guest", user_type="Guest")
    tenant.add([guest])

    account = ask(of_account(guest.object_id, "mailbox", "inbox_rules")).account

    assert account.mailbox is not None
    assert (account.mailbox.items, account.mailbox.error) == ((), None)
    assert account.mailbox.not_enumerated == ("Exchange finds no mailbox of this account",)


def test_an_account_that_exchange_does_not_know_is_not_found(ask: Ask) -> None:
    result = ask(of_account("11111111-2222-4333-8444-555555555555", "mailbox")).result

    assert (result.outcome, result.error_class, result.blob) == ("not_found", "not_found", None)


def test_more_than_the_bound_are_counted(ask: Ask, tenant: Tenant) -> None:
    alex = an_account(tenant, "alex.a", rules=[Rule(id=str(number), name="r") for number in range(5)])

    section = ask(of_account(alex.object_id, "inbox_rules", most_items=2)).account.inbox_rules

    assert section is not None
    assert (len(section.items), section.total) == (2, 5)


def test_an_unknown_identity_that_returns_every_object_is_no_answer(
    reads: Function, mallory: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"Identity": name, "Trustee": "x", "AccessRights": ["SendAs"], "IsInherited": False} for name in ("a", "b")]
    monkeypatch.setitem(exchange._CMDLETS, "Get-RecipientPermission", lambda *_: (rows, []))

    section = by_powershell(reads)(of_account(mallory.object_id, "sent_as_by")).account.sent_as_by

    assert section is not None
    assert (section.items, section.error_class) == ((), "other")


def test_the_organization_is_read(ask: Ask, tenant: Tenant) -> None:
    answered = ask(a_read("read_organization", most_items=2000))
    read = answered.organization

    assert answered.result.complete
    [switches] = read.switches.items
    assert (switches.audit_disabled, switches.unified_audit_log_ingestion_enabled) == (False, True)
    able = {(each.role, each.assignee, each.delegating) for each in read.assignments.items if each.can_bypass}
    assert ("Audit Logs", "Organization Management", True) in able
    assert {(each.group, each.object_id is None) for each in read.members.items} == {
        ("Organization Management", False),
        ("Mailbox Audit Bypass Responder", True),
    }
    entries = {(each.role, each.cmdlet) for each in read.own_entries.items}
    assert ("Mailbox Audit Bypass Responder Changes - Mail Recipients", "Set-Mailbox") in entries


@pytest.mark.parametrize(
    ("cmdlet", "failed"),
    [
        ("Get-ManagementRole", {"assignments", "members", "own_entries"}),
        ("Get-RoleGroupMember", {"members"}),
        ("Get-ManagementRoleEntry", {"own_entries"}),
    ],
)
def test_without_a_cmdlet_about_roles_the_switches_are_still_read(
    ask: Ask, control: SandboxClient, tenant: Tenant, cmdlet: str, failed: set[str]
) -> None:
    control.settings(withheld_cmdlets=[cmdlet])

    read = ask(a_read("read_organization", most_items=2000)).organization

    assert {name for name, section in read if section.error} == failed


@pytest.mark.slow
def test_a_bypass_is_removed_while_a_shard_is_read(
    reads: Function, commands: Function, tenant: Tenant, control: SandboxClient, alex: Account
) -> None:
    answer_to(commands, a_command(object_id=alex.object_id))
    alex.audit_bypass_enabled = True
    control.fault("latency", "exchange.Get-EXOMailbox", seconds=5)

    with ThreadPoolExecutor() as pool:
        running = pool.submit(by_powershell(reads), of_shard("user"))
        result = answer_to(commands, a_command(object_id=alex.object_id))
        read_was_running = not running.done()

    assert (result.outcome, read_was_running) == ("verified", True)


def test_commands_as_the_responder_would_write_them_are_understood(ask: Ask, tenant: Tenant, mallory: Account) -> None:
    commands = [
        of_account(mallory.object_id, "mailbox"),
        a_read("read_organization", most_items=10),
        of_shard("other"),
        a_read("record_mailbox", object_id=mallory.object_id),
    ]

    for command in commands:
        written = READ_COMMAND.validate_python(command).model_dump(mode="json")
        assert ask(written).result.outcome in {"read", "recorded"}


ALEX_ID = "11111111-2222-4333-8444-555555555555"
BAD: list[tuple[dict[str, Any], str]] = [
    ({"kind": "disable_bypass"}, "kind"),
    ({"not_after": "2026-01-01T00:00:00Z"}, "expired"),
    ({"schema_version": 2}, "schema_version"),
    ({"tenant_id": "11111111-2222-4333-8444-555555555555"}, "tenant"),
    ({"object_id": "alex"}, "object_id"),
    ({"sections": []}, "sections"),
    ({"sections": ["mail"]}, "sections"),
    ({"most_items": 0}, "most_items"),
    ({"most_seconds": 601}, "most_seconds"),
    ({"identity": "alex"}, "identity"),
]


@pytest.mark.parametrize(("changed", "reason"), BAD)
def test_a_read_that_is_not_right_is_refused(ask: Ask, tenant: Tenant, changed: dict[str, Any], reason: str) -> None:
    answered = ask(of_account(ALEX_ID, "mailbox") | changed)

    assert (answered.result.outcome, answered.content) == ("refused", None)
    assert reason in str(answered.result.error)
    assert not [name for name in tenant.counters if name.startswith("exchange.")]


def test_nothing_but_a_change_changes_anything(ask: Ask, tenant: Tenant, mallory: Account) -> None:
    for command in (of_account(mallory.object_id, *ALL), a_read("read_organization", most_items=9), of_shard("user")):
        ask(command)
    ask(a_read("record_mailbox", object_id=mallory.object_id))

    assert tenant.journal == []
