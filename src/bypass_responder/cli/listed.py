"""Shows a finding that opened no incident, as `bypassctl incidents list --all` lists it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bypass_responder.cli.terminal import Output, say, show_fields, show_json, stop
from bypass_responder.model.finding import Finding
from bypass_responder.operating.status import moment

if TYPE_CHECKING:
    from bypass_responder.model.case import Case, IndexEntry


def show_listed(entry: IndexEntry, case: Case, output: Output) -> None:
    """Print the finding of an entry: source, claim and why no action followed."""
    finding = case.row(Finding, f"finding-{entry.id}")
    if finding is None:
        stop(f"{entry.id} is in the index but not in the ledger. Check the log: bypassctl log verify.")
    if output is Output.JSON:
        show_json({"entry": entry.model_dump(mode="json"), "finding": json.loads(finding.model_dump_json())})
        return
    show_fields(
        {
            "finding": f"{finding.id} (opened no incident)",
            "outcome": entry.kind.replace("_", " "),
            "why": entry.reason,
            "account": entry.account,
            "actor": entry.actor,
            "source": f"{finding.source.value}{f', {finding.sender}' if finding.sender else ''}",
            "claim": f"bypass {finding.switch.value}, outcome {finding.outcome.value}",
            "claimed for": moment(finding.claimed_at or finding.effective_at),
            "received": moment(finding.received_at),
            "link": finding.link or "",
        }
    )
    if finding.evidence and finding.evidence.text:
        say("")
        say(finding.evidence.text)
    elif finding.evidence:
        say(f"evidence: blob {finding.evidence.blob}, {finding.evidence.length_bytes} bytes")
    say("")
    say(f"Full log: bypassctl log show {finding.target}")
