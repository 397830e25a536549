"""Whom a record is about: names, Exchange's answers, and what stays unclear."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.handling import identify
from bypass_responder.model.account import MalformedEntry
from bypass_responder.model.change import Outcome
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.message import CommandKind, ExchangeOutcome
from bypass_responder.model.step import StepKind, StepState
from tests.world import ALEX, BLAKE, START, World, a_finding, an_entry, exchange_guid

BLOCK, REVOKE = StepKind.BLOCK_SIGN_IN, StepKind.REVOKE_SESSIONS
HOUR = timedelta(hours=1)


async def test_two_accounts_in_one_record_are_held() -> None:
    world = World()

    await world.sees(a_finding(identity_text="blake@contoso.onmicrosoft.com"))

    assert world.directory.enabled == {ALEX: True, BLAKE: True}
    assert set((await world.states()).values()) == {StepState.HELD}


async def test_an_account_that_is_named_by_id_and_name_is_read_once_before_it_is_blocked() -> None:
    world = World()

    await world.sees(a_finding())

    until_block = [method for method, _ in world.directory.calls]
    assert until_block[: until_block.index("set_sign_in")] == ["find"]


async def test_an_exchange_name_is_resolved_by_exchange_before_containment() -> None:
    world = World()
    world.names["alexw"], world.bypassed[ALEX] = [ALEX], True
    finding = a_finding(object_id_text="alexw", identity_text="alexw")
    await world.sees(finding)
    untouched = world.directory.enabled[ALEX]

    await world.answer()

    assert untouched
    assert not world.directory.enabled[ALEX]
    assert (await world.case(finding.target)).by_key[finding.row_key].verdict == "resolved"  # type: ignore[attr-defined]


async def test_a_name_that_exchange_has_off_now_may_have_moved_and_is_held() -> None:
    world = World()
    world.names["alexw"] = [ALEX]
    finding = a_finding(object_id_text="alexw", identity_text="alexw")
    await world.sees(finding)
    await world.answer()

    assert world.directory.enabled[ALEX]
    assert set((await world.states(finding.target)).values()) == {StepState.HELD}


@pytest.mark.parametrize("owners", [[], [ALEX, BLAKE]])
async def test_a_name_of_nobody_or_of_two_is_held(owners: list[str]) -> None:
    world = World()
    world.names["alexw"] = owners
    finding = a_finding(object_id_text="alexw", identity_text="alexw")
    await world.sees(finding)
    await world.answer()

    assert world.directory.enabled == {ALEX: True, BLAKE: True}
    assert set((await world.states(finding.target)).values()) == {StepState.HELD}


async def test_old_history_that_exchange_has_off_is_held_and_counts_as_restored() -> None:
    world = World()
    await world.sees(a_finding(effective_at=START - 48 * HOUR))
    asked = [command.kind for command in world.exchange.sent]
    await world.answer()

    assert asked == [CommandKind.CHECK_BYPASS]
    assert world.directory.enabled[ALEX]
    assert await world.states() == {BLOCK: StepState.HELD, REVOKE: StepState.HELD}
    assert (await world.case()).head.restored_at == START


async def test_an_old_on_that_still_holds_is_a_violation() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding(effective_at=START - 48 * HOUR))
    await world.answer()

    assert not world.directory.enabled[ALEX]


@pytest.mark.parametrize(("on", "enabled"), [(True, False), (False, True)])
async def test_an_unknown_outcome_is_settled_by_exchange(on: bool, enabled: bool) -> None:
    world = World()
    world.bypassed[ALEX] = on
    await world.sees(a_finding(outcome=Outcome.UNKNOWN))
    await world.answer()

    assert world.directory.enabled[ALEX] is enabled


@pytest.mark.parametrize(("on", "incidents"), [(True, 2), (False, 1)])
async def test_an_on_in_the_second_of_the_restoration_is_settled_by_exchange(on: bool, incidents: int) -> None:
    world = World()
    world.now += timedelta(milliseconds=500)
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await world.answer()
    world.now += timedelta(minutes=1)
    world.bypassed[ALEX] = on
    await world.sees(a_finding(effective_at=START))
    asked = world.exchange.sent[-1].kind

    await world.answer()

    assert asked is CommandKind.CHECK_BYPASS
    assert len(await world.incidents()) == incidents


async def test_a_name_that_the_worker_refuses_is_held_with_that_reason() -> None:
    world = World()
    finding = a_finding(object_id_text="*", identity_text="*")
    await world.sees(finding)
    await world.answer(outcome=ExchangeOutcome.REFUSED, resolved=None, before=None, error="a wildcard")

    [incident] = await world.incidents(finding.target)
    assert incident.status is IncidentStatus.HELD
    assert "refuses" in incident.reason


@pytest.mark.parametrize(("on", "status"), [(True, IncidentStatus.CONTAINED), (False, IncidentStatus.HELD)])
async def test_beside_a_name_that_the_worker_refuses_the_object_id_counts_when_exchange_reports_it_on(
    on: bool, status: IncidentStatus
) -> None:
    world = World()
    world.bypassed[ALEX] = on
    finding = a_finding(identity_text="alex*")
    await world.sees(finding)
    await world.answer()
    await world.passes(minutes=1)

    [incident] = await world.incidents(finding.target)
    assert incident.status is status


async def test_an_old_record_of_an_account_without_exchange_object_is_held_and_proves_nothing() -> None:
    world = World()
    await world.sees(a_finding(effective_at=START - 48 * HOUR))
    await world.answer(outcome=ExchangeOutcome.NOT_FOUND, resolved=None, before=None)

    assert (await world.case()).head.restored_at is None
    assert set((await world.states()).values()) == {StepState.HELD}


async def test_the_keys_of_the_allowlist_are_read_once_for_findings_of_the_same_moment() -> None:
    world = World()
    for object_id, name in ((ALEX, "alex"), (BLAKE, "blake")):
        about = {"object_id_text": object_id, "identity_text": f"{name}@contoso.onmicrosoft.com"}
        await world.sees(a_finding(**about))

    assert [call for call in world.allowlist.calls if call[0] == "misspelled"] == [("misspelled", "")]


async def test_the_keys_of_the_allowlist_are_read_again_a_moment_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identify, "FRESH_SECONDS", 0.0)
    world = World()
    await world.sees(a_finding())
    keys = ("tenant", f"{BLAKE}\u200b")
    world.allowlist.rows["misspelled"] = MalformedEntry(object_id=keys[1], problem="the keys", keys=keys, etag="v1")
    blake = a_finding(object_id_text=BLAKE, identity_text="blake@contoso.onmicrosoft.com")
    await world.sees(blake)

    assert (await world.case(BLAKE)).by_key[blake.row_key].verdict == "allowlist_unclear"  # type: ignore[attr-defined]


@pytest.mark.parametrize("keys", [("tenant", ALEX.upper()), ("another tenant", ALEX)])
async def test_a_misspelled_renewal_counts_beside_the_expired_row(keys: tuple[str, str]) -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry(expires_at=START - 480 * HOUR, edited_at=START - 9600 * HOUR)
    world.allowlist.rows["misspelled"] = MalformedEntry(object_id=ALEX, problem="the keys", keys=keys, etag="v1")
    finding = a_finding()
    await world.sees(finding)

    assert (await world.case()).by_key[finding.row_key].verdict == "allowlist_unclear"  # type: ignore[attr-defined]


async def test_an_entry_in_force_counts_beside_a_misspelled_row() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry(edited_at=START - 9600 * HOUR)
    keys = ("tenant", ALEX.upper())
    world.allowlist.rows["misspelled"] = MalformedEntry(object_id=ALEX, problem="the keys", keys=keys, etag="v1")
    finding = a_finding()
    await world.sees(finding)

    assert (await world.case()).by_key[finding.row_key].verdict == "allowlisted"  # type: ignore[attr-defined]


async def test_a_row_under_the_guid_in_exchange_is_misspelled() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding(effective_at=START - 30 * HOUR))
    guid = exchange_guid(ALEX)
    world.allowlist.rows[guid] = an_entry(object_id=guid)
    await world.answer()

    assert [each.verdict for each in await world.incidents()] == ["allowlist_unclear"]
