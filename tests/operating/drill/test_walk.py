"""The drill goes on where it ended, waits as long as it may, and begins nothing after a failure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from bypass_responder.errors import TransientError
from bypass_responder.operating.drill.lines import LINES
from bypass_responder.operating.drill.probes import PROBES, Scene
from bypass_responder.operating.drill.report import Drill
from bypass_responder.operating.drill.walk import walk
from tests.world import START, TENANT, World

if TYPE_CHECKING:
    from bypass_responder.operating.drill.lines import Line
    from bypass_responder.operating.drill.report import Answer, Result
    from bypass_responder.operating.self_check import SelfChecks

HOUR = timedelta(hours=1)


class FakePerson:
    """Does everything, and has one answer."""

    def __init__(self, answer: Answer = "passed") -> None:
        self.given = answer
        self.performed: list[str] = []
        self.asked: list[str] = []

    def perform(self, line: Line) -> None:
        self.performed.append(line.id)

    def answer(self, line: Line, why: str) -> Answer:
        self.asked.append(line.id)
        return self.given

    def show(self, line: Line, result: Result) -> None:
        """Nobody reads it."""


def a_drill(**fields: Any) -> Drill:
    given = {"account": "alex@contoso.com", "tenant_id": TENANT, "version": "1", "began_at": START}
    return Drill.model_validate(given | fields)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Lines that are not as expected."""
    wrong: set[str] = set()

    def probe(name: str) -> Any:
        async def look(*_: object) -> tuple[bool, str]:
            return name not in wrong, "seen"

        return look

    for name in list(PROBES):
        monkeypatch.setitem(PROBES, name, probe(name))
    return wrong


async def walked(drill: Drill, person: FakePerson, *, patience: timedelta = HOUR) -> tuple[Drill, list[Drill]]:
    world = World()
    saved: list[Drill] = []

    async def sleep(_seconds: float) -> None:
        world.now += timedelta(minutes=1)

    scene = Scene(world.services, cast("SelfChecks", None), {})
    return await walk(drill, scene, person, save=saved.append, sleep=sleep, patience=patience), saved


@pytest.mark.usefixtures("seen")
async def test_a_drill_in_which_all_is_as_expected_passes() -> None:
    done, _ = await walked(a_drill(), FakePerson())

    assert done.finished
    assert not done.failed


@pytest.mark.usefixtures("seen")
async def test_a_person_is_asked_only_what_bypassctl_cannot_see() -> None:
    person = FakePerson()
    await walked(a_drill(), person)

    assert person.asked == [line.id for line in LINES if line.id not in PROBES]


async def test_nothing_is_begun_after_a_line_that_failed(seen: set[str]) -> None:
    seen.add("unchanged")
    person = FakePerson()
    done, _ = await walked(a_drill(), person)

    assert done.failed
    assert person.performed == ["observed"]


async def test_a_line_whose_time_is_longer_than_the_patience_waits(seen: set[str]) -> None:
    seen.add("fed")
    done, _ = await walked(a_drill(), FakePerson())

    assert done.results["fed"].answer == "waiting"
    assert not done.finished


async def test_the_next_walk_checks_only_what_is_open(seen: set[str]) -> None:
    seen.add("fed")
    first, _ = await walked(a_drill(), FakePerson())
    seen.clear()
    person = FakePerson()
    done, saved = await walked(first, person)

    assert done.finished
    assert (person.performed, person.asked, len(saved)) == ([], [], 1)


async def test_what_cannot_be_read_is_asked(seen: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: object) -> tuple[bool, str]:
        raise TransientError("Graph does not answer.")

    monkeypatch.setitem(PROBES, "blocked", refused)
    done, _ = await walked(a_drill(), FakePerson("skipped"))

    assert (done.results["blocked"].by, done.results["blocked"].answer) == ("person", "skipped")
