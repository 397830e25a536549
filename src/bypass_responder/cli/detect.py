"""``bypassctl detect``: find bypasses in exports of the audit log, offline."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from bypass_responder.cli.archives import Part, parts
from bypass_responder.cli.findings import Finding, Format, Printer, printer
from bypass_responder.cli.terminal import stop
from bypass_responder.detection import detect as detect_change
from bypass_responder.model.change import AuditTampering, BypassChange
from bypass_responder.model.record import AuditRecord, Unreadable, printable
from bypass_responder.sensing.records.pieces import Scan
from bypass_responder.sensing.records.prefilter import count as count_bytes
from bypass_responder.sensing.records.reader import read_records, records_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bypass_responder.sensing.records.source import Readable

FOUND = 1
NOT_READ = 2
_REMEMBERED = 10_000
"""Number of events that are remembered, to show or to count a repeated event once."""


def detect(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Exports of the audit log; - reads standard input.")
    ],
    output: Annotated[Format, typer.Option("--format", help="json prints one object per line.")] = Format.TABLE,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Include changes of the organization's audit switches.")
    ] = False,
    count: Annotated[bool, typer.Option("--count", help="Count every record, which is slower.")] = False,
) -> None:
    """Find mailbox audit bypasses in exports of the unified audit log. Works offline.

    Formats: Management API records, JSON lines, Search-UnifiedAuditLog JSON
    and CSV, the Purview portal's CSV, Graph audit records, advanced hunting,
    Log Analytics, Sentinel OfficeActivity, CloudAppEvents, Elastic, Wazuh,
    Splunk; as JSON, CSV or Excel (.xlsx), also in .gz and .zip files, of any
    size. An event that is repeated in a file is shown once; one that is in
    several files counts once.

    Each finding is on, off, attempt (failed), unknown (value or result),
    tampering (an audit switch of the organization) or unreadable.

    Exit code 0: no findings. 1: a bypass was switched on or off, or an
    attempt failed. 2: no findings, but some input is unreadable or has no
    audit record at all.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a console with a limited code page must not end the scan
    run = _Run(printer(output), everything=everything, every=count)
    with _progress() as progress:
        for name in files:
            try:
                with _opened(name) as stream:
                    run.read(progress.follow(stream, name), name=printable(name), progress=progress)
            except BrokenPipeError:
                raise  # the reader of our output is gone; not an error of the file
            except OSError as error:
                run.failed += 1
                progress.console.print(Text(f"{printable(name)}: {error.strerror or error}"), soft_wrap=True)
    for name in run.unrecognized:
        progress.console.print(Text(f"{name}: no audit record was recognized in it"), soft_wrap=True)
    progress.console.print(Text(run.summary(len(files))), soft_wrap=True)
    raise typer.Exit(FOUND if run.shown else NOT_READ if run.unreadable or run.failed or run.unrecognized else 0)


class _Run:
    """Reads the files, prints the findings and counts them."""

    def __init__(self, out: Printer, *, everything: bool, every: bool) -> None:
        self._out = out
        self._everything = everything
        self._every = every
        self._known: dict[object, None] = {}
        self.found = self.shown = self.unreadable = self.failed = 0
        self.bytes = self.lines = self.records = 0
        self.is_exact = True
        self.unrecognized: list[str] = []

    def read(self, stream: Readable, *, name: str, progress: _Bar) -> None:
        """Read one input, with all that is compressed in it. Raises OSError."""
        recognized = False
        for part in parts(stream, name):
            scan = Scan(every=self._every)
            recognized |= self._read_part(part, scan, progress=progress)
            if problem := part.problem():
                reason, _, detail = problem.partition(": ")
                self._take(
                    Unreadable(reason=reason, detail=detail, source=part.name, where="", excerpt=""), part, progress
                )
        if not recognized:
            self.unrecognized.append(name)

    def _read_part(self, part: Part, scan: Scan, *, progress: _Bar) -> bool:
        """Read one export; whether it has audit records, of any operation."""
        records: Iterator[AuditRecord | Unreadable]
        if part.rows:
            records = records_in(part.rows(scan), source=part.name, scan=scan)
        elif part.stream:
            records = read_records(_Counted(part.stream, self), source=part.name, scan=scan)
        else:
            return False
        seen: dict[object, None] = {}
        for record in records:
            scan.recognized |= isinstance(record, AuditRecord) or record.names_cmdlet
            finding = record if isinstance(record, Unreadable) else detect_change(record)
            if finding is None or (isinstance(finding, AuditTampering) and not self._everything):
                continue
            if isinstance(finding, Unreadable) or _is_new(_facts(finding), seen):
                self._take(finding, part, progress)
        self.records += scan.records
        self.is_exact &= scan.is_exact
        return scan.recognized

    def _take(self, finding: Finding, part: Part, progress: _Bar) -> None:
        self.unreadable += isinstance(finding, Unreadable)
        if isinstance(finding, BypassChange):
            self.shown += 1
            self.found += _is_new(_identity(finding), self._known)
        with progress.paused():
            self._show(finding, source=part.name)

    def _show(self, finding: Finding, *, source: str) -> None:
        try:
            self._out.show(finding, source=source)
        except BrokenPipeError:
            raise  # the reader of our output is gone
        except OSError as error:
            stop(f"The findings could not be written: {error.strerror or error}")

    def summary(self, files: int) -> str:
        """What was read, and what was found in it."""
        records = f"{self.records:,} records" if self.is_exact else "records not counted (--count)"
        again = (
            f" ({self.shown} shown: an event that is in several files counts once)" if self.shown > self.found else ""
        )
        return (
            f"read {self.bytes:,} bytes, {self.lines:,} lines, {records}\n"
            f"{self.found} found{again}, {self.unreadable} unreadable, {self.failed} of {files} files failed"
        )


def _is_new(key: object, seen: dict[object, None]) -> bool:
    """Whether the key was not among the last ones; it is now."""
    if key in seen:
        return False
    seen[key] = None
    if len(seen) > _REMEMBERED:
        del seen[next(iter(seen))]
    return True


def _identity(change: BypassChange) -> object:
    """Return what an event has in every export of it."""
    return change.record_id.lower(), change.object_id_text.lower(), change.switch


def _facts(finding: Finding) -> object:
    """Return what identifies an event within a file: all fields except the raw text."""
    return finding.model_copy(update={"raw": ""}).model_dump_json()


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    with open(name, "rb") as stream:  # noqa: PTH123 - a name on the command line, and a directory must be an OSError
        yield stream


class _Counted:
    """A stream whose bytes and lines are counted."""

    def __init__(self, stream: Readable, run: _Run) -> None:
        self._stream = stream
        self._run = run

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._run.bytes += len(data)
        self._run.lines += count_bytes(data, b"\n")
        return data


class _Followed:
    def __init__(self, stream: BinaryIO, on_read: Callable[[int], None]) -> None:
        self._stream = stream
        self._on_read = on_read

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._on_read(len(data))
        return data


class _Bar:
    """The progress bar on standard error, shown only on a terminal."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self._progress = Progress(
            *(TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn()),
            console=self.console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not self.console.is_terminal,
        )
        self._task = self._progress.add_task("")
        self._shares_terminal = self.console.is_terminal and sys.stdout.isatty()

    def follow(self, stream: BinaryIO, name: str) -> Readable:
        """Return the stream with its reads shown on the bar. A pipe has no total."""
        total = None
        if stream.seekable():
            here = stream.tell()
            total = stream.seek(0, 2) - here
            stream.seek(here)
        self._progress.reset(self._task, total=total, description=printable(Path(name).name))
        return _Followed(stream, lambda count: self._progress.advance(self._task, count))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hide the bar while a finding is printed on the same terminal."""
        if self._shares_terminal:
            self._progress.stop()
        yield
        if self._shares_terminal:
            self._progress.start()

    def start(self) -> None:
        self._progress.start()

    def stop(self) -> None:
        self._progress.stop()


@contextmanager
def _progress() -> Iterator[_Bar]:
    bar = _Bar()
    bar.start()
    try:
        yield bar
    finally:
        bar.stop()
