"""The blind window of an incident, its length, and the sentence that records do not exist for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.follow_up import blind_window
from bypass_responder.model.base import Utc, Value, moment
from bypass_responder.operating.incidents.sentence import name_of

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.model.incident import Incident


class BlindWindow(Value):
    """From the first moment that may be unrecorded to the moment at which auditing was proven restored."""

    start: Utc | None
    start_known: bool
    """False: the true start lies before ``start``, or is unknown."""
    end: Utc | None
    """None: auditing is not proven restored."""
    duration_seconds: float | None
    """To ``end``, or to the time of the read. At least this long where the start is not known."""
    text: str
    gap: str
    """The statement for a report: whose records do not exist, for which mailboxes and for which time."""


def blind_window_of(incident: Incident, read_at: datetime) -> BlindWindow:
    """Return the window as of the time of the read."""
    start, end = incident.blind_from, incident.restored_at
    known = start is not None and incident.blind_from_proven
    lasted = max((end or read_at) - start, timedelta(0)) if start else None
    long = _length(lasted, known=known, ended=end is not None)
    return BlindWindow(
        start=start,
        start_known=known,
        end=end,
        duration_seconds=lasted.total_seconds() if lasted is not None else None,
        text=blind_window(incident) + (f" ({long})" if long else ""),
        gap=_gap(incident, known=known, long=long),
    )


def _gap(incident: Incident, *, known: bool, long: str) -> str:
    start, end = incident.blind_from, incident.restored_at
    if incident.about_actor:
        return f"The incident is about {name_of(incident)} as the actor: it was not bypassed, and its records exist."
    whose = f"Records of mailbox actions by {name_of(incident)}, in every mailbox it can open, do not exist"
    if start is None:
        return f"{whose} for the time of the bypass; when it began is unknown."
    since = moment(start) if known else f"an unknown time before {moment(start)}"
    until = f"to {moment(end)}" if end else "until now, because auditing is not proven restored"
    return f"{whose} for {since} {until} ({long})."


def _length(lasted: timedelta | None, *, known: bool, ended: bool) -> str:
    if lasted is None:
        return ""
    words = duration(lasted)
    return f"{'' if known else 'at least '}{words}{'' if ended else ' so far'}"


def duration(lasted: timedelta) -> str:
    """Return a duration with its two largest units, such as ``1 h 2 min``."""
    left, counts = round(lasted.total_seconds()), []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        counts.append((count, unit))
    first = next((number for number, (count, _) in enumerate(counts) if count), 0)
    return " ".join(f"{count} {unit}" for count, unit in counts[first : first + 2] if count) or "0 s"
