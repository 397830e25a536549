"""A person's decision: found, checked and stored. Nothing is printed and no terminal is needed."""

from __future__ import annotations

import pytest

from bypass_responder.errors import NotFoundError, RefusedError
from bypass_responder.model.case import IndexEntry
from bypass_responder.model.incident import PersonDecision
from bypass_responder.operating.decide import decide_incident
from tests.world import ALEX, START, World, a_finding


async def held() -> tuple[World, str]:
    world = World()
    await world.sees(a_finding(first_run=True))
    [incident] = await world.incidents()
    return world, incident.id


async def decided(world: World, entry_id: str, **fields: str) -> None:
    await decide_incident("approve", entry_id, world.services, reason="ticket", who="ops", **fields)


async def test_a_decision_is_stored_with_who_and_why() -> None:
    world, incident_id = await held()
    await decided(world, incident_id)
    [stored] = (await world.case()).rows(PersonDecision)

    assert (stored.verb, stored.who, stored.reason, stored.done) == ("approve", "ops", "ticket", False)


async def test_nothing_is_carried_out_yet() -> None:
    world, incident_id = await held()
    await decided(world, incident_id)

    assert world.directory.enabled[ALEX]


async def test_an_unknown_id_is_refused() -> None:
    world, _ = await held()
    with pytest.raises(NotFoundError, match="20200101-0 matches no incident, or several"):
        await decided(world, "20200101-0")


async def test_a_finding_without_an_incident_has_nothing_to_decide() -> None:
    world = World()
    entry = {"id": "record-x", "target": ALEX, "kind": "attempt", "status": "", "at": START}
    await world.index.put([IndexEntry(**entry, account="alex", actor="mallory", reason="failed")])
    with pytest.raises(RefusedError, match="opened no incident"):
        await decided(world, "record-x")


async def test_an_account_that_nobody_has_is_refused() -> None:
    world, incident_id = await held()
    with pytest.raises(NotFoundError, match="No account has the object id or user principal name nobody@"):
        await decided(world, incident_id, account="nobody@contoso.onmicrosoft.com")
