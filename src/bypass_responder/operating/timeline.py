"""The timeline of one incident: events, reports of each source, states and actions. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

from bypass_responder.case.evidence import OWN
from bypass_responder.model.base import iso
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.finding import RECORDS, STATES, Finding, Source
from bypass_responder.model.step import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from bypass_responder.model.hunting import Arrival
    from bypass_responder.model.incident import Incident
    from bypass_responder.model.log import LogEntry

CAUSES = frozenset(
    {
        "decided",
        "approved",
        "dismissed",
        "closed",
        "decision_refused",
        "release_planned",
        "account_given",
        "acknowledged",
    }
)
FOLLOWED = frozenset({"effect", "failed", "withheld", "reverted", "flapping", "restored", "unanswered", "released"})
"""Events of the response log on the timeline; ``bypassctl log show`` has all."""
WATCHERS = (Source.FEED, Source.HUNTING, Source.HINT, Source.SWEEP)


class Kind(StrEnum):
    """The kind of a moment on the timeline."""

    HAPPENED = "happened"
    """An event in an audit record."""
    CLAIMED = "claimed"
    """An unverified claim of an alert."""
    STATE = "state"
    """A state read from Exchange. The time of the change is unknown."""
    REPORTED = "reported"
    """A source reported the bypass to the responder."""
    ACTION = "action"
    """A decision or a step of the responder."""


@dataclass(frozen=True)
class Moment:
    """One line of the timeline. ``latency_seconds`` is the detection delay of a report."""

    at: datetime
    kind: Kind
    what: str
    source: str | None = None
    latency_seconds: float | None = None
    sender: str | None = None
    link: str | None = None
    who: str | None = None
    evidence: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the known fields, the time in ISO 8601."""
        known = {name: value for name, value in asdict(self).items() if value is not None}
        return known | {"at": iso(self.at), "kind": self.kind.value}


def timeline(
    incident: Incident,
    findings: Sequence[Finding],
    steps: Sequence[Step],
    log: Sequence[LogEntry],
    arrivals: Sequence[Arrival] = (),
) -> list[Moment]:
    """Return the moments of one incident by time; at the same time, a cause comes before its effect.

    ``arrivals``: when each sensor of records brought them. A record that two brought has a report of each.
    """
    own = [entry for entry in log if entry.incident_id == incident.id]
    happened = [moment for finding in findings if (moment := _happened(finding))]
    moments = [
        *sorted(happened, key=lambda moment: moment.kind is Kind.CLAIMED),
        *_states(incident, findings),
        *(_report(finding, incident) for finding in findings),
        *_reports_again(findings, arrivals),
        *(_logged(entry, incident) for entry in own if entry.event in CAUSES),
        *_attempts(steps),
        *(_logged(entry, incident) for entry in own if entry.event in FOLLOWED),
    ]
    return sorted(moments, key=lambda moment: moment.at)


def latency_seconds(finding: Finding, incident: Incident) -> float | None:
    """Return the detection delay of a finding, None when it is unknown.

    States and hints count from the start of the blind window when it is proven; everything else counts from the time
    of the reported event.
    """
    start = incident.blind_from if incident.blind_from_proven else None
    late = (finding.received_at - start).total_seconds() if start and finding.source in STATES else -1
    if late >= 0 and finding.switch is not Switch.OFF:
        return late
    own = _own_time(finding)
    late = (finding.received_at - own).total_seconds() if own else -1
    return late if late >= 0 else None


def latency_text(seconds: float | None) -> str:
    """Return the delay for people, such as ``+3 s`` or ``+62 min``; empty when it is unknown."""
    if seconds is None:
        return ""
    for size, unit, below in ((1, "s", 120), (60, "min", 3 * 3600), (3600, "h", 72 * 3600)):
        if seconds < below:
            return f"+{seconds / size:.0f} {unit}"
    return f"+{seconds / 86400:.0f} d"


@dataclass(frozen=True)
class Cost:
    """The median detection delay of one source, and the number of incidents."""

    median_minutes: float
    incidents: int


def costs(cases: Iterable[tuple[Incident, Sequence[Finding]]]) -> dict[str, Cost]:
    """Return the detection delay per source, over incidents with a proven start.

    A source without reports is left out. A bypass that predates monitoring is not counted.
    """
    late: dict[str, list[float]] = {}
    for incident, findings in cases:
        if incident.blind_from is None or not incident.blind_from_proven:
            continue
        for source in WATCHERS:
            waits = [
                (finding.received_at - incident.blind_from).total_seconds()
                for finding in findings
                if finding.source is source and not finding.first_run
                if finding.switch is not Switch.OFF and finding.outcome is not Outcome.FAILED
            ]
            if first := [wait for wait in waits if wait >= 0]:
                late.setdefault(source.value, []).append(min(first))
    return {name: Cost(round(median(waits) / 60, 1), len(waits)) for name, waits in late.items()}


def _of_an_alert(finding: Finding) -> bool:
    """True for a hint, or a finding derived from one."""
    return finding.source is Source.HINT or bool(finding.sender or finding.claimed_at)


def _own_time(finding: Finding) -> datetime | None:
    """Return the time of the reported event. A state is confirmed later, which moves ``effective_at``."""
    if _of_an_alert(finding):
        return finding.claimed_at or finding.available_at
    return (finding.available_at if finding.source is Source.SWEEP else None) or finding.effective_at


def _happened(finding: Finding) -> Moment | None:
    who = str(finding.actor)
    if _of_an_alert(finding):
        what = f"bypass claimed by an alert{'' if who == 'unknown' else f', actor {who}'}"
        claimed = finding.claimed_at
        return Moment(claimed, Kind.CLAIMED, what, evidence=finding.id) if claimed else None
    if finding.source not in RECORDS | {Source.ACTOR}:
        return None
    ahead = f", dated {iso(finding.stated_at)}, ahead of its receipt" if finding.stated_at else ""
    return Moment(finding.effective_at, Kind.HAPPENED, f"{_event(finding, who)}{ahead}", evidence=finding.id)


def _event(finding: Finding, who: str) -> str:
    by = f"by {who}{f' from {finding.actor.client_ip}' if finding.actor.client_ip else ''}"
    if finding.source is Source.ACTOR:
        return f"bypass of another account switched {finding.switch.value} {by}"
    if finding.reason == OWN:
        return f"bypass switched off by the responder ({who})"
    if finding.outcome is Outcome.FAILED:
        return f"failed attempt to switch the bypass {finding.switch.value} {by}"
    value = "set to an unknown value" if finding.switch is Switch.UNKNOWN else f"switched {finding.switch.value}"
    return f"bypass {value} {by}{', result unknown' if finding.outcome is Outcome.UNKNOWN else ''}"


def _states(incident: Incident, findings: Iterable[Finding]) -> Iterator[Moment]:
    """Yield each read of Exchange once, although one answer can serve several findings."""
    seen: set[tuple[datetime, bool]] = set()
    for at, on, source in sorted(_reads(incident, findings), key=lambda read: read[2] == "check"):
        if (at, on) not in seen:
            seen.add((at, on))
            yield Moment(at, Kind.STATE, f"bypass {'on' if on else 'off'} when read", source=source)


def _reads(incident: Incident, findings: Iterable[Finding]) -> Iterator[tuple[datetime, bool, str]]:
    account = incident.account.object_id if incident.account else None
    for finding in findings:
        if finding.source in {Source.SWEEP, Source.RECHECK} and finding.switch is not Switch.OFF:
            yield _own_time(finding) or finding.effective_at, True, finding.source.value
        for check in finding.checks:
            about_it = account is None or check.object_id in {None, account}
            if check.read_at and check.bypass_on is not None and about_it:
                yield check.read_at, check.bypass_on, "check"


def _report(finding: Finding, incident: Incident) -> Moment:
    alert = _of_an_alert(finding)
    source = (Source.HINT if alert else Source.FEED) if finding.source is Source.ACTOR else finding.source
    listed = "no longer listed as bypassed" if finding.switch is Switch.OFF else "listed as bypassed"
    what = {
        Source.FEED: f"audit record {finding.id}",
        Source.HUNTING: f"audit record {finding.id}",
        Source.HINT: f"alert from {finding.sender or 'an unknown sender'}",
        Source.SWEEP: listed,
        Source.RECHECK: "bypassed again",
    }[source]
    if finding.verdict in {"unconfirmed", "past"}:
        what += f" ({finding.verdict}: {finding.reason})"
    return Moment(
        finding.received_at,
        Kind.REPORTED,
        what,
        source=source.value,
        latency_seconds=latency_seconds(finding, incident),
        sender=finding.sender or None,
        link=finding.link,
        evidence=finding.id,
    )


def _reports_again(findings: Sequence[Finding], arrivals: Iterable[Arrival]) -> Iterator[Moment]:
    """Yield the report of a record by the sensor that did not bring it first."""
    first = {finding.record_id: finding.source for finding in findings if finding.source in RECORDS}
    for each in arrivals:
        if each.record_id in first and each.sensor != first[each.record_id]:
            what = f"audit record {each.record_id}, which {first[each.record_id].value} had brought"
            late = each.delay_seconds
            yield Moment(each.arrived_at, Kind.REPORTED, what, source=each.sensor, latency_seconds=late)


def _logged(entry: LogEntry, incident: Incident) -> Moment:
    """Return the moment of a log entry. ``restored`` has the time of the read, before its entry."""
    at = min(entry.at, incident.restored_at or entry.at) if entry.event == "restored" else entry.at
    what = entry.text if entry.event == "effect" else f"{entry.event.replace('_', ' ')}: {entry.text}"
    return Moment(at, Kind.ACTION, what, who=entry.who)


def _attempts(steps: Iterable[Step]) -> Iterator[Moment]:
    for step in steps:
        name = step.step.value
        if step.first_attempt_at:
            yield Moment(step.first_attempt_at, Kind.ACTION, f"{name}: first attempt", who="responder")
        if step.first_attempt_at and step.acted_at:
            by = "sent to the Exchange worker" if step.step is StepKind.DISABLE_BYPASS else "accepted by the service"
            yield Moment(step.acted_at, Kind.ACTION, f"{name}: {by}", who="responder")
