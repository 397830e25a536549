"""Options that say which incidents are listed, and the completion of their ids."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from bypass_responder.cli.profile_file import use_profile
from bypass_responder.cli.root import Given
from bypass_responder.cli.terminal import WRONG_CALL, stop
from bypass_responder.errors import ResponderError
from bypass_responder.model.base import first_problem
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.listing import IndexFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE_SECONDS = 3.0
"""A person waits this long for a completion at most."""
COMPLETED = 100
AGO = re.compile(r"(\d{1,5})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}

Statuses = Annotated[list[IncidentStatus] | None, typer.Option("--status", help="Only this status; may be repeated.")]
Actor = Annotated[str, typer.Option(help="Only by this actor: user principal name or object id, or its beginning.")]
OfAccount = Annotated[str, typer.Option("--account", help="Only of this account, named in the same way.")]
Since = Annotated[
    str, typer.Option(help="Opened at this time or later: 2026-11-01, 2026-11-01T06:00Z, 30m, 24h or 7d.")
]
Until = Annotated[str, typer.Option(help="Opened before this time, in the same forms.")]


def filter_of(
    statuses: Sequence[IncidentStatus] | None, *, account: str, actor: str, since: str, until: str, findings: bool
) -> IndexFilter:
    """Return what is asked of the index. Exits 2 when a time cannot be read."""
    now = datetime.now(UTC)
    try:
        return IndexFilter(
            kinds=None if findings else ("incident",),
            statuses=tuple(statuses or ()),
            account=account,
            actor=actor,
            since=moment_of(since, now, "--since"),
            until=moment_of(until, now, "--until"),
        )
    except ValidationError as problem:
        stop(f"{first_problem(problem).capitalize()}.", WRONG_CALL)


def moment_of(text: str, now: datetime, name: str) -> datetime | None:
    """Return a day, a time, or a time ago as a moment; None for an empty text.

    Exits 2 when it is none of them.
    """
    if not text:
        return None
    if ago := AGO.fullmatch(text):
        return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        stop(
            f"{name} {text!r} is not a time. Use a day (2026-11-01), a time (2026-11-01T06:00Z), or 24h or 7d.",
            WRONG_CALL,
        )


def incident_ids(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the newest ids that begin so, with status and account; none if they are not read in time."""
    import os

    from bypass_responder.bootstrap import build

    Given.profile = context.find_root().params.get("profile_name") or ""

    async def read() -> list[tuple[str, str]]:
        responder = build(os.environ, short_lived=True)
        try:
            page = await responder.services.index.page(IndexFilter(kinds=("incident",)), limit=COMPLETED)
        finally:
            await responder.aclose()
        return [(it.id, f"{it.status} {it.account}") for it in page.entries if it.id.startswith(incomplete)]

    async def in_time() -> list[tuple[str, str]]:
        return await asyncio.wait_for(read(), PATIENCE_SECONDS)

    try:
        use_profile()
        return asyncio.run(in_time())
    except (ResponderError, TimeoutError):
        return []
