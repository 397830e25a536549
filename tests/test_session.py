"""Transitions of a session: committed one by one, or deferred and committed together."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from bypass_responder.case.draft import TRANSACTION_ROWS, Draft
from bypass_responder.session import Session, open_session
from tests.fakes import FakeLedger
from tests.world import ALEX, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from bypass_responder.model.case import Case


def noted(draft: Draft) -> None:
    draft.log("hint", "deferred")


def recorded(draft: Draft) -> None:
    draft.log("hint", "applied")


def many(draft: Draft) -> None:
    for number in range(TRANSACTION_ROWS - 10):
        draft.log("hint", f"number {number}")


class InterruptedLedger(FakeLedger):
    """Something else happens while the first transaction is under way."""

    meanwhile: Callable[[], None] | None = None

    async def commit(self, *transaction: Any) -> Case:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return await super().commit(*transaction)


async def logged(world: World) -> list[str]:
    return [entry.text async for entry in world.ledger.log(ALEX)]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def session(world: World) -> Session:
    return await open_session(ALEX, world.services)


async def test_what_is_deferred_is_shown_and_not_stored(world: World, session: Session) -> None:
    session.defer(noted)

    assert (session.case.head.log_seq, await logged(world)) == (1, [])


async def test_what_is_deferred_is_committed_with_the_next_change(world: World, session: Session) -> None:
    session.defer(noted)
    await session.apply(recorded)

    assert (await logged(world), session.commits) == (["deferred", "applied"], 1)


async def test_a_transition_that_changes_nothing_commits_nothing(world: World, session: Session) -> None:
    session.defer(noted)
    await session.apply(lambda _: None)

    assert await logged(world) == []


async def test_a_flush_commits_what_is_deferred_once(world: World, session: Session) -> None:
    session.defer(noted)
    await session.flush()
    await session.flush()

    assert (await logged(world), session.commits) == (["deferred"], 1)


async def test_after_a_conflict_it_runs_on_what_is_true_now(world: World, session: Session) -> None:
    session.defer(noted)
    await (await open_session(ALEX, world.services)).apply(recorded)
    await session.flush()

    assert await logged(world) == ["applied", "deferred"]


async def test_what_is_deferred_during_a_commit_is_kept(world: World) -> None:
    ledger = world.ledger = InterruptedLedger()
    session = await open_session(ALEX, dataclasses.replace(world.services, ledger=ledger))
    ledger.meanwhile = lambda: session.defer(noted)
    await session.apply(recorded)
    await session.flush()

    assert await logged(world) == ["applied", "deferred"]


async def test_what_is_too_much_for_one_transaction_takes_several(world: World, session: Session) -> None:
    session.defer(many)
    session.defer(many)
    await session.apply(many)

    assert (len(await logged(world)), session.commits) == (3 * (TRANSACTION_ROWS - 10), 3)


async def test_rows_that_are_read_besides_do_not_store_it(world: World, session: Session) -> None:
    session.defer(noted)
    await session.read_besides(lambda: world.ledger.load(ALEX))
    session.forget()

    assert (session.case.head.log_seq, await logged(world)) == (1, [])
