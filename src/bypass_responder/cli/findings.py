"""The findings of ``bypassctl detect`` as rows of text, printed one by one in three formats."""

from __future__ import annotations

import csv
import json
import sys
from typing import Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bypass_responder.cli.finding_format import Format
from bypass_responder.cli.terminal import write_utf8
from bypass_responder.model.change import AuditTampering, BypassChange, Outcome, Switch
from bypass_responder.model.record import Unreadable, printable
from bypass_responder.model.spreadsheet import defused
from bypass_responder.sensing.records.moments import NO_ZONE

Finding = BypassChange | AuditTampering | Unreadable
PIPE_WIDTH = 200
"""Width in characters of a table that is not printed to a terminal."""


class Printer(Protocol):
    """Prints one finding at a time, so that none is kept in memory."""

    def show(self, finding: Finding, *, source: str) -> None:
        """Print a finding of the file ``source``."""


def printer(output: Format) -> Printer:
    """Return the printer for a format, on standard output."""
    match output:
        case Format.TABLE:
            return TablePrinter()
        case Format.JSON:
            return JsonPrinter()
        case Format.CSV:
            return CsvPrinter()


def kind(finding: Finding) -> str:
    """Return on, off, attempt (failed), unknown (value or result unknown), tampering or unreadable."""
    match finding:
        case BypassChange(outcome=Outcome.FAILED):
            return "attempt"
        case BypassChange(switch=Switch.UNKNOWN) | BypassChange(outcome=Outcome.UNKNOWN):
            return "unknown"
        case BypassChange(switch=switch):
            return str(switch)
        case AuditTampering():
            return "tampering"
        case Unreadable():
            return "unreadable"


def row(finding: Finding, *, source: str) -> dict[str, str]:
    """Return the finding by CSV column name. Unprintable characters in texts are replaced."""
    named = dict.fromkeys(COLUMNS, "") | {"kind": kind(finding), **_cells(finding), "source": source}
    return {name: printable(text) for name, text in named.items()}


COLUMNS = (
    *("kind", "time", "switch", "outcome", "object_id", "identity", "actor", "actor_object_id", "app_id", "client_ip"),
    *("organization_id", "record_id", "source", "where", "detail"),
)


def _cells(finding: Finding) -> dict[str, str]:
    if isinstance(finding, Unreadable):
        return {"detail": f"{finding.reason}: {finding.detail}", "where": finding.where}
    cells = {
        "time": f"{finding.occurred_at:%Y-%m-%dT%H:%M:%S}{'?' if NO_ZONE in finding.note else 'Z'}",
        "outcome": str(finding.outcome),
        "actor": finding.actor.user_id or "",
        "actor_object_id": finding.actor.object_id or "",
        "app_id": finding.actor.app_id or "",
        "client_ip": finding.actor.client_ip or "",
        "organization_id": finding.organization_id,
        "record_id": finding.record_id,
    }
    if isinstance(finding, AuditTampering):
        given = f" -{finding.parameter} {finding.value}" if finding.parameter else ""
        named = f" of {finding.target}" if finding.target else ""
        lost = f": {finding.extent}" if finding.extent else ""
        change = f"{finding.technique}: {finding.operation}{given}{named}{lost}"
        return cells | {"identity": finding.target, "detail": change}
    names = {"object_id": finding.object_id_text, "identity": finding.identity_text}
    return cells | {"switch": str(finding.switch), **names, "detail": finding.note}


class JsonPrinter:
    """Prints one ASCII JSON object per line. ``type`` is bypass_change, tampering or unreadable."""

    def show(self, finding: Finding, *, source: str) -> None:
        """Print the finding with its raw record."""
        word = {BypassChange: "bypass_change", AuditTampering: "tampering", Unreadable: "unreadable"}[type(finding)]
        line = {"type": word, "kind": kind(finding), "source": source} | finding.model_dump(mode="json")
        sys.stdout.write(json.dumps(line) + "\n")


class CsvPrinter:
    """Prints CSV with a header. Cells that a spreadsheet would run as a formula get a leading apostrophe."""

    def __init__(self) -> None:
        """Print the header, so that an empty result is valid CSV."""
        write_utf8()
        self._writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        self._writer.writeheader()

    def show(self, finding: Finding, *, source: str) -> None:
        """Print the finding as one row."""
        self._writer.writerow({name: defused(text) for name, text in row(finding, source=source).items()})


_STYLES = {"on": "bold red", "attempt": "yellow", "unknown": "yellow", "off": "green", "unreadable": "magenta"}
_WIDTHS = {"kind": 10, "time": 20, "target": None, "actor": None}


class TablePrinter:
    """Prints a table with fixed columns, so that each finding appears immediately."""

    def __init__(self) -> None:
        """Print nothing yet: the header comes with the first finding."""
        terminal = sys.stdout.isatty()
        self._console = Console(file=sys.stdout, width=None if terminal else PIPE_WIDTH, highlight=False)
        self._begun = False

    def show(self, finding: Finding, *, source: str) -> None:
        """Print the finding and, on the next line, its record and file. The first one gets the header."""
        if not self._begun:
            self._print(*(Text(name, style="bold") for name in _WIDTHS))
            self._begun = True
        cells = row(finding, source=source)
        names = dict.fromkeys(filter(None, (cells["identity"], cells["object_id"])))
        self._print(
            Text(cells["kind"], style=_STYLES.get(cells["kind"], "")),
            Text(cells["time"]),
            Text(" = ".join(names) if isinstance(finding, BypassChange) else cells["detail"]),
            Text(cells["actor"] or cells["actor_object_id"] or cells["app_id"]),
        )
        note = f" ({cells['detail']})" if isinstance(finding, BypassChange) and cells["detail"] else ""
        place = f"{cells['record_id'] or cells['where']} in {cells['source']}{note}"
        self._console.print(Text(f"{'':11}{place}", style="dim"), soft_wrap=True)

    def _print(self, *cells: Text) -> None:
        table = Table(box=None, show_header=False, expand=True, padding=(0, 1, 0, 0))
        for width in _WIDTHS.values():
            table.add_column(width=width, ratio=None if width else 1, overflow="fold")
        table.add_row(*cells)
        self._console.print(table)
