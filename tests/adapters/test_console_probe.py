"""The console as a stranger meets it."""

from __future__ import annotations

import httpx
import pytest

from bypass_responder.adapters.console_probe import ConsoleProbe
from bypass_responder.console.principal import HEADER
from tests.console.visitors import visitor
from tests.world import TENANT, World

STRANGER = "99999999-0000-4000-8000-000000000009"


def probe(http: httpx.AsyncClient) -> ConsoleProbe:
    return ConsoleProbe(http, "https://console.contoso.example", tenant_id=TENANT, new_id=lambda: STRANGER)


async def answer_of(*statuses: int) -> str | None:
    left = list(statuses)

    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(left.pop(0), headers={"location": "https://login.microsoftonline.com"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as http:
        return await probe(http).open_because()


@pytest.mark.parametrize("status", [401, 302])
async def test_a_console_that_sends_strangers_away_is_closed(status: int) -> None:
    assert await answer_of(status, status) == ""


@pytest.mark.parametrize("status", [200, 303, 403, 404, 500])
async def test_any_other_answer_is_named(status: int) -> None:
    assert await answer_of(status, 401) == f"without a sign-in it answers {status}"


async def test_a_console_that_cannot_be_reached_is_not_known() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as http:
        assert await probe(http).open_because() is None


async def test_the_forged_sign_in_is_one_that_the_console_would_believe() -> None:
    """So that it notices when nothing removes the header before the console."""
    async with visitor(World()) as http:
        del http.headers[HEADER]
        found = await probe(http).open_because()

    assert found == "with a forged sign-in it answers 200"
