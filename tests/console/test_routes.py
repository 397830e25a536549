"""Every route with every role, with none, with a forged header and with one of another tenant."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from bypass_responder.console.app import routed
from bypass_responder.console.pages import PAGES
from bypass_responder.console.principal import Role
from bypass_responder.console.response_headers import HEADERS
from tests.console.visitors import a_header, visitor
from tests.world import World

PUBLIC = {"/welcome"}
ROUTES = [each for each in iter_route_contexts(routed().routes) if isinstance(each.route, APIRoute)]
READS = sorted(str(each.path) for each in ROUTES if "GET" in (each.methods or ()) and each.path not in PUBLIC)
CHANGES = {
    "/accounts/{name}/inspect": Role.READ,
    "/allowlist/import": Role.ALLOWLIST,
    "/allowlist/import/plan": Role.ALLOWLIST,
    "/allowlist/import/ask": Role.ALLOWLIST,
    "/allowlist/{object_id}/approve": Role.ALLOWLIST,
    "/allowlist/{object_id}/{action}": Role.ALLOWLIST,
    "/incidents/{incident_id}/{decision}": Role.DECIDE,
}
"""Each address that changes something, here and in the API, and the role that it needs."""
POSTS = sorted(str(each.path) for each in ROUTES if "POST" in (each.methods or ()))
OTHER_TENANT = "99999999-1111-4111-8111-111111111111"


def test_every_page_has_a_twin_in_the_api() -> None:
    paths = {route.path for route in ROUTES}

    assert {page.path for page in PAGES} | {f"/api/v1{page.path}" for page in PAGES} <= paths


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("path", READS)
async def test_each_role_may_read_everything(path: str, role: Role) -> None:
    async with visitor(World(), role) as browser:
        answer = await browser.get(path)

    assert answer.status_code in {200, 303, 400, 404}


@pytest.mark.parametrize("path", READS)
async def test_without_a_role_nothing_is_shown(path: str) -> None:
    async with visitor(World()) as browser:
        answer = await browser.get(path)

    assert answer.status_code == 403
    assert "needs the app role Console.Read" in answer.text


@pytest.mark.parametrize(
    "header",
    ["", "forged", a_header("Console.Decide", claims={"tid": OTHER_TENANT}), a_header("Console.Decide", auth_typ="x")],
    ids=["empty", "forged", "another tenant", "another provider"],
)
@pytest.mark.parametrize("path", READS)
async def test_a_forged_header_is_not_signed_in(path: str, header: str) -> None:
    async with visitor(World(), header=header) as browser:
        answer = await browser.get(path)

    assert answer.status_code == 401


@pytest.mark.parametrize("path", READS)
async def test_without_a_header_nobody_is_signed_in(path: str) -> None:
    async with visitor(World()) as browser:
        del browser.headers["x-ms-client-principal"]
        answer = await browser.get(path)

    assert answer.status_code == 401


async def test_the_public_page_needs_no_sign_in() -> None:
    async with visitor(World(), header="forged") as browser:
        answer = await browser.get("/welcome")

    assert answer.status_code == 200
    assert "/.auth/login/aad" in answer.text


@pytest.mark.parametrize("path", ["/welcome", "/health", "/nowhere", "/static/console.css", "/api/v1/health"])
async def test_every_answer_has_the_headers_that_protect_it(path: str) -> None:
    async with visitor(World(), Role.READ) as browser:
        answer = await browser.get(path)

    assert HEADERS.items() <= dict(answer.headers).items()


async def test_the_api_answers_in_json() -> None:
    async with visitor(World(), header="forged") as browser:
        answer = await browser.get("/api/v1/health")

    assert answer.json() == {"error": "Sign in to see this."}


# ---- what changes something


def test_every_change_is_in_the_table() -> None:
    assert sorted([*CHANGES, *(f"/api/v1{path}" for path in CHANGES)]) == POSTS


def test_no_other_method_is_taken() -> None:
    assert {method for each in ROUTES for method in each.methods or ()} == {"GET", "POST"}


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("path", POSTS)
async def test_a_change_needs_exactly_its_role(path: str, role: Role | None) -> None:
    needed = CHANGES[path.removeprefix("/api/v1")]
    async with visitor(World(), *([role] if role else [])) as browser:
        answer = await browser.post(path)

    assert answer.status_code == 403
    allowed = role is needed or (needed is Role.READ and role is not None)
    assert (f"needs the app role {needed}" in answer.text) is not allowed


@pytest.mark.parametrize("header", [None, "forged", a_header("Console.Decide", claims={"tid": OTHER_TENANT})])
@pytest.mark.parametrize("path", POSTS)
async def test_a_change_needs_a_verified_principal(path: str, header: str | None) -> None:
    async with visitor(World(), header=header or "") as browser:
        if header is None:
            del browser.headers["x-ms-client-principal"]
        answer = await browser.post(path)

    assert answer.status_code == 401
