"""Prints the response log as it grows: who, what, when, why, and each step with its effect."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from bypass_responder.case.evidence import OWN
from bypass_responder.case.follow_up import blind_window, left_to_do
from bypass_responder.model.case import TENANT_TARGET, Case
from bypass_responder.model.finding import Finding, FindingState
from bypass_responder.model.incident import Incident
from bypass_responder.model.record import printable
from bypass_responder.model.step import Step

if TYPE_CHECKING:
    from bypass_responder.model.log import LogEntry
    from bypass_responder.ports import Ledger


STYLES = {"decided": "bold red", "effect": "green", "restored": "bold green", "stood_down": "cyan", "attempt": "yellow"}


class Teller:
    """Reads every case and its log, and prints new lines."""

    def __init__(self, ledger: Ledger, console: Console | None = None) -> None:
        """Read through the same adapter as the app; print to the terminal unless ``console`` is another one."""
        self._console = console or Console()
        self._soft_wrap = console is None  # a terminal wraps lines itself, and a pipe must not be wrapped
        self._ledger = ledger
        self._told: dict[str, int] = {}
        self.cases: dict[str, Case] = {}

    def say(self, text: str, *, at: datetime | None = None, style: str = "") -> None:
        """One line with the time; color only on a terminal."""
        line = Text(f"{at or datetime.now(UTC):%H:%M:%S}  ", style="dim").append(printable(text), style=style)
        self._console.print(line, soft_wrap=self._soft_wrap, highlight=False)

    async def catch_up(self) -> None:
        """Print the log lines that were written since the last time."""
        new: list[LogEntry] = []
        for target in await self._ledger.targets():
            self.cases[target] = await self._ledger.load(target, history=True)
            seen = self._told.get(target, 0)
            if self.cases[target].head.log_seq > seen:
                entries = [entry async for entry in self._ledger.log(target)]
                new += entries[seen:]
                self._told[target] = len(entries)
        for entry in sorted(new, key=lambda entry: entry.at):
            text = f"{self._name(entry.target)}: {entry.event}: {entry.text}{_actor(entry)}"
            self.say(text, at=entry.at, style=STYLES.get(entry.event, ""))

    def findings(self) -> list[Finding]:
        """Every stored finding."""
        return [row for case in self.cases.values() for row in case.by_key.values() if isinstance(row, Finding)]

    def decided(self) -> list[Finding]:
        """Decided findings, without our own remediation and those moved to another case."""
        return [
            found
            for found in self.findings()
            if found.state is FindingState.DECIDED and found.reason != OWN and found.verdict != "resolved"
        ]

    def incidents(self) -> list[Incident]:
        """Every incident."""
        return [row for case in self.cases.values() for row in case.by_key.values() if isinstance(row, Incident)]

    def running(self) -> bool:
        """True while a step is unfinished, or a finding is undecided."""
        rows = [row for case in self.cases.values() for row in case.by_key.values()]
        return any(
            (isinstance(row, Step) and row.state.running)
            or (isinstance(row, Finding) and row.state is not FindingState.DECIDED)
            for row in rows
        )

    def blind_windows(self) -> None:
        """Print the blind window of every incident."""
        for incident in self.incidents():
            self._print("")
            self._print(f"Incident {incident.id}, {incident.account or 'unresolved'}: {incident.status.value}")
            self._print(f"  blind window: {blind_window(incident)}")
            self._print(f"  seen by: {self._sources(incident)}")
            for todo in left_to_do(incident):
                self._print(f"  left to do: {todo}")
        self._print("")

    def _print(self, text: str) -> None:
        self._console.print(Text(printable(text)), soft_wrap=self._soft_wrap, highlight=False)

    def _sources(self, incident: Incident) -> str:
        """The sources in the order of their reports, with the delay of each where the beginning is proven."""
        reported: dict[str, datetime] = {}
        for found in sorted(self.findings(), key=lambda found: found.received_at):
            if found.id in incident.evidence and found.reason != OWN:
                reported.setdefault(found.source.value, found.received_at)
        began = incident.blind_from if incident.blind_from_proven else None
        return ", ".join(
            f"{source} after {_duration((at - began).total_seconds())}" if began else source
            for source, at in reported.items()
        )

    def _name(self, target: str) -> str:
        if target == TENANT_TARGET:
            return "health"
        rows = self.cases[target].by_key.values()
        for incident in (row for row in rows if isinstance(row, Incident)):
            if incident.account:
                return incident.account.user_principal_name
        texts = {row.identity_text for row in rows if isinstance(row, Finding) and "@" in row.identity_text}
        return min(texts, default=target)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - two minutes


def _actor(entry: LogEntry) -> str:
    return f" (by {entry.facts['actor']})" if "actor" in entry.facts else ""
