"""An error names what to enter instead."""

from __future__ import annotations

import pytest

from bypass_responder.console.principal import Role
from tests.console.visitors import visitor
from tests.world import World


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/incidents?since=yesterday", "since: use a day (2026-11-01) or a time (2026-11-01T06:00Z)."),
        ("/windows?since=2026-13-01", "since: use a day (2026-11-01) or a time (2026-11-01T06:00Z)."),
        ("/allowlist/nobody", "object_id: use an id such as 00000000-0000-4000-8000-000000000000, in lower case."),
        ("/posture/grants?days=99", "days: Input should be less than or equal to 30."),
    ],
)
async def test_a_value_that_cannot_be_read_is_answered_with_its_form(path: str, said: str) -> None:
    async with visitor(World(), Role.READ) as browser:
        answer = await browser.get(path)

    assert (answer.status_code, said in answer.text) == (400, True)
