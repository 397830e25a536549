"""A stand-in tenant for each test: the state in this process, the services on loopback."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from sandbox.tenant.client import SandboxClient
from sandbox.tenant.identity import EXCHANGE, GRAPH, MANAGEMENT, RESPONDER_SECRET, WORKER_SECRET
from sandbox.tenant.server import serving
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant
from sandbox.worker import ExchangeCalls
from tests.sandbox.receiver import Receiver, receiving

Bearer = Callable[..., str]
Settled = Callable[[], dict[str, int]]
NOTHING_HAPPENED = {"published": 0, "delivered": 0, "retried": 0, "dead_lettered": 0, "pending": 0}


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Tenant, str]]:
    """One server for all tests; starting one for each takes longer than the tests do."""
    shared = Tenant()
    with serving(shared) as url:
        yield shared, url


@pytest.fixture
def tenant(served: tuple[Tenant, str]) -> Tenant:
    """A tenant in its first state, which replicates at once.

    A test that is not about delays need not wait.
    """
    shared, _ = served
    fresh = Tenant(settings=Settings(exchange_delay_seconds=0, graph_delay_seconds=0))
    vars(shared).update(vars(fresh))
    return shared


@pytest.fixture
def url(tenant: Tenant, served: tuple[Tenant, str]) -> str:
    return served[1]


@pytest.fixture
def control(url: str) -> Iterator[SandboxClient]:
    with SandboxClient(url) as client:
        yield client


@pytest.fixture
def bearer(url: str) -> Bearer:
    """Fetches a token for a resource as the app with this secret."""

    def fetch(resource: str, secret: str) -> str:
        query = {"resource": resource, "api-version": "2019-08-01"}
        answer = httpx.get(
            f"{url}/identity/token", params=query, headers={"X-IDENTITY-HEADER": secret}, trust_env=False
        )
        token: str = answer.json()["access_token"]
        return token

    return fetch


def _http(base_url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {token}"}, trust_env=False)


@pytest.fixture
def feed(url: str, tenant: Tenant, bearer: Bearer) -> Iterator[httpx.Client]:
    """The Management Activity API of the tenant, as the responder."""
    base = f"{url}/api/v1.0/{tenant.settings.tenant_id}/activity/feed"
    with _http(base, bearer(MANAGEMENT, RESPONDER_SECRET)) as client:
        yield client


@pytest.fixture
def graph(url: str, bearer: Bearer) -> Iterator[httpx.Client]:
    """Graph, as the responder."""
    with _http(f"{url}/v1.0", bearer(GRAPH, RESPONDER_SECRET)) as client:
        yield client


@pytest.fixture
async def exchange(url: str, tenant: Tenant, bearer: Bearer) -> AsyncIterator[ExchangeCalls]:
    """Exchange, as the worker."""
    token = bearer(EXCHANGE, WORKER_SECRET)

    async def known() -> str:
        return token

    async with httpx.AsyncClient(trust_env=False) as http:
        yield ExchangeCalls(http, f"{url}/exchange", tenant.settings.tenant_id, known, pause_seconds=0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook."""
    with receiving() as server:
        yield server


@pytest.fixture
def settled(control: SandboxClient) -> Settled:
    """Waits until the topic has nothing under way; gives its counts."""

    def wait() -> dict[str, int]:
        give_up_at = time.monotonic() + 20
        while (counts := control.events())["pending"]:
            assert time.monotonic() < give_up_at, counts
            time.sleep(0.02)
        return counts

    return wait
