"""The application permissions of an identity as Graph lists them, over HTTP against a stand-in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken

from bypass_responder.adapters.entra_rights import EntraRights
from bypass_responder.errors import (
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    TransientError,
)

GRAPH = "https://graph.microsoft.com"
WHO = "cccccccc-0000-4000-8000-000000000001"
ROLE, OTHER = "df021288-bdef-4463-88db-98f22de89214", "77f3a031-c388-4f99-b373-dc68676a979e"
LIST = f"{GRAPH}/v1.0/servicePrincipals/{WHO}/appRoleAssignments"


class SignedIn:
    """A credential."""

    async def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken("a-token", 0)


def rights(answer: Callable[[httpx.Request], httpx.Response]) -> EntraRights:
    credential: Any = SignedIn()
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return EntraRights(http, credential, GRAPH, scope="scope", pause_seconds=0)


def listed(*roles: str, since: str | None = None, **more: str) -> httpx.Response:
    items = [{"id": role, "appRoleId": role, "resourceId": GRAPH, "createdDateTime": since} for role in roles]
    return httpx.Response(200, json={"value": items} | more)


async def test_each_role_is_listed_with_its_time() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return listed(ROLE.upper(), since="2026-03-02T03:07:00Z")

    found = await rights(answer).assignments(WHO)

    assert [(it.role_id, it.granted_at) for it in found] == [(ROLE, datetime(2026, 3, 2, 3, 7, tzinfo=UTC))]
    assert [(str(it.url), it.headers["Authorization"]) for it in asked] == [(LIST, "Bearer a-token")]


async def test_every_page_is_read() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.query:
            return listed(OTHER)
        return listed(ROLE, **{"@odata.nextLink": f"{LIST}?$skiptoken=x"})

    assert [it.role_id for it in await rights(answer).assignments(WHO)] == [ROLE, OTHER]


async def test_a_time_that_cannot_be_read_is_not_known() -> None:
    [found] = await rights(lambda _: listed(ROLE, since="yesterday")).assignments(WHO)

    assert found.granted_at is None


@pytest.mark.parametrize("link", ["https://elsewhere.example/v1.0/x", f"{GRAPH}.evil.example/v1.0/", LIST])
async def test_a_page_elsewhere_or_without_end_is_refused(link: str) -> None:
    with pytest.raises(RefusedError):
        await rights(lambda _: listed(**{"@odata.nextLink": link})).assignments(WHO)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, RefusedError),
        (403, PermissionMissingError),
        (404, NotFoundError),
        pytest.param(429, TransientError, marks=pytest.mark.slow),  # 25 s: it waits as long as Graph may want
        (503, TransientError),
        (400, RefusedError),
        (302, RefusedError),
    ],
)
async def test_each_refusal_has_its_type(status: int, error: type[ResponderError]) -> None:
    with pytest.raises(error):
        await rights(lambda _: httpx.Response(status)).assignments(WHO)


async def test_too_many_requests_are_transient() -> None:
    """Graph names no wait; `test_each_refusal_has_its_type` waits for real."""
    with pytest.raises(TransientError):
        await rights(lambda _: httpx.Response(429, headers={"Retry-After": "0"})).assignments(WHO)


async def test_a_connection_that_breaks_is_transient() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    with pytest.raises(TransientError, match="ConnectError"):
        await rights(answer).assignments(WHO)


@pytest.mark.parametrize("body", ["", "[]", "<html>"])
async def test_an_answer_that_is_no_listing_is_refused(body: str) -> None:
    with pytest.raises(RefusedError):
        await rights(lambda _: httpx.Response(200, text=body)).assignments(WHO)


@pytest.mark.parametrize("principal", ["", "../users", "cccccccc"])
async def test_what_is_no_object_id_is_never_asked_for(principal: str) -> None:
    with pytest.raises(RefusedError, match="not an object id"):
        await rights(lambda _: listed()).assignments(principal)
