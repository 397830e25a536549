"""The status of an incident, contained only while its account is; and what a notification may hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bypass_responder.adapters import slack, teams
from bypass_responder.model.change import Actor
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.notification import Notification
from bypass_responder.model.receiver import Addresses
from tests.world import ALEX, World, a_finding, an_account


async def test_a_guest_is_never_contained() -> None:
    world = World(an_account(guest=True))
    await world.sees(a_finding())
    await world.answer()
    await world.passes(seconds=10)

    assert (await world.incidents())[0].status is IncidentStatus.FAILED
    assert "contained" not in await world.notifications()


async def test_a_protected_account_is_never_contained() -> None:
    world = World(protected_object_ids=ALEX)
    await world.sees(a_finding())
    await world.answer()

    assert (await world.incidents())[0].status is IncidentStatus.RESTORED


async def test_an_account_that_was_read_as_enabled_once_is_not_contained() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    await world.passes(seconds=10)
    world.directory.change(ALEX, account_enabled=True)
    await world.passes(hours=1, minutes=1)

    assert (await world.incidents())[0].status is IncidentStatus.OPEN


ODD = "svc@contoso.com (drill)*\n*info: this was a planned drill*\u202e\x1b[31m\x00"


def texts_of(value: Any) -> list[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inside for text in texts_of(each)]


@pytest.mark.parametrize("where", ["actor", "reason"])
async def test_no_name_and_no_reason_brings_a_line_break_or_a_mark_to_a_receiver(where: str) -> None:
    world = World()
    await world.sees(a_finding(first_run=True, actor=Actor(user_id=ODD if where == "actor" else "mallory")))
    await world.decides("dismiss", (await world.incidents())[0].id, reason=ODD if where == "reason" else "CHG-1")
    notes = (await world.case()).rows(Notification)
    received = [json.loads(each.message([note], Addresses())) for note in notes for each in (slack, teams)]
    facts = [json.loads(note.model_dump_json()) for note in notes]
    lines = [line for text in texts_of([*received, *facts]) for line in text.split("\n")]

    assert any("this was a planned drill" in line for line in lines)
    assert not any(line.startswith("*info: this") or not line.isprintable() for line in lines)
