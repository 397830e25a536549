"""One incident as pages, API, report and bypassctl show it.

The API returns these shapes as JSON.
"""

from __future__ import annotations

from typing import Literal

from bypass_responder.model.account import Account
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.change import Actor, Outcome, Switch
from bypass_responder.model.decision_message import DecisionKind, Shown
from bypass_responder.model.finding import Evidence, Source
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.inspection import Inspection
from bypass_responder.model.listing import IndexEntry
from bypass_responder.operating.blind_windows.known_window import KnownWindow
from bypass_responder.operating.incidents.actor_accounts import ActorAccount
from bypass_responder.operating.incidents.chronology import TimelineRow
from bypass_responder.operating.incidents.current_state import CurrentState
from bypass_responder.operating.incidents.gap import BlindWindow
from bypass_responder.operating.incidents.gathered import NOT_PLANNED, GatheredView
from bypass_responder.operating.incidents.next_step import NextStep
from bypass_responder.operating.incidents.portal_links import PortalLink
from bypass_responder.operating.incidents.proof import ControlView
from bypass_responder.operating.incidents.sentence import Situation
from bypass_responder.operating.incidents.tampering import TamperingView


class EvidenceView(Value):
    """One finding: its source, what it says, and the raw input it was read from."""

    id: str
    source: Source
    switch: Switch
    outcome: Outcome
    happened_at: Utc
    """The time of the event, or of the read of a state."""
    received_at: Utc
    available_at: Utc | None
    actor: Actor
    verdict: str
    reason: str
    sender: str
    link: str | None
    raw: Evidence | None


class DecisionView(Value):
    """One decision of a person, and its outcome."""

    at: Utc
    decision: DecisionKind
    who: str
    verified: bool
    """False: nobody but the sender's own machine says who they are."""
    reason: str
    outcome: Literal["carried_out", "refused"]
    why: str


class RecheckView(Value):
    """One later check of the account and its bypass."""

    due_at: Utc
    after_hours: int
    done: bool
    result: str


class CandidateView(Value):
    """An account that an unresolved incident may be about."""

    object_id: str
    name: str
    in_exchange: str
    checked_at: Utc | None
    incident: str | None
    """The newest incident of that account."""
    incident_status: IncidentStatus | None


class Acknowledgement(Value):
    """Who is working on an incident, since when."""

    by: str
    at: Utc


class IncidentView(Value):
    """Everything that is shown of one incident, as of ``read_at``."""

    kind: Literal["incident"] = "incident"
    id: str
    target: str
    read_at: Utc
    status: IncidentStatus
    situation: Situation
    state: str
    """The state in one sentence, with the times of the reads."""
    next: NextStep
    now: CurrentState
    shown: Shown
    """What a decision about it sends along."""
    acknowledged: Acknowledgement | None = None
    name: str
    """The best name there is for the account."""
    account: Account | None
    """As it was when the decision was made."""
    names: tuple[str, ...]
    actors: tuple[Actor, ...]
    actor_accounts: tuple[ActorAccount, ...] = ()
    """Of the first three actors who are people: whether they can sign in."""
    verdict: str
    reason: str
    opened_at: Utc
    closed_at: Utc | None
    closed_by: str | None
    follows: str | None
    """The incident of the account before this one."""
    flapping: bool
    controls: tuple[ControlView, ...]
    blind: BlindWindow
    other_windows: tuple[KnownWindow, ...] = ()
    """Of others, mailboxes and the organization, within this one: evidence of that time lacks these records too."""
    windows_incomplete: tuple[str, ...] = ()
    """What was not read of them, so that there may be more."""
    timeline: tuple[TimelineRow, ...]
    log_readable: bool
    tampering: tuple[TamperingView, ...] = ()
    """What its actors changed besides, within 30 days before and after."""
    evidence: tuple[EvidenceView, ...]
    findings: int
    """How many there are; ``evidence`` and ``timeline`` have at most ``MOST_FINDINGS`` of them."""
    gathered: GatheredView = NOT_PLANNED
    """Evidence of what target and actor did, from other sources."""
    decisions: tuple[DecisionView, ...]
    rechecks: tuple[RecheckView, ...]
    left_to_do: tuple[str, ...]
    candidates: tuple[CandidateView, ...]
    links: tuple[PortalLink, ...]
    inspected: Inspection | None = None
    """What the responder last answered about the account, where the console asked."""


class FindingView(Value):
    """A finding that opened no incident: its source, its claim and why no action followed."""

    kind: Literal["finding"] = "finding"
    entry: IndexEntry
    evidence: EvidenceView
    claimed_at: Utc | None
