"""The times of an export against the known times for which no records exist.

``bypassctl detect --windows`` uses this.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from bypass_responder.cli.terminal import WRONG_CALL, stop
from bypass_responder.model.base import counted
from bypass_responder.operating.blind_windows.known_window import KnownWindow, overlapping

_TIME = re.compile(
    rb"(?:CreationTime|CreationDate|createdDateTime|TimeGenerated|Timestamp)\W{1,16}(2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d)",
    re.IGNORECASE,
)
_TAIL = 64
_PARTS = ("organization", "own", "others")
_LATER_PARTS = ("mailboxes",)
"""Not in files of earlier versions."""
_WINDOWS = TypeAdapter(list[KnownWindow])
_TEXTS = TypeAdapter(list[str])


class TimesSeen:
    """The earliest and the latest time of a record in what was read."""

    def __init__(self) -> None:
        """Start with none."""
        self.first = self.last = b""
        self._tail = b""

    def see(self, data: bytes) -> None:
        """Inspect the next bytes of an export."""
        data = self._tail + data
        for time in _TIME.findall(data):
            self.first = min(self.first or time, time)
            self.last = max(self.last, time)
        self._tail = data[-_TAIL:]


class WindowsFile(NamedTuple):
    """What a file of `bypassctl window -o json` has."""

    windows: list[KnownWindow]
    incomplete: list[str]
    """What was not read when it was written, so that there may be more windows."""


def read_windows_file(path: Path) -> WindowsFile:
    """Return the windows of a file that `bypassctl window -o json` wrote. Exits 2 when it is none."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        parts = [*(body[part] for part in _PARTS), *(body.get(part, []) for part in _LATER_PARTS)]
        windows = _WINDOWS.validate_python([each for part in parts for each in part])
        return WindowsFile(windows, _TEXTS.validate_python(body.get("incomplete", [])))
    except OSError as error:
        stop(f"{path}: {error.strerror or error}.", WRONG_CALL)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError):
        stop(f"{path} is not a list of windows. Write one with: bypassctl window -o json > windows.json", WRONG_CALL)


def warnings(
    known: WindowsFile, seen: TimesSeen, *, since: datetime | None = None, until: datetime | None = None
) -> list[str]:
    """Return a warning for each window within the times of the export, and what is not known of the others.

    ``since``, ``until``: what the export was asked for. Without them its first and last record stand in; but an export
    may begin late just because the records before are missing.
    """
    first, last = _moment(seen.first), _moment(seen.last)
    start = min(filter(None, (since, first)), default=None) if since else first
    end = max(filter(None, (until, last)), default=None) if until else last
    within = overlapping(known.windows, start, end)
    asked = overlapping(known.windows, since, until)
    outside = len([each for each in asked if each not in within])
    found = [each.text for each in within]
    if found and None in {start, end}:
        found.insert(0, "the times of the records are not known, so every known time without records is listed")
    if outside:
        found.append(
            f"{counted(outside, 'known time')} without records before the first record or after the last. If the "
            "export was to cover more than the times of its records, name what it was asked for: --since, --until"
        )
    return [*found, *(f"the list of known times is incomplete: {what}" for what in known.incomplete)]


def _moment(text: bytes) -> datetime | None:
    try:
        return datetime.fromisoformat(text.decode()).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None
