"""``bypassctl detect``: find bypasses in exports of the audit log, offline.

What only findings and a terminal need is imported when there are some: most of the time of a short run is imports.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, NamedTuple

import typer

from bypass_responder.cli.archives import Part, parts
from bypass_responder.cli.finding_format import Format
from bypass_responder.sensing.records.containers import pieces_of
from bypass_responder.sensing.records.pieces import Scan
from bypass_responder.sensing.records.prefilter import count as count_bytes
from bypass_responder.sensing.records.prefilter import may_be_bypass, may_matter

if TYPE_CHECKING:
    from bypass_responder.cli.found import Found
    from bypass_responder.cli.progress import Bar
    from bypass_responder.cli.windows_file import TimesSeen, WindowsFile
    from bypass_responder.sensing.records.source import Readable

FOUND = 1
NOT_READ = 2


def detect(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Exports of the audit log; - reads standard input.")
    ],
    output: Annotated[
        Format, typer.Option("--output", "-o", help="table for people; json prints one object per line.")
    ] = Format.TABLE,
    *,
    family: Annotated[
        bool, typer.Option("--family", help="Include every other change that weakens auditing, or prepares it.")
    ] = False,
    count: Annotated[bool, typer.Option("--count", help="Count every record, which is slower.")] = False,
    windows: Annotated[
        Path | None,
        typer.Option(
            "--windows", help="Known times without records (bypassctl window -o json); warn if the export covers one."
        ),
    ] = None,
    since: Annotated[
        str,
        typer.Option(help="With --windows: start of the time that the export covers: 2026-11-01, 2026-11-01T06:00Z."),
    ] = "",
    until: Annotated[str, typer.Option(help="With --windows: end of that time, in the same forms.")] = "",
) -> None:
    """Find mailbox audit bypasses in exports of the unified audit log. Works offline.

    Formats: Management API records, JSON lines, Search-UnifiedAuditLog JSON
    and CSV, the Purview portal's CSV, Graph audit records, advanced hunting,
    Log Analytics, Sentinel OfficeActivity, CloudAppEvents, Elastic, Wazuh,
    Splunk; as JSON, CSV or Excel (.xlsx), also in .gz and .zip files, of any
    size. An event that is repeated in a file is shown once; one that is in
    several files counts once.

    Each finding is on, off, attempt (failed), unknown (value or result),
    tampering (with --family: audit switches of the organization, action
    lists, retention, licenses, the right to set bypasses, the rights of the
    responder) or unreadable. Failed tampering is not a finding.

    Exit code 0: no findings. 1: a bypass was switched on or off, an attempt
    failed, or auditing was tampered with. 2: no findings, but some input is unreadable or has no
    audit record at all.
    """
    if (since or until) and not windows:
        from bypass_responder.cli.terminal import WRONG_CALL, stop

        stop("--since and --until go with --windows. They do not filter the findings.", WRONG_CALL)
    known = _known(windows, since, until) if windows else None
    with _bar() as bar:
        run = _Run(output, family=family, every=count, paused=bar.paused if bar else nullcontext)
        run.times = known.times if known else None
        for name in files:
            try:
                with _opened(name) as stream:
                    run.read(bar.follow(stream, name) if bar else stream, name=_printable(name))
            except BrokenPipeError:
                raise  # the reader of our output is gone; not an error of the file
            except OSError as error:
                run.failed += 1
                with bar.paused() if bar else nullcontext():
                    typer.echo(f"{_printable(name)}: {error.strerror or error}", err=True)
    for name in run.unrecognized:
        typer.echo(f"{name}: no audit records recognized", err=True)
    code = run.end(len(files))
    for warning in known.warnings() if known else ():
        typer.echo(f"WARNING: {warning}", err=True)
    raise typer.Exit(code)


class _Known(NamedTuple):
    file: WindowsFile
    times: TimesSeen
    since: datetime | None
    until: datetime | None

    def warnings(self) -> list[str]:
        """Return the warnings about the times of the records."""
        from bypass_responder.cli.windows_file import warnings

        return warnings(self.file, self.times, since=self.since, until=self.until)


def _known(file: Path, since: str, until: str) -> _Known:
    from bypass_responder.cli.incident_filter import moment_of
    from bypass_responder.cli.windows_file import TimesSeen, read_windows_file

    now = datetime.now(UTC)
    asked = (moment_of(since, now, "--since"), moment_of(until, now, "--until"))
    return _Known(read_windows_file(file), TimesSeen(), *asked)


class _Run:
    """Reads the files and counts what is in them."""

    def __init__(
        self, output: Format, *, family: bool, every: bool, paused: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._output = output
        self._family = family
        self._every = every
        self._paused = paused
        self._found: Found | None = None
        self.times: TimesSeen | None = None
        self.failed = 0
        self.bytes = self.lines = self.rows = self.records = 0
        self.is_exact = True
        self.unrecognized: list[str] = []

    def read(self, stream: Readable, *, name: str) -> None:
        """Read one input, with all that is compressed in it. Raises OSError."""
        recognized = False
        for part in parts(stream, name):
            scan = Scan(every=self._every, may_matter=may_matter if self._family else may_be_bypass)
            self._read_part(part, scan)
            if part.skipped:
                with self._paused():
                    typer.echo(f"{part.name}: {part.skipped}", err=True)
            recognized |= scan.recognized
            if problem := part.problem():
                self._findings().problem(problem, source=part.name)
        if not recognized:
            self.unrecognized.append(name)

    def _read_part(self, part: Part, scan: Scan) -> None:
        pieces = part.rows(scan) if part.rows else iter(())
        counted = _Counted(part.stream, self.times) if part.stream else None
        if counted:
            pieces = pieces_of(counted, scan)
        for first in pieces:
            self._findings().read(chain([first], pieces), scan, source=part.name)
        self.bytes += counted.bytes if counted else part.size
        self.lines += counted.lines if counted else 0
        self.rows += scan.rows
        self.records += scan.records
        self.is_exact &= scan.is_exact

    def _findings(self) -> Found:
        if self._found is None:
            from bypass_responder.cli.found import Found

            self._found = Found(self._output, family=self._family, paused=self._paused)
        return self._found

    def end(self, files: int) -> int:
        """Print what was read and found, and return the exit code."""
        if self._output is Format.CSV:
            self._findings()  # its header is printed for an empty result too
        found, shown, unreadable = (
            (self._found.found, self._found.shown, self._found.unreadable) if self._found else (0, 0, 0)
        )
        sizes = [f"{self.bytes:,} bytes"]
        if self.lines or not self.rows:
            sizes.append(f"{self.lines:,} {'line' if self.lines == 1 else 'lines'}")
        if self.rows:
            sizes.append(f"{self.rows:,} rows of worksheets")
        sizes.append(
            f"{self.records:,} {'record' if self.records == 1 else 'records'}"
            if self.is_exact
            else "records not counted (--count)"
        )
        again = f" ({shown} shown: an event that is in several files counts once)" if shown > found else ""
        typer.echo(f"read {', '.join(sizes)}", err=True)
        of_files = f"{files} {'file' if files == 1 else 'files'}"
        typer.echo(f"{found} found{again}, {unreadable} unreadable, {self.failed} of {of_files} failed", err=True)
        return FOUND if shown else NOT_READ if unreadable or self.failed or self.unrecognized else 0


def _printable(name: str) -> str:
    if name.isprintable():
        return name
    from bypass_responder.model.record import printable

    return printable(name)


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    with open(name, "rb") as stream:  # noqa: PTH123 - a name on the command line, and a directory must be an OSError
        yield stream


class _Counted:
    """A stream whose bytes and lines are counted."""

    def __init__(self, stream: Readable, times: TimesSeen | None) -> None:
        self._stream = stream
        self._times = times
        self._newline = b""
        self._newlines = 0
        self._end = b""
        self.bytes = 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        if not self._newline:
            self._newline = b"\n" if b"\n" in data else b"\r" if b"\r" in data[:-1] else b""
        self.bytes += len(data)
        self._newlines += count_bytes(data, self._newline) if self._newline else 0
        self._end = (self._end + data[-2:])[-2:]
        if self._times is not None:
            self._times.see(data)
        return data

    @property
    def lines(self) -> int:
        """Lines, the last one also without a line feed. Text in UTF-16 ends in two bytes."""
        is_ended = self._end.rstrip(b"\0").endswith(self._newline or b"\n")
        return self._newlines + (self.bytes > 0 and not is_ended)


@contextmanager
def _bar() -> Iterator[Bar | None]:
    """The progress bar; none where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from bypass_responder.cli.progress import Bar

    with Bar().shown() as bar:
        yield bar
