"""The real worker under ``pwsh``, with the stand-in module, on a stand-in tenant in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sandbox.exchange_online import Function, missing
from sandbox.tenant.account import Account
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.server import serving
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant
from tests.exchange_worker.commands import ALEX, Start, settings
from tests.exchange_worker.reads import Ask, an_account, by_powershell, by_python


@pytest.fixture(scope="session")
def _pwsh() -> None:
    if reason := missing():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def served(_pwsh: None) -> Iterator[tuple[Tenant, str]]:
    """One server for all tests."""
    shared = Tenant()
    with serving(shared) as url:
        yield shared, url


@pytest.fixture(scope="session")
def commands(served: tuple[Tenant, str]) -> Iterator[Function]:
    """The function ExchangeCommands, one process for all tests, as it is one for all messages."""
    with Function("ExchangeCommands", environment=settings(served[1])) as function:
        yield function


@pytest.fixture(scope="session")
def sweeps(served: tuple[Tenant, str]) -> Iterator[Function]:
    """The function ExchangeSweeps."""
    with Function("ExchangeSweeps", environment=settings(served[1])) as function:
        yield function


@pytest.fixture
def start(served: tuple[Tenant, str]) -> Iterator[Start]:
    """Starts a separate process, with changed settings."""
    with ExitStack() as stack:

        def begin(**changed: str) -> Function:
            return stack.enter_context(Function("ExchangeCommands", environment=settings(served[1], **changed)))

        yield begin


@pytest.fixture
def tenant(served: tuple[Tenant, str]) -> Tenant:
    """A tenant in its first state, that replicates at once."""
    shared, _ = served
    fresh = Tenant(settings=Settings(exchange_delay_seconds=0, graph_delay_seconds=0))
    vars(shared).update(vars(fresh))
    return shared


@pytest.fixture
def control(tenant: Tenant, served: tuple[Tenant, str]) -> Iterator[SandboxClient]:
    with SandboxClient(served[1]) as client:
        yield client


@pytest.fixture
def alex(tenant: Tenant) -> Account:
    """Bypassed."""
    account = tenant.find(ALEX)
    assert account
    account.audit_bypass_enabled = True
    return account


@pytest.fixture(scope="session")
def reads(served: tuple[Tenant, str]) -> Iterator[Function]:
    """The function ExchangeReads."""
    with Function("ExchangeReads", environment=settings(served[1])) as function:
        yield function


@pytest.fixture(params=["powershell", "python"])
def ask(request: pytest.FixtureRequest, tenant: Tenant, served: tuple[Tenant, str]) -> Ask:
    if request.param == "powershell":
        return by_powershell(request.getfixturevalue("reads"))
    return lambda command, *, record=None, ended=None, deliveries=1: asyncio.run(
        by_python(served[1], command, record, ended, deliveries)
    )


@pytest.fixture
def mallory(tenant: Tenant) -> Account:
    return an_account(tenant, "mallory.m")
