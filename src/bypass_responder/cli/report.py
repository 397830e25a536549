"""``bypassctl incidents report``: write the report of one incident, or of all."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.incident_filter import Since, Until, filter_of, incident_ids
from bypass_responder.cli.terminal import BAD_NEWS, WRONG_CALL, note, say, stop, who_am_i, with_responder
from bypass_responder.errors import InputError, NotFoundError
from bypass_responder.operating.find_incident import find_one
from bypass_responder.operating.incidents.listing import list_incidents

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.listing import IndexFilter
    from bypass_responder.operating.report.attestation import Attestation

PAGE = 200


def report(
    folder: Annotated[Path, typer.Option("--output", "-o", help="Directory. Each incident gets a subdirectory.")],
    incident_id: Annotated[
        str,
        typer.Argument(
            help="Incident id, the beginning of it or of its second half, or the user principal name of its account.",
            autocompletion=incident_ids,
        ),
    ] = "",
    since: Since = "",
    until: Until = "",
    *,
    everything: Annotated[bool, typer.Option("--all", help="Report all incidents, or those of --since.")] = False,
) -> None:
    """Write an incident's report: HTML to print, JSON, the timeline as CSV, a manifest with SHA-256.

    Verifies the response log first. Exit code 1: it is broken, and the reports say so.
    """
    if bool(incident_id) == everything:
        stop("Name one incident, or use --all, with --since for a period.", WRONG_CALL)
    if incident_id and (since or until):
        stop("--since and --until go with --all.", WRONG_CALL)
    wanted = filter_of(None, account="", actor="", since=since, until=until, findings=False)
    intact = with_responder(lambda responder: _write_all(responder, folder, incident_id, wanted))
    if not intact:
        stop("Not every report was written, or the response log is broken: bypassctl log verify.", BAD_NEWS)


async def _write_all(responder: Responder, folder: Path, incident_id: str, wanted: IndexFilter) -> bool:
    """Write each report that is not there yet. Returns whether the log is intact, and every report there."""
    from bypass_responder.operating.report.attestation import attest
    from bypass_responder.operating.verify_log import verify_log

    services = responder.services
    one = (await find_one(incident_id, services)).id if incident_id else ""
    if one and (folder / one).exists():
        stop(f"{folder / one} already exists. Name another directory.", WRONG_CALL)
    author = (await who_am_i(responder)).name
    found = await verify_log(services.ledger, services.checkpoints)
    verification = attest(found, at=services.clock(), by=author)
    if one:
        await _write(responder, folder, one, author, verification)
        return verification.intact
    written = kept = failed = 0
    async for each in _ids(responder, wanted):
        if (folder / each).exists():
            kept += 1
            continue
        try:
            await _write(responder, folder, each, author, verification)
            written += 1
        except (InputError, NotFoundError) as error:
            note(f"{each} is not reported: {error.diagnostics()}")
            failed += 1
    there = f", {kept} already existed and are unchanged" if kept else ""
    note(f"{written} reports written{there}{f', {failed} FAILED' if failed else ''}.")
    return verification.intact and not failed


async def _ids(responder: Responder, wanted: IndexFilter) -> AsyncIterator[str]:
    after: str | None = ""
    while after is not None:
        page = await list_incidents(wanted, responder.services, after=after, limit=PAGE)
        for entry in page.entries:
            yield entry.id
        after = page.next


async def _write(responder: Responder, folder: Path, incident_id: str, author: str, verified: Attestation) -> None:
    """Write one report, all of its files or none. Exits 2 when they cannot be written."""
    from bypass_responder.operating.report.files import MANIFEST, files_of
    from bypass_responder.operating.report.incident_report import read_report

    made = await read_report(incident_id, responder.services, made_by=author, verification=verified)
    files = files_of(made)
    place, unfinished = folder / incident_id, folder / f".{incident_id}.unfinished"
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for name, content in files.items():
            (unfinished / name).write_bytes(content)
        unfinished.rename(place)
    except OSError as problem:
        stop(f"{place} cannot be written: {problem.strerror or problem}.", WRONG_CALL)
    say(f"{place}  SHA-256 of {MANIFEST}: {hashlib.sha256(files[MANIFEST]).hexdigest()}")
