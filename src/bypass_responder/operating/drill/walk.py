"""Goes through the lines of the drill, from where it ended the last time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from bypass_responder.errors import ResponderError
from bypass_responder.operating.drill.lines import LINES
from bypass_responder.operating.drill.probes import PROBES
from bypass_responder.operating.drill.report import Drill, Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bypass_responder.operating.drill.lines import Line
    from bypass_responder.operating.drill.probes import Scene
    from bypass_responder.operating.drill.report import Answer

PAUSE_SECONDS = 5.0


class Person(Protocol):
    """The person who runs the drill."""

    def perform(self, line: Line) -> None:
        """Return when the person has done what comes before the line."""

    def answer(self, line: Line, why: str) -> Answer:
        """Return what the person sees. ``why``: the reason that bypassctl cannot see it itself."""

    def show(self, line: Line, result: Result) -> None:
        """Show what came of a line."""


async def walk(
    drill: Drill,
    scene: Scene,
    person: Person,
    *,
    save: Callable[[Drill], None],
    sleep: Callable[[float], Awaitable[None]],
    patience: timedelta,
) -> Drill:
    """Return the drill, saved after each line.

    It ends before the next thing to do once a line has failed.
    ``patience``: the longest wait for one line. What comes later is ``waiting``, and is checked by the next walk.
    """
    clock = scene.services.clock
    since = drill.began_at
    for line in LINES:
        if line.does and line.id not in drill.done_at:
            if drill.failed:
                break
            person.perform(line)
            drill = drill.model_copy(update={"done_at": drill.done_at | {line.id: clock()}})
            save(drill)
        since = drill.done_at.get(line.id, since)
        before = drill.results.get(line.id)
        if before is not None and before.answer in {"passed", "skipped"}:
            continue
        result = await _judged(line, drill, scene, person, since=since, sleep=sleep, patience=patience)
        drill = drill.model_copy(update={"results": drill.results | {line.id: result}})
        save(drill)
        person.show(line, result)
    return drill


async def _judged(
    line: Line,
    drill: Drill,
    scene: Scene,
    person: Person,
    *,
    since: datetime,
    sleep: Callable[[float], Awaitable[None]],
    patience: timedelta,
) -> Result:
    clock = scene.services.clock
    probe = PROBES.get(line.id)
    if probe is None:
        return Result(answer=person.answer(line, "only a person can see it"), detail="", by="person", at=clock())
    until = min(since + line.limit, clock() + patience)
    while True:
        try:
            there, detail = await probe(scene, drill, since)
        except ResponderError as error:
            why = str(error)
            return Result(answer=person.answer(line, why), detail=why, by="person", at=clock())
        if there:
            return Result(answer="passed", detail=detail, by="bypassctl", at=clock())
        if clock() >= until:
            answer: Answer = "failed" if clock() >= since + line.limit else "waiting"
            return Result(answer=answer, detail=detail, by="bypassctl", at=clock())
        await sleep(PAUSE_SECONDS)
