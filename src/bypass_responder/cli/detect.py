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

from bypass_responder.cli.findings import Finding, Format, Printer, printer
from bypass_responder.cli.terminal import stop
from bypass_responder.detection import detect as detect_change
from bypass_responder.model.change import AuditTampering, BypassChange
from bypass_responder.model.record import Unreadable, printable
from bypass_responder.sensing.records.reader import read_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bypass_responder.sensing.records.source import Readable

FOUND = 1
NOT_READ = 2
_REMEMBERED = 10_000
"""Number of events per file that are remembered, to show a repeated event once."""


def detect(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Exports of the audit log; - reads standard input.")
    ],
    output: Annotated[Format, typer.Option("--format", help="json prints one object per line.")] = Format.TABLE,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Include changes of the organization's audit switches.")
    ] = False,
) -> None:
    """Find mailbox audit bypasses in exports of the unified audit log. Works offline.

    Formats: Management API records, JSON lines, Search-UnifiedAuditLog JSON
    and CSV, the Purview portal's CSV, Graph audit records, Sentinel
    OfficeActivity, CloudAppEvents and Elastic ECS, in files of any size.
    An event that is repeated in a file is shown once.

    Each finding is on, off, attempt (failed), unknown (value or result),
    tampering (an audit switch of the organization) or unreadable.

    Exit code 0: no findings. 1: a bypass was switched on or off, or an
    attempt failed. 2: no findings, but some input is unreadable.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a console with a limited code page must not end the scan
    scan = _Scan(printer(output), everything=everything)
    with _progress() as progress:
        for name in files:
            try:
                with _opened(name) as stream:
                    scan.read(progress.follow(stream, name), source=printable(name), progress=progress)
            except BrokenPipeError:
                raise  # the reader of our output is gone; not an error of the file
            except OSError as error:
                scan.failed += 1
                progress.console.print(Text(f"{printable(name)}: {error.strerror or error}"), soft_wrap=True)
    summary = f"{scan.found} found, {scan.unreadable} unreadable, {scan.failed} of {len(files)} files failed"
    progress.console.print(Text(summary))
    raise typer.Exit(FOUND if scan.found else NOT_READ if scan.unreadable or scan.failed else 0)


class _Scan:
    """Reads the files, prints the findings and counts them."""

    def __init__(self, out: Printer, *, everything: bool) -> None:
        self._out = out
        self._everything = everything
        self.found = self.unreadable = self.failed = 0

    def read(self, stream: Readable, *, source: str, progress: _Bar) -> None:
        seen: dict[object, None] = {}
        for record in read_records(stream, source=source):
            finding = record if isinstance(record, Unreadable) else detect_change(record)
            if finding is None or (isinstance(finding, AuditTampering) and not self._everything):
                continue
            if not isinstance(finding, Unreadable):
                facts = _facts(finding)
                if facts in seen:
                    continue
                seen[facts] = None
                if len(seen) > _REMEMBERED:
                    del seen[next(iter(seen))]
            self.found += isinstance(finding, BypassChange)
            self.unreadable += isinstance(finding, Unreadable)
            with progress.paused():
                self._show(finding, source=source)

    def _show(self, finding: Finding, *, source: str) -> None:
        try:
            self._out.show(finding, source=source)
        except BrokenPipeError:
            raise  # the reader of our output is gone
        except OSError as error:
            stop(f"The findings could not be written: {error.strerror or error}")


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
