"""The application permissions of an identity as Graph lists them, over HTTP against a stand-in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken

from bypass_responder.adapters.granted_roles import GraphGrantedRoles
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


def roles(answer: Callable[[httpx.Request], httpx.Response]) -> GraphGrantedRoles:
    credential: Any = SignedIn()
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return GraphGrantedRoles(http, credential, GRAPH, scope="scope")


def listed(*assignments: dict[str, str], **more: str) -> httpx.Response:
    return httpx.Response(200, json={"value": list(assignments)} | more)


async def test_each_role_is_listed_with_its_time() -> None:
    given = {"appRoleId": ROLE.upper(), "createdDateTime": "2026-03-02T03:07:00Z"}
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return listed(given, {"appRoleId": OTHER})

    found = await roles(answer).of(WHO)

    assert found == {ROLE: datetime(2026, 3, 2, 3, 7, tzinfo=UTC), OTHER: None}
    assert [(str(it.url), it.headers["Authorization"]) for it in asked] == [(LIST, "Bearer a-token")]


async def test_every_page_is_read() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.query:
            return listed({"appRoleId": OTHER})
        return listed({"appRoleId": ROLE}, **{"@odata.nextLink": f"{LIST}?$skiptoken=x"})

    assert set(await roles(answer).of(WHO)) == {ROLE, OTHER}


@pytest.mark.parametrize("link", ["https://elsewhere.example/v1.0/x", f"{GRAPH}.evil.example/v1.0/", LIST])
async def test_a_page_elsewhere_or_without_end_is_refused(link: str) -> None:
    with pytest.raises(RefusedError):
        await roles(lambda _: listed(**{"@odata.nextLink": link})).of(WHO)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, PermissionMissingError),
        (403, PermissionMissingError),
        (404, NotFoundError),
        (429, TransientError),
        (503, TransientError),
        (400, RefusedError),
        (302, RefusedError),
    ],
)
async def test_each_refusal_has_its_type(status: int, error: type[ResponderError]) -> None:
    with pytest.raises(error):
        await roles(lambda _: httpx.Response(status)).of(WHO)


async def test_a_connection_that_breaks_is_transient() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    with pytest.raises(TransientError, match="no route"):
        await roles(answer).of(WHO)


@pytest.mark.parametrize("body", ["", "[]", "<html>"])
async def test_an_answer_that_is_no_listing_is_refused(body: str) -> None:
    with pytest.raises(RefusedError):
        await roles(lambda _: httpx.Response(200, text=body)).of(WHO)


@pytest.mark.parametrize("principal", ["", "../users", "cccccccc"])
async def test_what_is_no_object_id_is_never_asked_for(principal: str) -> None:
    with pytest.raises(RefusedError, match="no object id"):
        await roles(lambda _: listed()).of(principal)
