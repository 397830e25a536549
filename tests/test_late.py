"""An object is built at its first use, once, and only then closed."""

from __future__ import annotations

import pytest

from bypass_responder.late import closing, late, late_mapping


class Client:
    """Counts its objects."""

    built = 0
    closed = 0

    def __init__(self) -> None:
        Client.built += 1

    def answer(self) -> int:
        return 42

    async def close(self) -> None:
        Client.closed += 1


@pytest.fixture(autouse=True)
def from_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "built", 0)
    monkeypatch.setattr(Client, "closed", 0)


def test_it_is_built_at_its_first_use_and_once() -> None:
    client = late(Client)
    before = Client.built

    assert (before, client.answer(), client.answer(), Client.built) == (0, 42, 42, 1)


async def test_what_was_never_built_is_not_closed() -> None:
    await closing(late(Client))()

    assert (Client.built, Client.closed) == (0, 0)


async def test_what_was_built_is_closed() -> None:
    client = late(Client)
    client.answer()
    await closing(client)()
    await closing(Client())()

    assert Client.closed == 2


def test_a_mapping_is_built_at_its_first_use_and_once() -> None:
    clients = late_mapping(lambda: {"one": Client(), "two": Client()})
    before = Client.built

    assert (before, list(clients), len(clients), clients["one"].answer(), Client.built) == (0, ["one", "two"], 2, 42, 2)
