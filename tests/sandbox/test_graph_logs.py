"""The logs of the stand-in Graph: permissions, filters, pages, audit log queries with their states."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.tenant.account import DOMAIN, Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.identity import GRAPH, RESPONDER_SECRET
from sandbox.tenant.logs import traces
from sandbox.tenant.logs.odata import FilterError, select
from sandbox.tenant.state import Tenant
from tests.sandbox.conftest import Bearer

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SIGN_INS, QUERIES = "/v1.0/auditLogs/signIns", "/v1.0/security/auditLog/queries"
READS = {
    SIGN_INS: "AuditLog.Read.All",
    "/beta/auditLogs/signIns": "AuditLog.Read.All",
    "/v1.0/auditLogs/directoryAudits": "AuditLog.Read.All",
    "/v1.0/security/alerts_v2": "SecurityIncident.Read.All",
    "/v1.0/identityProtection/riskDetections": "IdentityRiskEvent.Read.All",
    "/v1.0/admin/exchange/tracing/messageTraces": "ExchangeMessageTrace.Read.All",
}


@pytest.fixture
def alex(tenant: Tenant) -> Account:
    found = tenant.find(f"alex@{DOMAIN}")
    assert found
    return found


@pytest.fixture
def logs(url: str, tenant: Tenant, bearer: Bearer) -> Iterator[httpx.Client]:
    """Graph, as a responder with every permission for evidence."""
    tenant.identities[RESPONDER_SECRET].roles[GRAPH] = [*set(READS.values()), "AuditLogsQuery.Read.All"]
    headers = {"Authorization": f"Bearer {bearer(GRAPH, RESPONDER_SECRET)}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
        yield client


def asked(**changes: Any) -> dict[str, Any]:
    window = {"filterStartDateTime": "2026-03-01T00:00:00Z", "filterEndDateTime": "2026-03-03T00:00:00Z"}
    return {"@odata.type": "#microsoft.graph.security.auditLogQuery", "displayName": "x"} | window | changes


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("path", READS)
def test_a_log_wants_its_permission(url: str, path: str, bearer: Bearer, tenant: Tenant) -> None:
    tenant.identities[RESPONDER_SECRET].roles[GRAPH] = [role for role in READS.values() if role != READS[path]]
    headers = {"Authorization": f"Bearer {bearer(GRAPH, RESPONDER_SECRET)}"}
    answer = httpx.get(f"{url}{path}", headers=headers, trust_env=False)

    assert code(answer) == (403, "Authorization_RequestDenied")


@pytest.mark.parametrize("path", READS)
def test_a_log_without_records_is_an_empty_list(logs: httpx.Client, path: str) -> None:
    assert logs.get(path).json()["value"] == []


def test_v1_has_interactive_sign_ins_only(logs: httpx.Client, tenant: Tenant, alex: Account) -> None:
    tenant.traces.sign_ins += [traces.sign_in(alex, AT), traces.sign_in(alex, AT, kind="nonInteractiveUser")]
    found = logs.get(SIGN_INS).json()["value"]

    assert [each["isInteractive"] for each in found] == [True]
    assert "signInEventTypes" not in found[0]


def test_v1_refuses_a_filter_of_beta(logs: httpx.Client) -> None:
    answer = logs.get(SIGN_INS, params={"$filter": "signInEventTypes/any(t: t eq 'nonInteractiveUser')"})

    assert code(answer) == (400, "BadRequest")


def test_sign_ins_need_a_license(logs: httpx.Client, control: SandboxClient) -> None:
    control.settings(premium_license=False)

    assert code(logs.get(SIGN_INS)) == (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")


def test_pages_are_linked_to_the_end_newest_first(logs: httpx.Client, tenant: Tenant, alex: Account) -> None:
    tenant.traces.sign_ins += [traces.sign_in(alex, AT + timedelta(hours=hour)) for hour in range(3)]
    first = logs.get(SIGN_INS, params={"$top": "2", "$filter": f"userId eq '{alex.object_id}'"}).json()
    last = logs.get(first["@odata.nextLink"]).json()
    times = [each["createdDateTime"] for each in first["value"] + last["value"]]

    assert times == sorted(times, reverse=True)
    assert (len(times), "@odata.nextLink" in last) == (3, False)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", 2),
        ("name eq 'A'", 1),
        ("name eq 'o''brien and sons'", 1),
        ("name eq 'a' and at ge 2026-03-02T00:00:00Z", 0),
        ("at le 2026-03-02T00:00:00Z", 1),
        ("tags/any(t: t eq 'x')", 1),
        ("parts/any(p:p/id eq '7')", 1),
        ("inner/id eq '9'", 1),
    ],
)
def test_a_filter_lets_the_right_records_through(text: str, kept: int) -> None:
    records: list[dict[str, Any]] = [
        {"name": "a", "at": "2026-03-01T00:00:00Z", "tags": ["x"], "parts": [{"id": "7"}]},
        {"name": "o'brien and sons", "at": "2026-03-05T00:00:00Z", "inner": {"id": "9"}},
    ]

    assert len(select(records, text, {"name", "at", "tags", "parts", "inner/id"})) == kept


@pytest.mark.parametrize("text", ["other eq 'x'", "name contains 'x'", "others/any(t: t eq 'x')", "name eq"])
def test_a_filter_that_a_log_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        select([{"name": "a"}], text, {"name"})


def test_a_query_runs_before_it_succeeds(logs: httpx.Client, tenant: Tenant, alex: Account) -> None:
    tenant.traces.audit_records.append(traces.mail_access(alex, AT))
    made = logs.post(QUERIES, json=asked(operationFilters=["MailItemsAccessed"]))
    states = [logs.get(f"{QUERIES}/{made.json()['id']}").json()["status"] for _ in range(2)]
    found = logs.get(f"{QUERIES}/{made.json()['id']}/records").json()["value"]

    assert (made.status_code, made.json()["status"], states) == (201, "notStarted", ["running", "succeeded"])
    assert [each["auditData"]["Operation"] for each in found] == ["MailItemsAccessed"]


@pytest.mark.parametrize(
    "filters",
    [
        {"operationFilters": ["Send"]},
        {"userPrincipalNameFilters": ["lynne@contoso.com"]},
        {"objectIdFilters": ["x"]},
        {"recordTypeFilters": ["oneDrive"]},
        {"filterStartDateTime": "2026-03-02T10:00:00Z"},
        {"keywordFilter": "nowhere"},
    ],
)
def test_a_query_finds_what_fits_all_filters(
    filters: dict[str, Any], logs: httpx.Client, tenant: Tenant, alex: Account
) -> None:
    tenant.traces.audit_records.append(traces.mail_access(alex, AT))
    made = logs.post(QUERIES, json=asked(**filters)).json()

    assert logs.get(f"{QUERIES}/{made['id']}/records").json()["value"] == []


def test_a_query_sees_the_workloads_of_its_permission(url: str, tenant: Tenant, bearer: Bearer, alex: Account) -> None:
    tenant.identities[RESPONDER_SECRET].roles[GRAPH] = ["AuditLogsQuery-Exchange.Read.All"]
    other = traces.audit_record("FileDownloaded", AT, alex, workload="OneDrive", record_type=6)
    tenant.traces.audit_records += [traces.mail_access(alex, AT), other]
    headers = {"Authorization": f"Bearer {bearer(GRAPH, RESPONDER_SECRET)}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
        made = client.post(QUERIES, json=asked()).json()
        found = client.get(f"{QUERIES}/{made['id']}/records").json()["value"]

    assert [each["service"] for each in found] == ["Exchange"]


@pytest.mark.parametrize("name", ["serviceFilter", "serviceFilters"])
def test_a_query_that_names_a_service_is_refused(logs: httpx.Client, name: str) -> None:
    assert code(logs.post(QUERIES, json=asked(**{name: "exchange"}))) == (400, "BadRequest")


def test_an_unknown_query_is_not_found(logs: httpx.Client) -> None:
    assert code(logs.get(f"{QUERIES}/nothing")) == (404, "NotFound")


def test_a_query_over_its_limit_says_so_and_still_succeeds(
    logs: httpx.Client, tenant: Tenant, alex: Account, control: SandboxClient
) -> None:
    tenant.traces.audit_records += [traces.mail_access(alex, AT)] * 2
    control.audit_queries(limit=1, running_polls=0)
    made = logs.post(QUERIES, json=asked()).json()
    state = logs.get(f"{QUERIES}/{made['id']}").json()

    assert (state["status"], state["isRecordCountLimitExceeded"]) == ("succeeded", True)
    assert len(logs.get(f"{QUERIES}/{made['id']}/records").json()["value"]) == 1


def test_traces_of_every_kind_are_planted_from_outside(control: SandboxClient, tenant: Tenant) -> None:
    control.traces("alex", f"mallory@{DOMAIN}")

    assert all(vars(tenant.traces).values())


def test_records_are_added_from_outside(control: SandboxClient, tenant: Tenant, alex: Account) -> None:
    control.add_traces("alerts", [traces.alert("Odd rule", AT, alex)])

    assert [each["title"] for each in tenant.traces.alerts] == ["Odd rule"]


def test_an_unknown_log_is_an_error(control: SandboxClient) -> None:
    with pytest.raises(ValueError, match="nothing"):
        control.add_traces("nothing", [])
