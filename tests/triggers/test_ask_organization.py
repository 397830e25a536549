"""The daily question about the organization, and when it is asked again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.model.exchange_read import ReadOutcome, ReadResult
from bypass_responder.triggers.ask_organization import ask_organization
from tests.world import World

FAILED = {"outcome": ReadOutcome.FAILED, "error": "Exchange is away."}
EXPIRED = {
    "outcome": ReadOutcome.REFUSED,
    "error": "The command expired at 2026-03-02T10:00:00Z (not_after).",
    "error_class": "transient",
}


async def asked(**answer: Any) -> World:
    """A world that has asked, and whose worker has answered, if an answer is given."""
    world = World()
    await ask_organization(world.services)
    [command] = world.reads.sent
    ids = {"command_id": command.command_id, "kind": command.kind, "tenant_id": command.tenant_id}
    if answer:
        await world.reads.record(ReadResult(**ids, started_at=world.now, **answer), world.now)
    return world


@pytest.mark.parametrize(
    ("answer", "hours", "questions"),
    [({}, 5, 1), ({}, 7, 2), (EXPIRED, 5, 1), (EXPIRED, 7, 2), (FAILED, 23, 1), (FAILED, 25, 2)],
)
async def test_it_is_asked_once_a_day_and_without_an_answer_after_six_hours(
    answer: dict[str, Any], hours: int, questions: int
) -> None:
    world = await asked(**answer)
    world.now += timedelta(hours=hours)
    await ask_organization(world.services)

    assert len(world.reads.sent) == questions
