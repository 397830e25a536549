"""The function ExchangeReads, and its stand-in: each fact holds for both."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from bypass_responder.model.account_read import AccountSection
from bypass_responder.model.exchange_read import READ_COMMAND
from sandbox.exchange_online import Function
from sandbox.tenant import exchange
from sandbox.tenant.account import Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.exchange_rows import Rows
from sandbox.tenant.mailbox import DEFAULT_SET, Mailbox, Rule
from sandbox.tenant.state import Tenant
from tests.exchange_worker.commands import a_command, settings
from tests.exchange_worker.commands import ask as answer_to
from tests.exchange_worker.reads import (
    MESSAGE,
    Answered,
    Ask,
    a_read,
    by_powershell,
    by_python,
    of_account,
    of_shard,
)

ALL = tuple(AccountSection)


@pytest.fixture(scope="session")
def reads(served: tuple[Tenant, str]) -> Iterator[Function]:
    """The function ExchangeReads."""
    with Function("ExchangeReads", environment=settings(served[1])) as function:
        yield function


@pytest.fixture(params=["powershell", "python"])
def ask(request: pytest.FixtureRequest, tenant: Tenant, served: tuple[Tenant, str]) -> Ask:
    if request.param == "powershell":
        return by_powershell(request.getfixturevalue("reads"))
    return lambda command, *, record=None, ended=None, deliveries=1: asyncio.run(
        by_python(served[1], command, record, ended, deliveries)
    )


def an_account(tenant: Tenant, alias: str, **mailbox: Any) -> Account:
    """An account with a mailbox of its own."""
    account = Account.named(alias, exchange_name=alias, mailbox=Mailbox(**mailbox))
    tenant.add([account])
    return account


@pytest.fixture
def mallory(tenant: Tenant) -> Account:
    return an_account(tenant, "mallory.m")


# ---- an account


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


def test_a_folder_in_another_language_is_named_as_not_enumerated(ask: Ask, tenant: Tenant) -> None:
    alex = an_account(tenant, "alex.a", renamed=["\\Inbox"])

    section = ask(of_account(alex.object_id, "folder_permissions")).account.folder_permissions

    assert section is not None
    assert (section.error, section.not_enumerated[0]) == (
        None,
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


# ---- the organization


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


# ---- mailboxes


def test_each_type_is_in_exactly_one_shard(ask: Ask, tenant: Tenant) -> None:
    tenant.accounts = {}
    types = {
        "user": "UserMailbox",
        "shared": "SharedMailbox",
        "room": "RoomMailbox",
        "discovery": "DiscoveryMailbox",
        "team": "GroupMailbox",
        "folders": "PublicFolderMailbox",
    }
    for alias, kind in types.items():
        an_account(tenant, alias, type=kind)

    shards = {
        each: set(ask(of_shard(each)).mailboxes) for each in ("user", "shared", "other", "group", "public_folder")
    }

    assert shards == {
        "user": {"user"},
        "shared": {"shared"},
        "other": {"room", "discovery"},
        "group": {"team"},
        "public_folder": {"folders"},
    }


def test_a_range_of_creation_has_its_first_moment_and_not_its_last(ask: Ask, tenant: Tenant) -> None:
    tenant.accounts = {}
    for day in range(1, 6):
        an_account(tenant, f"day{day}", created_at=f"2026-03-{day:02d}T00:00:00+00:00")

    found = ask(of_shard("user", since="2026-03-02T00:00:00Z", until="2026-03-04T00:00:00Z"))

    assert set(found.mailboxes) == {"day2", "day3"}
    assert (found.result.complete, found.result.rows) == (True, 2)


def test_what_a_mailbox_audits_is_read_as_exchange_has_it(ask: Ask, tenant: Tenant) -> None:
    tenant.accounts = {}
    account = an_account(
        tenant, "zoë", capabilities=["M365Auditing"], age_limit="180.00:00:00", actions={"Admin": ["Copy", "NewAction"]}
    )

    [row] = ask(of_shard("user")).mailboxes.values()

    assert (row.object_id, row.exchange_guid, row.type) == (account.object_id, account.exchange_guid, "UserMailbox")
    assert (row.upn, row.capabilities) == (account.user_principal_name, ("M365Auditing",))
    assert (row.audit.default_set, row.audit.admin) == (("Delegate", "Owner"), ("Copy", "NewAction"))
    assert (row.audit.enabled, row.audit.age_limit) == (True, "180.00:00:00")


def test_a_shard_with_more_rows_than_the_bound_says_so(ask: Ask, tenant: Tenant) -> None:
    tenant.accounts = {}
    tenant.add(Account.named(f"user{number}") for number in range(12))

    result = ask(of_shard("user", most_rows=10)).result

    assert (result.outcome, result.complete, result.rows) == ("read", False, 10)
    assert result.partial == "the shard has more than 10 mailboxes"


def test_a_thousand_and_more_are_read_in_one_call(ask: Ask, tenant: Tenant) -> None:
    tenant.accounts = {}
    tenant.add(Account.named(f"user{number}") for number in range(1500))

    answered = ask(of_shard("user"))

    assert len(answered.mailboxes) == 1500
    assert answered.result.sha256 == hashlib.sha256(answered.content or b"").hexdigest()
    assert answered.result.blob == f"{MESSAGE}.jsonl.gz"


def test_a_shard_that_breaks_off_is_started_again_from_the_first_row(
    ask: Ask, tenant: Tenant, control: SandboxClient
) -> None:
    tenant.accounts = {}
    tenant.add(Account.named(f"user{number}") for number in range(2500))
    control.fault("server_error", "exchange.Get-EXOMailbox", skip=1)

    result = ask(of_shard("user")).result

    assert (result.rows, result.complete) == (2500, True)


def test_a_warning_makes_a_shard_incomplete(ask: Ask, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    run = exchange._CMDLETS["Get-EXOMailbox"]

    def warn(*given: Any) -> Any:
        rows, _ = cast("tuple[Rows, list[str]]", run(*given))
        return rows, ["Partial."]

    monkeypatch.setitem(exchange._CMDLETS, "Get-EXOMailbox", warn)

    result = ask(of_shard("user")).result

    assert (result.complete, result.warnings) == (False, ("Partial.",))


def test_the_bypassed_are_a_shard_of_their_own(ask: Ask, tenant: Tenant, alex: Account) -> None:
    answered = ask(of_shard("bypassed"))

    assert answered.rows == [
        {"object_id": alex.object_id, "exchange_guid": alex.exchange_guid, "name": alex.exchange_name}
    ]


def test_no_cmdlet_is_called_for_a_single_mailbox(ask: Ask, tenant: Tenant) -> None:
    tenant.accounts = {}
    tenant.add(Account.named(f"user{number}") for number in range(50))

    ask(of_shard("user"))

    calls = {name: count for name, count in tenant.counters.items() if name.startswith("exchange.")}
    assert calls == {"exchange.Get-EXOMailbox": 1}


# ---- commands


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


# ---- changes


def audited(tenant: Tenant, account: Account) -> Mailbox:
    mailbox = tenant.accounts[account.object_id].mailbox
    assert mailbox
    return mailbox


def change(ask: Ask, account: Account, **given: Any) -> tuple[Answered, Answered]:
    """Record, then apply: both answers."""
    recorded = ask(a_read("record_mailbox", object_id=account.object_id))
    expected = given.pop("expected", None) or recorded.result.model_dump(mode="json")["before"]
    fields = {"record": MESSAGE, "expected": expected, "change": None, "undo": False} | given
    applied = ask(a_read("apply_mailbox", object_id=account.object_id, **fields), record=recorded.record)
    return recorded, applied


def a_change(**given: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"enable": None, "age_limit_days": None, "default_set": []}
    return empty | {"admin": [], "delegate": [], "owner": []} | given


def test_a_record_is_made_at_the_first_delivery_only(ask: Ask, tenant: Tenant) -> None:
    """The change may have followed by then, and an undo would go back to what was changed."""
    alex = an_account(tenant, "alex.a", actions={"Owner": ["Update"]})

    again = ask(a_read("record_mailbox", object_id=alex.object_id), deliveries=2)

    assert (again.result.outcome, again.result.error_class, again.record) == ("refused", "transient", None)


def test_the_answers_name_the_mailbox_as_the_records_of_the_change_do(ask: Ask, tenant: Tenant) -> None:
    alex = an_account(tenant, "alex.a", actions={"Owner": ["Update"]})

    recorded, applied = change(ask, alex, change=a_change(default_set=["Owner"]))
    [blob] = tenant.feed.blobs.values()
    [record] = json.loads(blob.body)

    assert {"Name": "Identity", "Value": alex.exchange_guid} in record["Parameters"]
    assert {"Name": "DefaultAuditSet", "Value": "Owner"} in record["Parameters"]
    assert (recorded.result.exchange_guid, applied.result.exchange_guid) == (alex.exchange_guid, alex.exchange_guid)


@pytest.mark.parametrize("deliveries", [1, 3])
def test_an_answer_says_how_often_its_command_was_delivered(ask: Ask, tenant: Tenant, deliveries: int) -> None:
    """An earlier worker may have changed something, and died before it answered."""
    alex = an_account(tenant, "alex.a")

    answered = ask(a_read("record_mailbox", object_id=alex.object_id), deliveries=deliveries)

    assert answered.result.deliveries == deliveries


def test_a_pinned_logon_type_returns_to_the_default_set(ask: Ask, tenant: Tenant) -> None:
    alex = an_account(tenant, "alex.a", actions={"Owner": ["Update"]})

    _, applied = change(ask, alex, change=a_change(default_set=["Owner"]))

    assert applied.result.outcome == "applied"
    assert applied.result.before is not None
    assert applied.result.after is not None
    assert (applied.result.before.owner, applied.result.after.default_set) == (
        ("Update",),
        ("Admin", "Delegate", "Owner"),
    )
    assert audited(tenant, alex).actions == {}


def test_actions_are_added_and_none_is_lost(ask: Ask, tenant: Tenant) -> None:
    alex = an_account(tenant, "alex.a", actions={"Owner": ["Update"]})

    _, applied = change(ask, alex, change=a_change(owner=["MailboxLogin"], age_limit_days=180))

    assert applied.result.outcome == "applied"
    assert audited(tenant, alex).actions == {"Owner": ["Update", "MailboxLogin"]}
    assert audited(tenant, alex).age_limit == "180.00:00:00"


def test_what_is_so_already_is_not_set(ask: Ask, tenant: Tenant) -> None:
    alex = an_account(tenant, "alex.a")

    _, applied = change(ask, alex, change=a_change(default_set=["Owner"], enable=True))

    assert applied.result.outcome == "already"
    assert tenant.counters["exchange.Set-Mailbox"] == 0


@pytest.mark.parametrize(
    ("before", "given", "lost"),
    [
        ({"actions": {"Owner": ["Update", "MailboxLogin"]}}, {"default_set": ["Owner"]}, "MailboxLogin (Owner)"),
        ({"age_limit": "365.00:00:00"}, {"age_limit_days": 90}, "AuditLogAgeLimit"),
    ],
)
def test_what_would_audit_less_is_refused(
    ask: Ask, tenant: Tenant, before: dict[str, Any], given: dict[str, Any], lost: str
) -> None:
    alex = an_account(tenant, "alex.a", **before)

    _, applied = change(ask, alex, change=a_change(**given))

    assert (applied.result.outcome, tenant.counters["exchange.Set-Mailbox"]) == ("refused", 0)
    assert lost in str(applied.result.error)


def test_a_legacy_action_that_its_successor_covers_is_no_loss(ask: Ask, tenant: Tenant) -> None:
    alex = an_account(tenant, "alex.a", actions={"Admin": ["AddFolderPermissions", "Update"]})

    _, applied = change(ask, alex, change=a_change(default_set=["Admin"]))

    assert applied.result.outcome == "applied"


def test_what_could_not_be_undone_is_refused(ask: Ask, tenant: Tenant) -> None:
    """Set-Mailbox accepts MessageBind no more. Another logon type of the mailbox can be changed."""
    alex = an_account(tenant, "alex.a", actions={"Admin": ["MessageBind", "Update"], "Owner": ["Update"]})

    _, refused = change(ask, alex, change=a_change(default_set=["Admin"]))
    _, applied = change(ask, alex, change=a_change(default_set=["Owner"]))

    assert (refused.result.outcome, applied.result.outcome) == ("refused", "applied")
    assert "MessageBind" in str(refused.result.error)


def test_a_default_set_that_has_less_than_the_list_is_set_back_at_once(
    ask: Ask, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The set that Exchange gives depends on license and cloud."""
    alex = an_account(tenant, "alex.a", actions={"Owner": ["Update", "MailItemsAccessed"]})
    was = audited(tenant, alex).model_copy(deep=True)
    monkeypatch.setitem(
        DEFAULT_SET, "Owner", tuple(each for each in DEFAULT_SET["Owner"] if each != "MailItemsAccessed")
    )

    _, applied = change(ask, alex, change=a_change(default_set=["Owner"]))

    assert (applied.result.outcome, audited(tenant, alex)) == ("reverted", was)
    assert "MailItemsAccessed (Owner)" in str(applied.result.error)
    assert applied.ended == "undo"


def test_a_mailbox_that_is_not_as_expected_is_left_alone(ask: Ask, tenant: Tenant) -> None:
    alex = an_account(tenant, "alex.a", actions={"Owner": ["Update"]})
    other = {"enabled": True, "age_limit": "90.00:00:00", "default_set": [], "admin": [], "delegate": [], "owner": []}

    _, applied = change(ask, alex, change=a_change(default_set=["Owner"]), expected=other)

    assert (applied.result.outcome, tenant.counters["exchange.Set-Mailbox"]) == ("changed", 0)
    assert applied.result.before is not None


def test_without_a_record_nothing_is_set(ask: Ask, tenant: Tenant) -> None:
    alex = an_account(tenant, "alex.a", actions={"Owner": ["Update"]})
    blake = an_account(tenant, "blake.b")
    recorded = ask(a_read("record_mailbox", object_id=blake.object_id))
    fields = {"record": MESSAGE, "expected": recorded.result.model_dump(mode="json")["before"], "undo": False}
    command = a_read("apply_mailbox", object_id=alex.object_id, change=a_change(default_set=["Owner"]), **fields)

    outcomes = [ask(command, record=record).result.outcome for record in (None, recorded.record)]

    assert (outcomes, tenant.counters["exchange.Set-Mailbox"]) == (["refused", "refused"], 0)


@pytest.mark.parametrize(
    ("before", "given"),
    [
        ({"actions": {"Owner": ["Update"], "Admin": []}}, {"default_set": ["Owner", "Admin"]}),
        ({"actions": {"Owner": ["Update"]}}, {"owner": ["MailboxLogin"]}),
        ({}, {"delegate": ["FolderBind"], "age_limit_days": 365}),
        ({"enabled": False}, {"enable": True}),
    ],
)
def test_an_undo_ends_in_exactly_the_state_before(
    ask: Ask, tenant: Tenant, before: dict[str, Any], given: dict[str, Any]
) -> None:
    """It may audit less: that is what was recorded."""
    alex = an_account(tenant, "alex.a", **before)
    was = audited(tenant, alex).model_copy(deep=True)
    recorded, applied = change(ask, alex, change=a_change(**given))
    changed = applied.result.model_dump(mode="json")["after"]
    fields = {"record": MESSAGE, "expected": changed, "change": None, "undo": True}

    undone = ask(a_read("apply_mailbox", object_id=alex.object_id, **fields), record=recorded.record)

    assert (applied.result.outcome, undone.result.outcome) == ("applied", "applied")
    assert audited(tenant, alex) == was


def test_an_undo_of_what_somebody_changed_since_is_left_alone(ask: Ask, tenant: Tenant) -> None:
    alex = an_account(tenant, "alex.a", actions={"Owner": ["Update"]})
    recorded, applied = change(ask, alex, change=a_change(default_set=["Owner"]))
    tenant.accounts[alex.object_id].mailbox = audited(tenant, alex).model_copy(update={"age_limit": "200.00:00:00"})
    fields = {"record": MESSAGE, "expected": applied.result.model_dump(mode="json")["after"], "change": None}

    undone = ask(a_read("apply_mailbox", object_id=alex.object_id, undo=True, **fields), record=recorded.record)

    assert undone.result.outcome == "changed"


def test_a_change_that_is_delivered_again_after_its_undo_changes_nothing(ask: Ask, tenant: Tenant) -> None:
    """The worker died before the queue forgot the message; by then somebody had the change undone."""
    alex = an_account(tenant, "alex.a", actions={"Owner": ["Update"]})
    was = audited(tenant, alex).model_copy(deep=True)
    recorded = ask(a_read("record_mailbox", object_id=alex.object_id))
    before = recorded.result.model_dump(mode="json")["before"]
    given = {"object_id": alex.object_id, "record": MESSAGE}
    apply = a_read("apply_mailbox", **given, expected=before, change=a_change(default_set=["Owner"]), undo=False)
    applied = ask(apply, record=recorded.record)
    changed = applied.result.model_dump(mode="json")["after"]
    undo = a_read("apply_mailbox", **given, expected=changed, change=None, undo=True)
    undone = ask(undo, record=recorded.record, ended=applied.ended)

    again = ask(apply, record=recorded.record, ended=undone.ended, deliveries=2)

    assert (applied.ended, undone.ended, again.ended) == ("apply", "undo", None)
    assert again.result.outcome == "changed"
    assert audited(tenant, alex) == was


@pytest.mark.parametrize(("ended", "undo"), [("apply", False), ("undo", False), ("undo", True)])
def test_what_has_ended_is_not_made_again_after_another_change(
    ask: Ask, tenant: Tenant, ended: str, undo: bool
) -> None:
    """The mailbox is as before the change, or as before the undo, because somebody made it so."""
    alex = an_account(tenant, "alex.a", actions={"Owner": ["Update"]})
    recorded, applied = change(ask, alex, change=a_change(default_set=["Owner"]))
    [one, other] = [recorded.result, applied.result]
    expected = (other.model_dump(mode="json")["after"]) if undo else one.model_dump(mode="json")["before"]
    if not undo:
        tenant.accounts[alex.object_id].mailbox = audited(tenant, alex).model_copy(
            update={"actions": {"Owner": ["Update"]}}
        )
    was = audited(tenant, alex).model_copy(deep=True)
    wanted = None if undo else a_change(default_set=["Owner"])
    command = a_read("apply_mailbox", object_id=alex.object_id, record=MESSAGE, expected=expected, change=wanted)

    again = ask(command | {"undo": undo}, record=recorded.record, ended=ended)

    assert (again.result.outcome, audited(tenant, alex)) == ("changed", was)


def test_an_end_that_the_mailbox_shows_is_answered_as_before(ask: Ask, tenant: Tenant) -> None:
    alex = an_account(tenant, "alex.a", actions={"Owner": ["Update"]})
    recorded, applied = change(ask, alex, change=a_change(default_set=["Owner"]))
    expected = recorded.result.model_dump(mode="json")["before"]
    fields = {"record": MESSAGE, "expected": expected, "change": a_change(default_set=["Owner"]), "undo": False}

    again = ask(
        a_read("apply_mailbox", object_id=alex.object_id, **fields), record=recorded.record, ended=applied.ended
    )

    assert (again.result.outcome, tenant.counters["exchange.Set-Mailbox"]) == ("already", 1)


def test_without_the_right_a_change_fails_and_names_the_cmdlet(
    reads: Function, tenant: Tenant, control: SandboxClient
) -> None:
    control.settings(withheld_cmdlets=["Set-Mailbox"])
    alex = an_account(tenant, "alex.a", actions={"Owner": ["Update"]})

    _, applied = change(by_powershell(reads), alex, change=a_change(default_set=["Owner"]))

    assert (applied.result.outcome, applied.result.error_class) == ("failed", "permission")
    assert "Set-Mailbox" in str(applied.result.error)


@pytest.mark.parametrize(
    "changed",
    [
        {"change": None, "undo": False},
        {"undo": True},
        {"record": "none"},
        {"expected": None},
        {"change": {"enable": False}},
        {"change": {"forwarding": "x"}},
        {"change": {"owner": ["Update; Remove-Mailbox"]}},
        {"change": {"default_set": ["Everybody"]}},
        {"change": {"age_limit_days": 0}},
    ],
)
def test_a_change_that_is_not_right_is_refused(ask: Ask, tenant: Tenant, changed: dict[str, Any]) -> None:
    alex = an_account(tenant, "alex.a", actions={"Owner": ["Update"]})
    recorded = ask(a_read("record_mailbox", object_id=alex.object_id))
    before = recorded.result.model_dump(mode="json")["before"]
    fields = {"record": MESSAGE, "expected": before, "change": a_change(default_set=["Owner"]), "undo": False}

    answered = ask(a_read("apply_mailbox", object_id=alex.object_id, **(fields | changed)), record=recorded.record)

    assert (answered.result.outcome, tenant.counters["exchange.Set-Mailbox"]) == ("refused", 0)
