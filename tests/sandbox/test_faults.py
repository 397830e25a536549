"""Faults: the same seed, the same trouble; a script, exactly that trouble."""

from __future__ import annotations

import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.tenant.account import DOMAIN
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.faults import MILD, Faults
from sandbox.tenant.state import Tenant

ALEX = f"/users/alex@{DOMAIN}"
BLOCK = {"accountEnabled": False}


def drawn(faults: Faults, *endpoints: str) -> list[str | None]:
    return [fault.kind if (fault := faults.next_fault(endpoint)) else None for endpoint in endpoints]


@given(st.integers(), st.lists(st.sampled_from(["graph.patch_user", "feed.blob"]), max_size=50))
def test_the_same_seed_replays_the_same_faults(seed: int, calls: list[str]) -> None:
    rates = {"throttle": 0.3, "drop_after": 0.3}

    assert drawn(Faults(seed, rates), *calls) == drawn(Faults(seed, rates), *calls)


@given(st.integers(), st.integers(0, 20))
def test_calls_elsewhere_do_not_change_what_happens_here(seed: int, elsewhere: int) -> None:
    rates = {"throttle": 0.5}
    disturbed = Faults(seed, rates)
    drawn(disturbed, *["feed.blob"] * elsewhere)

    assert drawn(disturbed, *["graph.revoke"] * 20) == drawn(Faults(seed, rates), *["graph.revoke"] * 20)


def test_another_seed_is_other_trouble() -> None:
    calls = ["graph.revoke"] * 200

    assert drawn(Faults(1, MILD), *calls) != drawn(Faults(2, MILD), *calls)


def test_without_rates_and_scripts_nothing_goes_wrong() -> None:
    assert drawn(Faults(7), *["graph.revoke"] * 50) == [None] * 50


def test_a_connection_dropped_before_the_effect(graph: httpx.Client, control: SandboxClient, tenant: Tenant) -> None:
    control.fault("drop_before", "graph.patch_user")

    with pytest.raises(httpx.TransportError):
        graph.patch(ALEX, json=BLOCK)

    assert tenant.journal == []


def test_a_connection_dropped_after_the_effect(graph: httpx.Client, control: SandboxClient, tenant: Tenant) -> None:
    control.fault("drop_after", "graph.patch_user")

    with pytest.raises(httpx.TransportError):
        graph.patch(ALEX, json=BLOCK)

    assert [change.field for change in tenant.journal] == ["account_enabled"]


def test_a_scripted_fault_is_over_after_its_times(graph: httpx.Client, control: SandboxClient) -> None:
    control.fault("server_error", "graph.patch_user", times=2, status=502)

    answers = [graph.patch(ALEX, json=BLOCK) for _ in range(3)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(502, b""), (502, b""), (204, b"")]


def test_a_fault_can_wait_for_a_later_call(graph: httpx.Client, control: SandboxClient) -> None:
    control.fault("server_error", "graph.get_user", skip=1)

    assert [graph.get(ALEX).status_code for _ in range(3)] == [200, 503, 200]


def test_a_fault_without_an_end_lasts_until_it_is_removed(graph: httpx.Client, control: SandboxClient) -> None:
    control.fault("server_error", "graph.*", times=None)
    during = [graph.get(ALEX).status_code for _ in range(5)]

    control.clear_faults()

    assert during == [503] * 5
    assert graph.get(ALEX).status_code == 200


def test_throttling_names_the_time_to_wait(graph: httpx.Client, control: SandboxClient) -> None:
    control.fault("throttle", "graph.*", retry_after_seconds=3)

    answer = graph.get(ALEX)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")


def test_every_call_can_be_made_slower(graph: httpx.Client, control: SandboxClient) -> None:
    control.fault("latency", "graph.*", seconds=0.05, times=None)
    started = time.monotonic()

    graph.get(ALEX)
    graph.get(ALEX)

    assert time.monotonic() - started >= 0.1


def test_a_stale_server_shows_the_value_before_the_change(
    graph: httpx.Client, control: SandboxClient, tenant: Tenant
) -> None:
    graph.patch(ALEX, json=BLOCK)
    control.random_faults(1, {"stale_read": 1})

    assert graph.get(ALEX, params={"$select": "accountEnabled"}).json()["accountEnabled"] is True


def test_duplicated_and_late_blobs(tenant: Tenant) -> None:
    tenant.faults = Faults(1, {"duplicate_blob": 1, "late_blob": 1}, late_by_seconds=60)

    blobs = tenant.deliver([])

    assert len({blob.content_id for blob in blobs}) == 2
    assert {round((blob.visible_at - blob.created).total_seconds()) for blob in blobs} == {60}


def test_the_webhook_sink_keeps_what_it_received_and_can_fail(url: str, control: SandboxClient) -> None:
    control.fault("server_error", "webhook")

    statuses = [httpx.post(f"{url}/webhook", content=body, trust_env=False).status_code for body in ("lost", "kept")]

    assert statuses == [503, 200]
    assert [kept["body"] for kept in control.notifications()] == ["kept"]


def test_calls_are_counted_by_endpoint(graph: httpx.Client, control: SandboxClient) -> None:
    graph.get(ALEX)
    graph.patch(ALEX, json=BLOCK)

    counters = control.state()["counters"]

    assert (counters["graph.get_user"], counters["graph.patch_user"]) == (1, 1)
