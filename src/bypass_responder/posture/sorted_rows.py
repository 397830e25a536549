"""Rows in the order of their keys, in memory up to a number, beyond it in temporary files.

An external sort: each run of rows is sorted and written, and reading merges the runs. So a million mailboxes take as
much memory as the first hundred thousand.
"""

from __future__ import annotations

import heapq
import marshal
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")
MOST_HELD = 100_000
"""Rows in memory, each of about a kilobyte. More are written to files, which takes twice as long for each."""
_BATCH = 500
_FAST = 1
"""The level of zlib: rows are written and read once or twice."""


class SortedRows(Sequence[T], Generic[T]):
    """Rows by their keys; rows with equal keys in the order in which they came.

    May be read several times.
    ``pack`` makes a row a tuple of what marshal writes: texts, numbers, flags, None and tuples of these.
    """

    def __init__(
        self,
        key: Callable[[T], Any],
        pack: Callable[[T], tuple[Any, ...]],
        unpack: Callable[[tuple[Any, ...]], T],
        *,
        most: int | None = None,
    ) -> None:
        """Start without rows, and without a file."""
        self._key, self._pack, self._unpack = key, pack, unpack
        self._most = MOST_HELD if most is None else most
        self._held: list[T] = []
        self._is_sorted = True
        self._runs: list[Path] = []
        self._folder: Path | None = None
        self._count = 0

    def append(self, row: T) -> None:
        """Add a row."""
        if len(self._held) >= self._most:
            self._spill()
        self._held.append(row)
        self._is_sorted = False
        self._count += 1

    def extend(self, rows: Iterable[T]) -> None:
        """Add rows."""
        for row in rows:
            self.append(row)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._count

    def __iter__(self) -> Iterator[T]:
        """Yield the rows by their keys."""
        if not self._runs:
            self._sort()
            return iter(self._held)
        if self._held:
            self._spill()
        return heapq.merge(*map(self._read, self._runs), key=self._key)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> list[T]: ...
    def __getitem__(self, place: int | slice) -> T | list[T]:
        """Return a row, or some from the beginning on. Reads all rows before it."""
        if isinstance(place, slice):
            return list(islice(self, *place.indices(self._count)))
        start = place if place >= 0 else self._count + place
        if not 0 <= start < self._count:
            raise IndexError(place)
        return next(islice(self, start, None))

    def _sort(self) -> None:
        if not self._is_sorted:
            self._held.sort(key=self._key)
            self._is_sorted = True

    def _spill(self) -> None:
        self._sort()
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="rows-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        run = self._folder / f"{len(self._runs)}"
        with run.open("wb") as out:
            for start in range(0, len(self._held), _BATCH):
                packed = zlib.compress(marshal.dumps(list(map(self._pack, self._held[start : start + _BATCH]))), _FAST)
                out.write(len(packed).to_bytes(4, "big") + packed)
        self._runs.append(run)
        self._held = []

    def _read(self, run: Path) -> Iterator[T]:
        with run.open("rb") as file:
            while size := file.read(4):
                packed = marshal.loads(zlib.decompress(file.read(int.from_bytes(size, "big"))))  # noqa: S302 - our own file
                yield from map(self._unpack, packed)
