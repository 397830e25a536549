"""What belongs together is one transaction of the ledger: each one is a call to storage."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.fakes import FakeWorkList
from tests.world import ALEX, START, World, a_finding, a_hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bypass_responder.errors import ResponderError
    from bypass_responder.ports import Finished


async def a_restored_account() -> World:
    """ALEX, contained and restored."""
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await world.answer()
    await world.passes(seconds=10)
    world.ledger.calls.clear()
    return world


def commits(world: World) -> int:
    return world.ledger.calls.count(("commit", ALEX))


async def test_evidence_is_decided_and_filed_in_one_transaction() -> None:
    world = await a_restored_account()
    await world.sees(a_finding(effective_at=START - timedelta(minutes=50)))

    assert commits(world) == 1


async def test_a_question_takes_two_transactions_that_it_is_planned_and_that_it_is_sent() -> None:
    world = World()
    await world.sees(a_hint())

    assert (commits(world), len(world.exchange.sent)) == (2, 1)


async def test_an_answer_is_stored_with_what_is_decided_by_it() -> None:
    world = World()
    await world.sees(a_hint())
    world.ledger.calls.clear()
    await world.answer()

    assert [entry.event async for entry in world.ledger.log(ALEX)][-2:] == ["answered", "stood_down"]
    assert commits(world) == 2  # and one that moves the finding, after the index has its entry


async def test_block_and_revocation_are_read_back_in_one_transaction() -> None:
    world = World()
    await world.sees(a_finding())
    world.ledger.calls.clear()
    await world.passes(seconds=10)

    assert commits(world) == 2  # and one that marks the incident as listed


class WatchedWorkList(FakeWorkList):
    """Remembers which targets were finished together."""

    def __init__(self) -> None:
        super().__init__()
        self.together: list[list[str]] = []

    async def finish_all(self, finished: Sequence[Finished]) -> list[ResponderError]:
        self.together += [sorted(each.item.target for each in finished)] if finished else []
        return await super().finish_all(finished)


async def test_a_target_is_finished_together_with_the_one_that_its_finding_is_about() -> None:
    world, work = World(), WatchedWorkList()
    world.services = dataclasses.replace(world.services, work=work)
    hint = a_hint(object_id_text="", identity_text="alex@contoso.onmicrosoft.com")
    await world.sees(hint)
    work.together.clear()
    await world.answer()

    assert work.together == [[ALEX, hint.target]]
