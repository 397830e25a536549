"""The incident that a text stands for."""

from __future__ import annotations

import pytest

from bypass_responder.errors import NotFoundError
from bypass_responder.operating.find_incident import find_one
from tests.operating.incidents.lines import a_line, a_world
from tests.world import ALEX


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("20260302-ca12beef", "20260302-ca12beef"),
        ("20260302", "20260302-ca12beef"),
        (" ca12 ", "20260302-ca12beef"),
        ("CA12", "20260302-ca12beef"),
        ("alex@contoso.com", "20260302-ca12beef"),
        (ALEX, "20260302-ca12beef"),
        ("BLAKE@contoso.com", "20260303-00000001"),
    ],
)
async def test_a_text_stands_for_one_incident(text: str, found: str) -> None:
    """Of the account, the only one that nobody has ended; else its only one."""
    world = await a_world(
        a_line("20260302-ca12beef"),
        a_line("20260301-ca99beef", minutes=-1, status="closed"),
        a_line("20260303-00000001", status="closed", accounts=("blake@contoso.com",)),
    )

    assert (await find_one(text, world.services)).id == found


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("nobody@contoso.com", "nobody@contoso.com matches no incident"),
        ("2026", "2026 matches 7 incidents: 20260302-00000000, "),
        ("alex@contoso.com", "alex@contoso.com matches 7 incidents"),
        ("", "matches no incident"),
    ],
)
async def test_a_text_that_stands_for_none_or_several_is_refused(text: str, error: str) -> None:
    world = await a_world(*(a_line(f"20260302-0000000{number}") for number in range(7)))

    with pytest.raises(NotFoundError, match=error):
        await find_one(text, world.services)
