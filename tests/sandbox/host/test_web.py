"""HTTP triggers of the local host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.sandbox.host.conftest import SampleHost


def test_a_route_gets_the_request_and_its_answer_is_sent_as_it_is(running: SampleHost) -> None:
    answer = httpx.post(f"{running.url}/api/echo/hello", content="body", headers={"Agent": "test"})

    assert (answer.status_code, answer.json(), answer.headers["made"]) == (
        201,
        {"word": "hello", "body": "body", "agent": "test"},
        "here",
    )


def test_a_method_that_the_binding_does_not_name_is_refused(running: SampleHost) -> None:
    answer = httpx.get(f"{running.url}/api/echo/hello")

    assert answer.status_code == 405


def test_an_exception_of_a_route_is_a_500_without_details(running: SampleHost) -> None:
    answer = httpx.post(f"{running.url}/api/echo/hello?fail=1")

    assert (answer.status_code, answer.text) == (500, "")
