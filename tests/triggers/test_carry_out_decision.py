"""What a person sent is carried out once, or refused with a reason, and recorded either way."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.case.recorded_decision import MOST_REFUSED
from bypass_responder.errors import TransientError
from bypass_responder.model.base import target_key
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import Channel
from bypass_responder.model.incident import PersonDecision
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.notification import Notification
from bypass_responder.model.step import Observed
from bypass_responder.operating.verify_log import verify_log
from bypass_responder.triggers.carry_out_decision import carry_out_decision
from bypass_responder.triggers.sweep_bypass_state import plan_sweep
from tests.world import ALEX, BLAKE, World, a_finding, an_account

HOUR = timedelta(hours=1)


async def held() -> tuple[World, str]:
    world = World(containment_limit_per_hour=0)
    await world.sees(a_finding())
    return world, (await world.incidents())[0].id


async def contained() -> tuple[World, str]:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    await world.passes(seconds=10)
    return world, (await world.incidents())[0].id


async def send(world: World, body: bytes, channel: Channel = Channel.BYPASSCTL) -> None:
    await carry_out_decision(body, world.services, channel=channel)


async def refused_why(world: World, kind: str, incident_id: str, **fields: Any) -> str:
    recorded = await world.delivers(await world.a_decision(kind, incident_id, **fields))
    assert recorded.outcome == "refused"
    return recorded.why


async def test_an_approval_blocks_the_account_at_once() -> None:
    world, incident_id = await held()
    await world.delivers(await world.a_decision("approve", incident_id))

    assert not world.directory.enabled[ALEX]


async def test_the_log_has_who_decided_through_which_channel() -> None:
    world, incident_id = await held()
    recorded = await world.delivers(await world.a_decision("approve", incident_id))
    [entry] = [entry async for entry in world.ledger.log(ALEX) if entry.event == "approved"]

    assert entry.who == "ops@contoso.onmicrosoft.com (0f0f0f0f-0000-4000-8000-00000000000f), claimed"
    assert (entry.facts["channel"], entry.facts["decision"]) == ("bypassctl", recorded.id)


async def test_an_author_whom_the_console_verified_is_not_marked() -> None:
    world, incident_id = await held()
    message = await world.a_decision("approve", incident_id, tool=Channel.CONSOLE)
    await send(world, message.model_dump_json().encode(), Channel.CONSOLE)
    [row] = (await world.case()).rows(PersonDecision)

    assert row.who == "ops@contoso.onmicrosoft.com (0f0f0f0f-0000-4000-8000-00000000000f)"


async def test_the_channel_is_that_of_the_queue_and_not_of_the_message() -> None:
    """A message on the queue of bypassctl cannot claim to come from the console."""
    world, incident_id = await held()
    body = (await world.a_decision("approve", incident_id)).model_dump(mode="json") | {"channel": "console"}
    await send(world, json.dumps(body).encode())

    assert (await world.case()).rows(PersonDecision) == []


@pytest.mark.parametrize("channel", Channel)
async def test_the_channel_is_recorded_in_the_row_and_in_the_log(channel: Channel) -> None:
    world, incident_id = await held()
    message = await world.a_decision("approve", incident_id, tool=channel)
    await send(world, message.model_dump_json().encode(), channel)
    [row] = (await world.case()).rows(PersonDecision)
    [entry] = [entry async for entry in world.ledger.log(ALEX) if entry.event == "approved"]

    assert (row.channel, entry.facts["channel"]) == (channel, channel.value)


async def test_a_decision_of_the_console_that_failed_five_times_keeps_its_channel() -> None:
    world, incident_id = await held()
    message = await world.a_decision("approve", incident_id, tool=Channel.CONSOLE)
    world.decisions.console_poison.append(message.model_dump_json())
    await world.passes(minutes=1)
    [row] = (await world.case()).rows(PersonDecision)

    assert (row.channel, world.decisions.console_poison) == (Channel.CONSOLE, [])


@pytest.mark.parametrize(
    ("tool", "channel", "setting"),
    [
        (Channel.BYPASSCTL, Channel.CONSOLE, "DECISIONS_QUEUE"),
        (None, Channel.CONSOLE, "DECISIONS_QUEUE"),
        (Channel.CONSOLE, Channel.BYPASSCTL, "DECISIONS_CONSOLE_QUEUE"),
    ],
)
async def test_a_message_on_the_queue_of_the_other_tool_is_refused(
    tool: Channel | None, channel: Channel, setting: str
) -> None:
    world, incident_id = await held()
    recorded = await world.delivers(await world.a_decision("approve", incident_id, tool=tool), channel)

    assert (recorded.outcome, setting in recorded.why, recorded.who[-9:]) == ("refused", True, ", claimed")
    assert world.directory.enabled[ALEX]
    assert "decision_refused" in await world.notifications(TENANT_TARGET)


async def test_a_second_delivery_does_nothing() -> None:
    world, incident_id = await contained()
    message = await world.a_decision("release", incident_id)
    await world.delivers(message)
    world.directory.change(ALEX, account_enabled=False)
    lines = len(world.ledger.logs[ALEX])
    await world.delivers(message)

    assert (world.directory.enabled[ALEX], len(world.ledger.logs[ALEX])) == (False, lines)


async def test_a_refusal_stays_a_refusal() -> None:
    world, incident_id = await held()
    message = await world.a_decision("release", incident_id)
    first = await world.delivers(message)
    await world.decides("approve", incident_id)

    assert await world.delivers(message) == first


async def test_a_decision_that_has_ended_is_refused() -> None:
    world, incident_id = await held()
    message = await world.a_decision("approve", incident_id)
    world.now += HOUR + timedelta(seconds=1)
    recorded = await world.delivers(message)

    assert (recorded.outcome, world.directory.enabled[ALEX]) == ("refused", True)
    assert "ended at" in recorded.why


async def test_a_decision_from_the_future_is_refused() -> None:
    world, incident_id = await held()
    times = {"sent_at": world.now + HOUR, "not_after": world.now + HOUR * 2}

    assert "in the future" in await refused_why(world, "approve", incident_id, **times)


async def test_a_refusal_is_in_the_log_and_notified() -> None:
    world, incident_id = await held()
    why = await refused_why(world, "release", incident_id)
    [entry] = [entry async for entry in world.ledger.log(ALEX) if entry.event == "decision_refused"]

    assert entry.text == f"release: {why}"
    assert "decision_refused" in await world.notifications()


async def test_an_account_that_the_ledger_does_not_know_is_refused_in_the_tenants_case() -> None:
    world, incident_id = await held()
    await world.delivers(await world.a_decision("dismiss", incident_id, BLAKE))

    assert BLAKE not in await world.ledger.targets()
    assert [row.outcome for row in (await world.case(TENANT_TARGET)).rows(PersonDecision)] == ["refused"]


async def test_an_incident_that_is_not_there_is_refused() -> None:
    world, _ = await held()

    assert await refused_why(world, "dismiss", "20200101-0") == "There is no incident 20200101-0."


@pytest.mark.parametrize(
    "author",
    [
        {"object_id": ALEX, "name": "somebody"},
        {"object_id": None, "name": "ALEX@contoso.onmicrosoft.com"},
        {"object_id": None, "name": "mallory@contoso.onmicrosoft.com"},
    ],
)
async def test_nobody_whom_the_incident_names_decides_about_it(author: dict[str, Any]) -> None:
    world, incident_id = await held()

    assert "cannot decide about it" in await refused_why(world, "dismiss", incident_id, author=author)


async def test_somebody_whom_an_unresolved_incident_names_does_not_decide_about_it() -> None:
    world = World()
    finding = a_finding(object_id_text="alexw", identity_text="alexw@contoso.onmicrosoft.com")
    await world.sees(finding)
    await world.answer()
    [incident] = await world.incidents(finding.target)
    author = {"name": "alexw@contoso.onmicrosoft.com"}

    assert "named by incident" in await refused_why(world, "dismiss", incident.id, target=finding.target, author=author)


OLGA = {"object_id": "0f0f0f0f-0000-4000-8000-00000000000f", "name": "olga@contoso.onmicrosoft.com"}


@pytest.mark.parametrize(
    "name",
    [
        "Olga Ops",
        "olga",
        "olga@contoso.com",
        "CN=Olga Ops,OU=contoso",
        "P.PROD/Hosted/contoso.com/OLGA OPS",
        "NT\\olga",
    ],
)
async def test_somebody_whose_name_may_be_meant_does_not_decide_about_an_unresolved_incident(name: str) -> None:
    world = World(an_account(), an_account(*OLGA.values(), display_name="Olga Ops"))
    finding = a_finding(object_id_text=name, identity_text=name)
    await world.sees(finding)
    await world.answer()
    [incident] = await world.incidents(finding.target)

    assert "named by incident" in await refused_why(world, "dismiss", incident.id, target=finding.target, author=OLGA)


async def test_a_name_that_stands_for_one_account_is_nobody_elses() -> None:
    """Two people may have one display name: the incident says which of them it is."""
    world = World(an_account(display_name="Olga Ops"), an_account(*OLGA.values(), display_name="Olga Ops"))
    world.names["olga ops"] = [ALEX]
    await world.sees(a_finding(identity_text="Olga Ops", first_run=True))
    await world.answer()
    [incident] = await world.incidents()
    message = await world.a_decision("dismiss", incident.id, author=OLGA)

    assert (await world.delivers(message)).outcome == "carried_out"


NAME_OF_TWO = "Alex Miller"
TWO = target_key(NAME_OF_TWO, NAME_OF_TWO)
AS_ALEX = {"object_id": ALEX, "name": "alex@contoso.onmicrosoft.com"}


async def about_two_candidates(**bypassed: bool) -> tuple[World, str]:
    """An unresolved incident about Alex or Blake, after Exchange has answered about both."""
    world = World()
    world.names[NAME_OF_TWO.casefold()] = [ALEX, BLAKE]
    world.bypassed |= {ALEX: bypassed.get("alex", False), BLAKE: bypassed.get("blake", False)}
    await world.sees(a_finding(object_id_text=NAME_OF_TWO, identity_text=NAME_OF_TWO))
    for _ in range(4):
        await world.answer()
        await world.passes(minutes=1)
    [incident] = await world.incidents(TWO)
    return world, incident.id


@pytest.mark.parametrize("alex", [True, False])
@pytest.mark.parametrize("author", [AS_ALEX, {"name": "Alex@contoso.onmicrosoft.com"}])
async def test_a_candidate_does_not_dismiss_the_incident(author: dict[str, Any], *, alex: bool) -> None:
    world, incident_id = await about_two_candidates(alex=alex)

    assert "a candidate of incident" in await refused_why(world, "dismiss", incident_id, target=TWO, author=author)


async def test_a_candidate_does_not_give_the_incident_to_another_candidate() -> None:
    world, incident_id = await about_two_candidates()
    why = await refused_why(world, "approve", incident_id, target=TWO, author=AS_ALEX, account=BLAKE)

    assert "a candidate of incident" in why
    assert world.directory.enabled[BLAKE]


async def test_a_candidate_who_may_be_bypassed_does_not_acknowledge_it() -> None:
    world, incident_id = await about_two_candidates(alex=True)
    why = await refused_why(world, "acknowledge", incident_id, target=TWO, author=AS_ALEX)

    assert "a candidate of incident" in why


async def test_a_candidate_whom_exchange_has_ruled_out_acknowledges_it() -> None:
    world, incident_id = await about_two_candidates(blake=True)
    recorded = await world.delivers(await world.a_decision("acknowledge", incident_id, TWO, author=AS_ALEX))

    assert recorded.outcome == "carried_out"


MALLORY = "cccccccc-0000-4000-8000-000000000003"
RENAMED = {"object_id": MALLORY, "name": "mallory.smith@contoso.com"}
"""The actor, whom the record names by the user principal name alone, as their token has them."""


@pytest.mark.parametrize("kind", ["dismiss", "acknowledge"])
async def test_an_actor_does_not_decide_under_another_name(kind: str) -> None:
    world, incident_id = await held()
    world.directory.accounts[MALLORY] = an_account(MALLORY, "mallory@contoso.onmicrosoft.com")

    assert "an actor of incident" in await refused_why(world, kind, incident_id, author=RENAMED)


async def test_an_account_does_not_decide_about_itself_by_a_name_without_object_id() -> None:
    world, incident_id = await held()
    world.directory.change(ALEX, user_principal_name="alex.renamed@contoso.onmicrosoft.com")
    author = {"name": "alex.renamed@contoso.onmicrosoft.com"}

    assert "the account of incident" in await refused_why(world, "dismiss", incident_id, author=author)


async def test_a_directory_that_does_not_answer_lets_nobody_decide_and_refuses_nobody() -> None:
    world, incident_id = await held()
    world.directory.accounts[MALLORY] = an_account(MALLORY, "mallory@contoso.onmicrosoft.com")
    message = await world.a_decision("dismiss", incident_id, author=RENAMED)
    world.directory.fail("find", TransientError("no answer"), about=MALLORY)
    with pytest.raises(TransientError):
        await send(world, message.model_dump_json().encode())
    undecided = (await world.case()).rows(PersonDecision)
    recorded = await world.delivers(message)

    assert undecided == []
    assert recorded.outcome == "refused"


async def test_refusals_of_claimed_authors_do_not_silence_those_of_verified_ones() -> None:
    world, incident_id = await held()
    for _ in range(MOST_REFUSED + 1):
        claimed = await world.a_decision("release", incident_id)
        await world.delivers(claimed)
    verified = await world.a_decision("release", incident_id, tool=Channel.CONSOLE)
    await world.delivers(verified, Channel.CONSOLE)
    notified = [row.text for row in (await world.case()).rows(Notification) if row.about == "decision_refused"]

    assert len(notified) == MOST_REFUSED + 1
    assert sum("claimed" not in text for text in notified) == 1


async def test_a_longer_name_is_somebody_else() -> None:
    world, incident_id = await held()
    author = {"name": "mallory@contoso.onmicrosoft.com.example"}
    recorded = await world.delivers(await world.a_decision("dismiss", incident_id, author=author))

    assert recorded.outcome == "carried_out"


async def test_a_decision_about_another_state_than_the_one_shown_is_refused() -> None:
    world, incident_id = await contained()
    shown = (await world.a_decision("dismiss", incident_id)).shown.model_copy(update={"sign_in": Observed.ENABLED})

    assert "sign-in was shown as enabled" in await refused_why(world, "dismiss", incident_id, shown=shown)


async def test_a_release_is_refused_for_an_incident_that_was_opened_since() -> None:
    world, incident_id = await contained()
    message = await world.a_decision("release", incident_id)
    world.now += timedelta(minutes=10)
    world.bypassed[ALEX] = True
    await world.sees(a_finding(effective_at=world.now))
    recorded = await world.delivers(message)

    assert "was opened after the decision" in recorded.why
    assert not world.directory.enabled[ALEX]


async def test_approve_is_refused_in_observe() -> None:
    world = World(mode="observe")
    await world.sees(a_finding())
    [incident] = await world.incidents()

    assert "MODE is observe" in await refused_why(world, "approve", incident.id)


async def test_a_contained_incident_is_closed_and_its_account_stays_blocked() -> None:
    world, incident_id = await contained()
    recorded = await world.delivers(await world.a_decision("close", incident_id))
    await world.passes(hours=25)

    assert (await world.incidents())[0].status is IncidentStatus.CLOSED
    assert not world.directory.enabled[ALEX]
    assert "the account stays blocked" in recorded.why


async def test_a_closed_incident_can_be_released() -> None:
    world, incident_id = await contained()
    await world.decides("close", incident_id)
    await world.decides("release", incident_id)

    assert world.directory.enabled[ALEX]


async def test_a_released_incident_is_not_released_again() -> None:
    world, incident_id = await contained()
    await world.decides("release", incident_id)

    assert f"incident {incident_id} is released" in await refused_why(world, "release", incident_id)


async def test_an_incident_with_a_step_that_waits_is_not_closed() -> None:
    world, incident_id = await held()

    assert "block_sign_in is held" in await refused_why(world, "close", incident_id)


async def test_dismissing_a_failed_block_says_that_the_account_stays_open() -> None:
    world = World()
    world.directory.admins.add(ALEX)
    await world.sees(a_finding())
    [incident] = await world.incidents()
    recorded = await world.delivers(await world.a_decision("dismiss", incident.id))

    assert recorded.why.startswith("the account can still sign in, its block failed")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"kind": "obey"}, "kind: must be"),
        ({"surprise": 1}, "surprise: Extra inputs"),
        ({"reason": " "}, "reason: must have at least 1 character"),
        ({"tenant_id": BLAKE}, "is another tenant"),
        ({"target": "name/../x"}, "not a valid ledger key"),
        ({"schema_version": 9}, "schema_version 9 is not supported"),
        ({"not_after": "2026-03-02T10:00:01Z"}, "at most an hour later"),
        ({"sent_at": "9999-12-31T23:59:59Z"}, "at most an hour later"),
        ({"sent_at": "0001-01-01T00:00:00+14:00"}, "sent_at: no moment of UTC"),
        ({"reason": "\ud800"}, "Invalid JSON"),
    ],
)
async def test_a_message_that_cannot_be_read_is_kept_and_nothing_is_done(fields: dict[str, Any], problem: str) -> None:
    world, incident_id = await held()
    message = json.loads((await world.a_decision("approve", incident_id)).model_dump_json())
    await send(world, json.dumps(message | fields).encode())
    [(_, kept)] = await world.feed_store.unreadable(5)

    assert problem in kept.detail
    assert world.directory.enabled[ALEX]


async def test_a_decision_that_failed_five_times_is_tried_again() -> None:
    world, incident_id = await held()
    world.decisions.poison.append((await world.a_decision("approve", incident_id)).model_dump_json())
    await world.passes(minutes=1)

    assert (world.directory.enabled[ALEX], world.decisions.poison) == (False, [])


async def test_it_is_kept_while_it_fails() -> None:
    world, incident_id = await held()
    text = (await world.a_decision("approve", incident_id)).model_dump_json()
    world.decisions.poison.append(text)
    world.ledger.fail("load", TransientError("no answer"), about=ALEX, always=True)
    with pytest.raises(ExceptionGroup):
        await world.passes(minutes=1)

    assert world.decisions.poison == [text]


async def test_a_recorded_decision_is_not_refused_while_the_account_cannot_be_read() -> None:
    world, incident_id = await held()
    world.decisions.poison.append((await world.a_decision("approve", incident_id)).model_dump_json())
    world.directory.fail("find", TransientError("no answer"), about=ALEX, always=True)
    with pytest.raises(ExceptionGroup):
        await world.passes(minutes=59)
    with pytest.raises(ExceptionGroup):
        await world.passes(minutes=2)

    assert "decision_refused" not in {note.about for note in world.notifier.sent}
    assert world.decisions.poison == []


async def test_it_is_refused_once_it_has_ended() -> None:
    world, incident_id = await held()
    world.decisions.poison.append((await world.a_decision("approve", incident_id)).model_dump_json())
    world.ledger.fail("load", TransientError("no answer"), about=ALEX, always=True)
    with pytest.raises(ExceptionGroup):
        await world.passes(hours=1, seconds=1)
    [recorded] = (await world.case(TENANT_TARGET)).rows(PersonDecision)

    assert (recorded.outcome, world.decisions.poison) == ("refused", [])
    assert "could not be carried out before it ended" in recorded.why


async def test_an_approval_that_is_recorded_is_handed_on_however_late() -> None:
    world, incident_id = await about_two_candidates()
    message = await world.a_decision("approve", incident_id, TWO, account=BLAKE)
    world.decisions.poison.append(message.model_dump_json())
    world.ledger.fail("add_finding", TransientError("no answer"), about=BLAKE, always=True)
    for hours in (0.5, 1):
        with pytest.raises(ExceptionGroup):
            await world.passes(hours=hours)
    world.ledger.repair("add_finding", about=BLAKE)
    await world.passes(minutes=1)

    assert "decision_refused" not in {note.about for note in world.notifier.sent}
    assert (world.directory.enabled[BLAKE], world.decisions.poison) == (False, [])


async def test_a_row_whose_outcome_was_changed_is_named() -> None:
    world, incident_id = await held()
    recorded = await world.delivers(await world.a_decision("release", incident_id))
    kind, body = world.ledger.stored[ALEX][recorded.place]
    world.ledger.stored[ALEX][recorded.place] = (kind, body.replace('"refused"', '"carried_out"'))
    [problem] = (await verify_log(world.ledger, world.checkpoints)).problems

    assert "differs from its log entry" in problem


# ---- a warning of the sweeps

ROOM = "Something new about 'Room 1'."


async def warned() -> World:
    """Exchange gave a warning that nobody knows."""
    world = World()
    await world.sweep(complete=False, warnings=(ROOM,))
    return world


async def test_an_accepted_warning_is_in_the_log_with_who_why_and_channel() -> None:
    world = await warned()
    recorded = await world.delivers(await world.an_acceptance(ROOM))
    [entry] = [entry async for entry in world.ledger.log(TENANT_TARGET) if entry.event == "warning_accepted"]

    assert (entry.text, entry.who) == (f"{ROOM}: ticket", recorded.who)
    assert (entry.facts["channel"], entry.facts["decision"]) == ("bypassctl", recorded.id)


async def test_a_log_with_an_accepted_warning_verifies() -> None:
    world = await warned()
    await world.delivers(await world.an_acceptance(ROOM))

    assert (await verify_log(world.ledger, world.checkpoints)).problems == []


async def test_a_second_acceptance_is_refused_and_a_second_delivery_does_nothing() -> None:
    world = await warned()
    message = await world.an_acceptance(ROOM)
    await world.delivers(message)
    lines = len(world.ledger.logs[TENANT_TARGET])
    await world.delivers(message)

    assert len(world.ledger.logs[TENANT_TARGET]) == lines
    assert "accepted already" in (await world.delivers(await world.an_acceptance(ROOM))).why


async def test_a_warning_is_accepted_while_the_next_sweep_is_under_way() -> None:
    world = await warned()
    await world.passes(minutes=15)
    await plan_sweep(world.services)

    assert (await world.delivers(await world.an_acceptance(ROOM))).outcome == "carried_out"


async def test_a_refused_acceptance_is_notified_with_the_command_that_shows_the_warnings() -> None:
    world = await warned()
    await world.delivers(await world.an_acceptance("Another warning."))
    await world.passes(seconds=1)
    rows = (await world.case(TENANT_TARGET)).rows(Notification)
    [notification] = [row for row in rows if row.about == "decision_refused"]

    assert notification.title == "Not carried out: accept_warning of the warning Another warning."
    assert notification.left_to_do == ("Read it, and decide again: bypassctl status",)


async def test_an_acceptance_that_has_ended_is_refused() -> None:
    world = await warned()
    message = await world.an_acceptance(ROOM)
    world.now += HOUR + timedelta(seconds=1)

    assert "ended at" in (await world.delivers(message)).why


@pytest.mark.parametrize(
    "fields",
    [
        {"target": ALEX},
        {"warning": None},
        {"incident_id": "20260301-1"},
        {"kind": "dismiss"},
        {"kind": "dismiss", "incident_id": "20260301-1", "warning": None},
        {"warning": "x" * 2001},
    ],
)
async def test_a_decision_about_a_warning_is_of_the_tenant_and_of_nothing_else(fields: dict[str, Any]) -> None:
    world = await warned()
    body = (await world.an_acceptance(ROOM)).model_dump(mode="json") | fields
    await send(world, json.dumps(body).encode())

    assert (await world.case(TENANT_TARGET)).rows(PersonDecision) == []
    assert len(await world.feed_store.unreadable(9)) == 1
