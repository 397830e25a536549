"""One incident in order of time: what happened, when each source told us, what was done. Rows in, values out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

from bypass_responder.case.evidence import OWN
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.finding import STATES, Finding, Source
from bypass_responder.model.step import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from bypass_responder.model.incident import Incident
    from bypass_responder.model.log import LogEntry

CAUSES = frozenset(
    {
        "decided",
        "approve_written",
        "dismiss_written",
        "release_written",
        "approved",
        "dismissed",
        "release_planned",
        "account_given",
    }
)
FOLLOWED = frozenset({"effect", "failed", "withheld", "reverted", "flapping", "restored", "unanswered", "released"})
"""Events of the response log that the timeline has; the others are in ``bypassctl log show``."""
WATCHERS = (Source.FEED, Source.HINT, Source.SWEEP)


class Kind(StrEnum):
    """Why a moment is on the timeline."""

    HAPPENED = "happened"
    """An audit record says so."""
    CLAIMED = "claimed"
    """An alert says so, and nobody vouches for it."""
    STATE = "state"
    """Exchange was read. Since when it is so is not known."""
    TOLD = "told"
    DID = "did"


@dataclass(frozen=True)
class Moment:
    """One line. ``latency_seconds``: of ``told``, since the account went dark or else since what it tells of."""

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
        """What is known of it, the time in ISO 8601."""
        known = {name: value for name, value in asdict(self).items() if value is not None}
        return known | {"at": self.at.isoformat(), "kind": self.kind.value}


def timeline(
    incident: Incident, findings: Sequence[Finding], steps: Sequence[Step], log: Sequence[LogEntry]
) -> list[Moment]:
    """Everything of one incident, in order of time; at the same time the cause comes before what followed from it."""
    own = [entry for entry in log if entry.incident_id == incident.id]
    happened = [moment for finding in findings if (moment := _happened(finding))]
    moments = [
        *sorted(happened, key=lambda moment: moment.kind is Kind.CLAIMED),
        *_states(incident, findings),
        *(_told(finding, incident) for finding in findings),
        *(_logged(entry, incident) for entry in own if _is_a_cause(entry)),
        *_attempts(steps),
        *(_logged(entry, incident) for entry in own if entry.event in FOLLOWED),
    ]
    return sorted(moments, key=lambda moment: moment.at)


def latency_seconds(finding: Finding, incident: Incident) -> float | None:
    """How late we were told, None where that is not known.

    A state or a hint is held against the start of the blind window where that is proven; anything else against the
    time that it tells of.
    """
    start = incident.blind_from if incident.blind_from_proven else None
    late = (finding.received_at - start).total_seconds() if start and finding.source in STATES else -1
    if late >= 0 and finding.switch is not Switch.OFF:
        return late
    own = _own_time(finding)
    late = (finding.received_at - own).total_seconds() if own else -1
    return late if late >= 0 else None


def latency_text(seconds: float | None) -> str:
    """The latency for people, such as ``+3 s`` or ``+62 min``; empty where it is not known."""
    if seconds is None:
        return ""
    for size, unit, below in ((1, "s", 120), (60, "min", 3 * 3600), (3600, "h", 72 * 3600)):
        if seconds < below:
            return f"+{seconds / size:.0f} {unit}"
    return f"+{seconds / 86400:.0f} d"


@dataclass(frozen=True)
class Cost:
    """How late one source was, as the median over so many incidents."""

    median_minutes: float
    incidents: int


def costs(told: Iterable[tuple[Incident, Sequence[Finding]]]) -> dict[str, Cost]:
    """What each source costs in time, over incidents with a proven start; a source that told nothing is left out.

    What was there before this responder came was told late by no fault of a source, and is not counted.
    """
    late: dict[str, list[float]] = {}
    for incident, findings in told:
        if incident.blind_from is None or not incident.blind_from_proven:
            continue
        for source in WATCHERS:
            waits = [
                (finding.received_at - incident.blind_from).total_seconds()
                for finding in findings
                if finding.source is source and not finding.first_run and _tells_of_on(finding)
            ]
            if first := [wait for wait in waits if wait >= 0]:
                late.setdefault(source.value, []).append(min(first))
    return {name: Cost(round(median(waits) / 60, 1), len(waits)) for name, waits in late.items()}


def _tells_of_on(finding: Finding) -> bool:
    return finding.switch is not Switch.OFF and finding.outcome is not Outcome.FAILED


def _of_an_alert(finding: Finding) -> bool:
    """A hint, or what was derived from one."""
    return finding.source is Source.HINT or bool(finding.sender or finding.claimed_at)


def _own_time(finding: Finding) -> datetime | None:
    """The time that the finding tells of. ``effective_at`` of a state moves to the read that confirmed it."""
    if _of_an_alert(finding):
        return finding.claimed_at or finding.available_at
    return (finding.available_at if finding.source is Source.SWEEP else None) or finding.effective_at


def _happened(finding: Finding) -> Moment | None:
    who = str(finding.actor)
    if _of_an_alert(finding):
        what = f"an alert says that it happened{'' if who == 'unknown' else f', by {who}'}"
        claimed = finding.claimed_at
        return Moment(claimed, Kind.CLAIMED, what, evidence=finding.id) if claimed else None
    if finding.source not in {Source.FEED, Source.ACTOR}:
        return None
    return Moment(finding.effective_at, Kind.HAPPENED, _event(finding, who), evidence=finding.id)


def _event(finding: Finding, who: str) -> str:
    by = f"by {who}{f' from {finding.actor.client_ip}' if finding.actor.client_ip else ''}"
    if finding.source is Source.ACTOR:
        return f"bypass of another account switched {finding.switch.value} {by}"
    if finding.reason == OWN:
        return f"bypass switched off by us ({who})"
    if finding.outcome is Outcome.FAILED:
        return f"attempt to switch the bypass {finding.switch.value}, which failed, {by}"
    value = "set to an unknown value" if finding.switch is Switch.UNKNOWN else f"switched {finding.switch.value}"
    return f"bypass {value} {by}{', result unknown' if finding.outcome is Outcome.UNKNOWN else ''}"


def _states(incident: Incident, findings: Iterable[Finding]) -> Iterator[Moment]:
    """Each read once: one answer of Exchange serves every finding that waited for it."""
    seen: set[tuple[datetime, bool]] = set()
    for at, on, source in sorted(_reads(incident, findings), key=lambda read: read[2] == "check"):
        if (at, on) not in seen:
            seen.add((at, on))
            yield Moment(at, Kind.STATE, f"{'on' if on else 'off'} at this read", source=source)


def _reads(incident: Incident, findings: Iterable[Finding]) -> Iterator[tuple[datetime, bool, str]]:
    account = incident.account.object_id if incident.account else None
    for finding in findings:
        if finding.source in {Source.SWEEP, Source.RECHECK} and finding.switch is not Switch.OFF:
            yield _own_time(finding) or finding.effective_at, True, finding.source.value
        for check in finding.checks:
            about_it = account is None or check.object_id in {None, account}
            if check.read_at and check.bypass_on is not None and about_it:
                yield check.read_at, check.bypass_on, "check"


def _told(finding: Finding, incident: Incident) -> Moment:
    alert = _of_an_alert(finding)
    source = (Source.HINT if alert else Source.FEED) if finding.source is Source.ACTOR else finding.source
    listed = "not listed as on any more" if finding.switch is Switch.OFF else "listed as on"
    what = {
        Source.FEED: f"audit record {finding.id}",
        Source.HINT: f"an alert from {finding.sender or 'an unknown sender'}",
        Source.SWEEP: listed,
        Source.RECHECK: "found on again",
    }[source]
    if finding.verdict in {"unconfirmed", "past"}:
        what += f" ({finding.verdict}: {finding.reason})"
    return Moment(
        finding.received_at,
        Kind.TOLD,
        what,
        source=source.value,
        latency_seconds=latency_seconds(finding, incident),
        sender=finding.sender or None,
        link=finding.link,
        evidence=finding.id,
    )


def _is_a_cause(entry: LogEntry) -> bool:
    return entry.event in CAUSES


def _logged(entry: LogEntry, incident: Incident) -> Moment:
    """A line of the response log. Auditing was back when it was read, which is before we heard of it."""
    at = min(entry.at, incident.restored_at or entry.at) if entry.event == "restored" else entry.at
    what = entry.text if entry.event == "effect" else f"{entry.event.replace('_', ' ')}: {entry.text}"
    return Moment(at, Kind.DID, what, who=entry.who)


def _attempts(steps: Iterable[Step]) -> Iterator[Moment]:
    for step in steps:
        name = step.step.value
        if step.first_attempt_at:
            yield Moment(step.first_attempt_at, Kind.DID, f"{name}: first attempt", who="responder")
        if step.first_attempt_at and step.acted_at:
            by = "asked the Exchange worker" if step.step is StepKind.DISABLE_BYPASS else "accepted by the service"
            yield Moment(step.acted_at, Kind.DID, f"{name}: {by}", who="responder")
