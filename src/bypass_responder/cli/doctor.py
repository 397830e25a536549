"""``bypassctl doctor``: what is missing or wrong, one line each, with the command or page that fixes it."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any

import typer

from bypass_responder.cli.terminal import BAD_NEWS, NOT_DONE, Format, Output, say, show_json
from bypass_responder.errors import SettingError
from bypass_responder.operating.doctor.diagnosis import Diagnosis, Problem, Unchecked

if TYPE_CHECKING:
    from bypass_responder.operating.doctor.diagnosis import Facts


def doctor(output: Format = Output.TABLE) -> None:
    """Name each right, queue, table, container, setting and clock that is wrong, and what fixes it.

    Exit status 0: all is well, 1: something is wrong, 3: it could not be looked at.
    """
    facts, found = _examined()
    if output is Output.JSON:
        show_json(as_json(facts, found))
    else:
        show(found)
    raise typer.Exit(exit_status(found))


SETTING = "setting_wrong"


def exit_status(found: Diagnosis) -> int:
    """Wrong counts for more than not seen; a wrong setting of this shell stops every look."""
    if any(problem.id != SETTING for problem in found.problems):
        return BAD_NEWS
    return NOT_DONE if found.problems or any(it.essential for it in found.unchecked) else 0


def _examined() -> tuple[Facts | None, Diagnosis]:
    from bypass_responder.bootstrap import build
    from bypass_responder.operating.doctor.diagnose import diagnose
    from bypass_responder.operating.doctor.gather import gather_facts

    async def session() -> Facts:
        responder = build(os.environ)
        try:
            return await gather_facts(responder.services, responder.self_checks, os.environ)
        finally:
            await responder.aclose()

    logging.getLogger("azure.identity").setLevel(logging.CRITICAL)  # it tells all its attempts at each call anew
    try:
        facts = asyncio.run(session())
    except SettingError as problem:
        return None, of_setting(problem)
    return facts, diagnose(facts)


def of_setting(problem: SettingError) -> Diagnosis:
    """A setting of this shell is wrong, so nothing else can be looked at."""
    said = str(problem)
    fix = "set it in this shell (`azd env get-values` has them); docs/settings.md lists every setting"
    unchecked = Unchecked("everything else", "run it again with the setting", essential=True)
    return Diagnosis([Problem(SETTING, said.split(" ", maxsplit=1)[0], said, fix)], [], [unchecked])


def as_json(facts: Facts | None, found: Diagnosis) -> dict[str, Any]:
    """The same for scripts, with the app's own look at itself."""
    look = facts and (facts.live or facts.stored)
    return {
        "problems": [{"id": it.id, "about": it.about, "what": it.what, "fix": it.fix} for it in found.problems],
        "information": list(found.information),
        "not_checked": [{"what": it.what, "how": it.how, "essential": it.essential} for it in found.unchecked],
        "self_check": look.model_dump(mode="json") if look else None,
    }


def show(found: Diagnosis) -> None:
    """For people: what is wrong, what is worth knowing, what was not looked at."""
    for problem in found.problems:
        say(f"FAIL   {problem.id}: {problem.what.rstrip('.')}. Fix: {problem.fix}", style="red")
    for line in found.information:
        say(f"INFO   {line}")
    for unchecked in found.unchecked:
        word = "NOT CHECKED (required)" if unchecked.essential else "NOT CHECKED"
        say(f"{word}  {unchecked.what.rstrip('.')}. Check with: {unchecked.how}")
    if not found.problems and not any(it.essential for it in found.unchecked):
        say("Nothing is wrong in what was looked at.")
