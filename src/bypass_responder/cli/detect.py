"""``bypassctl detect``: who switched a bypass on, in any export, without a network."""

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
from bypass_responder.detection import detect as detect_change
from bypass_responder.model.change import AuditTampering, BypassChange
from bypass_responder.model.excerpt import printable
from bypass_responder.model.record import Unreadable
from bypass_responder.sensing.records.reader import read_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bypass_responder.sensing.records.source import Readable

FOUND = 1
NOT_READ = 2
_REMEMBERED = 10_000
"""Facts per file by which an event that an export repeats is shown once."""


def detect(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Exports of the audit log; - for a pipe.")],
    output: Annotated[Format, typer.Option("--format", help="json is one object a line.")] = Format.TABLE,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also the organization's audit switches.")] = False,
) -> None:
    """Find mailbox audit bypasses in exports of the unified audit log. Works offline.

    Reads Management API records, JSON lines, Search-UnifiedAuditLog JSON and CSV, the Purview portal's CSV, Graph
    audit records, Sentinel OfficeActivity, CloudAppEvents and Elastic ECS, of any size. An event that one file
    repeats is shown once. --format json prints one object a line: type is bypass_change, tampering or unreadable;
    kind is on, off, attempt (it failed), unknown, tampering or unreadable. What cannot be read is always listed.

    Exit status: 1 if a bypass was switched, or tried to be, else 2 if anything could not be read, else 0.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a console of one code page must not end the scan
    scan = _Scan(printer(output), everything=everything)
    with _progress() as progress:
        for name in files:
            try:
                with _opened(name) as stream:
                    scan.read(progress.follow(stream, name), source=printable(name), progress=progress)
            except BrokenPipeError:
                raise  # nobody reads our output any more; the file is not to blame
            except OSError as error:
                scan.failed += 1
                progress.console.print(Text(f"{printable(name)}: {error.strerror or error}"), soft_wrap=True)
    summary = f"{scan.found} found, {scan.unreadable} unreadable, {scan.failed} of {len(files)} files not opened"
    progress.console.print(Text(summary))
    raise typer.Exit(FOUND if scan.found else NOT_READ if scan.unreadable or scan.failed else 0)


class _Scan:
    """Reads file after file, prints what it finds, and counts."""

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
                self._out.show(finding, source=source)


def _facts(finding: Finding) -> object:
    """What makes two findings of one file the same event: everything but the raw text."""
    return finding.model_copy(update={"raw": ""}).model_dump_json()


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    with open(name, "rb") as stream:  # noqa: PTH123 - a name on the command line, and a directory must be an OSError
        yield stream


class _Followed:
    def __init__(self, stream: BinaryIO, tell: Callable[[int], None]) -> None:
        self._stream = stream
        self._tell = tell

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._tell(len(data))
        return data


class _Bar:
    """The progress bar on a terminal's standard error; nothing anywhere else."""

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
        """The stream, its reads shown on the bar. A pipe has no total."""
        total = None
        if stream.seekable():
            here = stream.tell()
            total = stream.seek(0, 2) - here
            stream.seek(here)
        self._progress.reset(self._task, total=total, description=printable(Path(name).name))
        return _Followed(stream, lambda count: self._progress.advance(self._task, count))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the bar away while a finding is printed on the same terminal."""
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
