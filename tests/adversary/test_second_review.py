"""What a second review proved: each of these left an account open, or lost what a person had decided."""

from __future__ import annotations

import pytest

from bypass_responder.errors import TransientError
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.notification import Notification
from tests.adversary.scenes import (
    BLAKE_UPN,
    a_world,
    about_blake,
    bypassed_again,
    contained,
    hours_pass,
    minutes_pass,
    problems_of,
)
from tests.world import ALEX, BLAKE, START, World, a_finding, an_account, an_entry


@pytest.mark.parametrize("hours", [2, 26])
async def test_an_account_that_is_enabled_after_a_late_approval_is_not_called_contained(hours: int) -> None:
    world = a_world(automatic_controls="disable_bypass,revoke_sessions")
    incident = await contained(world)
    await hours_pass(world, *[1] * hours)
    await world.decides("approve", incident)
    await minutes_pass(world, 10)
    world.directory.change(ALEX, account_enabled=True)
    await hours_pass(world, *[1] * 30)

    assert (await world.incidents())[-1].status is IncidentStatus.FAILED


async def test_the_effect_on_twenty_incidents_of_a_synchronized_account_is_recorded() -> None:
    world = World(an_account(on_premises_sync_enabled=True), an_account(BLAKE, BLAKE_UPN), containment_limit_per_hour=1)
    world.bypassed[BLAKE] = True
    await world.sees(about_blake())
    await world.answer()
    for _ in range(20):
        await bypassed_again(world, minutes=2)
        await world.answer()
        await problems_of(world.passes(minutes=0.5))
    await hours_pass(world, 2, 26)
    await world.decides("approve", (await world.incidents())[-1].id)

    assert await minutes_pass(world, 10) == []
    assert (await world.incidents())[-1].status is IncidentStatus.CONTAINED


async def test_an_entry_that_is_removed_counts_although_an_incident_was_dismissed_before_it() -> None:
    world = a_world()
    await world.sweep()
    await world.decides("dismiss", (await world.incidents())[-1].id)
    world.allowlist.rows[ALEX] = an_entry(edited_at=world.now)
    await hours_pass(world, 0.25)
    await world.sweep()
    del world.allowlist.rows[ALEX]
    await hours_pass(world, 0.25)
    await world.sweep()
    await world.answer()
    await world.answer()

    assert not world.bypassed[ALEX]
    assert world.directory.enabled[ALEX] is False


async def test_an_approval_that_is_refused_in_the_end_has_moved_nothing() -> None:
    world = World()
    world.bypassed[BLAKE] = True
    finding = a_finding(object_id_text="", identity_text="Blake", effective_at=START)
    await world.sees(finding)
    await hours_pass(world, 0.02)
    incident = (await world.incidents(finding.target))[-1].id
    approval = await world.a_decision("approve", incident, finding.target, account=BLAKE)
    dismissal = await world.a_decision("dismiss", incident, finding.target)
    world.ledger.fail("commit", TransientError("storage"), about=finding.target)
    with pytest.raises(TransientError):
        await world.delivers(approval)
    await world.delivers(dismissal)
    refused = await world.delivers(approval)

    assert refused.outcome == "refused"
    assert (await world.case(BLAKE)).rows(Finding) == []


async def test_a_candidate_that_exchange_cannot_read_holds_back_no_notification_and_grows_nothing() -> None:
    world = World()
    world.bypassed[BLAKE] = True
    plain = world._result

    def result(command: object, **fields: object) -> object:
        failed = {"outcome": ExchangeOutcome.FAILED, "before": None, "error": "it times out"}
        return plain(command, **(failed if command.object_id == ALEX else fields))  # type: ignore[arg-type, attr-defined]

    world._result = result  # type: ignore[assignment, method-assign]
    await world.sees(a_finding(object_id_text=ALEX, identity_text=BLAKE_UPN))
    await hours_pass(world, *[0.25] * 96)

    assert any(BLAKE_UPN in row.text for row in (await world.case()).rows(Notification) if "Candidates" in row.title)
    assert len(world.ledger.logs[ALEX]) < 40
