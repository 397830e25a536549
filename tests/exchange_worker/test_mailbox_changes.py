"""Changes of mailboxes and their undo, by ExchangeReads and its stand-in: each fact holds for both."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.exchange_online import Function
from sandbox.tenant.account import Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.mailbox import DEFAULT_SET, Mailbox
from sandbox.tenant.state import Tenant
from tests.exchange_worker.reads import MESSAGE, Answered, Ask, a_read, an_account, by_powershell


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
