"""Plays events on the app's own code and gives the lines that it logs for each, as workspace rows.

``python -m tests.infra.alert_lines`` writes them as JSON, for ``infra/checks/rules.py``. Fields arrive as text, which
tests/adapters/test_telemetry.py proves with the real SDK. The rows of ``AppRequests`` and ``AppExceptions`` are the
host's and written by hand: its form depends on the host's version.
"""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
import logging
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bypass_responder.bootstrap.use_cases import run_and_flush
from bypass_responder.case.health_alerts import ADVICE, end_alert
from bypass_responder.event_lines import FIELDS, write_line, write_ongoing
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Outcome
from bypass_responder.model.feed import ContentBlob
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.log import ABOUTS
from bypass_responder.session import change, change_health, raise_health
from bypass_responder.triggers.poll_audit_feed import poll_audit_feed
from tests.sensing.builders import another
from tests.world import ALEX, START, World, a_finding, an_entry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from bypass_responder.case.draft import Draft

Row = dict[str, Any]
WEEK = timedelta(days=7)
OF_ALERTS = {"health", "recovered"}
"""Kinds of notification that health alerts send; they are played as those."""


class Heard(logging.Handler):
    """The lines of the app that is played, as rows of ``AppTraces``."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.world: World | None = None

    def emit(self, record: logging.LogRecord) -> None:
        fields = {name: str(value) for name, value in vars(record).items() if name in FIELDS}
        at = self.world.now if self.world else START
        self.rows.append(
            {"TimeGenerated": at.replace(tzinfo=None).isoformat(), "Message": record.getMessage(), "Properties": fields}
        )

    def begin(self, world: World) -> World:
        """Hear this world from now on."""
        self.world = world
        return world


@dataclasses.dataclass(frozen=True)
class Scenario:
    """What happens, which rules it fires, and by which word of docs/telemetry.md."""

    play: Callable[[Heard], Awaitable[object]]
    fires: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    host: dict[str, list[Row]] = dataclasses.field(default_factory=dict)


# ---- what happens ----------------------------------------------------------------------------------------------------


async def quiet_day(heard: Heard) -> None:
    """Run the scheduler and a poll each minute; each hour a blob and a sweep with an allowlisted account."""
    world = heard.begin(World())
    world.allowlist.rows[ALEX] = an_entry()
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.passes(minutes=1)
    heard.rows.clear()  # the first sweep and the first comparison of the allowlist report what they find
    for minute in range(24 * 60):
        await world.passes(minutes=1)
        if minute % 60 == 0:
            blob = ContentBlob(content_id=f"{minute}", uri=f"u/{minute}", created=world.now, expires=world.now + WEEK)
            world.feed.publish(blob, json.dumps([another()]).encode())
            await world.sweep()
        await poll_audit_feed(world.services)


async def stopped(heard: Heard) -> None:
    """Nothing runs."""


async def contained(heard: Heard) -> World:
    world = heard.begin(World())
    await world.sees(a_finding())
    await world.answer()
    await world.passes(minutes=1)
    return world


async def held(heard: Heard) -> None:
    """The names of a record stand for two accounts."""
    world = heard.begin(World())
    await world.sees(a_finding(identity_text="blake@contoso.onmicrosoft.com"))
    await world.passes(minutes=1)


async def observed(heard: Heard) -> None:
    world = heard.begin(World(mode="observe"))
    await world.sees(a_finding())
    await world.passes(minutes=1)


async def attempted(heard: Heard) -> None:
    world = heard.begin(World())
    await world.sees(a_finding(outcome=Outcome.FAILED))
    await world.passes(minutes=1)


async def rewritten(heard: Heard) -> None:
    """Somebody puts the tables back to an earlier state, and the app goes on from there."""
    world = await contained(heard)
    before = copy.deepcopy(world.ledger)
    [incident] = await world.incidents()
    await world.decides("close", incident.id, reason="one")
    world.services = dataclasses.replace(world.services, ledger=before)
    world.ledger = before
    await world.passes(minutes=1)
    await world.decides("close", incident.id, reason="another")


async def failed(heard: Heard, *, times: int) -> None:
    """A function's runs fail."""
    world = heard.begin(World())

    async def fails() -> None:
        raise PermissionError("no access to storage")

    for _ in range(times):
        try:
            await run_and_flush("poll_audit_feed", fails())
        except PermissionError:
            await world.passes(minutes=1)


def notifies(about: Any) -> Callable[[Heard], Awaitable[None]]:
    async def play(heard: Heard) -> None:
        world = heard.begin(World())

        def report(draft: Draft) -> None:
            draft.notify(about, "title", "text", key="key")

        await change(ALEX, report, world.services)
        await world.passes(minutes=1)

    return play


async def _alert(heard: Heard, alert: str) -> World:
    world = heard.begin(World())
    await raise_health(alert, "detail", world.services)
    return world


def begins(alert: str) -> Callable[[Heard], Awaitable[None]]:
    async def play(heard: Heard) -> None:
        write_line("resumed")
        await _alert(heard, alert)

    return play


def goes_on(alert: str) -> Callable[[Heard], Awaitable[None]]:
    """It began before the rule's window."""

    async def play(heard: Heard) -> None:
        world = await _alert(heard, alert)
        heard.rows.clear()
        write_line("resumed")
        for row in (await world.case(TENANT_TARGET)).rows(HealthAlert):
            write_ongoing(row)

    return play


def ends(alert: str) -> Callable[[Heard], Awaitable[None]]:
    async def play(heard: Heard) -> None:
        world = await _alert(heard, alert)
        heard.rows.clear()
        write_line("resumed")
        await change_health(lambda draft: end_alert(draft, alert), world.services)

    return play


async def runs(heard: Heard) -> None:
    await heard.begin(World()).passes(minutes=1)


def _request(function: str, *, success: bool, **row: Any) -> Row:
    return {"Success": success, "Properties": {"faas.name": function}, **row}


HOST: dict[str, tuple[dict[str, list[Row]], tuple[str, ...]]] = {
    "a run of the worker succeeds": ({"AppRequests": [_request("ExchangeCommands", success=True)]}, ()),
    "a run of the worker fails": (
        {"AppRequests": [_request("ExchangeCommands", success=False)]},
        ("worker-exceptions",),
    ),
    "a run of the worker fails, the function is the operation": (
        {"AppRequests": [{"Success": False, "OperationName": "ExchangeChecks", "Properties": {}}]},
        ("worker-exceptions",),
    ),
    "a run of the worker fails, the function is in the exception's message": (
        {
            "AppExceptions": [
                {"OuterMessage": "Exception while executing function: Functions.ExchangeSweeps", "OperationName": "",
                 "Properties": {}},
            ]
        },
        ("worker-exceptions",),
    ),
    "a run of the responder fails": ({"AppRequests": [_request("poll_audit_feed", success=False)]}, ()),
}  # fmt: skip


def scenarios() -> Iterator[tuple[str, Scenario]]:
    """Every scenario by what happens in it."""
    yield "a quiet day", Scenario(quiet_day)
    yield "nothing runs", Scenario(stopped, ("responder-silent",))
    yield "an account is contained", Scenario(contained, ("contained",))
    yield "an account is held", Scenario(held, ("held",))
    yield "a bypass is observed", Scenario(observed, ("held",))
    yield "an attempt fails", Scenario(attempted, ("tampering",))
    yield "the log is rewritten", Scenario(rewritten, ("contained", "log-rewritten"))
    yield "two runs fail", Scenario(lambda heard: failed(heard, times=2))
    yield "three runs fail", Scenario(lambda heard: failed(heard, times=3), ("responder-failing",))
    for about in sorted(ABOUTS - OF_ALERTS):
        yield f"notification {about}", Scenario(notifies(about), words=(f"about {about}",))
    for alert in sorted(ADVICE):
        yield f"alert {alert} begins", Scenario(begins(alert), words=(f"alert {alert}",))
        yield f"alert {alert} goes on", Scenario(goes_on(alert), words=(f"alert {alert}",))
        yield f"alert {alert} ends", Scenario(ends(alert))
    for name, (rows, fires) in HOST.items():
        yield name, Scenario(runs, fires, host=rows)


async def played(scenario: Scenario) -> Row:
    """The rows of a scenario with what it fires, in the form that the check reads."""
    heard = Heard()
    logger = logging.getLogger("bypass_responder.event_lines")
    logger.addHandler(heard)
    logger.setLevel(logging.INFO)
    try:
        await scenario.play(heard)
    finally:
        logger.removeHandler(heard)
    return {"fires": scenario.fires, "words": scenario.words, "tables": {"AppTraces": heard.rows} | scenario.host}


async def main() -> dict[str, Row]:
    """Play everything."""
    return {name: await played(scenario) for name, scenario in scenarios()}


if __name__ == "__main__":
    logging.getLogger("bypass_responder").propagate = False
    json.dump(asyncio.run(main()), sys.stdout)
