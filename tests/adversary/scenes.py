"""What these tests do to a World again and again, and what they read back from it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import Any

from bypass_responder.errors import TransientError
from bypass_responder.model.change import Switch
from bypass_responder.model.finding import Finding
from bypass_responder.model.log import LogEntry
from bypass_responder.model.notification import Notification
from tests.world import ALEX, BLAKE, World, a_finding, an_account

BLAKE_UPN = "blake@contoso.onmicrosoft.com"


def a_world(**settings: Any) -> World:
    """ALEX is bypassed in Exchange."""
    world = World(**settings)
    world.bypassed[ALEX] = True
    return world


def about_blake(**fields: Any) -> Finding:
    return a_finding(object_id_text=BLAKE, identity_text=BLAKE_UPN, **fields)


def numbered_accounts(count: int, **fields: Any) -> list[Any]:
    return [an_account(f"00000000-0000-4000-8000-{n:012d}", f"user{n}@contoso.com", **fields) for n in range(count)]


def a_finding_about(account: Any, **fields: Any) -> Finding:
    return a_finding(object_id_text=account.object_id, identity_text=account.user_principal_name, **fields)


def an_off(**fields: Any) -> Finding:
    return a_finding(switch=Switch.OFF, **fields)


async def problems_of(run: Awaitable[object]) -> list[str]:
    """The problems that a run reports at its end; the next run retries."""
    try:
        await run
    except ExceptionGroup as group:
        return [repr(problem) for problem in group.exceptions]
    return []


async def hours_pass(world: World, *hours: float) -> None:
    """The scheduler runs and the worker answers, after each of these spans."""
    for span in hours:
        await world.passes(hours=span)
        await world.answer()


async def minutes_pass(world: World, count: int) -> list[str]:
    """The problems of as many runs, a minute apart."""
    problems: list[str] = []
    for _ in range(count):
        problems += await problems_of(world.passes(minutes=1))
        problems += await problems_of(world.answer())
    return problems


async def contained(world: World) -> str:
    """Contain ALEX and restore auditing; the id of the incident."""
    await world.sees(a_finding())
    await world.answer()
    return (await world.incidents())[-1].id


async def bypassed_again(world: World, **later: float) -> None:
    """The attacker bypasses ALEX again after this time, and the record arrives at once."""
    world.now += timedelta(**later)
    world.bypassed[ALEX] = True
    await world.sees(a_finding(effective_at=world.now))


async def verdict_of(finding: Finding, world: World) -> str:
    stored = {row.id: row for row in (await world.case(finding.target)).by_key.values() if isinstance(row, Finding)}
    return stored[finding.id].verdict


async def undelivered(target: str, world: World) -> list[str]:
    rows = (await world.case(target)).by_key.values()
    return [row.title for row in rows if isinstance(row, Notification) and row.sent_at is None]


def log_lines_about(finding: Finding, world: World) -> int:
    entries = map(LogEntry.model_validate_json, world.ledger.logs[finding.target])
    return sum(entry.facts.get("record") == finding.id for entry in entries)


def commits_before_the_block(world: World) -> list[int]:
    """A list that gets the number of transactions about ALEX at the moment when sign-in is blocked."""
    seen: list[int] = []
    block = world.directory.set_sign_in

    async def counted(object_id: str, *, enabled: bool) -> None:
        seen.append(world.ledger.calls.count(("commit", ALEX)))
        await block(object_id, enabled=enabled)

    world.directory.set_sign_in = counted  # type: ignore[method-assign]
    return seen


def blocks_show_nowhere(world: World) -> None:
    """The directory accepts each call that blocks sign-in, and no read ever shows it."""

    async def without_effect(object_id: str, *, enabled: bool) -> None:
        world.directory.calls.append(("set_sign_in", object_id))

    world.directory.set_sign_in = without_effect  # type: ignore[method-assign]


def next_version_writes(kind: str, world: World) -> None:
    """Every stored row of this kind about ALEX gets a field that only the next version knows."""
    held = world.ledger.stored[ALEX]
    for key, body in [(key, body) for key, (its_kind, body) in held.items() if its_kind == kind]:
        held[key] = (kind, json.dumps(json.loads(body) | {"new_field": None}))


class SilentReceiver:
    """Never answers. ``timeouts`` counts the waits that a run spends one after another."""

    def __init__(self) -> None:
        self.timeouts = 0
        self._in_flight = 0

    async def send(self, notifications: Sequence[Notification]) -> None:
        self.timeouts += not self._in_flight
        self._in_flight += 1
        await asyncio.sleep(0.01)
        self._in_flight -= 1
        raise TransientError("The receiver did not answer.")
