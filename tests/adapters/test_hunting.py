"""Advanced hunting: the same facts hold for the fake and for the adapter against the stand-in Graph."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError

from bypass_responder.adapters.hunting import GraphHunting
from bypass_responder.errors import (
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ThrottledError,
    TransientError,
)
from bypass_responder.model.feed import Window
from bypass_responder.ports import Hunting
from bypass_responder.sensing.hunting.query import any_row_query, records_query
from bypass_responder.sensing.hunting.rows import hunted
from sandbox.tenant.faults import Fault
from sandbox.tenant.hunting import PERMISSION
from sandbox.tenant.identity import GRAPH, RESPONDER_SECRET
from sandbox.tenant.state import Tenant
from tests.adapters.test_graph import Token
from tests.fakes.hunting import FakeHunting
from tests.sensing.builders import RECORD_ID, a_bypass

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
DAY = Window(start=NOW - 24 * HOUR, end=NOW + HOUR)
RECORD = a_bypass(CreationTime=f"{NOW - HOUR:%Y-%m-%dT%H:%M:%S}")
OTHER = a_bypass(Id="other", Operation="New-InboxRule", CreationTime=RECORD["CreationTime"])


@pytest.fixture
async def real(stand_in: Tenant, stand_in_url: str) -> AsyncIterator[GraphHunting]:
    stand_in.settings.hunting_delay_seconds = 0
    stand_in.identities[RESPONDER_SECRET].roles[GRAPH].append(PERMISSION)
    async with httpx.AsyncClient(trust_env=False) as http:
        yield GraphHunting(http, cast("AsyncTokenCredential", Token(stand_in_url)), stand_in_url)


@pytest.fixture(params=["fake", "graph"])
def hunting(request: pytest.FixtureRequest) -> Hunting:
    if request.param == "graph":
        adapter: GraphHunting = request.getfixturevalue("real")
        request.getfixturevalue("stand_in").deliver([RECORD, OTHER])
        return adapter
    fake = FakeHunting(clock=lambda: datetime.now(UTC))
    fake.add(RECORD)
    return fake


async def test_a_record_within_the_window_is_found(hunting: Hunting) -> None:
    rows = await hunting.run(records_query(DAY), DAY)

    assert [hunted(row, read_at=NOW).id for row in rows] == [RECORD_ID]


async def test_a_record_outside_the_window_is_not(hunting: Hunting) -> None:
    window = Window(start=NOW - 30 * 24 * HOUR, end=NOW - 2 * HOUR)

    assert not await hunting.run(records_query(window), window)


async def test_any_row_shows_that_the_table_is_filled(hunting: Hunting) -> None:
    assert len(await hunting.run(any_row_query(DAY), DAY)) == 1


@pytest.mark.parametrize("quirk", ["hunting_capitalized", "hunting_raw_as_text"])
async def test_an_answer_in_another_spelling_is_read(real: GraphHunting, stand_in: Tenant, quirk: str) -> None:
    setattr(stand_in.settings, quirk, True)
    stand_in.deliver([RECORD])

    [row] = await real.run(records_query(DAY), DAY)

    assert hunted(row, read_at=NOW).id == RECORD_ID


async def test_without_the_table_the_fix_is_named(real: GraphHunting, stand_in: Tenant) -> None:
    stand_in.settings.hunting_table = False

    with pytest.raises(NotFoundError, match=r"CloudAppEvents.*Defender for Cloud Apps"):
        await real.run(records_query(DAY), DAY)


async def test_without_the_permission_it_is_named(real: GraphHunting, stand_in: Tenant, stand_in_url: str) -> None:
    stand_in.identities[RESPONDER_SECRET].roles[GRAPH].remove(PERMISSION)
    async with httpx.AsyncClient(trust_env=False) as http:
        hunting = GraphHunting(http, cast("AsyncTokenCredential", Token(stand_in_url)), stand_in_url)

        with pytest.raises(PermissionMissingError, match=PERMISSION):
            await hunting.run(records_query(DAY), DAY)


async def test_the_wait_that_the_service_names_is_kept(real: GraphHunting, stand_in: Tenant) -> None:
    stand_in.faults.scripted = [Fault(kind="throttle", endpoint="graph.hunting", retry_after_seconds=77)]

    with pytest.raises(ThrottledError) as refused:
        await real.run(records_query(DAY), DAY)
    assert refused.value.retry_after_seconds == 77


@pytest.mark.parametrize("kind", ["server_error", "drop_before", "drop_after"])
async def test_a_failure_of_the_service_is_retried_later(real: GraphHunting, stand_in: Tenant, kind: Any) -> None:
    stand_in.faults.scripted = [Fault(kind=kind, endpoint="graph.hunting", times=5)]

    with pytest.raises(TransientError):
        await real.run(records_query(DAY), DAY)


def answering(answer: httpx.Response | Exception) -> GraphHunting:
    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    class Anybody:
        async def get_token(self, *_: str, **__: Any) -> AccessToken:
            return AccessToken("token", 2**40)

    http = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    return GraphHunting(http, cast("AsyncTokenCredential", Anybody()), "https://graph.microsoft.com")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>sign in</html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"schema": []}),
        httpx.Response(200, json={"results": {}}),
        httpx.Response(200, json={"results": ["row"]}),
        httpx.Response(200, text="[" * 100_000),
        httpx.Response(500, json={"error": {"code": "UnknownError", "message": ""}}),
        httpx.Response(504, text="Gateway Timeout"),
        httpx.Response(403, text="<html>This proxy has no license</html>"),
        httpx.Response(401, json={"error": {"code": "InvalidAuthenticationToken", "message": "expired"}}),
        httpx.ReadTimeout("three minutes"),
    ],
    ids=lambda answer: str(getattr(answer, "status_code", "time-out")),
)
async def test_what_is_no_answer_is_retried_later(answer: httpx.Response | Exception) -> None:
    with pytest.raises(TransientError):
        await answering(answer).run(records_query(DAY), DAY)


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (403, "Tenant is not licensed.", NotFoundError),
        (403, "Missing application roles.", PermissionMissingError),
        (400, "Failed to resolve table or column expression named 'CloudAppEvents'", NotFoundError),
        (400, "Query could not be parsed", RefusedError),
    ],
)
async def test_a_refusal_says_what_is_missing(status: int, message: str, error: type[Exception]) -> None:
    answer = httpx.Response(status, json={"error": {"code": "X", "message": message}})

    with pytest.raises(error):
        await answering(answer).run(records_query(DAY), DAY)


async def test_over_the_quota_of_cpu_time_the_wait_is_a_quarter_of_an_hour() -> None:
    answer = httpx.Response(429, json={"error": {"code": "TooManyRequests", "message": "CPU quota"}})

    with pytest.raises(ThrottledError) as refused:
        await answering(answer).run(records_query(DAY), DAY)
    assert refused.value.retry_after_seconds == 900


async def test_without_a_token_it_is_retried_later() -> None:
    class Nobody:
        async def get_token(self, *_: str, **__: Any) -> AccessToken:
            raise ClientAuthenticationError("no identity")

    hunting = GraphHunting(httpx.AsyncClient(), cast("AsyncTokenCredential", Nobody()), "https://graph.microsoft.com")

    with pytest.raises(TransientError):
        await hunting.run(records_query(DAY), DAY)
