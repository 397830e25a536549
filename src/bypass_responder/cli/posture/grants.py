"""``bypassctl posture grants``: permissions to mailboxes that were granted, and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.terminal import BAD_NEWS, Format, Output, note, say, show_list, show_table, with_responder
from bypass_responder.model.base import moment
from bypass_responder.operating.posture.grants import GrantLine, RemovedLine, read_grants
from bypass_responder.tampering.permissions import KEPT, WITHIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bypass_responder.bootstrap import Responder
    from bypass_responder.operating.posture.grants import Grants

_CHANGES: Mapping[str, Callable[[GrantLine], str]] = {
    "when": lambda it: moment(it.at),
    "change": lambda it: "granted" if it.granted else "removed",
    "right": lambda it: it.right,
    "mailbox or group": lambda it: it.target,
    "trustee": lambda it: it.trustee,
    "by": lambda it: it.who,
}
_REMOVED: Mapping[str, Callable[[RemovedLine], str]] = {
    "granted": lambda it: f"{moment(it.granted_at)} by {it.granted_by}",
    "removed": lambda it: f"{moment(it.removed_at)} by {it.removed_by}",
    "right": lambda it: it.right,
    "mailbox or group": lambda it: it.target,
    "trustee": lambda it: it.trustee,
}


def grants(
    days: Annotated[int, typer.Option("--days", min=1, max=KEPT.days, help="How many days back.")] = WITHIN.days,
    *,
    removed: Annotated[bool, typer.Option("--removed", help="Only grants that were removed within 7 days.")] = False,
    output: Format = Output.TABLE,
) -> None:
    """List granted and removed permissions to mailboxes and role groups, from the audit feed.

    Exit code 1: one was removed within 7 days of its grant, which may
    have been for a brief look at a mailbox; or not all changes are listed.
    """

    async def use(responder: Responder) -> Grants:
        return await read_grants(responder.services, days=days)

    found = with_responder(use)
    if output is Output.TABLE:
        _show(found, only_removed=removed)
    elif removed:
        show_list(found.removed, output, fields=[*RemovedLine.model_fields], table=_REMOVED)
    else:
        show_list(found.changes, output, fields=[*GrantLine.model_fields], table=_CHANGES)
    if not found.complete:
        count = len(found.changes)
        note(f"INCOMPLETE: {count} are listed; older ones are left out, or new ones are not compared yet.")
    raise typer.Exit(0 if found.clean else BAD_NEWS)


def _show(found: Grants, *, only_removed: bool) -> None:
    if found.removed:
        rows = [[cell(item) for cell in _REMOVED.values()] for item in found.removed]
        show_table([*_REMOVED], rows, title="Granted, and removed within 7 days")
    else:
        known = "" if found.complete else ", of those that are listed"
        say(f"No grant was removed within 7 days, since {moment(found.since)}{known}.")
    if not only_removed:
        rows = [[cell(item) for cell in _CHANGES.values()] for item in found.changes]
        show_table([*_CHANGES], rows, title="Granted and removed")
