from __future__ import annotations

import pytest

from bypass_responder.rights import EVIDENCE_ROLES, EVIDENCE_SETS, evidence_roles, open_evidence

ALL = [role.value for role in EVIDENCE_ROLES]


@pytest.mark.parametrize(
    ("words", "count"),
    [("", 0), ("core", 3), ("FULL", 7), ("core,full", 8), ("core, core", 3), ("threathunting.read.all", 1)],
)
def test_sets_and_single_names_are_permissions(words: str, count: int) -> None:
    assert len(evidence_roles(words)) == count


def test_another_word_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mail\.read is neither a set nor a permission"):
        evidence_roles("core,Mail.Read")


def test_the_wider_permission_makes_the_narrow_one_needless() -> None:
    full = [role.value for role in EVIDENCE_SETS["full"]]

    assert open_evidence(full) == ()


def test_without_any_permission_all_are_open() -> None:
    assert [role.value for role in open_evidence(())] == ALL
