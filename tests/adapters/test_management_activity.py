"""The contract of AuditFeed, for the fake and the adapter; then what only the adapter meets.

The adapter is tested on real connections.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import chain, repeat
from typing import Any, Self

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.identity import CredentialUnavailableError
from azure.identity.aio import ManagedIdentityCredential

from bypass_responder.adapters.management_activity import ManagementActivityFeed
from bypass_responder.adapters.management_activity.answers import error_of
from bypass_responder.errors import (
    FeedError,
    InputError,
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    ThrottledError,
    TransientError,
)
from bypass_responder.model.feed import ContentBlob, Window
from bypass_responder.ports import AuditFeed
from sandbox.tenant.faults import Fault
from sandbox.tenant.identity import default_identities
from sandbox.tenant.server import environment, serving
from sandbox.tenant.state import Tenant
from tests.fakes.feed import FakeAuditFeed

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)
TENANT_ID = Tenant().settings.tenant_id
LAST_HOUR = Window(start=NOW - 60 * MINUTE, end=NOW)
Publish = Callable[..., str]


class StaticCredential:
    """Gives the tokens in turn, the last one forever; ``asked`` is what it was asked for."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = chain(tokens, repeat(tokens[-1]))
        self.asked: list[tuple[str, str | None]] = []

    async def get_token(self, *scopes: str, claims: str | None = None, **_: Any) -> AccessToken:
        self.asked.append((scopes[0], claims))
        return AccessToken(next(self._tokens), 2**31)

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


def a_token(*roles: str) -> str:
    claims = {"aud": "https://manage.office.com", "tid": TENANT_ID, "roles": list(roles), "exp": 2**31}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
    return f"e30.{body}."


GOOD = a_token("ActivityFeed.Read")


@asynccontextmanager
async def adapter(url: str, *tokens: str, **options: Any) -> AsyncIterator[ManagementActivityFeed]:
    credential = options.pop("credential", None) or StaticCredential(*(tokens or (GOOD,)))
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        yield ManagementActivityFeed(http, credential, base_url=url, tenant_id=TENANT_ID, **options)


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


@pytest.fixture
def url(tenant: Tenant) -> Iterator[str]:
    with serving(tenant) as address:
        yield address


@pytest.fixture(params=["fake", "adapter"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[tuple[AuditFeed, Publish]]:
    """A feed without a subscription, and a way to publish into it."""
    if request.param == "fake":
        fake = FakeAuditFeed()
        fake.status = None

        def into_fake(body: bytes, *, created: datetime) -> str:
            content_id = str(len(fake.published))
            blob = ContentBlob(
                content_id=content_id, uri="https://x/", created=created, expires=created + 7 * 24 * 60 * MINUTE
            )
            return fake.publish(blob, body).content_id

        yield fake, into_fake
        return
    tenant: Tenant = request.getfixturevalue("tenant")

    def into_tenant(body: bytes, *, created: datetime) -> str:
        return tenant.feed.publish(body, created=created, visible_at=created).content_id

    async with adapter(request.getfixturevalue("url")) as feed:
        yield feed, into_tenant


async def listed(feed: AuditFeed, window: Window = LAST_HOUR) -> list[ContentBlob]:
    return [blob async for blob in feed.list_content(window)]


async def body_of(feed: AuditFeed, blob: ContentBlob) -> bytes:
    return b"".join([chunk async for chunk in feed.read(blob)])


# ---- fake and adapter ------------------------------------------------------------------------------------------------
async def test_a_subscription_is_there_once_it_was_started(both: tuple[AuditFeed, Publish]) -> None:
    feed, _ = both
    before = await feed.subscription()
    await feed.start_subscription()

    assert (before, await feed.subscription()) == (None, "enabled")


async def test_a_window_holds_its_start_and_not_its_end(both: tuple[AuditFeed, Publish]) -> None:
    feed, publish = both
    await feed.start_subscription()
    inside = [publish(b"[]", created=at) for at in (LAST_HOUR.start, LAST_HOUR.end - MINUTE)]
    publish(b"[]", created=LAST_HOUR.start - MINUTE)
    publish(b"[]", created=LAST_HOUR.end)

    assert [blob.content_id for blob in await listed(feed)] == inside


async def test_more_blobs_than_a_page_holds_are_all_listed(both: tuple[AuditFeed, Publish]) -> None:
    feed, publish = both
    await feed.start_subscription()
    ids = [publish(b"[]", created=NOW - number * MINUTE) for number in range(1, 11)]

    assert {blob.content_id for blob in await listed(feed)} == set(ids)


async def test_a_blob_has_its_times_and_its_bytes(both: tuple[AuditFeed, Publish]) -> None:
    feed, publish = both
    await feed.start_subscription()
    publish(b"[1, 2]" * 50_000, created=NOW - MINUTE)
    (blob,) = await listed(feed)

    assert (blob.created, blob.expires) == (NOW - MINUTE, NOW - MINUTE + timedelta(days=7))
    assert await body_of(feed, blob) == b"[1, 2]" * 50_000


async def test_a_blob_that_is_not_there_is_not_found(both: tuple[AuditFeed, Publish]) -> None:
    feed, publish = both
    await feed.start_subscription()
    publish(b"[]", created=NOW - MINUTE)
    (blob,) = await listed(feed)
    gone = blob.model_copy(update={"content_id": "gone", "uri": blob.uri.replace(blob.content_id, "gone")})
    with pytest.raises(NotFoundError):
        await body_of(feed, gone)


# ---- the adapter and the stand-in tenant -----------------------------------------------------------------------------
async def test_azure_identity_gives_the_token(tenant: Tenant, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(url).items():
        monkeypatch.setenv(name, value)
    async with ManagedIdentityCredential() as credential, adapter(url, credential=credential) as feed:
        await feed.start_subscription()

    assert tenant.counters["identity.token"] == 1


async def test_a_missing_subscription_is_recognized_by_its_code(url: str) -> None:
    async with adapter(url) as feed:
        with pytest.raises(FeedError) as raised:
            await listed(feed)

    assert raised.value.code == "AF20022"


async def test_a_disabled_subscription_is_recognized_by_its_code_whatever_the_status(tenant: Tenant, url: str) -> None:
    async with adapter(url) as feed:
        await feed.start_subscription()
        tenant.feed.subscriptions["Audit.Exchange"].status = "disabled"
        with pytest.raises(FeedError) as raised:
            await listed(feed)

        assert raised.value.code == "AF20023"
        assert await feed.subscription() == "disabled"


async def test_a_token_without_the_role_is_a_missing_permission(url: str) -> None:
    async with adapter(url, a_token()) as feed:
        with pytest.raises(PermissionMissingError) as raised:
            await listed(feed)

    assert raised.value.permission == "ActivityFeed.Read (Office 365 Management APIs)"


async def test_a_refused_token_is_asked_for_anew_once(url: str) -> None:
    async with adapter(url, "stale", GOOD) as feed:
        await feed.start_subscription()

        assert await feed.subscription() == "enabled"


async def test_a_token_refused_twice_is_a_missing_permission(tenant: Tenant, url: str) -> None:
    async with adapter(url, "stale") as feed:
        with pytest.raises(PermissionMissingError):
            await feed.subscription()

    assert tenant.counters["feed.list"] == 2


@pytest.mark.parametrize("kind", ["server_error", "drop_before", "throttle"])
async def test_a_passing_fault_is_tried_again(tenant: Tenant, url: str, kind: Any) -> None:
    tenant.faults.scripted = [Fault(kind=kind, endpoint="feed.list", times=2)]
    async with adapter(url) as feed:
        assert await feed.subscription() is None

    assert tenant.counters["feed.list"] == 3


async def test_a_fault_that_stays_is_tried_a_few_times_only(tenant: Tenant, url: str) -> None:
    tenant.faults.scripted = [Fault(kind="server_error", endpoint="feed.list", times=None)]
    async with adapter(url, attempts=3) as feed:
        with pytest.raises(TransientError):
            await feed.subscription()

    assert tenant.counters["feed.list"] == 3


async def test_lasting_throttling_is_reported_as_throttling_although_the_status_is_403(
    tenant: Tenant, url: str
) -> None:
    tenant.faults.scripted = [Fault(kind="throttle", endpoint="feed.list", times=None)]
    async with adapter(url, attempts=1) as feed:
        with pytest.raises(ThrottledError):
            await feed.subscription()


def test_the_stand_in_knows_the_role_that_the_adapter_names() -> None:
    roles = [
        role
        for identity in default_identities().values()
        for role in identity.roles.get("https://manage.office.com", [])
    ]

    assert roles == ["ActivityFeed.Read"]


# ---- the adapter and answers of every kind ---------------------------------------------------------------------------
def an_answer(body: bytes = b"[]", status: int = 200, *, length: int | None = None, **headers: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status} as scripted",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def an_error(code: str, status: int = 400, **headers: str) -> bytes:
    return an_answer(
        json.dumps({"error": {"code": code, "message": "as scripted"}}).encode(), status, length=None, **headers
    )


class Script:
    """A server on loopback that gives these answers in turn and keeps the requests.

    It repeats the last answer forever.
    """

    def __init__(self, *answers: bytes) -> None:
        self._answers = chain(answers, repeat(answers[-1]))
        self.requests: list[str] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(next(self._answers).replace(b"HERE", self.url.encode()))
        await writer.drain()
        writer.close()


async def ask(*answers: bytes, **options: Any) -> ResponderError:
    """The error that listing ends with."""
    async with Script(*answers) as script, adapter(script.url, attempts=1, **options) as feed:
        with pytest.raises(ResponderError) as raised:
            await listed(feed)
    return raised.value


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (an_error("AF429", 403), ThrottledError),
        (an_error("AF429", 200 + 229), ThrottledError),
        (an_answer(b"", 429), ThrottledError),
        (an_answer(b"", 403, Retry_After="5"), ThrottledError),
        (an_answer(b"<html>AF429: Too many requests.</html>", 403), ThrottledError),
        (an_error("AF10001", 403), PermissionMissingError),
        (an_error("AF10001", 401), PermissionMissingError),
        (an_answer(b"<html>Forbidden</html>", 403), PermissionMissingError),
        (an_error("AF50000", 500), TransientError),
        (an_error("AF50000", 400), TransientError),
        (an_error("AF20031", 400), TransientError),
        (an_answer(b"", 503), TransientError),
        (an_answer(b"<html>Bad gateway</html>", 502), TransientError),
        (an_answer(b"<html>a portal</html>", 200), TransientError),
        (an_answer(b'{"value": []}', 200), TransientError),
        (an_answer(b"[" * 100_000, 200), TransientError),
        (an_error("AF20050", 404), NotFoundError),
        (an_error("AF20051", 400), NotFoundError),
        (an_error("AF20052", 400), NotFoundError),
        (an_error("AF20022", 500), FeedError),
        (an_error("AF20023", 403), FeedError),
        (an_error("AF20055", 400), FeedError),
        (an_answer(b"", 404), RefusedError),
        (an_answer(b"", 302, Location="https://elsewhere.example/"), RefusedError),
        (an_answer(b'{"error": "text"}', 400), RefusedError),
    ],
)
async def test_the_code_and_not_the_status_says_what_an_error_is(answer: bytes, kind: type[ResponderError]) -> None:
    assert type(await ask(answer)) is kind


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("7", 7), (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90), ("soon", 1), ("-5", 1)],
    ids=["seconds", "date", "word", "negative"],
)
def test_retry_after_is_seconds_or_a_date(given: str, seconds: int) -> None:
    error = error_of(403, {"retry-after": given}, '{"error": {"code": "AF429", "message": ""}}', now=NOW)

    assert isinstance(error, ThrottledError)
    assert error.retry_after_seconds == seconds


async def test_the_service_is_given_the_time_it_asks_for() -> None:
    async with Script(an_error("AF429", 403, Retry_After="1"), an_answer()) as script, adapter(script.url) as feed:
        started = asyncio.get_running_loop().time()
        await feed.subscription()

    assert asyncio.get_running_loop().time() - started >= 1


async def test_a_longer_wait_than_our_patience_is_left_to_the_caller() -> None:
    async with Script(an_error("AF429", 403, Retry_After="600")) as script, adapter(script.url) as feed:
        with pytest.raises(ThrottledError):
            await feed.subscription()

    assert len(script.requests) == 1


async def test_a_service_that_does_not_answer_is_left_after_our_patience(tenant: Tenant, url: str) -> None:
    tenant.faults.scripted = [Fault(kind="latency", endpoint="feed.list", seconds=0.5)]
    async with adapter(url, patience_seconds=0.1) as feed:
        with pytest.raises(TransientError, match="longer than"):
            await feed.subscription()


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://manage.office.com.attacker.example/page",
        "http://127.0.0.1:1/page",
        "https://127.0.0.1/page",
        "//attacker.example/page",
        "/relative",
        "http://[broken",
    ],
)
async def test_no_token_goes_to_another_host_that_a_page_names(elsewhere: str) -> None:
    async with Script(an_answer(NextPageUri=elsewhere)) as script, adapter(script.url) as feed:
        with pytest.raises(RefusedError):
            await listed(feed)

    assert len(script.requests) == 1


async def test_no_token_goes_to_another_host_that_a_blob_names() -> None:
    credential = StaticCredential(GOOD)
    blob = ContentBlob(content_id="x", uri="https://attacker.example/x", created=NOW, expires=NOW)
    async with adapter("http://127.0.0.1:9", credential=credential) as feed:
        with pytest.raises(RefusedError):
            await body_of(feed, blob)

    assert credential.asked == []


async def test_an_address_with_a_name_and_password_in_it_is_refused() -> None:
    async with Script(an_answer()) as script, adapter(script.url) as feed:
        blob = ContentBlob(content_id="x", uri=script.url.replace("//", "//a:b@"), created=NOW, expires=NOW)
        with pytest.raises(RefusedError):
            await body_of(feed, blob)


async def test_pages_that_go_round_in_a_circle_end() -> None:
    pages = [an_answer(NextPageUri=f"HERE/{name}") for name in "aba"]
    async with Script(*pages) as script, adapter(script.url) as feed:
        with pytest.raises(TransientError, match="twice"):
            await listed(feed)

    assert len(script.requests) == 3


async def test_the_page_header_has_a_second_name() -> None:
    first, second = (json.dumps([{"contentId": name}]).encode() for name in "ab")
    async with (
        Script(an_answer(first, NextPageUrl="HERE/page"), an_answer(second)) as script,
        adapter(script.url) as feed,
    ):
        blobs = await listed(feed)

    assert [blob.content_id for blob in blobs] == ["a", "b"]


async def test_missing_fields_of_an_item_are_made_good() -> None:
    items = [
        {"contentId": "no-uri", "contentCreated": "2026-05-20T10:00:00.000Z"},
        {"contentUri": "https://x/no-id", "contentCreated": "2026-05-20T10:00:00Z", "contentExpiration": "2026-05-21"},
        {
            "contentId": "no-times",
            "contentUri": "https://x/",
            "contentCreated": 5,
            "contentExpiration": None,
            "more": [],
        },
    ]
    async with Script(an_answer(json.dumps(items).encode())) as script, adapter(script.url) as feed:
        no_uri, no_id, no_times = await listed(feed)

    assert no_uri.uri == f"{script.url}/api/v1.0/{TENANT_ID}/activity/feed/audit/no-uri"
    assert no_uri.expires == no_uri.created + timedelta(days=7)
    assert no_id.content_id == "https://x/no-id"
    assert no_times.created == LAST_HOUR.end


async def test_an_item_that_names_no_blob_is_reported_after_all_others() -> None:
    items = [{"contentType": "Audit.Exchange"}, "text", {"contentId": "good", "contentUri": "https://x/"}]
    got: list[str] = []
    async with Script(an_answer(json.dumps(items).encode())) as script, adapter(script.url) as feed:
        with pytest.raises(InputError, match="listing_item"):  # noqa: PT012 - what came before the error counts
            async for blob in feed.list_content(LAST_HOUR):
                got.append(blob.content_id)  # noqa: PERF401 - a comprehension would lose them

    assert got == ["good"]


async def test_a_subscription_without_a_status_is_enabled() -> None:
    items = [{"contentType": "Audit.General", "status": "disabled"}, {"contentType": "audit.exchange", "webhook": None}]
    async with Script(an_answer(json.dumps(items).encode())) as script, adapter(script.url) as feed:
        assert await feed.subscription() == "enabled"


async def test_a_connection_that_breaks_in_a_blob_is_never_a_short_success() -> None:
    async with Script(an_answer(b"[{}]", length=100)) as script, adapter(script.url) as feed:
        blob = ContentBlob(content_id="x", uri=f"{script.url}/x", created=NOW, expires=NOW)
        with pytest.raises(TransientError, match="broke"):
            await body_of(feed, blob)


async def test_a_listing_that_breaks_is_tried_again() -> None:
    async with Script(an_answer(b"[]", length=100), an_answer()) as script, adapter(script.url) as feed:
        assert await listed(feed) == []


async def test_a_compressed_blob_that_does_not_decompress_is_transient() -> None:
    async with Script(an_answer(b"no gzip", Content_Encoding="gzip")) as script, adapter(script.url) as feed:
        blob = ContentBlob(content_id="x", uri=f"{script.url}/x", created=NOW, expires=NOW)
        with pytest.raises(TransientError):
            await body_of(feed, blob)


async def test_the_publisher_is_named_in_every_call_only_when_it_is_set() -> None:
    publisher = "22222222-2222-2222-2222-222222222222"
    async with Script(an_answer()) as script:
        blob = ContentBlob(content_id="x", uri=f"{script.url}/x?a=1", created=NOW, expires=NOW)
        for options in ({}, {"publisher_identifier": publisher}):
            async with adapter(script.url, **options) as feed:
                await feed.subscription()
                await listed(feed)
                await body_of(feed, blob)

    assert [f"PublisherIdentifier={publisher}" in request for request in script.requests] == [False] * 3 + [True] * 3


async def test_bounds_are_asked_for_in_whole_seconds_of_utc() -> None:
    window = Window(
        start=datetime(2026, 5, 20, 10, 0, 0, 900_000, tzinfo=UTC), end=datetime(2026, 5, 20, 11, tzinfo=UTC)
    )
    async with Script(an_answer()) as script, adapter(script.url) as feed:
        await listed(feed, window)

    query = httpx.URL(script.requests[0].split()[1]).params
    assert (query["startTime"], query["endTime"]) == ("2026-05-20T10:00:00", "2026-05-20T11:00:00")
    assert query["contentType"] == "Audit.Exchange"


async def test_claims_that_the_service_wants_are_asked_for() -> None:
    credential = StaticCredential("stale", GOOD)
    wanted = base64.b64encode(b'{"access_token":{}}').decode()
    challenge = an_answer(b"", 401, WWW_Authenticate=f'Bearer error="insufficient_claims", claims="{wanted}"')
    async with Script(challenge, an_answer()) as script, adapter(script.url, credential=credential) as feed:
        await feed.subscription()

    assert [claims for _, claims in credential.asked] == [None, '{"access_token":{}}']


@pytest.mark.parametrize(
    ("base", "scope"),
    [
        ("https://manage.office.com/", "https://manage.office.com/.default"),
        ("https://manage.office365.us", "https://manage.office365.us/.default"),
        ("https://manage-gcc.office.com", "https://manage-gcc.office.com/.default"),
        ("http://127.0.0.1:9", "https://manage.office.com/.default"),
        ("https://manage.office365.us.attacker.example", "https://manage.office.com/.default"),
    ],
)
async def test_government_clouds_have_their_own_token_audience(base: str, scope: str) -> None:
    credential = StaticCredential(GOOD)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=[]))
    async with httpx.AsyncClient(transport=transport) as http:
        await ManagementActivityFeed(http, credential, base_url=base, tenant_id=TENANT_ID).subscription()

    assert credential.asked == [(scope, None)]


class NoIdentity(StaticCredential):
    """A machine without a managed identity."""

    async def get_token(self, *scopes: str, claims: str | None = None, **_: Any) -> AccessToken:
        raise CredentialUnavailableError(message="no identity endpoint")


async def test_no_token_is_transient() -> None:
    async with adapter("http://127.0.0.1:9", credential=NoIdentity(GOOD), attempts=1) as feed:
        with pytest.raises(TransientError, match="no identity endpoint"):
            await feed.subscription()
