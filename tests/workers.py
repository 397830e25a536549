"""Which tests one worker of pytest-xdist runs together.

A file stays together, and so does a folder whose session fixture is expensive. What takes longest starts first, so that
both workers end at about the same time. Each worker has a separate Azurite and a separate block of ports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    import pytest

TOGETHER = ("tests/infra/package/",)
"""One package is built for all of them."""
LONG = (
    "tests/e2e/test_kills.py",
    "tests/e2e/test_outages.py",
    "tests/infra/test_checks.py",
    "tests/infra/package/",
    "tests/e2e/",
    "tests/sandbox/host/",
    "tests/exchange_worker/",
    "tests/infra/hooks/",
    "tests/bench/",
)
"""In the order in which they start."""


def rank(item: pytest.Item) -> int:
    """The place in ``LONG``, all others after it."""
    return next((place for place, start in enumerate(LONG) if item.nodeid.startswith(start)), len(LONG))


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Files and folders as units, in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)
