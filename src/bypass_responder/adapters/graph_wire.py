"""Raw requests to Microsoft Graph through msgraph-sdk's request adapter.

What an answer means is for the caller to decide.

The SDK brings the token, its renewal on a claims challenge, and the wire. Its typed reads are left out: the first one
costs a second and 1,200 modules, and an untyped error comes without the service's words. Its own retry is left out too:
it can sleep for minutes and does nothing after a broken connection.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from kiota_abstractions.api_error import APIError
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_abstractions.response_handler import ResponseHandler
from kiota_authentication_azure._exceptions import KiotaAuthenticationError
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from kiota_http._exceptions import KiotaHTTPXError
from kiota_http.middleware.options import ResponseHandlerOption
from msgraph.graph_request_adapter import GraphRequestAdapter

from bypass_responder.errors import NoTokenError, TransientError
from bypass_responder.model.retry_after import seconds_to_wait

FAILURES = (
    APIError,
    KiotaHTTPXError,
    KiotaAuthenticationError,
    AzureError,
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
)
"""What the SDK, its transport and the credential raise. None of it says that the service decided anything."""
DEFAULT_WAIT_SECONDS = 10.0


class GraphWire:
    """One connection to Graph. It belongs to the event loop of the first call, which builds it."""

    def __init__(
        self,
        credential: AsyncTokenCredential,
        base_url: str,
        *,
        scope: str,
        seconds: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Take the root address without a version, and the longest time of one call; nothing connects yet."""
        self.root = base_url.rstrip("/")
        self._credential = credential
        self._scope = scope
        self._seconds = seconds
        self._transport = transport
        self._http: httpx.AsyncClient | None = None
        self._adapter: GraphRequestAdapter | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()

    async def send(self, method: Method, url: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Return the answer to one request, whatever its status. Raises TransientError without an answer."""
        try:
            answer: Any = await self._connected().send_primitive_async(_information(method, url, body), "bytes", {})
        except ClientAuthenticationError as problem:
            raise NoTokenError(f"Graph cannot be reached ({type(problem).__name__}: {problem}).") from problem
        except FAILURES as problem:
            raise TransientError(f"Graph cannot be reached ({type(problem).__name__}: {problem}).") from problem
        if not isinstance(answer, httpx.Response):
            raise TransientError("The Graph SDK gave no answer.")
        return answer

    def _connected(self) -> GraphRequestAdapter:
        if self._adapter is None:
            host = urlsplit(self.root).hostname or ""
            authentication = AzureIdentityAuthenticationProvider(
                self._credential, scopes=[self._scope], allowed_hosts=[host]
            )
            self._http = httpx.AsyncClient(timeout=self._seconds, follow_redirects=False, transport=self._transport)
            self._adapter = GraphRequestAdapter(authentication, client=self._http)
            self._adapter.base_url = self.root
        return self._adapter


class _AsItIs(ResponseHandler):
    """Hands back the response itself, failed ones too."""

    async def handle_response_async(self, response: Any, error_map: Any) -> Any:  # noqa: ANN401, ARG002 - as inherited
        return response


def _information(method: Method, url: str, body: dict[str, Any] | None) -> RequestInformation:
    information = RequestInformation()
    information.http_method = method
    information.url = url
    information.headers.try_add("Accept", "application/json")
    if body is not None:
        information.headers.try_add("Content-Type", "application/json")
        information.content = json.dumps(body).encode()
    information.add_request_options([ResponseHandlerOption(_AsItIs())])
    return information


def words_of(answer: httpx.Response) -> tuple[str, str]:
    """Return code and first line of the message; empty where the body says nothing, as with many 5xx."""
    try:
        error = json.loads(answer.content)["error"]
        return str(error["code"]), (str(error["message"]).splitlines() or [""])[0][:300]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", ""


def wait_of(answer: httpx.Response) -> float:
    """Return the seconds that the service asks to wait."""
    return seconds_to_wait(answer.headers, default=DEFAULT_WAIT_SECONDS)


def object_of(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer. Raises TransientError."""
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError) as problem:
        raise TransientError("Graph answered with something that is not JSON.") from problem
    if not isinstance(body, dict):
        raise TransientError("Graph answered with JSON that is not an object.")
    return body
