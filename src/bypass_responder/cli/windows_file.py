"""The times of an export against the known times for which no records exist.

``bypassctl detect --windows`` uses this.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bypass_responder.cli.terminal import WRONG_CALL, stop
from bypass_responder.operating.blind_windows.known_window import KnownWindow, overlapping

_TIME = re.compile(
    rb"(?:CreationTime|CreationDate|createdDateTime|TimeGenerated|Timestamp)\W{1,16}(2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d)",
    re.IGNORECASE,
)
_TAIL = 64
_PARTS = ("organization", "own", "others")
_WINDOWS = TypeAdapter(list[KnownWindow])


class TimesSeen:
    """The earliest and the latest time of a record in what was read."""

    def __init__(self) -> None:
        """Start with none."""
        self.first = self.last = b""
        self._tail = b""

    def see(self, data: bytes) -> None:
        """Look at the next bytes of an export."""
        data = self._tail + data
        for time in _TIME.findall(data):
            self.first = min(self.first or time, time)
            self.last = max(self.last, time)
        self._tail = data[-_TAIL:]


def read_windows_file(path: Path) -> list[KnownWindow]:
    """Return the windows of a file that `bypassctl window -o json` wrote. Exits 2 when it is none."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        return _WINDOWS.validate_python([each for part in _PARTS for each in body[part]])
    except OSError as error:
        stop(f"{path}: {error.strerror or error}.", WRONG_CALL)
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
        stop(f"{path} is no list of windows. Write one with: bypassctl window -o json > {path.name}", WRONG_CALL)


def warnings(windows: list[KnownWindow], seen: TimesSeen) -> list[str]:
    """Return a warning for each window within the times of the export, or for all if it shows no time."""
    start, end = _moment(seen.first), _moment(seen.last)
    found = [each.text for each in overlapping(windows, start, end)]
    if found and start is None:
        return ["the times of the records are not known, so every known time without records is listed", *found]
    return found


def _moment(text: bytes) -> datetime | None:
    try:
        return datetime.fromisoformat(text.decode()).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None
