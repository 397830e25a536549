"""Which column is which property."""

from __future__ import annotations

import pytest

from bypass_responder.errors import RefusedError
from bypass_responder.posture.exports.columns import columns_of, renamed


def test_the_own_name_of_a_property_counts_before_another_one() -> None:
    assert columns_of(["WhenCreated", "WhenCreatedUTC"], {}) == {"WhenCreatedUTC": "WhenCreatedUTC"}


def test_what_was_given_counts_before_the_own_name() -> None:
    assert columns_of(["AuditOwner", "Besitzer"], renamed(["Besitzer=AuditOwner"])) == {"AuditOwner": "Besitzer"}


@pytest.mark.parametrize("pair", ["AuditOwner", "=AuditOwner", "Besitzer=Owner", ""])
def test_what_names_no_property_is_refused(pair: str) -> None:
    with pytest.raises(RefusedError, match="HEADER=PROPERTY"):
        renamed([pair])
