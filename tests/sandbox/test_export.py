"""The tenant that an export speaks of."""

from __future__ import annotations

from typing import Any

from sandbox.export import accounts_for_records
from sandbox.tenant.account import Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.records import bypass_record
from sandbox.tenant.settings import Settings

TARGET = Account.named("alex", object_id="a88ae17c-f562-4c1f-a377-8910b6847d76")
SETTINGS = Settings(tenant_id="8d4121ed-0008-406d-bff9-0d5bb312183c")


def a_record(target: Account = TARGET, actor: str = "mallory@contoso.onmicrosoft.com", **other: Any) -> dict[str, Any]:
    return bypass_record(SETTINGS, target, actor, **other)


def named(records: list[dict[str, Any]], upn: str) -> Account:
    [account] = [a for a in accounts_for_records(records).accounts if a.user_principal_name == upn]
    return account


def test_the_organization_is_the_tenant() -> None:
    assert accounts_for_records([a_record()]).tenant_id == SETTINGS.tenant_id


def test_the_target_has_its_ids_and_is_bypassed() -> None:
    target = named([a_record()], TARGET.user_principal_name)

    assert (target.object_id, target.audit_bypass_enabled) == (TARGET.object_id, True)


def test_the_actor_is_an_account_that_is_not_bypassed() -> None:
    assert named([a_record()], "mallory@contoso.onmicrosoft.com").audit_bypass_enabled is False


def test_an_actor_who_is_a_target_is_one_account() -> None:
    records = [a_record(actor=TARGET.user_principal_name)]

    assert [account.object_id for account in accounts_for_records(records).accounts] == [TARGET.object_id]


def test_the_last_successful_record_decides() -> None:
    on, off = a_record(CreationTime="2026-01-01T10:00:00"), a_record(switch="False", CreationTime="2026-01-01T11:00:00")

    assert named([off, on], TARGET.user_principal_name).audit_bypass_enabled is False


def test_a_failed_attempt_left_nothing_on() -> None:
    assert named([a_record(ResultStatus="False")], TARGET.user_principal_name).audit_bypass_enabled is False


def test_an_old_style_name_is_the_exchange_name() -> None:
    old = Account.named("megan", exchange_name="megan")

    assert named([a_record(old)], old.user_principal_name).exchange_name == "megan"


def test_what_is_no_bypass_record_is_passed_over() -> None:
    broken = [{"Operation": "Set-Mailbox"}, a_record(Parameters="text"), a_record(Parameters=[1]), {}]

    assert accounts_for_records(broken).accounts == []


def test_a_tenant_takes_the_accounts_over_the_control_plane(control: SandboxClient) -> None:
    recorded = accounts_for_records([a_record()])

    control.settings(tenant_id=recorded.tenant_id, domain=recorded.domain)
    control.accounts([account.model_dump(mode="json") for account in recorded.accounts], replace=True)

    state = control.state()
    assert state["tenant_id"] == recorded.tenant_id
    assert {a["object_id"] for a in state["accounts"] if a["audit_bypass_enabled"]} == {TARGET.object_id}
    assert state["journal"] == []
