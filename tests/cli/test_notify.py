"""`bypassctl notify test`: a receiver that the app does not have."""

from __future__ import annotations

import pytest

from bypass_responder.cli.notify import unknown_receiver
from bypass_responder.model.self_check import SelfCheck
from tests.world import START


def a_check(*receivers: str, unresolved: bool = False) -> SelfCheck:
    return SelfCheck(at=START, version="1", mode="observe", receivers=receivers, receivers_unresolved=unresolved)


@pytest.mark.parametrize(
    ("check", "says"),
    [
        (a_check("soc (slack) from info", "webhook (webhook) from info"), "only soc, webhook"),
        (a_check(), "no receiver"),
    ],
)
def test_a_receiver_that_the_app_does_not_have_is_named(check: SelfCheck, says: str) -> None:
    assert f"The app has {says} as of " in unknown_receiver("bogus", check)


@pytest.mark.parametrize(
    ("receiver", "check"),
    [
        ("soc", a_check("soc (slack) from info")),
        ("soc", a_check(unresolved=True)),
        ("soc", None),
        (None, a_check()),
    ],
)
def test_a_receiver_that_the_app_has_or_may_have_is_not_doubted(receiver: str | None, check: SelfCheck | None) -> None:
    assert unknown_receiver(receiver, check) == ""
