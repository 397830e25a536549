"""What `examine` returns for one finding: a value, and nothing is stored."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.decision import Naming, Verdict
from bypass_responder.errors import TransientError
from bypass_responder.handling.examine import Decided, Elsewhere, Unlisted, Wait, examine
from bypass_responder.handling.identify import Ask, Identified, Lookups
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.case import Case, Head
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.finding import Check, Finding, Source
from bypass_responder.model.message import ExchangeOutcome
from tests.world import ALEX, START, World, a_finding, a_hint, an_entry

ON = Check(name="", outcome=ExchangeOutcome.CHECKED, object_id=ALEX, bypass_on=True, read_at=START)


async def examined(
    finding: Finding, world: World | None = None, head: Head | None = None
) -> Ask | Wait | Elsewhere | Unlisted | Decided:
    world = world or World()
    case = Case(finding.target, {"head": head} if head else {})
    lookups = Lookups(world.services)
    try:
        return await examine(finding, case, world.services, lookups)
    finally:
        await lookups.aclose()


async def test_a_record_that_names_one_account_twice_is_decided() -> None:
    found = await examined(a_finding())

    assert isinstance(found, Decided)
    assert (found.decision.verdict, found.identified.naming) == (Verdict.VIOLATION, Naming.ONE_ACCOUNT)


async def test_the_allowlist_row_is_part_of_what_was_decided() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry()
    found = await examined(a_finding(), world)

    assert isinstance(found, Decided)
    assert isinstance(found.entry, AllowlistEntry)
    assert (found.decision.verdict, found.entry.columns) == (Verdict.ALLOWLISTED, an_entry().columns)


async def test_a_hint_asks_exchange() -> None:
    assert await examined(a_hint()) == Ask(object_id=ALEX)


async def test_a_hint_waits_when_no_question_is_left() -> None:
    world = World(hint_checks_per_hour=1)
    await examined(a_hint(id="hint-first"), world)

    assert await examined(a_hint(id="hint-second"), world) == Wait("no_question_left")


async def test_a_read_soon_after_the_restoration_may_be_stale() -> None:
    head = Head(restored_at=START - timedelta(minutes=1))
    found = await examined(a_hint(checks=(ON,)), head=head)

    assert isinstance(found, Wait)
    assert found.reason == "stale_read"


async def test_a_read_from_before_the_restoration_does_not_wait() -> None:
    finding = a_hint(checks=(ON,))
    found = await examined(finding, head=Head(restored_at=START + timedelta(seconds=1)))

    assert isinstance(found, Decided)
    assert found.finding.effective_at == START  # not later than the restoration: it is stored as evidence of the past


async def test_a_name_of_an_account_with_another_key_belongs_elsewhere() -> None:
    found = await examined(a_finding(target=f"name-{'0' * 64}"))

    assert isinstance(found, Elsewhere)
    assert found.account.object_id == ALEX


async def test_a_confirmed_state_moves_to_another_case_with_the_time_of_the_read() -> None:
    """In the other case, a hint about long ago must not be decided before newer evidence.

    Findings are decided in order of time.
    """
    world = World()
    world.names["alex"] = [ALEX]
    world.bypassed[ALEX] = True
    world.allowlist.fail("get", TransientError("gone"), always=True)  # so that it stays undecided there
    hint = a_hint(id="hint-1", object_id_text="alex", effective_at=START - timedelta(days=3))
    await world.sees(hint)
    with suppress(ExceptionGroup):
        await world.answer()

    assert [row.effective_at for row in (await world.case()).rows(Finding)] == [START]


@pytest.mark.parametrize("fields", [{"switch": Switch.OFF}, {"outcome": Outcome.FAILED}])
async def test_a_switching_off_and_a_failed_attempt_decide_nothing(fields: dict[str, Any]) -> None:
    assert a_finding(**fields).decides_nothing


async def test_an_account_that_the_sweep_no_longer_lists_is_recorded_with_the_state_in_exchange() -> None:
    off = ON.model_copy(update={"bypass_on": False})
    found = await examined(a_finding(source=Source.SWEEP, switch=Switch.OFF, checks=(off,), identity_text=""))

    assert isinstance(found, Unlisted)
    assert isinstance(found.identified, Identified)
    assert found.identified.exchange_on is False


async def test_examining_changes_nothing() -> None:
    world = World()
    await examined(a_finding(), world)

    assert (world.directory.enabled[ALEX], world.exchange.sent, await world.incidents()) == (True, [], [])
