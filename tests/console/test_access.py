"""The page of who else opened watched mailboxes, and its twin in the API."""

from __future__ import annotations

from typing import Any

import pytest

from bypass_responder.console.principal import Role
from tests.console.visitors import visitor
from tests.operating.posture.test_access import ago, world_with
from tests.sensing.access.records import EVE


async def shown(path: str, **fields: Any) -> tuple[int, str]:
    async with visitor(await world_with(ago(1, **fields)), Role.READ) as browser:
        answer = await browser.get(path)
    return answer.status_code, answer.text


async def test_the_page_has_the_actors_and_the_days() -> None:
    _, text = await shown("/posture/access")

    assert text.index("By actor") < text.index(EVE) < text.index("By day")


async def test_the_posture_page_leads_to_it() -> None:
    _, text = await shown("/posture")

    assert 'href="/posture/access"' in text


async def test_the_api_filters_as_the_page_does() -> None:
    _, all_rows = await shown("/api/v1/posture/access?logon_type=delegate&actor=eve@contoso.onmicrosoft.com")
    _, none = await shown("/api/v1/posture/access?logon_type=admin")

    assert ('"rows":[]' in all_rows, '"rows":[]' in none) == (False, True)


async def test_markup_of_a_client_is_text() -> None:
    _, text = await shown("/posture/access", clients=("<b>x</b>",))

    assert "&lt;b&gt;x&lt;/b&gt;" in text


@pytest.mark.parametrize("query", ["since=yesterday", "logon_type=owner", "limit=0", "since=2026-03-09"])
@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_a_wrong_filter_is_refused(query: str, prefix: str) -> None:
    status, _ = await shown(f"{prefix}/posture/access?{query}")

    assert status == 400
