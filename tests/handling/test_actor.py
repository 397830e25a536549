"""The account that ran the cmdlet, where ACTOR_RESPONSE is contain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from bypass_responder import decision
from bypass_responder.case.person_decision import carry_out
from bypass_responder.decision import Naming
from bypass_responder.errors import TransientError
from bypass_responder.model.base import Row, target_key
from bypass_responder.model.case import Case
from bypass_responder.model.change import Actor
from bypass_responder.model.decision_message import Channel
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import StepKind, StepState
from bypass_responder.operating.blind_windows.known_window import of_incident
from bypass_responder.operating.incidents.gap import blind_window_of
from bypass_responder.session import change
from tests.adversary.scenes import about_blake, hours_pass
from tests.world import ALEX, BLAKE, START, World, a_finding, an_account, an_entry

BLOCK = StepKind.BLOCK_SIGN_IN
HOUR = timedelta(hours=1)
MALLORYS_ID = "dddddddd-0000-4000-8000-000000000004"
MALLORY = Actor(user_id="mallory@contoso.onmicrosoft.com", object_id=MALLORYS_ID)


def a_world_with_mallory(**settings: str) -> World:
    mallory = an_account(MALLORYS_ID, "mallory@contoso.onmicrosoft.com")
    return World(an_account(), mallory, actor_response="contain", **settings)


async def test_the_actor_is_contained_too_where_the_setting_says_so() -> None:
    world = a_world_with_mallory()

    await world.sees(a_finding(actor=MALLORY))

    assert world.directory.enabled == {ALEX: False, MALLORYS_ID: False}
    assert [command.object_id for command in world.exchange.sent] == [ALEX]


async def test_the_actor_is_contained_after_a_run_that_ended_once_the_finding_was_stored() -> None:
    """The target's own finding is decided otherwise meanwhile, so that it leads to the actor no more."""
    world = a_world_with_mallory()
    add = world.ledger.add_finding

    async def ends(finding: Finding) -> bool:
        if finding.target != MALLORYS_ID:
            return await add(finding)
        await add(finding)
        raise TransientError("The host ends.")

    world.ledger.add_finding = ends  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup):
        await world.sees(a_finding(actor=Actor(object_id=MALLORYS_ID)))

    world.allowlist.rows[ALEX] = an_entry(edited_at=START)
    await world.passes(minutes=1)

    assert not world.directory.enabled[MALLORYS_ID]


async def test_a_protected_actor_is_left_alone() -> None:
    world = a_world_with_mallory(protected_object_ids=MALLORYS_ID)

    await world.sees(a_finding(actor=MALLORY))

    assert world.directory.enabled == {ALEX: False, MALLORYS_ID: True}


async def test_an_actor_named_as_two_accounts_is_held() -> None:
    world = a_world_with_mallory()

    await world.sees(a_finding(actor=Actor(user_id="mallory@contoso.onmicrosoft.com", object_id=ALEX)))

    assert world.directory.enabled == {ALEX: False, MALLORYS_ID: True}


async def test_a_person_who_has_the_name_of_an_actor_that_is_gone_is_held() -> None:
    """The actor's account was deleted, and another one has its name by now."""
    world = a_world_with_mallory()
    gone = "eeeeeeee-0000-4000-8000-000000000005"

    await world.sees(a_finding(actor=Actor(user_id="mallory@contoso.onmicrosoft.com", object_id=gone)))

    assert world.directory.enabled == {ALEX: False, MALLORYS_ID: True}
    assert "now belongs to another account" in (await world.incidents(gone))[0].reason


async def test_an_actor_without_an_object_id_is_held_until_a_person_names_the_account() -> None:
    """The name may belong to another account by now, also to an older one."""
    world = a_world_with_mallory()
    name = "mallory@contoso.onmicrosoft.com"

    await world.sees(a_finding(actor=Actor(user_id=name)))
    [incident] = await world.incidents(target_key("", name))

    assert world.directory.enabled == {ALEX: False, MALLORYS_ID: True}
    assert (incident.status, incident.reason) == (IncidentStatus.HELD, decision._NAMING[Naming.NAME_ONLY])

    await world.decides("approve", incident.id, incident.target, account=MALLORYS_ID)

    assert not world.directory.enabled[MALLORYS_ID]


async def test_the_actor_counts_against_the_limit() -> None:
    world = a_world_with_mallory(containment_limit_per_hour="1")

    await world.sees(a_finding(actor=MALLORY))

    assert world.directory.enabled == {ALEX: False, MALLORYS_ID: True}
    assert (await world.states(MALLORYS_ID))[BLOCK] is StepState.HELD


async def test_nobody_contains_the_actor_of_an_allowlisted_bypass() -> None:
    world = a_world_with_mallory()
    world.allowlist.rows[ALEX] = an_entry()

    await world.sees(a_finding(actor=MALLORY))

    assert world.directory.enabled == {ALEX: True, MALLORYS_ID: True}


async def test_late_evidence_of_a_restored_episode_contains_no_actor() -> None:
    world = a_world_with_mallory()
    world.bypassed[ALEX] = True
    await world.sees(a_finding(actor=Actor(user_id="svc@contoso.onmicrosoft.com")))
    await world.answer()

    await world.sees(a_finding(actor=MALLORY, effective_at=START - 2 * HOUR))

    assert world.directory.enabled[MALLORYS_ID]


async def contained_once(world: World) -> None:
    """MALLORY is contained as an actor, and both re-checks are over."""
    world.bypassed[ALEX] = True
    await world.sees(a_finding(actor=MALLORY))
    await hours_pass(world, 0.01, 1, 0.1, 24, 0.1)


async def test_an_actor_who_was_enabled_later_is_contained_when_hidden_by_somebody_else() -> None:
    """It is a separate episode: the incident about them as an actor may be weeks old."""
    world = a_world_with_mallory()
    await contained_once(world)
    world.directory.change(MALLORYS_ID, account_enabled=True)
    world.now += timedelta(days=20)
    world.bypassed[MALLORYS_ID] = True
    await world.sees(about_mallory(world))

    assert not world.directory.enabled[MALLORYS_ID]
    assert [row.about_actor for row in await world.incidents(MALLORYS_ID)] == [True, False]


@pytest.mark.parametrize("decision", ["release", "dismiss"])
async def test_a_decision_about_an_actor_silences_no_later_bypass_of_their_account(decision: str) -> None:
    """Nothing was ever on, so that no *off* ends what the person decided about: only the sweep shows it."""
    world = a_world_with_mallory()
    await world.sweep()
    await contained_once(world)
    [incident] = await world.incidents(MALLORYS_ID)
    await world.decides(decision, incident.id, MALLORYS_ID)
    world.directory.change(MALLORYS_ID, account_enabled=True)
    await world.sweep()
    world.now += timedelta(days=2)
    world.bypassed[MALLORYS_ID] = True
    await world.sweep()
    await world.answer()

    assert not world.directory.enabled[MALLORYS_ID]


async def test_a_late_record_of_an_act_from_before_the_release_of_the_actor_is_held() -> None:
    """The records of a bulk change arrive for a day: each would block the person again."""
    world = a_world_with_mallory()
    world.directory.accounts[BLAKE] = an_account(BLAKE, "blake@contoso.onmicrosoft.com")
    await world.sees(a_finding(actor=MALLORY))
    await hours_pass(world, 0.1)
    [incident] = await world.incidents(MALLORYS_ID)
    await world.decides("release", incident.id, MALLORYS_ID)
    await world.sees(about_blake(actor=MALLORY, received_at=world.now))

    assert not world.directory.enabled[BLAKE]
    assert world.directory.enabled[MALLORYS_ID]
    assert "held" in await world.notifications(MALLORYS_ID)


async def test_an_act_from_after_the_release_of_the_actor_contains_them() -> None:
    world = a_world_with_mallory()
    await contained_once(world)
    [incident] = await world.incidents(MALLORYS_ID)
    await world.decides("release", incident.id, MALLORYS_ID)
    await hours_pass(world, 0.1)
    world.bypassed[ALEX] = True
    await world.sees(a_finding(actor=MALLORY, effective_at=world.now, received_at=world.now))

    assert not world.directory.enabled[MALLORYS_ID]


def about_mallory(world: World) -> Finding:
    name, eve = "mallory@contoso.onmicrosoft.com", Actor(user_id="eve@contoso.onmicrosoft.com")
    fields = {"object_id_text": MALLORYS_ID, "identity_text": name, "actor": eve}
    return a_finding(effective_at=world.now, received_at=world.now, **fields)


async def test_what_people_read_of_an_actor_does_not_say_that_they_were_bypassed() -> None:
    world = a_world_with_mallory()
    await contained_once(world)
    [incident] = await world.incidents(MALLORYS_ID)
    [note] = [each for each in world.notifier.sent if each.target == MALLORYS_ID and each.about == "contained"]

    assert note.text.startswith(f"mallory@contoso.onmicrosoft.com ({MALLORYS_ID}) switched the mailbox audit bypass of")
    assert "another account" in note.text
    assert "bypass may still be on" not in note.text
    assert of_incident(incident) is None
    assert "its records exist" in blind_window_of(incident, world.now).gap


async def blocked_twice(world: World) -> str:
    """MALLORY is contained as an actor, then as somebody whom EVE hid; the id of the newer incident."""
    await world.sees(a_finding(actor=MALLORY))
    await hours_pass(world, 0.5)
    world.bypassed[MALLORYS_ID] = True
    await world.sees(about_mallory(world))
    await hours_pass(world, 2)
    return max(await world.incidents(MALLORYS_ID), key=lambda row: row.opened_at).id


async def test_a_release_that_names_a_newer_incident_answers_all_acts_until_then() -> None:
    """It ends the older one about the actor at its own time, not when the newer one was opened."""
    world = a_world_with_mallory()
    world.directory.accounts[BLAKE] = an_account(BLAKE, "blake@contoso.onmicrosoft.com")
    await world.decides("release", await blocked_twice(world), MALLORYS_ID)
    await hours_pass(world, 0.1)
    act = world.now - HOUR
    await world.sees(about_blake(actor=MALLORY, effective_at=act, received_at=world.now))

    assert not world.directory.enabled[BLAKE]
    assert world.directory.enabled[MALLORYS_ID]


async def test_a_release_answers_an_act_although_the_incident_about_the_actor_was_closed_before() -> None:
    world = a_world_with_mallory()
    world.directory.accounts[BLAKE] = an_account(BLAKE, "blake@contoso.onmicrosoft.com")
    newest = await blocked_twice(world)
    for incident in await world.incidents(MALLORYS_ID):
        await world.decides("close", incident.id, MALLORYS_ID)
    await world.decides("release", newest, MALLORYS_ID)
    await hours_pass(world, 0.1)
    await world.sees(about_blake(actor=MALLORY, received_at=world.now))

    assert not world.directory.enabled[BLAKE]
    assert world.directory.enabled[MALLORYS_ID]


async def test_a_late_act_is_held_when_the_release_comes_while_it_is_decided() -> None:
    world = a_world_with_mallory()
    world.directory.accounts[BLAKE] = an_account(BLAKE, "blake@contoso.onmicrosoft.com")
    await world.sees(a_finding(actor=MALLORY))
    await hours_pass(world, 0.1)
    [incident] = await world.incidents(MALLORYS_ID)
    message = await world.a_decision("release", incident.id, MALLORYS_ID)
    release: dict[str, Any] = {"message": message, "channel": Channel.BYPASSCTL, "enforce": True}
    commit = world.ledger.commit

    async def released_before(case: Case, rows: Sequence[Row], *others: Any) -> Case:
        if any(isinstance(row, Incident) and len(row.evidence) > 1 for row in rows) and case.target == MALLORYS_ID:
            world.ledger.commit = commit  # type: ignore[method-assign]
            await change(MALLORYS_ID, partial(carry_out, **release), world.services)
        return await commit(case, rows, *others)

    world.ledger.commit = released_before  # type: ignore[method-assign, assignment]
    await world.sees(about_blake(actor=MALLORY, received_at=world.now))
    await hours_pass(world, 0.1)

    assert world.directory.enabled[MALLORYS_ID]
    assert "held" in await world.notifications(MALLORYS_ID)


async def test_an_incident_about_the_actor_in_between_hides_no_flapping() -> None:
    world = a_world_with_mallory()
    world.bypassed[MALLORYS_ID] = True
    await world.sees(about_mallory(world))
    await hours_pass(world, 0.5)
    await world.sees(a_finding(actor=MALLORY, effective_at=world.now, received_at=world.now))
    await hours_pass(world, 0.5)
    await world.sees(about_mallory(world))

    assert "flapping" in await world.notifications(MALLORYS_ID)
