"""A report on the terminal or in a file, and the exit code that follows from it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.terminal import (
    BAD_NEWS,
    NOT_DONE,
    WRONG_CALL,
    note,
    say,
    show_fields,
    show_section,
    stop,
    write_utf8,
)
from bypass_responder.model.base import counted, moment
from bypass_responder.operating.posture.csv_file import csv_lines
from bypass_responder.operating.posture.document import document_lines
from bypass_responder.operating.posture.overview import notable, to_do
from bypass_responder.operating.posture.report import missing_text, read_text

if TYPE_CHECKING:
    from bypass_responder.operating.posture.report import PostureReport
    from bypass_responder.posture.comparison_row import MailboxPosture

MOST_SHOWN = 50


class Form(StrEnum):
    """Forms of a report."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    HTML = "html"


Output = Annotated[
    Form, typer.Option("--output", "-o", help="table for people; csv and json have every mailbox; html to print.")
]
File = Annotated[
    Path | None, typer.Option("--file", "-f", help="Write to this file, not to the terminal; - is the terminal.")
]


def show(made: PostureReport, form: Form, file: Path | None) -> None:
    """Print or write a report, and exit: 0 if it is clean, else 1."""
    if form is Form.TABLE:
        if file is not None:
            stop("A table is for the terminal. Write a file with -o csv, json or html.", WRONG_CALL)
        _show_table(made)
    else:
        _write(_parts(made, form), file, encoding="utf-8-sig" if form is Form.CSV else "utf-8")
        note(made.state)
        for each in made.found.problems:
            note(f"partial: {each}")
        for each in made.found.unseen:
            note(f"watched, not read: {each}")
    raise typer.Exit(0 if made.clean else BAD_NEWS)


def _parts(made: PostureReport, form: Form) -> Iterable[str]:
    if form is Form.CSV:
        return csv_lines(made)
    if form is Form.JSON:
        return document_lines(made)
    from bypass_responder.operating.posture.page import page

    return (page(made),)


def _write(parts: Iterable[str], file: Path | None, *, encoding: str) -> None:
    if file is None or str(file) == "-":
        write_utf8()
        sys.stdout.writelines(parts)
        return
    try:
        with file.open("w", encoding=encoding, newline="") as out:
            out.writelines(parts)
    except OSError as error:
        stop(f"{file} cannot be written: {error.strerror or error}.", NOT_DONE)


def _show_table(made: PostureReport) -> None:
    found, numbers = made.found, made.summary
    say(made.state, style="bold green" if made.clean else "bold red")
    for each in found.problems:
        say(f"partial: {each}", style="red")
    show_fields(
        {
            "read": f"{moment(found.read_at) if found.read_at else read_text(found)}, from {found.source}",
            "baseline": f"{found.measures.baseline.id}: {found.measures.baseline.source}",
            "mailboxes": f"{numbers.mailboxes}: {numbers.audited} audited, {numbers.not_audited} not audited, "
            f"{numbers.unknown} unknown" + (", filtered" if made.wanted.is_set else ""),
            "bypassed": "not read" if numbers.bypassed is None else counted(numbers.bypassed, "account"),
            "since the last": f"{numbers.new} new, {numbers.changed} changed, {numbers.gone} gone"
            if found.compared_with
            else "",
            "watched, not read": ", ".join(found.unseen),
        }
    )
    rows = [(each.issue.value, str(each.mailboxes), each.meaning, each.fix) for each in to_do(made)]
    show_section("To do", ("issue", "mailboxes", "meaning", "fix"), rows)
    shown, count = notable(made, MOST_SHOWN)
    columns = ("mailbox", "type", "audited", "why", "issues", "missing")
    title = f"Mailboxes, {count} to review"
    show_section(title, columns, [_cells(row, made) for row in shown])
    if count > MOST_SHOWN:
        say(f"… and {count - MOST_SHOWN} more: -o csv or json has all.")
    accounts = [
        (each.name, each.object_id or "none", made.ticket(each.object_id) or "no entry known")
        for each in found.without_mailbox
    ]
    show_section("Bypassed, without a mailbox", ("account", "object id", "allowlist"), accounts)
    trend = [
        (
            moment(each.read_at) if each.read_at else "unknown",
            "yes" if each.complete else "PARTIAL",
            *map(str, (each.mailboxes, each.not_audited, each.unknown, each.missing_actions, each.pinned)),
        )
        for each in made.trend
    ]
    show_section("Trend", ("read", "complete", "mailboxes", "not audited", "unknown", "missing", "pinned"), trend)


def _cells(row: MailboxPosture, made: PostureReport) -> tuple[str, ...]:
    marks = [mark for mark, is_set in (("watched", row.watched), ("new", row.new)) if is_set]
    why = [*row.verdict.why, *(f"changed: {each}" for each in row.changed)]
    name = row.mailbox.name + (f" ({', '.join(marks)})" if marks else "")
    return (
        name,
        row.mailbox.type or "not read",
        row.verdict.audited.value,
        "; ".join(why),
        ", ".join(row.verdict.issues),
        missing_text(row.verdict, made.found.measures.chosen),
    )
