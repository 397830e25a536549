"""A small representative of many cases for `make test`; the others run with `make test-all`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def sampled(cases: Iterable[object], *, quick: Collection[object] = ()) -> list[object]:
    """Parameters with all cases marked slow except the ones in ``quick``, or the first when it is empty."""
    every = list(cases)
    kept = quick or every[:1]
    return [case if case in kept else _slow(case) for case in every]


def _slow(case: object) -> object:
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.slow)
