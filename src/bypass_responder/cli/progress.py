"""The progress bar of ``bypassctl detect``, on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from bypass_responder.model.record import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bypass_responder.sensing.records.source import Readable


class _Followed:
    def __init__(self, stream: BinaryIO, on_read: Callable[[int], None]) -> None:
        self._stream = stream
        self._on_read = on_read

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._on_read(len(data))
        return data


class Bar:
    """The progress bar on standard error, shown only on a terminal."""

    def __init__(self) -> None:
        """Show nothing yet."""
        console = Console(stderr=True)
        self._progress = Progress(
            *(TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn()),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("")
        self._shares_terminal = console.is_terminal and sys.stdout.isatty()

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

    @contextmanager
    def shown(self) -> Iterator[Bar]:
        """Show the bar."""
        self._progress.start()
        try:
            yield self
        finally:
            self._progress.stop()
