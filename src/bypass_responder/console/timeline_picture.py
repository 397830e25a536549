"""The timeline of an incident as a picture: a lane for each kind of moment, on one time scale. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bypass_responder.operating.timeline import Kind

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.operating.incidents.view import IncidentView

WIDTH, LEFT, MARGIN, LANE = 760, 90, 12, 32


@dataclass(frozen=True)
class Lane:
    """One kind of moment."""

    name: str
    y: int


@dataclass(frozen=True)
class Dot:
    """One moment."""

    x: int
    y: int
    what: str


@dataclass(frozen=True)
class Picture:
    """What the template draws. Lengths are in pixels."""

    lanes: tuple[Lane, ...]
    dots: tuple[Dot, ...]
    first: datetime
    last: datetime
    blind_from: int
    blind_to: int
    width: int = WIDTH
    left: int = LEFT

    @property
    def height(self) -> int:
        """The lanes, and a line for the scale."""
        return LANE * len(self.lanes) + 24


def picture(view: IncidentView) -> Picture | None:
    """Return the picture of a timeline, None for an empty one."""
    moments = [(row.at, row.kind, row.what) for row in view.timeline]
    moments += [(row.reported_at, Kind.REPORTED, f"Reported: {row.what}") for row in view.timeline if row.reported_at]
    if not moments:
        return None
    times = [at for at, _, _ in moments]
    first, last = min(times), max(times)
    seconds = (last - first).total_seconds() or 1

    def x(at: datetime) -> int:
        share = (min(max(at, first), last) - first).total_seconds() / seconds
        return LEFT + MARGIN + round(share * (WIDTH - LEFT - 2 * MARGIN))

    there = {kind for _, kind, _ in moments}
    lanes = {kind: Lane(kind.value, LANE // 2 + LANE * row) for row, kind in enumerate(k for k in Kind if k in there)}
    return Picture(
        lanes=tuple(lanes.values()),
        dots=tuple(Dot(x(at), lanes[kind].y, f"{at:%H:%M:%S} UTC: {what}") for at, kind, what in moments),
        first=first,
        last=last,
        blind_from=x(view.blind.start or first),
        blind_to=x(view.blind.end or last),
    )
