"""``bypassctl log``: what the responder decided and did, line by line, and whether somebody changed it."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.terminal import (
    BAD_NEWS,
    WRONG_CALL,
    Format,
    Output,
    say,
    show_json,
    show_table,
    stop,
    with_responder,
)
from bypass_responder.model.base import is_target_key
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.operating.verify_log import Verification, verify_log

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.log import LogEntry

app = typer.Typer(help="The response log.", no_args_is_help=True)


@app.command()
def show(
    subject: Annotated[str, typer.Argument(help="Incident id, object id, UPN, or 'tenant' for health.")],
    output: Format = Output.TABLE,
) -> None:
    """Show the log of one incident, one account, or the tenant's health."""
    entries = with_responder(lambda responder: _read(responder, subject))
    if output is Output.JSON:
        show_json([entry.model_dump(mode="json") for entry in entries])
        return
    show_table(
        ("#", "when", "event", "who", "what", "incident"),
        [
            (str(it.seq), f"{it.at:%Y-%m-%d %H:%M:%SZ}", it.event, it.who, it.text, it.incident_id or "")
            for it in entries
        ],
    )


@app.command()
def verify(
    against: Annotated[Path | None, typer.Option(help="CSV of a copy kept elsewhere: chain, seq, hash.")] = None,
    output: Format = Output.TABLE,
) -> None:
    """Walk every chain and every checkpoint. Exit status 1 when a line was changed, deleted or cut."""
    copy = _copy(against) if against else {}
    found = with_responder(
        lambda responder: verify_log(responder.services.ledger, responder.services.checkpoints, copy=copy)
    )
    if output is Output.JSON:
        show_json(found.__dict__)
    else:
        _print(found)
    raise typer.Exit(BAD_NEWS if found.problems else 0)


def _copy(file: Path) -> dict[str, dict[int, str]]:
    """Hashes by chain and number. Stops where the file is not such a table."""
    kept: dict[str, dict[int, str]] = defaultdict(dict)
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                if kept[row["chain"]].setdefault(int(row["seq"]), row["hash"]) != row["hash"]:
                    stop(f"{row['chain']} has two lines {row['seq']} in {file}: the log was written anew.", BAD_NEWS)
    except (OSError, KeyError, ValueError) as problem:
        stop(f"{file} is no CSV with the columns chain, seq and hash ({problem}).", WRONG_CALL)
    if not kept:
        stop(f"{file} holds no line, so there is nothing to compare with.", WRONG_CALL)
    return kept


def _print(found: Verification) -> None:
    for problem in found.problems:
        say(problem, style="bold red")
    until = f"{found.last_checkpoint:%Y-%m-%d %H:%M:%SZ}" if found.last_checkpoint else "never"
    say(
        f"{len(found.problems)} problems in {found.entries} lines of {found.targets} targets; "
        f"{found.checkpoints} checkpoints, the last one at {until}. A tail that was cut after it cannot be seen."
    )


async def _read(responder: Responder, subject: str) -> list[LogEntry]:
    services = responder.services
    incident_id, target = None, subject.lower()
    if not is_target_key(target) and target != TENANT_TARGET:
        entry = await services.index.get(subject)
        if entry is not None:
            incident_id, target = (entry.id if entry.kind == "incident" else None), entry.target
        else:
            account = await services.directory.find(subject)
            if account is None:
                stop(f"{subject} is no incident, no account and not the word tenant.")
            target = account.object_id
    entries = [entry async for entry in services.ledger.log(target)]
    return [entry for entry in entries if incident_id is None or entry.incident_id in {incident_id, None}]
