"""An event loop whose clock is simulated: where it would wait, it asks what happens next."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop in which nothing waits in real time.

    ``idle`` is called when no callback is ready, with the seconds to the next timer.
    """

    def __init__(self, idle: Callable[[float | None], None]) -> None:
        super().__init__(_Selector(idle))
        self.now = 0.0

    def time(self) -> float:
        return self.now

    # typeshed types the arguments by a variadic, which an override cannot repeat
    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """Run the work at once: a thread's time is not simulated."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - the future carries it to its waiter
            done.set_exception(error)
        return done


class _Selector(selectors.SelectSelector):
    def __init__(self, idle: Callable[[float | None], None]) -> None:
        super().__init__()
        self._idle = idle

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self._idle(timeout)
        return []
