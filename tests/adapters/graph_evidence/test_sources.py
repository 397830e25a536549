"""Every source that Graph answers, on the stand-in: found, empty, and unavailable.

What is found is the planted value.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, cast

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential

from bypass_responder.adapters.graph_evidence import message_traces, pages
from bypass_responder.adapters.graph_evidence.audit_log_queries import MAILBOX_ACCESS, TOPICS, AuditLogQueries
from bypass_responder.adapters.graph_evidence.message_traces import MOST_ADDRESSES, ONLY_THE_NAME, MessageTraces
from bypass_responder.adapters.graph_evidence.pages import GraphReader
from bypass_responder.adapters.graph_evidence.sources import graph_sources
from bypass_responder.adapters.graph_wire import GraphWire
from bypass_responder.adapters.hunting import GraphHunting
from bypass_responder.adapters.own_token import OwnTokens
from bypass_responder.errors import (
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ThrottledError,
    TransientError,
)
from bypass_responder.evidence.sources import BY_NAME
from bypass_responder.model.account import Account as DirectoryAccount
from bypass_responder.model.base import iso
from bypass_responder.model.feed import Window
from bypass_responder.model.question import Answer, AskedAccount, Empty, Found, Pending, Question, Unavailable
from bypass_responder.ports import EvidenceSource
from bypass_responder.rights import EVIDENCE_ROLES, Api
from sandbox.tenant.account import Account
from sandbox.tenant.faults import Fault
from sandbox.tenant.identity import GRAPH, RESPONDER_SECRET
from sandbox.tenant.logs import planted, traces
from sandbox.tenant.state import Tenant
from tests.evidence.planted import PLANTED
from tests.evidence.questions import APPLICATION, a_question
from tests.fakes import FakeDirectory

DARK = a_question().dark_from
FAILED = {"errorCode": 50126, "failureReason": "Invalid username or password."}
ALL = [role.value for role in EVIDENCE_ROLES]
HUNTED = {"graph_activity": "GraphApiAuditEvents", "email_events": "EmailEvents"}
OVER_HTTP = sorted(set(PLANTED) - set(HUNTED))
AT_ONCE = sorted(set(OVER_HTTP) - set(TOPICS))


class Token:
    """A credential of the stand-in, or a made-up one.

    The stand-in is asked for each token, so that a new permission counts at once.
    """

    def __init__(self, url: str = "") -> None:
        self._url = url

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        if not self._url:
            return AccessToken("made up", 2**40)
        query = {"resource": GRAPH, "api-version": "2019-08-01"}
        headers = {"X-IDENTITY-HEADER": RESPONDER_SECRET}
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{self._url}/identity/token", params=query, headers=headers)
        return AccessToken(answer.json()["access_token"], 2**40)


class Tables:
    """Advanced hunting, as far as these queries go: the table, and the ids in quotes."""

    def __init__(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        self.rows = rows
        self.queries: list[str] = []
        self.error: Exception | None = None

    async def run(self, query: str, timespan: Window) -> Sequence[Mapping[str, Any]]:
        self.queries.append(query)
        if self.error:
            raise self.error
        ids = set(re.findall(r'== "([^"]+)"', query))
        found = [row for row in self.rows.get(query.partition("\n")[0], ()) if ids & set(row.values())]
        within = [row for row in found if timespan.start <= datetime.fromisoformat(row["Timestamp"]) < timespan.end]
        return sorted(within, key=lambda row: str(row["Timestamp"]))[:5_000]


def a_reader(url: str, token: Token, transport: httpx.AsyncBaseTransport | None = None) -> GraphReader:
    """``get_token`` is all that the reader asks of a credential."""
    credential = cast("AsyncTokenCredential", token)
    return GraphReader(GraphWire(credential, url, scope="made up", transport=transport))


def own_tokens(token: Token) -> OwnTokens:
    return OwnTokens(cast("AsyncTokenCredential", token), {Api.GRAPH: "made up"})


def sources_of(reader: GraphReader) -> dict[str, EvidenceSource]:
    """Every source of a Graph, with a token that says nothing."""
    return graph_sources(reader, Tables({}), own_tokens(Token()), FakeDirectory())


@asynccontextmanager
async def answering(answer: Callable[[httpx.Request], httpx.Response]) -> AsyncIterator[GraphReader]:
    """A Graph that answers what a test says."""
    reader = a_reader("https://graph.example", Token(), httpx.MockTransport(answer))
    yield reader
    await reader.aclose()


@pytest.fixture
def actor(stand_in: Tenant) -> Account:
    found = stand_in.find(f"mallory@{stand_in.settings.domain}")
    assert found
    return found


@pytest.fixture
async def graph(stand_in: Tenant, stand_in_url: str) -> AsyncIterator[GraphReader]:
    stand_in.identities[RESPONDER_SECRET].roles[GRAPH] = [*ALL]
    reader = a_reader(stand_in_url, Token(stand_in_url))
    yield reader
    await reader.aclose()


@pytest.fixture
def hunting(stand_in: Tenant) -> Tables:
    return Tables(stand_in.traces.hunting)


@pytest.fixture
def sources(graph: GraphReader, hunting: Tables, stand_in_url: str) -> dict[str, EvidenceSource]:
    return graph_sources(graph, hunting, own_tokens(Token(stand_in_url)), FakeDirectory())


def about(account: Account, source: str, **changes: Any) -> Question:
    asked = AskedAccount(object_id=account.object_id, user_principal_name=account.user_principal_name)
    return a_question(source=source, account=asked, **changes)


async def conclusion(source: EvidenceSource, question: Question) -> Answer:
    """Ask until there is an answer."""
    answer = await source.ask(question, None)
    for _ in range(5):
        if not isinstance(answer, Pending):
            break
        answer = await source.ask(question, answer.memo)
    return answer


def plant(tenant: Tenant, actor: Account) -> None:
    target = tenant.find(f"alex@{tenant.settings.domain}")
    assert target
    planted.plant(tenant.traces, target, actor, DARK)


def test_every_source_of_graph_is_registered(sources: dict[str, EvidenceSource]) -> None:
    assert set(sources) == set(PLANTED) | {"sign_ins_application"}
    assert set(sources) <= set(BY_NAME)


@pytest.mark.parametrize("name", PLANTED)
async def test_what_is_planted_is_found(
    name: str, stand_in: Tenant, actor: Account, sources: dict[str, EvidenceSource]
) -> None:
    plant(stand_in, actor)
    answer = await conclusion(sources[name], about(actor, name))

    assert isinstance(answer, Found)
    assert PLANTED[name] in str(answer.items[0].notable)


@pytest.mark.parametrize("name", PLANTED)
async def test_a_clean_tenant_is_empty(name: str, actor: Account, sources: dict[str, EvidenceSource]) -> None:
    assert isinstance(await conclusion(sources[name], about(actor, name)), Empty)


@pytest.mark.parametrize("name", PLANTED)
async def test_traces_of_someone_else_are_not_found(
    name: str, stand_in: Tenant, actor: Account, sources: dict[str, EvidenceSource]
) -> None:
    plant(stand_in, actor)
    other = stand_in.find(f"lynne@{stand_in.settings.domain}")
    assert other

    assert isinstance(await conclusion(sources[name], about(other, name)), Empty)


@pytest.mark.parametrize("name", OVER_HTTP)
async def test_a_permission_that_is_missing_is_named(
    name: str, stand_in: Tenant, actor: Account, sources: dict[str, EvidenceSource]
) -> None:
    needed = [role for role in ALL if role in BY_NAME[name].permission]
    stand_in.identities[RESPONDER_SECRET].roles[GRAPH] = [role for role in ALL if role not in needed]
    with pytest.raises(PermissionMissingError) as caught:
        await sources[name].ask(about(actor, name), None)

    assert needed
    assert all(role in caught.value.permission for role in needed)


@pytest.mark.parametrize("name", OVER_HTTP)
@pytest.mark.parametrize(
    ("kind", "error"), [("throttle", ThrottledError), ("server_error", TransientError), ("drop_before", TransientError)]
)
async def test_a_service_in_trouble_is_asked_again_later(
    name: str, kind: Any, error: type[Exception], stand_in: Tenant, actor: Account, sources: dict[str, EvidenceSource]
) -> None:
    stand_in.faults.scripted.append(Fault(kind=kind, endpoint="graph.*"))
    with pytest.raises(error):
        await sources[name].ask(about(actor, name), None)


@pytest.mark.parametrize("name", AT_ONCE)
async def test_a_page_of_html_is_no_answer(name: str, actor: Account) -> None:
    async with answering(lambda _: httpx.Response(200, text="<html>sign in to the network</html>")) as reader:
        with pytest.raises(TransientError):
            await sources_of(reader)[name].ask(about(actor, name), None)


@pytest.mark.parametrize("name", ["sign_ins", "risk_detections", "sign_ins_non_interactive"])
async def test_a_tenant_without_a_license_says_so(
    name: str, stand_in: Tenant, actor: Account, sources: dict[str, EvidenceSource]
) -> None:
    stand_in.settings.premium_license = False
    answer = await sources[name].ask(about(actor, name), None)

    assert isinstance(answer, Unavailable)
    assert "license" in answer.reason


@pytest.mark.parametrize("name", set(PLANTED) - {"role_changes", "security_alerts", "dlp_alerts"})
async def test_an_account_without_any_name_is_unavailable(name: str, sources: dict[str, EvidenceSource]) -> None:
    nobody = a_question(source=name, account=AskedAccount())

    assert isinstance(await sources[name].ask(nobody, None), Unavailable)


# ---- pages -----------------------------------------------------------------------------------------------------------


def paging(page: Callable[[int], dict[str, Any]]) -> Callable[[httpx.Request], httpx.Response]:
    """A Graph that answers with these pages."""
    calls = iter(range(1_000_000))
    return lambda _: httpx.Response(200, json=page(next(calls)))


NO_MORE: dict[str, Any] = {"value": []}


def endless(number: int) -> dict[str, Any]:
    return {"value": [{"id": str(number)}], "@odata.nextLink": "https://graph.example/next"}


async def read_pages(answer: Callable[[httpx.Request], httpx.Response], **bounds: Any) -> pages.Pages:
    async with answering(answer) as reader:
        return await reader.pages("/v1.0/x", permission="x", params={}, **{"most": 100, **bounds})


async def test_paging_for_ever_ends_with_what_was_read() -> None:
    found = await read_pages(paging(endless), most=3)

    assert (len(found.records), found.complete) == (3, False)


async def test_no_page_is_begun_after_the_time() -> None:
    found = await read_pages(paging(endless), seconds=0.0)

    assert (len(found.records), found.complete) == (1, False)


@pytest.mark.parametrize(("wait", "ended"), [("1", True), ("60", False)])
async def test_a_throttled_page_is_read_again_where_there_is_time(wait: str, ended: bool) -> None:
    given = iter(
        [
            httpx.Response(200, json=endless(0)),
            httpx.Response(429, headers={"Retry-After": wait}, json={"error": {"code": "x", "message": "y"}}),
            httpx.Response(200, json={"value": [{"id": "1"}]}),
        ]
    )
    found = await read_pages(lambda _: next(given))

    assert (len(found.records), found.complete) == (2 if ended else 1, ended)


@pytest.mark.parametrize("name", AT_ONCE)
async def test_the_paging_of_all_lists_of_a_source_ends_before_its_time(
    name: str, actor: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []

    async def paged(_: GraphReader, __: str, *, seconds: float = pages.PAGING_SECONDS, **___: Any) -> pages.Pages:
        given.append(seconds)
        return pages.Pages([], complete=True)

    monkeypatch.setattr(GraphReader, "pages", paged)
    async with answering(lambda _: httpx.Response(200, json=NO_MORE)) as reader:
        await sources_of(reader)[name].ask(about(actor, name, start=DARK - timedelta(days=30), end=DARK), None)

    assert given
    assert sum(given) <= BY_NAME[name].seconds / 2


async def test_the_last_page_makes_it_complete() -> None:
    found = await read_pages(paging(lambda number: endless(number) if number < 2 else NO_MORE))

    assert (len(found.records), found.complete) == (2, True)


async def test_the_token_goes_to_no_other_address() -> None:
    elsewhere: dict[str, Any] = {"value": [], "@odata.nextLink": "https://elsewhere.example/next"}

    with pytest.raises(RefusedError, match="another address"):
        await read_pages(paging(lambda _: elsewhere))


async def test_the_stand_in_is_read_page_by_page(stand_in: Tenant, actor: Account, graph: GraphReader) -> None:
    stand_in.traces.risk_detections += [
        traces.risk_detection(actor, DARK + timedelta(minutes=minute)) for minute in range(7)
    ]
    found = await graph.pages("/v1.0/identityProtection/riskDetections", permission="x", params={"$top": "3"}, most=100)

    assert (len(found.records), found.complete) == (7, True)


# ---- single sources --------------------------------------------------------------------------------------------------


async def test_an_application_is_asked_for_by_its_id(
    stand_in: Tenant, actor: Account, sources: dict[str, EvidenceSource]
) -> None:
    for kind in ("servicePrincipal", "managedIdentity", "nonInteractiveUser"):
        stand_in.traces.sign_ins.append(
            traces.sign_in(actor, DARK + timedelta(minutes=1), kind=kind, appId=str(APPLICATION.app_id), country="ZZ")
        )
    question = a_question(source="sign_ins_application", account=APPLICATION)
    answer = await sources["sign_ins_application"].ask(question, None)

    assert isinstance(answer, Found)
    assert answer.count == 2


async def test_a_failed_sign_in_says_why(stand_in: Tenant, actor: Account, sources: dict[str, EvidenceSource]) -> None:
    stand_in.traces.sign_ins.append(traces.sign_in(actor, DARK, status=FAILED))
    answer = await sources["sign_ins"].ask(about(actor, "sign_ins"), None)

    assert isinstance(answer, Found)
    assert (answer.items[0].what, answer.items[0].detail["result"]) == (
        "failed sign-ins",
        '"Invalid username or password." (1)',
    )


async def test_changes_by_target_that_graph_cannot_filter_are_named_as_unread(actor: Account) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        refused = "targetResources" in str(request.url)
        body = {"error": {"code": "BadRequest", "message": "Invalid filter clause"}}
        return httpx.Response(400, json=body) if refused else httpx.Response(200, json=NO_MORE)

    async with answering(answer) as reader:
        said = await sources_of(reader)["directory_changes"].ask(about(actor, "x"), None)

    assert isinstance(said, Empty)
    assert "could not be read" in said.note


async def test_a_message_trace_of_weeks_is_divided(actor: Account) -> None:
    filters: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        filters.append(request.url.params["$filter"])
        return httpx.Response(200, json={"value": []})

    async with answering(answer) as reader:
        question = about(actor, "message_trace", start=DARK - timedelta(days=15), end=DARK)
        await sources_of(reader)["message_trace"].ask(question, None)

    assert len(filters) == 4
    assert not any(" or " in each for each in filters)


TRACES = [
    {
        "id": "1",
        "senderAddress": "mallory@contoso.com",
        "recipientAddress": "drop@fabrikam.com",
        "receivedDateTime": iso(DARK + timedelta(minutes=1)),
        "status": "delivered",
    }
]
"""Of an account whose user principal name is another than its primary address."""


def tracing(filters: list[str]) -> Callable[[httpx.Request], httpx.Response]:
    """A Graph that has TRACES, and keeps the filters that it is asked for."""

    def answer(request: httpx.Request) -> httpx.Response:
        filters.append(request.url.params["$filter"])
        found = [each for each in TRACES if f"senderAddress eq '{each['senderAddress']}'" in filters[-1]]
        return httpx.Response(200, json={"value": found})

    return answer


async def traced(actor: Account, *addresses: str, filters: list[str]) -> Answer:
    async with answering(tracing(filters)) as reader:
        question = about(actor, "message_trace", addresses=addresses or None)
        return await MessageTraces(reader).ask(question, None)


async def test_messages_of_every_address_are_traced(actor: Account) -> None:
    said = await traced(actor, "Mallory@contoso.com", filters=[])

    assert isinstance(said, Found)
    assert (said.items[0].notable, said.complete) == ("sent outside in the blind window: 1", True)


async def test_a_trace_of_the_name_alone_says_so(actor: Account) -> None:
    said = await traced(actor, filters=[])

    assert isinstance(said, Empty)
    assert ONLY_THE_NAME in said.note


async def test_the_addresses_of_a_trace_are_bounded_and_the_rest_is_named(actor: Account) -> None:
    filters: list[str] = []
    said = await traced(actor, "mallory@contoso.com", *(f"m{n}@contoso.com" for n in range(20)), filters=filters)

    assert isinstance(said, Found)
    assert (len(filters), said.complete) == (2 * MOST_ADDRESSES, False)
    assert "Not traced: 17 more addresses." in said.note


async def test_a_trace_without_time_for_all_addresses_says_so(actor: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_traces, "ASKING_SECONDS", 0.0)
    filters: list[str] = []
    said = await traced(actor, "mallory@contoso.com", filters=filters)

    assert isinstance(said, Found)
    assert (len(filters), said.complete) == (1, False)
    assert "Time was left for 1 of 4 traces." in said.note


async def test_the_directory_is_asked_for_the_addresses_of_a_trace(actor: Account) -> None:
    person = DirectoryAccount(
        object_id=actor.object_id,
        user_principal_name=actor.user_principal_name,
        account_enabled=True,
        mail="mallory@contoso.com",
    )
    directory, filters = FakeDirectory(person), list[str]()
    async with answering(tracing(filters)) as reader:
        sources = graph_sources(reader, Tables({}), own_tokens(Token()), directory)
        said = await sources["message_trace"].ask(about(actor, "message_trace"), None)

    assert isinstance(said, Found)


async def test_a_missing_service_principal_of_message_traces_says_how_to_make_it(actor: Account) -> None:
    text = "The service principal for App ID 8bd644d1-64a1-4d4b-ae52-2e0cbf64e373 was not found."
    body = {"error": {"code": "UnknownError", "message": text}}
    async with answering(lambda _: httpx.Response(401, json=body)) as reader:
        said = await sources_of(reader)["message_trace"].ask(about(actor, "message_trace"), None)

    assert isinstance(said, Unavailable)
    assert said.fix.startswith("az ad sp create --id 8bd644d1")


@pytest.mark.parametrize("name", HUNTED)
async def test_a_table_that_the_tenant_lacks_is_unavailable(
    name: str, actor: Account, hunting: Tables, sources: dict[str, EvidenceSource]
) -> None:
    hunting.error = NotFoundError("Failed to resolve table")
    answer = await sources[name].ask(about(actor, name), None)

    assert isinstance(answer, Unavailable)


@pytest.mark.parametrize("name", HUNTED)
async def test_the_stand_in_answers_for_this_account_only(
    name: str, stand_in: Tenant, actor: Account, graph: GraphReader, stand_in_url: str
) -> None:
    plant(stand_in, actor)
    token = Token(stand_in_url)
    async with httpx.AsyncClient(trust_env=False) as http:
        hunting = GraphHunting(http, cast("AsyncTokenCredential", token), stand_in_url)
        source = graph_sources(graph, hunting, own_tokens(token), FakeDirectory())[name]
        other = stand_in.find(f"lynne@{stand_in.settings.domain}")
        assert other
        answers = [await source.ask(about(account, name), None) for account in (actor, other)]

    assert [type(answer) for answer in answers] == [Found, Empty]


@pytest.mark.parametrize("name", HUNTED)
async def test_a_query_of_hunting_takes_no_subject(
    name: str, actor: Account, hunting: Tables, sources: dict[str, EvidenceSource]
) -> None:
    await sources[name].ask(about(actor, name), None)

    assert "project" in hunting.queries[0]
    assert "Subject" not in hunting.queries[0]


# ---- audit log queries -----------------------------------------------------------------------------------------------


async def test_a_query_is_taken_up_by_its_memo(
    stand_in: Tenant, actor: Account, sources: dict[str, EvidenceSource]
) -> None:
    plant(stand_in, actor)
    question = about(actor, "ediscovery")
    first = await sources["ediscovery"].ask(question, None)
    assert isinstance(first, Pending)
    second = await sources["ediscovery"].ask(question, first.memo)
    third = await sources["ediscovery"].ask(question, first.memo)

    assert (second, type(third)) == (first, Found)
    assert stand_in.counters["graph.post_audit_query"] == 1


@pytest.mark.parametrize("ends_as", ["failed", "cancelled"])
async def test_a_query_without_a_result_is_submitted_once_more(
    ends_as: str, stand_in: Tenant, actor: Account, sources: dict[str, EvidenceSource]
) -> None:
    stand_in.audit_queries.ends_as = ends_as
    answer = await conclusion(sources["ediscovery"], about(actor, "ediscovery"))

    assert isinstance(answer, Unavailable)
    assert "2 times" in answer.reason
    assert stand_in.counters["graph.post_audit_query"] == 2


async def test_a_query_that_is_gone_is_submitted_again(
    stand_in: Tenant, actor: Account, sources: dict[str, EvidenceSource]
) -> None:
    plant(stand_in, actor)
    question = about(actor, "ediscovery")
    first = await sources["ediscovery"].ask(question, None)
    assert isinstance(first, Pending)
    stand_in.audit_queries.made.clear()
    second = await sources["ediscovery"].ask(question, first.memo)

    assert isinstance(second, Pending)
    assert second.memo != first.memo


async def test_a_query_over_its_limit_is_incomplete(
    stand_in: Tenant, actor: Account, sources: dict[str, EvidenceSource]
) -> None:
    plant(stand_in, actor)
    stand_in.audit_queries.limit = 1
    answer = await conclusion(sources["mail_items_accessed"], about(actor, "mail_items_accessed"))

    assert isinstance(answer, Found)
    assert (answer.count, answer.complete) == (1, False)


async def test_a_query_names_no_service_and_keeps_its_window(
    stand_in: Tenant, actor: Account, sources: dict[str, EvidenceSource]
) -> None:
    question = about(actor, "exchange_changes")
    await sources["exchange_changes"].ask(question, None)
    asked = [query.asked for query in stand_in.audit_queries.made.values()]

    assert [bool(each.userPrincipalNameFilters) for each in asked] == [True, False]
    assert {each.filterStartDateTime for each in asked} == {question.start}


async def test_role_changes_are_searched_for_before_the_window_too(
    stand_in: Tenant, actor: Account, sources: dict[str, EvidenceSource]
) -> None:
    question = about(actor, "role_changes")
    await sources["role_changes"].ask(question, None)

    assert [query.asked.filterStartDateTime for query in stand_in.audit_queries.made.values()] == [question.known_from]


async def test_a_record_whose_data_is_text_is_read(actor: Account) -> None:
    data = traces.audit_record("SearchExported", DARK, actor, workload="SecurityComplianceCenter", record_type=24)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/records"):
            return httpx.Response(200, json={"value": [{"id": "1", "auditData": json.dumps(data)}]})
        return httpx.Response(200, json={"id": "q", "status": "succeeded"})

    async with answering(answer) as reader:
        said = await conclusion(sources_of(reader)["ediscovery"], about(actor, "ediscovery"))

    assert isinstance(said, Found)
    assert said.items[0].what == "SearchExported"


async def test_the_mailbox_of_an_account_is_searched_for_every_actor(
    stand_in: Tenant, actor: Account, graph: GraphReader, stand_in_url: str
) -> None:
    stand_in.identities[RESPONDER_SECRET].roles[GRAPH].append("AuditLogsQuery-Exchange.Read.All")
    boss = Account.named("boss")
    stand_in.traces.audit_records += [
        traces.mail_access(actor, DARK, owner=boss.user_principal_name),
        traces.mail_access(actor, DARK),
    ]
    said = await conclusion(AuditLogQueries(graph, own_tokens(Token(stand_in_url)), MAILBOX_ACCESS), about(boss, "x"))

    assert isinstance(said, Found)
    assert [each["UserId"] for each in said.raw] == [actor.user_principal_name]


# ---- never a mailbox -------------------------------------------------------------------------------------------------


def test_no_permission_reads_mail() -> None:
    assert [role for role in ALL if role.startswith("Mail")] == []


async def test_no_source_calls_a_mailbox(stand_in: Tenant, actor: Account) -> None:
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return httpx.Response(200, json={"value": [], "id": "q", "status": "succeeded"})

    async with answering(answer) as reader:
        for name, source in sources_of(reader).items():
            await conclusion(source, about(actor, name))

    assert paths
    assert [path for path in paths if "/users" in path or path.endswith("/messages")] == []


# ---- odd answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [302, 401, 403, 502])
@pytest.mark.parametrize("name", AT_ONCE)
async def test_a_page_of_a_proxy_is_no_missing_permission(name: str, status: int, actor: Account) -> None:
    async with answering(lambda _: httpx.Response(status, text="<html>blocked by policy</html>")) as reader:
        with pytest.raises(TransientError):
            await sources_of(reader)[name].ask(about(actor, name), None)


async def test_an_answer_with_nulls_and_other_types_is_read(actor: Account) -> None:
    odd: list[Any] = [None, 7, "x", [], {}, {"id": None, "createdDateTime": None, "evidence": None, "status": []}]
    async with answering(lambda _: httpx.Response(200, json={"value": odd, "@odata.nextLink": None})) as reader:
        for name in AT_ONCE:
            assert isinstance(await sources_of(reader)[name].ask(about(actor, name), None), Found | Empty)


@pytest.mark.parametrize("name", sorted(HUNTED))
async def test_what_fills_a_query_before_the_blind_window_does_not_hide_the_window(
    name: str, stand_in: Tenant, actor: Account, hunting: Tables, sources: dict[str, EvidenceSource]
) -> None:
    plant(stand_in, actor)
    rows = [row for row in hunting.rows[HUNTED[name]] if actor.object_id in row.values()]
    hunting.rows = {HUNTED[name]: [*[dict(rows[0], Timestamp=iso(DARK - timedelta(hours=2)))] * 5_000, *rows]}
    answer = await sources[name].ask(about(actor, name), None)

    assert isinstance(answer, Found)
    assert PLANTED[name] in str([item.notable for item in answer.items])


def searching(*records: dict[str, Any], status: str = "succeeded") -> Callable[[httpx.Request], httpx.Response]:
    """A Graph whose audit log queries end at once, with these records."""

    def answer(request: httpx.Request) -> httpx.Response:
        of_query = {"id": "q", "status": status}
        return httpx.Response(200, json={"value": records} if request.url.path.endswith("/records") else of_query)

    return answer


def an_export(by: Account, **fields: Any) -> dict[str, Any]:
    return traces.audit_record(
        "SearchExported", DARK, by, workload="SecurityComplianceCenter", record_type=24, **fields
    )


async def test_records_without_an_id_are_all_counted(actor: Account) -> None:
    records = [{"auditData": an_export(actor, ObjectId=name)} for name in ("a", "b")]
    async with answering(searching(*records)) as reader:
        said = await conclusion(sources_of(reader)["ediscovery"], about(actor, "ediscovery"))

    assert isinstance(said, Found)
    assert said.count == 2


async def test_a_record_without_its_data_shows_what_is_beside_it(actor: Account) -> None:
    beside = {"id": "1", "auditData": None, "operation": "SearchExported", "createdDateTime": iso(DARK)}
    async with answering(searching(beside)) as reader:
        said = await conclusion(sources_of(reader)["ediscovery"], about(actor, "ediscovery"))

    assert isinstance(said, Found)
    assert (said.items[0].what, said.items[0].at) == ("SearchExported", DARK)


@pytest.mark.parametrize(("status", "kind"), [("Succeeded", Found), ("unknownFutureValue", Pending), (None, Pending)])
async def test_the_word_for_the_state_of_a_query_may_be_another(
    status: Any, kind: type[Answer], actor: Account
) -> None:
    record = {"id": "1", "auditData": an_export(actor)}
    async with answering(searching(record, status=status)) as reader:
        assert isinstance(await conclusion(sources_of(reader)["ediscovery"], about(actor, "ediscovery")), kind)


async def test_a_query_that_was_submitted_is_kept_when_the_next_one_is_throttled(actor: Account) -> None:
    submitted: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return searching()(request)
        submitted.append(str(len(submitted)))
        return httpx.Response(429) if len(submitted) == 2 else httpx.Response(201, json={"id": submitted[-1]})

    async with answering(answer) as reader:
        source = sources_of(reader)["exchange_changes"]
        first = await source.ask(about(actor, "exchange_changes"), None)
        assert isinstance(first, Pending)
        second = await source.ask(about(actor, "exchange_changes"), first.memo)
        assert isinstance(second, Pending)

    assert [json.loads(each.memo)["ids"] for each in (first, second)] == [["0"], ["0", "2"]]


async def test_a_query_without_an_id_is_no_answer(actor: Account) -> None:
    async with answering(lambda _: httpx.Response(201, json={"status": "notStarted"})) as reader:
        with pytest.raises(TransientError):
            await sources_of(reader)["ediscovery"].ask(about(actor, "ediscovery"), None)
