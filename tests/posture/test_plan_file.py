"""The file of a plan: read, checked against its hash and against what was decided."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bypass_responder.errors import RefusedError
from bypass_responder.model.plan_run import MOST_CHANGES, PlanRef
from bypass_responder.posture.plan_file import changes_of, decided_plan, read_plan
from tests.case.plans import PINNED, object_id
from tests.triggers.plans import a_plan, a_planned, as_file

PLAN = a_plan(3)


def forged(**fields: Any) -> bytes:
    """A plan made by hand, with its hash made again."""
    return as_file(a_plan(changes=(a_planned(0), a_planned(1).model_copy(update=fields))))


def test_a_plan_is_read_as_it_was_written() -> None:
    assert read_plan(as_file(PLAN)) == PLAN


def test_the_same_file_is_checked_once() -> None:
    assert read_plan(as_file(PLAN)) is read_plan(as_file(PLAN))


def test_the_form_of_the_file_does_not_matter() -> None:
    assert read_plan(json.dumps(json.loads(as_file(PLAN))).encode()) == PLAN


def test_a_plan_that_was_decided_is_accepted() -> None:
    assert decided_plan(as_file(PLAN), PlanRef(sha256=PLAN.sha256, changes=3)) == PLAN


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"[]", "cannot be read"),
        (as_file(PLAN)[:-20], "cannot be read"),
        (as_file(PLAN).replace(b"UserMailbox", b"RoomMailbox", 1), "its hash differs"),
        (as_file(PLAN).replace(b'"format"', b'"other": 1, "format"', 1), "cannot be read"),
        (b'{"format": "bypass-responder/posture-undo/1"}', "To undo the run: bypassctl posture undo RUN"),
        (as_file(a_plan(0)), "changes no mailbox"),
        (forged(object_id=object_id(1).upper()), "posture plan: changes.1.object_id"),
        (forged(object_id="kim"), "posture plan: changes.1.object_id"),
        (forged(name="k" * 300), "posture plan: changes.1.name"),
        (forged(expected=PINNED.model_copy(update={"owner": ("A" * 64,) * 200})), "more than 8000 characters"),
        (as_file(a_plan(changes=(a_planned(1), a_planned(1)))), "twice"),
        (as_file(a_plan(changes=tuple(map(a_planned, range(MOST_CHANGES + 1))))), f"--most {MOST_CHANGES}"),
    ],
    ids=[
        "empty",
        "no text",
        "a list",
        "cut",
        "changed",
        "a field more",
        "an undo file",
        "no change",
        "capitals",
        "no id",
        "long name",
        "long list",
        "doubled",
        "too many",
    ],
)
def test_a_file_that_is_no_plan_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        read_plan(content)


@pytest.mark.parametrize("ref", [PlanRef(sha256="a" * 64, changes=3), PlanRef(sha256=PLAN.sha256, changes=2)])
def test_another_plan_than_was_decided_is_refused(ref: PlanRef) -> None:
    with pytest.raises(RefusedError, match="not the plan that was decided"):
        decided_plan(as_file(PLAN), ref)


def test_mailboxes_are_numbered_as_in_the_plan() -> None:
    assert [each.number for each in changes_of(PLAN, 1, 9)] == [1, 2]
