"""Who sends a request, and how large it is, is judged before any of its body is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bypass_responder.console.principal import Role
from bypass_responder.console.request_gate import LARGEST_BODY
from tests.console.visitors import visitor
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PLAN = "/api/v1/allowlist/import/plan"
JSON = {"authorization": "Bearer x", "content-type": "application/json"}
BROKEN = [
    (PLAN, "application/json", b"{"),
    ("/incidents/x/approve", "multipart/form-data", b"x"),
    ("/incidents/x/approve", "application/x-www-form-urlencoded", b"%"),
    ("/nowhere", "application/json", b"{"),
]


async def too_large() -> AsyncIterator[bytes]:
    """A body in parts, whose size no header states."""
    for _ in range(LARGEST_BODY // 1_000_000 + 1):
        yield b"a" * 1_000_000


@pytest.mark.parametrize(("path", "kind", "body"), BROKEN)
async def test_a_broken_body_without_a_principal_is_not_signed_in(
    path: str, kind: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with visitor(World(), header="") as browser:
        answer = await browser.post(path, content=body, headers={"content-type": kind})

    assert answer.status_code == 401
    assert [record.message for record in caplog.records].count("access_refused") == 1


async def test_a_stated_size_is_judged_before_anything_is_read() -> None:
    async with visitor(World(), Role.READ) as browser:
        answer = await browser.post(PLAN, content=b"{", headers=JSON | {"content-length": str(LARGEST_BODY + 1)})

    assert (answer.status_code, answer.json()) == (413, {"error": "The request is too large. Split the file."})


@pytest.mark.parametrize("roles", [(), (Role.ALLOWLIST,)])
async def test_a_body_without_a_stated_size_is_read_up_to_the_limit(roles: tuple[Role, ...]) -> None:
    async with visitor(World(), *roles) as browser:
        answer = await browser.post(PLAN, content=too_large(), headers=JSON)

    assert answer.status_code == 413


@pytest.mark.parametrize("stated", ["many", "-1", "²"])
async def test_a_size_that_is_no_number_is_no_error_of_the_console(stated: str) -> None:
    async with visitor(World(), Role.ALLOWLIST) as browser:
        headers = {name.encode(): value.encode() for name, value in (JSON | {"content-length": stated}).items()}
        answer = await browser.post(PLAN, content=b"{", headers=headers)

    assert answer.status_code == 400
