"""``bypassctl doctor``: report problems of the installation, each with its fix."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import typer

from bypass_responder.cli.terminal import BAD_NEWS, NOT_DONE, Format, Output, environment, say, show_document
from bypass_responder.errors import SettingError
from bypass_responder.operating.doctor.diagnosis import Diagnosis, Problem, Unchecked

if TYPE_CHECKING:
    from bypass_responder.operating.doctor.diagnosis import Facts


def doctor(output: Format = Output.TABLE) -> None:
    """Check rights, storage, settings, clocks and health. Report each problem with its fix.

    Changes nothing.

    Exit code 0: no problems. 1: at least one problem.
    3: no problem found, but a required check was not possible.
    """
    facts, found = _examine()
    if output is Output.TABLE:
        show(found)
    else:
        show_document(as_json(facts, found), output)
    raise typer.Exit(exit_status(found))


SETTING = "setting_wrong"


def exit_status(found: Diagnosis) -> int:
    """Return 1 for a problem, 3 for an invalid setting or a missing required check, else 0."""
    if any(problem.id != SETTING for problem in found.problems):
        return BAD_NEWS
    return NOT_DONE if found.problems or any(it.essential for it in found.unchecked) else 0


def _examine() -> tuple[Facts | None, Diagnosis]:
    from bypass_responder.bootstrap import build
    from bypass_responder.operating.doctor.diagnose import diagnose
    from bypass_responder.operating.doctor.gather import gather_facts

    given = environment()

    async def session() -> Facts:
        responder = build(given, short_lived=True)
        try:
            return await gather_facts(responder.services, responder.self_checks, given)
        finally:
            await responder.aclose()

    try:
        facts = asyncio.run(session())
    except SettingError as problem:
        return None, of_setting(problem)
    return facts, diagnose(facts)


def of_setting(problem: SettingError) -> Diagnosis:
    """Return the diagnosis of an invalid setting in this shell, which prevents all other checks."""
    what = str(problem)
    fix = "add a profile (bypassctl profile add NAME --from-azd), or set it in this shell (docs/settings.md)"
    unchecked = Unchecked("everything else", "fix the setting and run doctor again", essential=True)
    return Diagnosis([Problem(SETTING, what.split(" ", maxsplit=1)[0], what, fix)], [], [unchecked])


def as_json(facts: Facts | None, found: Diagnosis) -> dict[str, Any]:
    """Return the diagnosis as JSON for scripts, with the app's self-check."""
    check = facts and (facts.live or facts.stored)
    return {
        "problems": [{"id": it.id, "about": it.about, "what": it.what, "fix": it.fix} for it in found.problems],
        "information": list(found.information),
        "not_checked": [{"what": it.what, "how": it.how, "essential": it.essential} for it in found.unchecked],
        "self_check": check.model_dump(mode="json") if check else None,
    }


def show(found: Diagnosis) -> None:
    """Print problems, information and unchecked parts, for people."""
    for problem in found.problems:
        say(f"FAIL   {problem.id}: {problem.what.rstrip('.')}. Fix: {problem.fix}", style="red")
    for line in found.information:
        say(f"INFO   {line}")
    for unchecked in found.unchecked:
        word = "NOT CHECKED (required)" if unchecked.essential else "NOT CHECKED"
        say(f"{word}  {unchecked.what.rstrip('.')}. Check with: {unchecked.how}")
    if not found.problems and not any(it.essential for it in found.unchecked):
        say("No problems found in the completed checks.")
