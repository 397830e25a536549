"""Advanced hunting of the stand-in tenant: which rows a query finds, and in which spelling."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.tenant.client import SandboxClient
from sandbox.tenant.hunting import PERMISSION
from sandbox.tenant.identity import GRAPH, RESPONDER_SECRET
from sandbox.tenant.server import serving
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant

TABLE = 'CloudAppEvents\n| where ActionType in~ ("Set-MailboxAuditBypassAssociation")\n| take 5000'


@pytest.fixture
def tenant() -> Tenant:
    tenant = Tenant(settings=Settings(hunting_delay_seconds=0))
    tenant.identities[RESPONDER_SECRET].roles[GRAPH].append(PERMISSION)
    return tenant


@pytest.fixture
def url(tenant: Tenant) -> Iterator[str]:
    with serving(tenant) as address:
        yield address


def asked(url: str, query: str = TABLE, **body: Any) -> httpx.Response:
    asked_for = {"resource": GRAPH, "api-version": "2019-08-01"}
    header = {"X-IDENTITY-HEADER": RESPONDER_SECRET}
    token = httpx.get(f"{url}/identity/token", params=asked_for, headers=header, trust_env=False).json()["access_token"]
    return httpx.post(
        f"{url}/v1.0/security/runHuntingQuery",
        json={"Query": query} | body,
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    )


def attack(url: str, **how: Any) -> None:
    with SandboxClient(url) as client:
        client.attack("bypass", **how)


def test_the_record_of_an_attack_is_a_row(url: str) -> None:
    attack(url)

    assert [row["ActionType"] for row in asked(url).json()["results"]] == ["Set-MailboxAuditBypassAssociation"]


def test_a_row_appears_with_its_own_delay(url: str) -> None:
    attack(url, hunting_delay_seconds=600)

    assert asked(url).json()["results"] == []


def test_a_silent_attack_leaves_no_row(url: str) -> None:
    attack(url, silent=True)

    assert asked(url).json()["results"] == []


def test_the_table_goes_dark_with_the_unified_log(tenant: Tenant, url: str) -> None:
    tenant.settings.unified_audit_log_ingestion_enabled = False
    attack(url)

    assert asked(url).json()["results"] == []


def test_a_row_outside_of_the_timespan_is_not_found(url: str) -> None:
    attack(url)
    start, end = (datetime.now(UTC) - timedelta(days=days) for days in (2, 1))

    assert asked(url, Timespan=f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}").json()["results"] == []


def test_rows_of_another_table_are_found_as_they_were_put_in(tenant: Tenant, url: str) -> None:
    row = {"Timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "Subject": "…"}
    tenant.traces.add("EmailEvents", [row])

    assert asked(url, "EmailEvents | take 10").json()["results"] == [row]


def test_a_tenant_without_the_table_answers_as_kusto_does(tenant: Tenant, url: str) -> None:
    tenant.settings.hunting_table = False
    answer = asked(url)

    assert answer.status_code == 400
    assert "Failed to resolve table" in answer.json()["error"]["message"]


def test_without_the_permission_it_is_refused(tenant: Tenant, url: str) -> None:
    tenant.identities[RESPONDER_SECRET].roles[GRAPH].remove(PERMISSION)

    assert asked(url).status_code == 403
