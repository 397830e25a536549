"""Everything that is shown of one incident."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from bypass_responder.errors import InputError, NotFoundError, RefusedError
from bypass_responder.model.change import Actor
from bypass_responder.model.step import StepKind
from bypass_responder.operating.incidents.read_view import read_entry, read_incident
from bypass_responder.operating.incidents.view import FindingView, IncidentView
from tests.operating.incidents import scenes
from tests.world import ALEX, START, World, a_finding, an_entry


async def test_every_control_has_its_effect_and_its_proof() -> None:
    shown = await scenes.view(await scenes.contained())

    assert [(each.name, each.result, each.proof) for each in shown.controls] == [
        ("Block sign-in", "effective", "Entra ID: sign-in disabled (read 2026-03-02 09:00:10Z)"),
        ("Revoke sessions", "effective", "sessions from before 2026-03-02 09:00:00Z are invalid"),
        ("Remove bypass", "effective", "Exchange: bypass off (read 2026-03-02 09:00:00Z), verified"),
    ]


async def test_a_step_that_was_not_done_has_no_proof() -> None:
    shown = await scenes.view(await scenes.held())

    assert {(each.result, each.proof, each.waits) for each in shown.controls} == {("held, needs a decision", "", True)}


async def test_a_later_complete_sweep_confirms_that_the_bypass_is_off() -> None:
    world = await scenes.contained()
    world.now += timedelta(hours=2)
    await world.sweep()
    await world.passes(seconds=10)
    shown = await scenes.view(world)

    assert (shown.now.bypass, shown.now.bypass_at, shown.now.bypass_source) == (
        "off",
        START + timedelta(hours=2, seconds=10),
        "sweep",
    )
    assert "auditing is restored since 2026-03-02 09:00:00Z (bypass off as of 2026-03-02 11:00:10Z)" in shown.state


async def test_a_bypass_that_the_allowlist_exempts_later_is_shown_as_on() -> None:
    world = await scenes.contained()
    world.now += timedelta(hours=2)
    world.allowlist.rows[ALEX] = an_entry()
    world.bypassed[ALEX] = True
    await world.sees(a_finding(effective_at=world.now - timedelta(minutes=5), received_at=world.now))
    shown = await scenes.view(world)

    assert (shown.now.bypass, shown.now.bypass_at) == ("on", world.now - timedelta(minutes=5))


async def test_the_evidence_refers_to_its_raw_record() -> None:
    shown = await scenes.view(await scenes.contained())

    assert [(each.source.value, each.switch.value, each.happened_at) for each in shown.evidence] == [
        ("feed", "on", START - timedelta(minutes=10))
    ]


async def test_the_decisions_of_people_are_listed_with_their_outcome() -> None:
    shown = await scenes.view(await scenes.released())

    assert [(each.decision.value, each.outcome, each.verified) for each in shown.decisions] == [
        ("release", "carried_out", False)
    ]


async def test_the_hunting_link_carries_account_and_time() -> None:
    shown = await scenes.view(await scenes.contained())
    [link] = [each for each in shown.links if "advanced-hunting" in each.url]
    packed = parse_qs(urlsplit(link.url).query)["query"][0]
    query = gzip.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))).decode("utf-16-le")

    assert f'AccountObjectId == "{ALEX}"' in query
    assert "datetime(2026-03-02T06:50:00Z) .. datetime(2026-03-02T11:00:10Z)" in query


async def test_a_flood_of_findings_is_shown_in_part_and_counted() -> None:
    world = await scenes.contained()
    for number in range(12):
        at = START - timedelta(minutes=9) + timedelta(seconds=number)
        await world.sees(a_finding(effective_at=at, actor=Actor(user_id=f"actor{number}")))
    shown = await read_incident((await world.incidents())[-1].id, world.services, findings=5)

    assert (shown.findings, len(shown.evidence)) == (13, 5)
    assert shown.evidence[0].happened_at == START - timedelta(minutes=10)
    assert shown.evidence[-1].happened_at == START - timedelta(minutes=9) + timedelta(seconds=11)


async def test_a_log_that_cannot_be_read_leaves_the_incident_readable() -> None:
    world = await scenes.contained()
    world.ledger.fail("log", InputError("corrupt_row", "broken"))
    shown = await scenes.view(world)

    assert not shown.log_readable


@pytest.mark.parametrize("scene", [scenes.contained, scenes.held, scenes.reverted, scenes.released, scenes.observed])
async def test_the_json_is_read_back_as_the_same_view(scene: scenes.Scene) -> None:
    shown = await scenes.view(await scene())

    assert IncidentView.model_validate(json.loads(json.dumps(shown.model_dump(mode="json")))) == shown


async def test_a_finding_that_opened_no_incident_is_shown_with_its_source() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry()
    await world.sees(a_finding(id="record-exempt"))
    shown = await read_entry("record-exempt", world.services)

    assert isinstance(shown, FindingView)
    assert (shown.entry.kind, shown.evidence.id) == ("stood_down", "record-exempt")
    with pytest.raises(RefusedError):
        await read_incident("record-exempt", world.services)


async def test_an_unknown_id_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        await read_incident("nothing", World().services)


async def test_what_a_record_says_of_an_unresolved_target_is_not_shown_as_read() -> None:
    world = await scenes.by_name()
    shown = await scenes.view(world, next(iter(world.index.held.values())).target)

    assert shown.now.bypass_text == "not read; on according to the record of 2026-03-02 08:00:00Z"


async def test_a_block_that_a_release_ended_is_not_shown_as_still_effective() -> None:
    shown = await scenes.view(await scenes.released())
    [block] = [each for each in shown.controls if each.control is StepKind.BLOCK_SIGN_IN]

    assert (block.result, "sign-in enabled" in block.proof) == ("effective, until the release", True)
