"""Calls of the Management Activity API over HTTP, with azure-identity tokens."""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
from azure.core.exceptions import AzureError
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from bypass_responder.adapters.management_activity.answers import blob_of, error_of, items_of
from bypass_responder.errors import InputError, RefusedError, ThrottledError, TransientError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from azure.core.credentials_async import AsyncTokenCredential
    from tenacity import RetryCallState

    from bypass_responder.model.feed import ContentBlob, Window

CONTENT_TYPE = "Audit.Exchange"
PUBLIC = "https://manage.office.com"
GOVERNMENT = frozenset(
    {"https://manage-gcc.office.com", "https://manage.office365.us", "https://manage.protection.apps.mil"}
)
"""Clouds that are their own token audience; every other base URL takes tokens of the public cloud."""
_CHUNK = 1 << 16
_ERROR_BYTES = 1 << 14
_CLAIMS = re.compile(r'\bclaims="([A-Za-z0-9+/_=-]+)"')
_BACKOFF = wait_random_exponential(multiplier=0.5, max=8)


class ManagementActivityFeed:
    """``ports.AuditFeed``. Permission: ActivityFeed.Read (Office 365 Management APIs).

    A call is tried ``attempts`` times within ``patience_seconds`` altogether, waiting as long as the service says;
    a longer wait is left to the caller as ThrottledError. No token goes to another host than ``base_url`` names.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        credential: AsyncTokenCredential,
        *,
        base_url: str,
        tenant_id: str,
        publisher_identifier: str | None = None,
        attempts: int = 4,
        patience_seconds: float = 40,
    ) -> None:
        """``publisher_identifier``: tenant id of the vendor whose quota applies; else the shared quota."""
        base = base_url.rstrip("/")
        self._http = http
        self._credential = credential
        self._origin = _origin(httpx.URL(base))
        self.scope = f"{base if base in GOVERNMENT else PUBLIC}/.default"
        """What a token is asked for."""
        self._root = f"{base}/api/v1.0/{tenant_id}/activity/feed"
        self._publisher = {"PublisherIdentifier": publisher_identifier} if publisher_identifier else {}
        self._attempts = attempts
        self._patience_seconds = patience_seconds

    async def subscription(self) -> str | None:
        """The subscription's status in the list, ``enabled`` when it gives none; None if it is not listed."""
        response = await self._whole("GET", self._url("list"))
        for item in items_of(response.content):
            if isinstance(item, dict) and str(item.get("contentType")).lower() == CONTENT_TYPE.lower():
                return str(item.get("status") or "enabled").lower()
        return None

    async def start_subscription(self) -> None:
        """Start it without a webhook; the service refuses another start within 15 minutes."""
        await self._whole("POST", self._url("start", contentType=CONTENT_TYPE))

    async def list_content(self, window: Window) -> AsyncIterator[ContentBlob]:
        """The window's blobs, page by page. The bounds go out in whole seconds, fractions cut off.

        Raises InputError, after everything else was listed, when an item names no blob.
        """
        bounds = {"startTime": f"{window.start:%Y-%m-%dT%H:%M:%S}", "endTime": f"{window.end:%Y-%m-%dT%H:%M:%S}"}
        url = self._url("content", contentType=CONTENT_TYPE, **bounds)
        seen: set[str] = set()
        nameless = ""
        while url:
            if url in seen:
                raise TransientError("The listing of the audit feed names the same page twice.")
            seen.add(url)
            response = await self._whole("GET", url)
            for item in items_of(response.content):
                if blob := blob_of(item, window=window, root=self._root):
                    yield blob
                else:
                    nameless = f"{item!r:.300}"
            url = response.headers.get("NextPageUri") or response.headers.get("NextPageUrl") or ""
        if nameless:
            raise InputError("listing_item", f"an item of the listing names no blob: {nameless}")

    async def read(self, blob: ContentBlob) -> AsyncIterator[bytes]:
        """The blob's bytes, decompressed. A connection that breaks before the end is a TransientError."""
        url = blob.uri
        if self._publisher:
            url += f"{'&' if '?' in url else '?'}{httpx.QueryParams(self._publisher)}"
        async with self._open("GET", url) as response:
            with _translated():
                async for chunk in response.aiter_bytes(_CHUNK):
                    yield chunk

    def _url(self, operation: str, **parameters: str) -> str:
        query = httpx.QueryParams(parameters | self._publisher)
        return f"{self._root}/subscriptions/{operation}" + (f"?{query}" if query else "")

    async def _whole(self, method: str, url: str) -> httpx.Response:
        """An answer with its body."""
        return await self._answered(method, url, whole=True)

    @asynccontextmanager
    async def _open(self, method: str, url: str) -> AsyncIterator[httpx.Response]:
        """An answer whose body is still to come."""
        response = await self._answered(method, url, whole=False)
        try:
            yield response
        finally:
            await response.aclose()

    async def _answered(self, method: str, url: str, *, whole: bool) -> httpx.Response:
        """A successful answer. The only place that tries again."""
        self._check(url)
        trying = AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self._attempts) | stop_before_delay(self._patience_seconds),
            wait=_wait_seconds,
            reraise=True,
        )
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await trying(self._once, method, url, whole=whole)
        except TimeoutError as error:
            raise TransientError(f"The audit feed took longer than {self._patience_seconds:g} s.") from error

    async def _once(self, method: str, url: str, *, whole: bool) -> httpx.Response:
        response = await self._send(method, url, claims=None)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            await response.aclose()
            response = await self._send(method, url, claims=_claims(response))
        with _translated():
            if response.is_success and whole:
                await response.aread()
        if not response.is_success:
            text = await _beginning(response)
            raise error_of(response.status_code, response.headers, text, now=datetime.now(UTC))
        return response

    async def _send(self, method: str, url: str, *, claims: str | None) -> httpx.Response:
        """Send a request. azure-identity caches the token; the service's ``claims`` require a new one."""
        try:
            token = await self._credential.get_token(self.scope, claims=claims)
        except AzureError as error:
            raise TransientError(f"No token for the audit feed: {str(error.message)[:300]}") from error
        request = self._http.build_request(method, url, headers={"Authorization": f"Bearer {token.token}"})
        with _translated():
            return await self._http.send(request, stream=True, follow_redirects=False)

    def _check(self, url: str) -> None:
        """Raise RefusedError for an address that must not get our token."""
        try:
            asked = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise RefusedError(f"The audit feed named an invalid address: {url!r:.200}.") from error
        if _origin(asked) != self._origin or asked.userinfo:
            raise RefusedError(f"The audit feed named an address elsewhere, which gets no token: {url!r:.200}.")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _beginning(response: httpx.Response) -> str:
    """The first characters of an error's body; what breaks while it comes is no matter."""
    body = b""
    try:
        async for chunk in response.aiter_bytes(_ERROR_BYTES):
            body = chunk
            break
    except httpx.HTTPError:
        pass
    finally:
        await response.aclose()
    return body.decode("utf-8", "replace")


def _claims(response: httpx.Response) -> str | None:
    """The claims challenge of a 401, decoded."""
    found = _CLAIMS.search(response.headers.get("WWW-Authenticate", ""))
    return b64decode(found.group(1) + "==", altchars=b"-_").decode("utf-8", "replace") if found else None


def _wait_seconds(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    named = error.retry_after_seconds if isinstance(error, ThrottledError) else 0.0
    return max(named, _BACKOFF(state))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise TransientError(f"The connection to the audit feed broke: {type(error).__name__} {error}") from error
