"""``bypassctl doctor``: what is missing or wrong, one line each, with the command or page that mends it."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any

import typer

from bypass_responder.cli.terminal import BAD_NEWS, NOT_DONE, Format, Output, say, show_json
from bypass_responder.errors import SettingError
from bypass_responder.operating.doctor.diagnosis import Defect, Diagnosis, Unseen

if TYPE_CHECKING:
    from bypass_responder.operating.doctor.diagnosis import Facts


def doctor(output: Format = Output.TABLE) -> None:
    """Name each right, queue, table, container, setting and clock that is wrong, and what mends it.

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
    if any(defect.id != SETTING for defect in found.defects):
        return BAD_NEWS
    return NOT_DONE if found.defects or any(it.essential for it in found.unseen) else 0


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
    mend = "set it in this shell (`azd env get-values` has them); docs/settings.md lists every setting"
    unseen = Unseen("everything else", "run it again with the setting", essential=True)
    return Diagnosis([Defect(SETTING, said.split(" ", maxsplit=1)[0], said, mend)], [], [unseen])


def as_json(facts: Facts | None, found: Diagnosis) -> dict[str, Any]:
    """The same for scripts, with the app's own look at itself."""
    look = facts and (facts.live or facts.stored)
    return {
        "findings": [{"id": it.id, "about": it.about, "what": it.what, "mend": it.mend} for it in found.defects],
        "information": list(found.information),
        "not_looked_at": [{"what": it.what, "how": it.how, "essential": it.essential} for it in found.unseen],
        "self_check": look.model_dump(mode="json") if look else None,
    }


def show(found: Diagnosis) -> None:
    """For people: what is wrong, what is worth knowing, what was not looked at."""
    for defect in found.defects:
        say(f"WRONG  {defect.id}: {defect.what.rstrip('.')}. MEND: {defect.mend}", style="red")
    for line in found.information:
        say(f"INFO   {line}")
    for unseen in found.unseen:
        word = "UNSEEN" if unseen.essential else "NOT LOOKED AT"
        say(f"{word}  {unseen.what.rstrip('.')}. LOOK: {unseen.how}")
    if not found.defects and not any(it.essential for it in found.unseen):
        say("Nothing is wrong in what was looked at.")
