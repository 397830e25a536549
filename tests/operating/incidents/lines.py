"""Lines of the index."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bypass_responder.model.listing import IndexEntry
from tests.world import ALEX, START, World


def a_line(entry_id: str, *, minutes: int = 0, **fields: Any) -> IndexEntry:
    defaults: dict[str, Any] = {
        "id": entry_id,
        "target": ALEX,
        "kind": "incident",
        "status": "contained",
        "at": START + timedelta(minutes=minutes),
        "account": "alex@contoso.com",
        "actor": "mallory@contoso.com",
        "reason": "not allowlisted",
        "accounts": ("alex@contoso.com", ALEX),
        "actors": ("mallory@contoso.com",),
    }
    return IndexEntry.model_validate(defaults | fields)


async def a_world(*lines: IndexEntry) -> World:
    world = World()
    await world.index.put(lines)
    return world
