"""``bypassctl drill``: go through the drill and write its report."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder import __version__
from bypass_responder.cli.terminal import BAD_NEWS, NOT_DONE, environment, say, stop, with_responder
from bypass_responder.errors import InputError
from bypass_responder.operating.drill.fixes import FIXES
from bypass_responder.operating.drill.probes import Scene
from bypass_responder.operating.drill.report import Drill, Result, load, save
from bypass_responder.operating.drill.walk import walk

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.operating.drill.lines import Line
    from bypass_responder.operating.drill.report import Answer

STYLES = {"passed": "green", "failed": "red"}


def drill(
    account: Annotated[str, typer.Argument(help="User principal name of the test account.")],
    report: Annotated[Path, typer.Option("--report", help="Folder of drill.json and drill.md.")] = Path("drill"),
    patience: Annotated[
        int, typer.Option("--patience", min=0, help="Maximum number of minutes to wait for a line.")
    ] = 35,
) -> None:
    """Go through docs/drill.md, check each line, and write a report. Changes nothing itself.

    Run it again to continue where it stopped.

    Exit code 0: passed. 1: a line failed. 3: not finished.
    """

    async def use(responder: Responder) -> Drill:
        services = responder.services
        known = load(report)
        tenant = services.settings.tenant_id
        if known and (known.account.casefold(), known.tenant_id) != (account.casefold(), tenant):
            text = f"{report} has the drill of {known.account} in {known.tenant_id}. Name another folder: --report."
            raise InputError("another_drill", text)
        begun = known or Drill(account=account, tenant_id=tenant, version=__version__, began_at=services.clock())
        return await walk(
            begun,
            Scene(services, responder.self_checks, environment()),
            _AtTheTerminal(account),
            save=lambda each: save(each, report),
            sleep=asyncio.sleep,
            patience=timedelta(minutes=patience),
        )

    found = with_responder(use)
    say(f"Report: {report / 'drill.md'}")
    if found.failed:
        raise typer.Exit(BAD_NEWS)
    if not found.finished:
        stop("Not finished: run the same command again to continue.", NOT_DONE)


class _AtTheTerminal:
    """The person who runs bypassctl."""

    def __init__(self, account: str) -> None:
        self._account = account

    def perform(self, line: Line) -> None:
        say(f"{line.part}. Do this, then press Enter:", style="bold")
        for command in line.does:
            say(f"  {command.replace('bypass-drill@YOURDOMAIN', self._account)}")
        self._ask("Done", default="")

    def answer(self, line: Line, why: str) -> Answer:
        say(f"{line.check}, within {line.within}: {line.expected}? ({why})")
        answers: dict[str, Answer] = {"y": "passed", "n": "failed", "l": "waiting", "s": "skipped"}
        while True:
            given = self._ask("[y]es, [n]o, [l]ater, [s]kip", default="l")[:1].casefold()
            if given in answers:
                return answers[given]

    def show(self, line: Line, result: Result) -> None:
        say(
            f"{result.answer.upper():8} {line.check}: {result.detail or line.expected}",
            style=STYLES.get(result.answer, ""),
        )
        if result.answer == "failed":
            say(f"         Fix: {FIXES[line.id]}")

    def _ask(self, question: str, *, default: str) -> str:
        if not sys.stdin.isatty():
            stop("There is no terminal to ask at. Run it in one; it continues where it stopped.")
        return str(typer.prompt(question, default=default, show_default=bool(default), err=True))
