"""What the status is read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.operating import status
from tests.operating.incidents.lines import a_line, a_world

if TYPE_CHECKING:
    import pytest


async def test_an_old_incident_that_needs_a_decision_is_listed_behind_any_number_of_newer_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(status, "LOOK_BACK", 2)
    newer = [a_line(f"i{number}", minutes=number) for number in range(1, 5)]
    world = await a_world(a_line("old", status="held"), *newer)

    assert [entry.id for entry in (await status.read_status(world.services)).waiting] == ["old"]
