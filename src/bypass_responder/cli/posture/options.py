"""Options that the commands of ``bypassctl posture`` share, and what they are read into."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.terminal import WRONG_CALL, stop
from bypass_responder.errors import InputError, RefusedError
from bypass_responder.posture.baseline import Measures, measures

if TYPE_CHECKING:
    from bypass_responder.posture.comparison import Comparison
    from bypass_responder.posture.filter import RowFilter
    from bypass_responder.posture.read import TenantRead

Against = Annotated[
    str,
    typer.Option("--baseline", help="Baseline that decides what is missing: microsoft, cis, possible, or an id."),
]
Types = Annotated[list[str], typer.Option("--type", help="Only this RecipientTypeDetails, such as SharedMailbox.")]
Missing = Annotated[
    list[str],
    typer.Option("--missing", help="Only mailboxes that may not record an action, such as MailItemsAccessed."),
]
Pinned = Annotated[
    bool, typer.Option("--pinned", help="Only mailboxes with a logon type whose list Microsoft does not maintain.")
]
NotAudited = Annotated[bool, typer.Option("--not-audited", help="Only mailboxes that are not audited, or may not be.")]
Columns = Annotated[
    list[str], typer.Option("--column", metavar="HEADER=PROPERTY", help="A column that was renamed or translated.")
]
Exports = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="JSON or CSV of Get-EXOMailbox or Get-Mailbox, Get-MailboxAuditBypassAssociation, "
        "Get-OrganizationConfig and Get-AdminAuditLogConfig.",
    ),
]


def measures_of(chosen: str) -> Measures:
    """Return the baselines. Exits 2 for one that is not there."""
    try:
        return measures(chosen.casefold())
    except RefusedError as error:
        stop(str(error), WRONG_CALL)


def require_known(wanted: RowFilter, found: Comparison) -> None:
    """Exit 2 for a filter with an unknown type or action: its answer would be that all is well."""
    try:
        wanted.require_known(found.measures.possible, {row.mailbox.type for row in found.rows} if wanted.types else ())
    except RefusedError as error:
        stop(str(error), WRONG_CALL)


def read_files(files: Iterable[Path], columns: list[str]) -> TenantRead:
    """Return what exports have.

    It is as old as the oldest. Exits 2 with one line for a file that cannot be read.
    """
    from bypass_responder.posture.exports.columns import renamed
    from bypass_responder.posture.exports.read_exports import read_exports

    contents: list[tuple[str, bytes]] = []
    times: list[datetime] = []
    for path in files:
        try:
            contents.append((path.name, path.read_bytes()))
            times.append(datetime.fromtimestamp(path.stat().st_mtime, UTC))
        except OSError as error:
            stop(f"{path} cannot be read: {error.strerror or error}.", WRONG_CALL)
    try:
        read = read_exports(contents, renamed(columns))
    except RefusedError as error:
        stop(str(error), WRONG_CALL)
    except InputError as error:
        stop(f"{error.detail}.", WRONG_CALL)
    read.read_at = min(times)
    return read
