"""Shared by all tests: one Azurite for each worker, the index of the function app, a wait."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from pydantic import SecretStr

from sandbox.azurite import Azurite, missing
from tests.workers import Scheduling, rank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from xdist.remote import Producer

    from bypass_responder.adapters.storage_clients import StorageClients


settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # busy is no failure
settings.register_profile("ci", settings.get_profile("ours"), derandomize=True)  # what lands, lands by what it is
settings.load_profile("ci" if os.environ.get("CI") else "ours")

ROOT = Path(__file__).resolve().parent.parent
INDEX = """
import json, sys, function_app
functions = function_app.app.get_functions()
bindings = {each.get_function_name(): [json.loads(text) for text in each.get_raw_bindings()] for each in functions}
print(json.dumps({"bindings": bindings, "modules": sorted(sys.modules)}))
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what takes longest; the order is random otherwise."""
    items.sort(key=rank)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Give each worker whole files."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def _no_profiles(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the profiles of this machine out of the tests, and theirs out of its file."""
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="session")
def index() -> dict[str, Any]:
    """Return ``bindings`` by function, and the ``modules`` that indexing loads.

    Indexing runs in a fresh process without any setting: an app can be indexed once per process.
    """
    command = [sys.executable, "-c", INDEX]
    environment = {"PATH": os.environ["PATH"]}
    ended = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, env=environment)
    indexed: dict[str, Any] = json.loads(ended.stdout)
    return indexed


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of an Azurite that all tests share.

    Choose unique names for what you create in it.
    """
    if reason := missing():
        pytest.skip(reason)
    with Azurite(log=tmp_path_factory.mktemp("azurite") / "azurite.log") as storage:
        yield storage.connection_string


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Wait until what is asked for is true; fail when it does not become true."""

    def wait(is_true: Callable[[], object]) -> None:
        give_up_at = time.monotonic() + 60
        while not is_true():
            assert time.monotonic() < give_up_at, "did not become true within 60 s"
            time.sleep(0.05)

    return wait


@pytest.fixture
async def clients(azurite: str) -> AsyncIterator[StorageClients]:
    """The data account in Azurite, with its tables and containers."""
    from bypass_responder.adapters.storage_clients import connect, create_storage
    from bypass_responder.settings import Storage

    connected = connect(Storage(connection_string=SecretStr(azurite)))
    await create_storage(connected, queues=())
    yield connected
    await connected.close()


@pytest.fixture
def tenant_id() -> str:
    """A tenant whose rows no other test has."""
    return str(uuid4())
