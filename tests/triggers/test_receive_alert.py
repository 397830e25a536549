"""``receive_alert``: what becomes of one event, on fakes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bypass_responder.errors import InputError, TransientError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.finding import Finding, Source
from bypass_responder.triggers.receive_alert import receive_alert
from tests.sensing.builders import a_bypass, a_tampering
from tests.world import ALEX, TENANT, World

UPN = "alex@contoso.onmicrosoft.com"


async def says(world: World, data: object, **envelope: Any) -> None:
    event = {"specversion": "1.0", "id": "e1", "source": "/siem", "type": "bypass", "data": data} | envelope
    await receive_alert(json.dumps(event).encode(), world.services)


async def hints(world: World) -> list[Finding]:
    cases = [await world.ledger.load(target) for target in sorted(await world.ledger.targets())]
    rows = [row for case in cases for row in case.by_key.values()]
    return [row for row in rows if isinstance(row, Finding) and row.source is Source.HINT]


async def swept() -> World:
    world = World()
    await world.sweep()
    world.bypassed[ALEX] = True
    return world


async def test_a_hint_is_stored_with_what_it_said_and_exchange_is_asked() -> None:
    world = await swept()
    link = "https://siem.contoso.example/alerts/17"
    await says(world, {"tenantId": TENANT, "target": ALEX, "actor": "mallory", "link": link})
    [hint] = await hints(world)

    assert (hint.sender, str(hint.actor), hint.link) == ("/siem", "mallory", link)
    assert hint.evidence
    assert len(world.exchange.sent) == 1
    assert world.directory.enabled[ALEX]


async def test_a_record_in_an_alert_does_not_skip_the_question() -> None:
    world = await swept()
    record = a_bypass(
        OrganizationId=TENANT,
        ObjectId=ALEX,
        Parameters=[{"Name": "Identity", "Value": UPN}, {"Name": "AuditBypassEnabled", "Value": "True"}],
    )
    await says(world, record)
    untouched = dict(world.directory.enabled)
    await world.answer()

    assert untouched[ALEX]
    assert not world.directory.enabled[ALEX]


async def test_the_same_event_twice_is_one_hint() -> None:
    world = await swept()
    for _ in range(2):
        await says(world, {"tenantId": TENANT, "target": ALEX})
        world.deploy()

    assert len(await hints(world)) == 1


async def test_an_event_that_comes_again_gives_no_work() -> None:
    world = await swept()
    await says(world, {"tenantId": TENANT, "target": ALEX})
    before = dict(world.work.held)
    world.deploy()
    await says(world, {"tenantId": TENANT, "target": ALEX})

    assert world.work.held == before


async def test_an_event_that_this_process_has_handled_asks_the_ledger_nothing() -> None:
    world = await swept()
    await says(world, {"tenantId": TENANT, "target": ALEX, "occurredAt": world.now.isoformat()})
    world.ledger.calls.clear()
    await says(world, {"tenantId": TENANT, "target": ALEX, "occurredAt": world.now.isoformat()})

    assert world.ledger.calls == []


async def test_an_event_that_comes_again_after_a_crash_is_taken_up() -> None:
    """The first run stored it, and ended before the work list said so."""
    world = await swept()
    world.work.fail("touch", TransientError("the host was killed"))
    with pytest.raises(TransientError):
        await says(world, {"tenantId": TENANT, "target": ALEX})
    await says(world, {"tenantId": TENANT, "target": ALEX})

    assert len(world.exchange.sent) == 1


async def test_an_event_that_comes_again_for_a_corrupt_case_is_left_to_the_scheduler() -> None:
    world = await swept()
    await says(world, {"tenantId": TENANT, "target": ALEX})
    world.ledger.fail("load", InputError("corrupt_row", "edited"), about=ALEX, always=True)
    world.deploy()
    await says(world, {"tenantId": TENANT, "target": ALEX})

    assert world.work.held[ALEX].due_at == world.now


async def test_a_hint_that_was_stored_raises_nothing_when_graph_is_down() -> None:
    """A delivery by Event Grid could not fix it; the scheduler retries."""
    world = await swept()
    world.directory.fail("find", TransientError("503"), always=True)
    await says(world, {"tenantId": TENANT, "target": ALEX})
    world.directory.recover()
    await world.passes(minutes=1)
    await world.answer()

    assert not world.directory.enabled[ALEX]


async def test_a_hint_that_cannot_be_stored_raises_so_that_it_comes_again() -> None:
    world = await swept()
    world.ledger.fail("add_finding", TransientError("gone"), always=True)

    with pytest.raises(TransientError):
        await says(world, {"tenantId": TENANT, "target": ALEX})


@pytest.mark.parametrize("data", [{"tenantId": TENANT}, {"tenantId": "x", "target": ALEX}, 17, [], "text"])
async def test_what_cannot_be_read_is_kept_and_is_an_alert_and_asks_nothing(data: object) -> None:
    world = await swept()
    await says(world, data)

    assert len(world.feed_store.kept) == 1
    assert await world.alerts() == {"alerts_unreadable"}
    assert world.exchange.sent == []


async def test_an_event_that_comes_again_makes_up_for_a_run_that_kept_it_and_ended() -> None:
    world = await swept()
    world.work.fail("touch", TransientError("503"), about=TENANT_TARGET)
    with pytest.raises(TransientError):
        await says(world, 17)

    await says(world, 17)

    assert await world.alerts() == {"alerts_unreadable"}


async def test_a_day_without_another_one_ends_that_alert() -> None:
    world = await swept()
    await says(world, 17)
    for _ in range(25):
        await world.passes(hours=1)

    assert "alerts_unreadable" not in await world.alerts()


async def test_an_alert_about_a_switch_of_the_organization_asks_for_a_sweep_and_blocks_nobody() -> None:
    world = await swept()
    await says(world, a_tampering(OrganizationId=TENANT))
    logged = [entry.event async for entry in world.ledger.log(TENANT_TARGET)]

    assert len(world.sweeps_asked) == 2
    assert "hint" in logged
    assert all(world.directory.enabled.values())


async def test_an_alert_as_plain_text_on_the_queue_is_taken() -> None:
    """The host decodes base64 and moves anything else to the poison queue, without running the function."""
    world = await swept()
    world.exchange.poison_alerts.append(json.dumps({"tenantId": TENANT, "target": ALEX}))
    await world.passes(minutes=1)

    assert len(await hints(world)) == 1
    assert world.exchange.poison_alerts == []


async def test_text_on_the_queue_that_is_no_alert_is_refused_with_its_reason() -> None:
    world = await swept()
    world.exchange.poison_alerts.append("please look at alex")
    await world.passes(minutes=1)

    assert await world.alerts() == {"alerts_unreadable"}
    assert [item.reason for item in world.feed_store.kept] == ["not_json"]
