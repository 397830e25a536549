"""What is answered about permissions that were granted and removed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.model.permission_change import PermissionChange
from bypass_responder.operating.posture import grants
from bypass_responder.operating.posture.grants import read_grants
from tests.tampering.test_permissions import a_change
from tests.world import START, World

DAY = timedelta(days=1)


def ago(days: float, *, granted: bool, **fields: str) -> PermissionChange:
    return a_change(granted=granted, at=START - days * DAY, record_id=f"{granted}-{days}", **fields)


async def world_with(*changes: PermissionChange) -> World:
    world = World()
    await world.permissions.note(changes)
    return world


async def test_nothing_is_complete_and_empty() -> None:
    found = await read_grants(World().services)

    assert (found.changes, found.removed, found.complete) == ((), (), True)


async def test_changes_of_the_last_days_come_newest_first() -> None:
    world = await world_with(ago(8, granted=True), ago(3, granted=True), ago(1, granted=False))
    found = await read_grants(world.services)

    assert [(each.at, each.granted) for each in found.changes] == [(START - DAY, False), (START - 3 * DAY, True)]


async def test_a_removal_finds_a_grant_from_before_the_days_that_are_shown() -> None:
    world = await world_with(ago(6, granted=True), ago(1, granted=False))
    found = await read_grants(world.services, days=2)

    assert [(each.granted_at, each.removed_at) for each in found.removed] == [(START - 6 * DAY, START - DAY)]
    assert len(found.changes) == 1


async def test_a_right_to_a_folder_is_named_in_full() -> None:
    found = await read_grants((await world_with(ago(1, granted=True, right="folder", detail="Editor"))).services)

    assert found.changes[0].right == "folder Editor"


async def test_a_list_has_a_line_for_each_trustee() -> None:
    change = ago(1, granted=True, trustee="", right="member").model_copy(update={"trustees": ("a", "b"), "unlisted": 7})
    found = await read_grants((await world_with(change)).services)

    assert [each.trustee for each in found.changes] == ["a", "b", "and 7 more"]


async def test_what_takes_from_everybody_says_so() -> None:
    found = await read_grants((await world_with(ago(1, granted=False, trustee="", right=""))).services)

    assert [(each.right, each.trustee) for each in found.changes] == [("all", "all")]


async def test_what_waits_for_its_comparison_is_missing() -> None:
    world = World()
    await world.permissions.defer([ago(1, granted=True)], world.now)

    found = await read_grants(world.services)

    assert (found.complete, found.removed, found.clean) == (False, (), False)


async def test_it_says_so_when_there_are_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "MOST_CHANGES", 1)
    found = await read_grants((await world_with(ago(2, granted=True), ago(1, granted=True))).services)

    assert (len(found.changes), found.complete) == (1, False)


async def test_it_is_clean_without_a_grant_that_was_soon_removed() -> None:
    given = await read_grants((await world_with(ago(1, granted=True))).services)
    removed = await read_grants((await world_with(ago(2, granted=True), ago(1, granted=False))).services)

    assert (given.clean, removed.clean) == (True, False)
