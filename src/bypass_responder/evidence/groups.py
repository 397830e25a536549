"""Many records of one kind as one item: how many, from when to when. Pure.

The item also counts those in the blind window.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bypass_responder.evidence.audit_fields import Record, moment
from bypass_responder.model.base import iso

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.model.question import Question


@dataclass
class Group:
    """Records with the same key."""

    first: Record
    times: list[datetime] = field(default_factory=list)
    records: int = 0
    in_the_dark: int = 0

    @property
    def began(self) -> datetime | None:
        """Return the time of the earliest record."""
        return min(self.times, default=None)

    @property
    def span(self) -> dict[str, str]:
        """Return the number of records, the time of the last one, and how many are of the blind window."""
        found = {"records": str(self.records)}
        if len(self.times) > 1:
            found["until"] = iso(max(self.times))
        if self.in_the_dark:
            found["in the blind window"] = str(self.in_the_dark)
        return found


def grouped(
    records: Iterable[Record], question: Question, key: Callable[[Record], Hashable], *, time: str
) -> list[Group]:
    """Return the groups of records with the same key; ``time`` is the field with a record's time."""
    groups: dict[Hashable, Group] = {}
    for record in records:
        group = groups.setdefault(key(record), Group(record))
        group.records += 1
        at = moment(record.get(time))
        if at is not None:
            group.times.append(at)
            group.in_the_dark += question.in_the_dark(at)
    return list(groups.values())
