"""Errors that a test lines up for a fake."""

from __future__ import annotations

from collections import defaultdict


class Scripted:
    """Base of the fakes: ``fail("load", TransientError("…"))`` makes the next call of that method raise."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, str], list[Exception]] = defaultdict(list)
        self._always: dict[tuple[str, str], Exception] = {}
        self.calls: list[tuple[str, str]] = []

    def fail(self, method: str, error: Exception, *, about: str = "", always: bool = False) -> None:
        """Let ``method`` raise: once per call of this, or always; for one object (``about``) or for any."""
        if always:
            self._always[method, about] = error
        else:
            self._next[method, about].append(error)

    def repair(self, method: str, *, about: str = "") -> None:
        """Let ``method`` succeed again, where it always failed."""
        self._always.pop((method, about), None)

    def recover(self) -> None:
        """Forget every scripted error."""
        self._next.clear()
        self._always.clear()

    def _called(self, method: str, about: str = "") -> None:
        self.calls.append((method, about))
        if not self._next and not self._always:
            return
        for key in ((method, about), (method, "")):
            if waiting := self._next.get(key):
                raise waiting.pop(0)
            if key in self._always:
                raise self._always[key]
