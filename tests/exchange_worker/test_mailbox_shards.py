"""The shards of the read of all mailboxes: each fact holds for ExchangeReads and its stand-in."""

from __future__ import annotations

import hashlib
from typing import Any, cast

import pytest

from sandbox.tenant import exchange
from sandbox.tenant.account import Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.exchange_rows import Rows
from sandbox.tenant.state import Tenant
from tests.exchange_worker.reads import MESSAGE, Ask, an_account, of_shard


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
