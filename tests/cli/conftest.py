"""The stand-in Graph of the tests of `bypassctl grant`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bypass_responder.cli import grant as command
from sandbox.tenant.server import serving
from sandbox.tenant.state import Tenant
from tests.cli.granting import Directory


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Tenant, str]]:
    shared = Tenant()
    with serving(shared) as url:
        yield shared, url


@pytest.fixture
def directory(served: tuple[Tenant, str], monkeypatch: pytest.MonkeyPatch) -> Directory:
    monkeypatch.setattr(command, "PAUSE_SECONDS", 0.01)
    return Directory(*served)
