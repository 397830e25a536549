"""The picture of a timeline has every moment, inside its frame."""

from __future__ import annotations

from bypass_responder.console.timeline_picture import LEFT, WIDTH, Picture, picture
from bypass_responder.operating.incidents.read_view import read_incident
from bypass_responder.operating.incidents.view import IncidentView
from tests.world import World, a_finding


async def drawn() -> tuple[IncidentView, Picture]:
    world = World()
    await world.sees(a_finding(first_run=True))
    [incident] = await world.incidents()
    view = await read_incident(incident.id, world.services)
    found = picture(view)
    assert found is not None
    return view, found


async def test_every_moment_and_every_report_is_a_dot() -> None:
    view, found = await drawn()

    assert len(found.dots) == len(view.timeline) + sum(row.reported_at is not None for row in view.timeline)


async def test_every_dot_is_inside_the_frame() -> None:
    _, found = await drawn()

    assert all(LEFT <= dot.x <= WIDTH and 0 < dot.y < found.height for dot in found.dots)


async def test_the_blind_window_runs_forward() -> None:
    _, found = await drawn()

    assert LEFT <= found.blind_from <= found.blind_to <= WIDTH


async def test_an_empty_timeline_has_no_picture() -> None:
    view, _ = await drawn()

    assert picture(view.model_copy(update={"timeline": ()})) is None
