"""The stand-in Exchange: its quirks are the ones that a worker must survive."""

from __future__ import annotations

import httpx
import pytest

from sandbox.tenant.account import DOMAIN, Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.state import Tenant
from sandbox.worker import ExchangeCalls
from sandbox.worker.exchange import CmdletError

GET, SET = "Get-MailboxAuditBypassAssociation", "Set-MailboxAuditBypassAssociation"
ALEX = f"alex@{DOMAIN}"


def named(tenant: Tenant, upn: str) -> Account:
    account = tenant.find(upn)
    assert account
    return account


def test_the_exchange_guid_is_not_the_entra_id(tenant: Tenant) -> None:
    assert not {a.exchange_guid for a in tenant.accounts.values()} & set(tenant.accounts)


@pytest.mark.parametrize("identity", [None, "", "nobody", "00000000-0000-0000-0000-000000000000"])
async def test_an_unknown_identity_returns_every_object(
    exchange: ExchangeCalls, tenant: Tenant, identity: str | None
) -> None:
    rows = await exchange.run(GET, Identity=identity)

    assert len(rows) == len(tenant.accounts)


async def test_a_thousand_rows_unless_unlimited(exchange: ExchangeCalls, tenant: Tenant) -> None:
    tenant.add(Account.named(f"person{number}") for number in range(1200))

    limited, unlimited = await exchange.run(GET), await exchange.run(GET, ResultSize="Unlimited")

    assert (len(limited), len(unlimited)) == (1000, len(tenant.accounts))


async def test_the_output_names_the_object_but_not_its_upn(exchange: ExchangeCalls, tenant: Tenant) -> None:
    [row] = await exchange.run(GET, Identity=ALEX)

    assert row["Identity"] == row["Name"] == named(tenant, ALEX).object_id
    assert ALEX not in row.values()


async def test_a_write_is_not_read_until_it_has_replicated(
    exchange: ExchangeCalls, tenant: Tenant, control: SandboxClient
) -> None:
    named(tenant, ALEX).audit_bypass_enabled = True
    control.settings(exchange_delay_seconds=60)

    await exchange.run(SET, Identity=ALEX, AuditBypassEnabled=False)

    [row] = await exchange.run(GET, Identity=ALEX)
    assert row["AuditBypassEnabled"] is True
    assert control.account(ALEX)["audit_bypass_enabled"] is False


async def test_a_write_leaves_an_audit_record_of_the_caller(exchange: ExchangeCalls, tenant: Tenant) -> None:
    worker = tenant.identities["sandbox-worker"]

    await exchange.run(SET, Identity=ALEX, AuditBypassEnabled=False)

    [blob] = tenant.feed.blobs.values()
    [record] = httpx.Response(200, content=blob.body).json()
    assert (record["AppId"], record["TokenObjectId"]) == (worker.client_id, worker.object_id)
    assert {p["Name"]: p["Value"] for p in record["Parameters"]} == {"AuditBypassEnabled": "False", "Identity": ALEX}


async def test_a_write_that_changes_nothing_is_not_in_the_journal(exchange: ExchangeCalls, tenant: Tenant) -> None:
    await exchange.run(SET, Identity=ALEX, AuditBypassEnabled=False)

    assert tenant.journal == []


async def test_a_name_of_two_objects_is_refused_by_a_write(exchange: ExchangeCalls) -> None:
    with pytest.raises(CmdletError) as caught:
        await exchange.run(SET, Identity="seconduser", AuditBypassEnabled=False)

    assert caught.value.ambiguous


async def test_a_name_of_two_objects_is_read_as_both(exchange: ExchangeCalls) -> None:
    assert len(await exchange.run("Get-User", Identity="seconduser")) == 2


async def test_an_entra_id_that_became_anothers_name_means_both(exchange: ExchangeCalls, tenant: Tenant) -> None:
    alex = named(tenant, ALEX)
    named(tenant, f"adele@{DOMAIN}").exchange_name = alex.object_id

    assert len(await exchange.run("Get-User", Identity=alex.object_id)) == 2
    assert len(await exchange.run("Get-User", Filter=f"ExternalDirectoryObjectId -eq '{alex.object_id}'")) == 1


async def test_an_unknown_cmdlet_is_a_missing_permission(exchange: ExchangeCalls) -> None:
    with pytest.raises(CmdletError) as caught:
        await exchange.run("Remove-Mailbox", Identity=ALEX)

    assert caught.value.error_class == "permission"


async def test_a_transient_exception_is_tried_again(exchange: ExchangeCalls, control: SandboxClient) -> None:
    control.fault("exception", "exchange.*", times=2, name="DCOverloadedException")

    assert len(await exchange.run(GET, Identity=ALEX)) == 1


async def test_the_organization_switches_can_be_read(exchange: ExchangeCalls, control: SandboxClient) -> None:
    control.settings(audit_disabled=True)

    [organization] = await exchange.run("Get-OrganizationConfig")
    [log] = await exchange.run("Get-AdminAuditLogConfig")

    assert (organization["AuditDisabled"], log["UnifiedAuditLogIngestionEnabled"]) == (True, True)
