"""``bypassctl log``: show the response log, and verify that it is unchanged."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.terminal import (
    BAD_NEWS,
    WRONG_CALL,
    Format,
    Output,
    note,
    say,
    show_document,
    show_list,
    stop,
    who_am_i,
    with_responder,
)
from bypass_responder.model.base import counted, is_target_key, moment
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.log import LogEntry
from bypass_responder.operating.find_incident import find_one
from bypass_responder.operating.log_chain import first_break
from bypass_responder.operating.report.attestation import Attestation, attest
from bypass_responder.operating.verify_log import Verification, verify_log

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder

app = typer.Typer(help="Show and verify the response log.", no_args_is_help=True)
HASH_LENGTH = 64
EXPORT_AGAIN = "Export the copy again: docs/telemetry.md."
ENTRY: dict[str, Callable[[LogEntry], str]] = {
    "#": lambda it: str(it.seq),
    "when": lambda it: moment(it.at),
    "event": lambda it: it.event,
    "who": lambda it: it.who,
    "what": lambda it: it.text,
    "incident": lambda it: it.incident_id or "",
}


@app.command()
def show(
    subject: Annotated[
        str, typer.Argument(help="Incident id, object id, user principal name, or 'tenant' for health.")
    ],
    output: Format = Output.TABLE,
) -> None:
    """Show the log of one incident, of one account, or of the tenant's health.

    Exit code 1: its chain is broken.
    """
    entries, problem = with_responder(lambda responder: _read(responder, subject))
    show_list(entries, output, fields=tuple(LogEntry.model_fields), table=ENTRY)
    if problem:
        stop(f"This log was changed or cut. {problem}", BAD_NEWS)


@app.command()
def verify(
    against: Annotated[
        Path | None, typer.Option(help="CSV with the columns chain, seq and hash: a copy kept elsewhere.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Verify only what checkpoints from this day on cover, YYYY-MM-DD.")
    ] = None,
    attest_file: Annotated[
        Path | None,
        typer.Option(
            "--attest", help="Write what was verified to this new JSON file: range, heads, checkpoint, by whom."
        ),
    ] = None,
    output: Format = Output.TABLE,
) -> None:
    """Verify every log entry and checkpoint. Exit code 1: an entry was changed, deleted or cut."""
    copy = _copy(against) if against else {}
    day = _day(since) if since is not None else None
    if attest_file and attest_file.exists():
        stop(f"{attest_file} already exists. Name a new file.", WRONG_CALL)

    async def use(responder: Responder) -> tuple[Verification, str]:
        services, keep = responder.services, attest_file is not None
        found = await verify_log(services.ledger, services.checkpoints, copy=copy, since=day, keep_heads=keep)
        return found, (await who_am_i(responder)).name if keep else ""

    found, name = with_responder(use)
    if attest_file:
        _attest(attest_file, attest(found, at=datetime.now(UTC), by=name, since=day, compared=bool(copy)))
    if output is Output.TABLE:
        _print(found, day)
    else:
        show_document({field: value for field, value in found.__dict__.items() if field != "heads"}, output)
    raise typer.Exit(BAD_NEWS if found.problems else 0)


def _attest(file: Path, attestation: Attestation) -> None:
    """Write the file. Exits 2 when it cannot be written."""
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(attestation.model_dump_json(indent=2) + "\n")
    except OSError as problem:
        stop(f"{file} cannot be written: {problem.strerror or problem}.", WRONG_CALL)
    note(f"Attested in {file}. Keep it outside of the storage account.")


def _copy(file: Path) -> dict[str, dict[int, str]]:
    """Return the hashes of the copy by chain and number. Exits when the file is invalid."""
    kept: dict[str, dict[int, str]] = defaultdict(dict)
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            for row in (rows := csv.DictReader(lines)):
                if len(row["hash"] or "") != HASH_LENGTH:
                    stop(f"{file} is cut or incomplete in line {rows.line_num}. {EXPORT_AGAIN}", WRONG_CALL)
                if kept[row["chain"]].setdefault(int(row["seq"]), row["hash"]) != row["hash"]:
                    stop(
                        f"{file} has two hashes for entry {row['seq']} of {row['chain']}: the log was rewritten.",
                        BAD_NEWS,
                    )
    except OSError as problem:
        stop(f"{file} cannot be read: {problem.strerror or problem}.", WRONG_CALL)
    except KeyError as problem:
        stop(f"{file} has no column {problem}. It must be a CSV file with the columns chain, seq and hash.", WRONG_CALL)
    except (ValueError, csv.Error) as problem:
        stop(f"{file} is not a CSV file with the columns chain, seq and hash: {problem}.", WRONG_CALL)
    if not kept:
        stop(f"{file} has no entries to compare with. {EXPORT_AGAIN}", WRONG_CALL)
    return kept


def _day(text: str) -> date:
    """Return the day. Exits 2 when it is invalid or in the future."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        stop(f"--since {text!r} is not a date. Use YYYY-MM-DD, such as 2026-11-01.", WRONG_CALL)
    if day > datetime.now(UTC).date():
        stop(f"--since {text} is in the future. Use today or an earlier day.", WRONG_CALL)
    return day


def _print(found: Verification, since: date | None) -> None:
    for problem in found.problems:
        say(problem, style="bold red")
    until = moment(found.last_checkpoint) if found.last_checkpoint else "never"
    entries, accounts = counted(found.entries, "entry", "entries"), counted(found.targets, "account")
    say(
        f"{counted(len(found.problems), 'problem')} in {entries} of {accounts}; "
        f"{counted(found.checkpoints, 'checkpoint')}, the last one at {until}. Deletions after it cannot be detected."
    )
    if since:
        say(f"Older than {since}: trusted, not verified. To verify everything: bypassctl log verify.")
    if found.torn_lines:
        say(f"{counted(found.torn_lines, 'line')} between the checkpoints with none: appends that did not end.")


async def _read(responder: Responder, subject: str) -> tuple[list[LogEntry], str]:
    """Return the entries about the subject, and the first break of their chain."""
    services = responder.services
    incident_id, target = None, subject.lower()
    if not is_target_key(target) and target != TENANT_TARGET:
        entry = await services.index.get(subject)
        if entry is not None:
            incident_id, target = (entry.id if entry.kind == "incident" else None), entry.target
        else:
            account = await services.directory.find(subject)
            target = account.object_id if account else (await find_one(subject, services)).target
    entries = [entry async for entry in services.ledger.log(target)]
    about = [entry for entry in entries if incident_id is None or entry.incident_id in {incident_id, None}]
    return about, first_break(entries)
