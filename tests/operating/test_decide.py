"""A person's decision is prepared and sent, and its outcome is read.

Nothing is printed, and no terminal is needed.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bypass_responder.errors import NotFoundError, RefusedError
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.model.listing import IndexEntry
from bypass_responder.operating import decide
from bypass_responder.operating.decide import Prepared, last_run, outcome_of, prepare, prepare_acceptance
from tests.world import ALEX, OPS, START, World, a_finding


async def held() -> tuple[World, str]:
    world = World()
    await world.sees(a_finding(first_run=True))
    [incident] = await world.incidents()
    return world, incident.id


async def prepared(world: World, entry_id: str, kind: DecisionKind = DecisionKind.APPROVE, **fields: Any) -> Prepared:
    return await prepare(kind, entry_id, world.services, reason="ticket", author=OPS, **fields)


async def test_a_message_says_who_decides_what_and_why() -> None:
    world, incident_id = await held()
    message = (await prepared(world, incident_id)).message

    assert (message.kind, message.author, message.reason) == (DecisionKind.APPROVE, OPS, "ticket")
    assert (message.target, message.incident_id) == (ALEX, incident_id)


async def test_nothing_is_sent_before_the_person_agrees() -> None:
    world, incident_id = await held()
    await prepared(world, incident_id)

    assert world.decisions.sent == []


async def test_preparing_writes_nothing() -> None:
    world, incident_id = await held()
    world.ledger.calls.clear()
    await prepared(world, incident_id)

    assert "commit" not in {call for call, _ in world.ledger.calls}


async def test_an_unknown_id_is_refused() -> None:
    world, _ = await held()
    with pytest.raises(NotFoundError, match="20200101-0 matches no incident"):
        await prepared(world, "20200101-0")


async def test_a_finding_without_an_incident_has_nothing_to_decide() -> None:
    world = World()
    entry: dict[str, Any] = {"id": "record-x", "target": ALEX, "kind": "attempt", "status": "", "at": START}
    await world.index.put([IndexEntry(**entry, account="alex", actor="mallory", reason="failed")])
    with pytest.raises(RefusedError, match="opened no incident"):
        await prepared(world, "record-x")


async def test_an_account_that_nobody_has_is_refused() -> None:
    world, incident_id = await held()
    with pytest.raises(NotFoundError, match="No account has the object id or user principal name nobody@"):
        await prepared(world, incident_id, account="nobody@contoso.onmicrosoft.com")


async def test_what_is_known_of_a_named_account_is_shown() -> None:
    world = World()
    await world.sees(finding := a_finding(object_id_text="alexw", identity_text="alexw"))
    await world.answer()
    [incident] = await world.incidents(finding.target)
    named = (await prepared(world, incident.id, account=ALEX)).named

    assert named["named account"].startswith(f"alex@contoso.onmicrosoft.com ({ALEX})")
    assert named["its sign-in"] == "enabled"
    assert named["as a candidate"].startswith("NOT A CANDIDATE")
    assert named["its incidents"] == "none"


async def test_what_the_responder_would_refuse_is_not_sent() -> None:
    world, incident_id = await held()
    with pytest.raises(RefusedError, match="Nothing to release"):
        await prepared(world, incident_id, DecisionKind.RELEASE)


async def test_the_mode_of_this_shell_does_not_matter() -> None:
    world, incident_id = await held()
    world.deploy(mode="observe")

    assert (await prepared(world, incident_id)).message.incident_id == incident_id


async def test_the_outcome_is_what_the_responder_recorded() -> None:
    world, incident_id = await held()
    message = (await prepared(world, incident_id)).message
    await world.delivers(message)
    recorded = await outcome_of(message, world.services)

    assert recorded is not None
    assert recorded.outcome == "carried_out"


async def test_waiting_ends_with_the_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "PAUSE_SECONDS", 0.01)
    world, incident_id = await held()
    message = (await prepared(world, incident_id)).message
    waiting = asyncio.create_task(outcome_of(message, world.services, wait_seconds=10))
    await asyncio.sleep(0)
    await world.delivers(message)

    assert await waiting is not None


async def test_waiting_ends_without_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "PAUSE_SECONDS", 0.01)
    world, incident_id = await held()
    message = (await prepared(world, incident_id)).message

    assert await outcome_of(message, world.services, wait_seconds=0.03) is None


async def test_the_last_run_is_the_last_trace_of_one() -> None:
    world, _ = await held()
    before = await last_run(world.services)
    await world.passes(minutes=1)

    assert (before, await last_run(world.services)) == (None, world.now)


async def test_an_acceptance_names_the_warning_and_is_about_the_tenant() -> None:
    world = World()
    await world.sweep(complete=False, warnings=("Something new.",))
    message = await prepare_acceptance("Something new.", world.services, reason="ticket", author=OPS)

    assert (message.kind, message.warning, message.target) == ("accept_warning", "Something new.", "tenant")


async def test_a_warning_that_no_sweep_gave_is_refused_before_it_is_sent() -> None:
    with pytest.raises(RefusedError, match="no such warning"):
        await prepare_acceptance("Something new.", World().services, reason="ticket", author=OPS)
