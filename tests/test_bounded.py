"""What is remembered is bounded, and the newest stay."""

from __future__ import annotations

from bypass_responder.bounded import Remembered


def test_the_newest_keys_are_remembered_and_the_oldest_forgotten() -> None:
    known = Remembered(most=2)
    known.add(["a", "b"])
    known.add(["c"])

    assert [key in known for key in "abc"] == [False, True, True]
