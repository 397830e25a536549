"""The report of one incident: what the JSON file holds, and what the other files show of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bypass_responder import __version__
from bypass_responder.decision import Verdict
from bypass_responder.model.base import Utc, Value, counted
from bypass_responder.operating.blind_windows.missing_records import MissingRecords, missing_records
from bypass_responder.operating.incidents.read_view import read_incident
from bypass_responder.operating.incidents.view import IncidentView
from bypass_responder.operating.report.account_chain import AccountChain, read_chain
from bypass_responder.operating.report.attestation import Attestation
from bypass_responder.operating.report.unknowns import unknowns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bypass_responder.services import Services

MOST_FINDINGS = 500
"""Findings in a report, half of them the earliest and half the latest."""
RULES = {
    Verdict.UNCONFIRMED: "An alert claims the bypass, and Exchange has not confirmed it.",
    Verdict.UNRESOLVED: "Not exactly one account is meant: a person decides.",
    Verdict.ALLOWLISTED: "An entry of the allowlist was in force when the bypass began: no control acts.",
    Verdict.PROTECTED: "The account is protected: the bypass is removed, and it is never blocked.",
    Verdict.FIRST_RUN: "The bypass predates monitoring: a person decides.",
    Verdict.HISTORY: "The record is older than what is contained without a person: a person decides.",
    Verdict.ALLOWLIST_UNCLEAR: "An allowlist row that cannot be read may mean this account: a person decides.",
    Verdict.ALLOWLIST_EXPIRED: "The entry of the allowlist had expired: a person decides.",
    Verdict.LIMIT_REACHED: "The hourly limit of automatic blocks was reached: a person decides about the block.",
    Verdict.VIOLATION: "The account is not on the allowlist: it is contained.",
    Verdict.ACTOR: "The account switched on the bypass of another one.",
}
PRIVACY = (
    "Aware of the personal data breach at (date, time)",
    "Categories of personal data",
    "Categories and number of people concerned",
    "Number of records concerned",
    "Contact for more information (data protection officer)",
    "Likely consequences",
    "Measures taken or proposed",
    "Authority notified at, reference",
)


class BlankField(Value):
    """A field that only people can fill in."""

    name: str
    value: str = ""


class IncidentReport(Value):
    """Everything that is known of one incident, and what is not, for readers outside of the team."""

    format: Literal["bypass-responder/incident-report/1"] = "bypass-responder/incident-report/1"
    made_at: Utc
    made_by: str
    version: str
    """Of the tool that made it."""
    rule: str
    """The rule of the decision, in a sentence."""
    missing: MissingRecords
    unknown: tuple[str, ...]
    left_out: tuple[str, ...]
    """What there is more than a report holds."""
    log: AccountChain
    verification: Attestation | None
    """Of the whole log; None: not verified for this report."""
    privacy: tuple[BlankField, ...] = tuple(BlankField(name=name) for name in PRIVACY)
    incident: IncidentView
    """The incident as pages, API and bypassctl show it."""


async def read_report(
    incident_id: str, services: Services, *, made_by: str, verification: Attestation | None = None
) -> IncidentReport:
    """Return the report of an incident. Raises NotFoundError, RefusedError for what is no incident."""
    view = await read_incident(incident_id, services, findings=MOST_FINDINGS)
    chain = await read_chain(view.target, view.id, services.ledger)
    return IncidentReport(
        made_at=services.clock(),
        made_by=made_by,
        version=__version__,
        rule=RULES[Verdict(view.verdict)] if view.verdict in {*Verdict} else "",
        missing=missing_records(view.blind.gap, view.name),
        unknown=unknowns(view),
        left_out=tuple(_left_out(view, chain)),
        log=chain,
        verification=verification,
        incident=view,
    )


def _left_out(view: IncidentView, chain: AccountChain) -> Iterator[str]:
    if left := view.findings - len(view.evidence):
        half = len(view.evidence) // 2
        start, end = view.evidence[half - 1].happened_at, view.evidence[half].happened_at
        findings = counted(view.findings, "finding")
        yield f"{left} of {findings}, from {start:%Y-%m-%d %H:%M:%SZ} to {end:%Y-%m-%d %H:%M:%SZ}."
    if left := chain.lines_total - len(chain.lines):
        lines = counted(chain.lines_total, "entry", "entries")
        yield f"{left} of {lines} of the response log: bypassctl log show {view.id}"
