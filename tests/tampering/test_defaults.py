"""The defaults that the family compares with are those of the newest baseline."""

from __future__ import annotations

import pytest

from bypass_responder.model.mailbox_audit import LogonType
from bypass_responder.posture.baseline import License, measures
from bypass_responder.tampering.mailbox import DEFAULT_ACTIONS


@pytest.mark.parametrize("logon", LogonType)
def test_the_default_actions_are_those_of_the_newest_baseline(logon: LogonType) -> None:
    wanted = measures().microsoft.wanted(logon, License.PREMIUM)

    assert DEFAULT_ACTIONS[f"Audit{logon.value.capitalize()}"] == {*wanted}
