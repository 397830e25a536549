"""What `bypassctl incidents list --all` lists besides incidents, one at a time: a finding that opened none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bypass_responder.cli.terminal import Output, say, show_fields, show_json, stop
from bypass_responder.model.finding import Finding
from bypass_responder.operating.status import moment

if TYPE_CHECKING:
    from bypass_responder.model.case import Case, IndexEntry


def show_listed(entry: IndexEntry, case: Case, output: Output) -> None:
    """Show the finding that the entry stands for: what was said, by whom, and why it opened no incident."""
    finding = case.row(Finding, f"finding-{entry.id}")
    if finding is None:
        stop(f"{entry.id} is in the index and not in the ledger: run bypassctl log verify.")
    if output is Output.JSON:
        show_json({"entry": entry.model_dump(mode="json"), "finding": json.loads(finding.model_dump_json())})
        return
    show_fields(
        {
            "finding": f"{finding.id} (opened no incident)",
            "became": entry.kind.replace("_", " "),
            "why": entry.reason,
            "account": entry.account,
            "actor": entry.actor,
            "said by": f"{finding.source.value}{f', {finding.sender}' if finding.sender else ''}",
            "says": f"bypass {finding.switch.value}, outcome {finding.outcome.value}",
            "of": moment(finding.claimed_at or finding.effective_at),
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
    say(f"All lines about it: bypassctl log show {finding.target}")
