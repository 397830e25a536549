"""The findings of ``bypassctl detect``: read from what may hold them, printed and counted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from bypass_responder.cli.finding_format import Format
from bypass_responder.cli.findings import Finding, printer
from bypass_responder.cli.terminal import stop
from bypass_responder.detection import detect as detect_change
from bypass_responder.model.change import AuditTampering, BypassChange
from bypass_responder.model.record import AuditRecord, Unreadable
from bypass_responder.rights import CMDLETS, ROLE_GROUPS
from bypass_responder.sensing.records.reader import records_in
from bypass_responder.tampering.match import Own

if TYPE_CHECKING:
    from bypass_responder.sensing.records.pieces import Pieces, Scan

_OWN = Own(ROLE_GROUPS, cmdlets=CMDLETS)
_REMEMBERED = 10_000
"""Number of events that are remembered, to show or to count a repeated event once."""


class Found:
    """Prints and counts findings: ``found`` without repetitions, ``shown`` with those in other files."""

    def __init__(self, output: Format, *, family: bool, paused: Callable[[], AbstractContextManager[None]]) -> None:
        """``paused`` hides the progress bar while something is printed."""
        self._out = printer(output)
        self._family = family
        self._paused = paused
        self._known: dict[bytes, None] = {}
        self.found = self.shown = self.unreadable = 0

    def read(self, pieces: Pieces, scan: Scan, *, source: str) -> None:
        """Take the findings of one export."""
        seen: dict[bytes, None] = {}
        for record in records_in(pieces, source=source, scan=scan):
            scan.recognized |= isinstance(record, AuditRecord) or record.names_cmdlet
            finding = record if isinstance(record, Unreadable) else detect_change(record, _OWN)
            if finding is None or (isinstance(finding, AuditTampering) and not self._is_wanted(finding)):
                continue
            if isinstance(finding, Unreadable) or _is_new(_facts(finding), seen):
                self._take(finding, source=source)

    def _is_wanted(self, tampering: AuditTampering) -> bool:
        """Return True for a change that took effect, if the family is asked for."""
        return self._family and tampering.took_effect

    def problem(self, text: str, *, source: str) -> None:
        """Take why an export could not be read to its end: ``reason: detail``."""
        reason, _, detail = text.partition(": ")
        self._take(Unreadable(reason=reason, detail=detail, source=source, where="", excerpt=""), source=source)

    def _take(self, finding: Finding, *, source: str) -> None:
        self.unreadable += isinstance(finding, Unreadable)
        if not isinstance(finding, Unreadable):
            self.shown += 1
            self.found += _is_new(_identity(finding), self._known)
        with self._paused():
            try:
                self._out.show(finding, source=source)
            except BrokenPipeError:
                raise  # the reader of our output is gone
            except OSError as error:
                stop(f"The findings could not be written: {error.strerror or error}")


def _is_new(key: bytes, seen: dict[bytes, None]) -> bool:
    """Remember the key. Returns True when it was not among the last ones."""
    if key in seen:
        return False
    seen[key] = None
    if len(seen) > _REMEMBERED:
        del seen[next(iter(seen))]
    return True


def _identity(change: BypassChange | AuditTampering) -> bytes:
    """Return a hash of what an event has in every export of it."""
    if isinstance(change, AuditTampering):
        return _hash(change.record_id.lower(), change.technique)
    return _hash(change.record_id.lower(), change.object_id_text.lower(), change.switch)


def _facts(finding: Finding) -> bytes:
    """Return a hash of what identifies an event within a file: all fields except the raw text."""
    return _hash(finding.model_copy(update={"raw": ""}).model_dump_json())


def _hash(*texts: str) -> bytes:
    return hashlib.sha256("\0".join(texts).encode()).digest()
