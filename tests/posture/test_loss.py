"""What counts as audited less."""

from __future__ import annotations

from typing import Any

import pytest

from bypass_responder.posture.loss import losses
from tests.case.plans import CHANGED, PINNED


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ({}, {}, ()),
        ({"owner": ("Update", "Send")}, {"owner": ("Update",)}, ("Send (Owner)",)),
        ({"owner": ("update",)}, {"owner": ("Update",)}, ()),
        ({"owner": ("MessageBind",)}, {"owner": ("MailItemsAccessed",)}, ()),
        ({"owner": ("MessageBind",)}, {"owner": ("Update",)}, ("MessageBind (Owner)",)),
        ({"admin": ("Update", "Copy")}, {"admin": ("Update",)}, ()),  # Microsoft's, before and after
        ({"enabled": True}, {"enabled": False}, ("AuditEnabled",)),
        ({"enabled": None}, {"enabled": False}, ("AuditEnabled",)),
        ({"enabled": False}, {"enabled": None}, ()),
        ({"age_limit": "180.00:00:00"}, {"age_limit": "90.00:00:00"}, ("AuditLogAgeLimit",)),
        ({"age_limit": "90.00:00:00"}, {"age_limit": "180.00:00:00"}, ()),
        ({"age_limit": "90.00:00:00"}, {"age_limit": None}, ()),
    ],
)
def test_what_is_no_longer_there_is_lost(before: dict[str, Any], after: dict[str, Any], lost: tuple[str, ...]) -> None:
    assert losses(PINNED.model_copy(update=before), PINNED.model_copy(update=after)) == lost


def test_an_explicit_list_is_compared_with_the_default_set_that_came() -> None:
    less = CHANGED.model_copy(update={"owner": ("Update", "Send")})

    assert (losses(PINNED, CHANGED), losses(PINNED, less)) == ((), ("HardDelete (Owner)",))


def test_a_default_set_that_exchange_does_not_return_is_not_compared() -> None:
    assert losses(PINNED, CHANGED.model_copy(update={"owner": ()})) == ()
