"""What is known of an account now: sign-in and bypass, each with the time of the read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bypass_responder.case import sweep_row
from bypass_responder.case.account_state import shown_of
from bypass_responder.model.base import Utc, Value, moment
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.finding import Alone, Finding, FindingState
from bypass_responder.model.step import Observed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bypass_responder.model.case import Case
    from bypass_responder.model.incident import Incident


RECORD = "record"


class CurrentState(Value):
    """The account as last read. None: not known yet."""

    sign_in: Observed | None = None
    sign_in_at: Utc | None = None
    bypass: Literal["on", "off"] | None = None
    bypass_at: Utc | None = None
    bypass_source: str = ""
    """``sweep`` where the last complete sweep confirmed it, ``record`` where a record says so and no account was read;
    otherwise a record or a read of this account."""

    @property
    def bypass_text(self) -> str:
        """Return the bypass in words, with the time."""
        if self.bypass is None or self.bypass_at is None:
            return "not known yet"
        if self.bypass_source == RECORD:
            return f"not read; {self.bypass} according to the record of {moment(self.bypass_at)}"
        return f"{self.bypass}, as of {moment(self.bypass_at)}"


def current_state(case: Case, incident: Incident, tenant: Case) -> CurrentState:
    """Return the account's state from its case and the last complete sweep.

    ``tenant``: the tenant's own case.
    """
    shown = shown_of(case, incident)
    state = CurrentState(
        sign_in=shown.sign_in,
        sign_in_at=shown.sign_in_at,
        bypass=shown.bypass,
        bypass_at=shown.bypass_at,
        bypass_source=RECORD if incident.account is None and shown.bypass else "",
    )
    others = [finding for finding in _findings(case) if state.bypass_at and finding.effective_at > state.bypass_at]
    on = [finding.effective_at for finding in others if _proves_on(finding)]
    if on:
        return state.model_copy(update={"bypass": "on", "bypass_at": max(on)})
    swept = sweep_row.current(tenant).complete_at
    known_account = incident.account is not None
    if known_account and state.bypass == "off" and state.bypass_at and swept and swept > state.bypass_at and not others:
        return state.model_copy(update={"bypass_at": swept, "bypass_source": "sweep"})
    return state


def _findings(case: Case) -> Iterator[Finding]:
    """Yield what may be newer than the incidents: undecided findings, and those of no incident."""
    yield from (row.finding for row in case.rows(Alone))
    yield from (row for row in case.rows(Finding) if row.state is not FindingState.DECIDED or row.incident_id is None)


def _proves_on(finding: Finding) -> bool:
    decided = finding.state is FindingState.DECIDED
    recorded = (finding.switch, finding.outcome) == (Switch.ON, Outcome.SUCCESS)
    return decided and finding.verdict != "past" and (recorded or finding.seen_on)
