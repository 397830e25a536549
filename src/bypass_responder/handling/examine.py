"""Returns the next action for a finding, as a value. ``decide_findings`` stores it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

from bypass_responder.case import evidence
from bypass_responder.case.allowlist import in_force, was_in_force
from bypass_responder.case.exchange_question import outstanding
from bypass_responder.decision import Decision, Facts, Naming, decide, decide_actor
from bypass_responder.handling.identify import Ask, Identified, identify, took_effect
from bypass_responder.model.change import Switch
from bypass_responder.model.finding import RECORDS, STATES, Finding, Source
from bypass_responder.model.message import CommandKind

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.handling.identify import Lookups
    from bypass_responder.model.account import Account, AllowlistEntry, MalformedEntry
    from bypass_responder.model.case import Case
    from bypass_responder.services import Services
    from bypass_responder.settings import Settings

STALE_READ = timedelta(minutes=10)
"""Exchange takes up to five minutes to replicate; twice that."""


@dataclass(frozen=True)
class Wait:
    """Examine it again later: this hour's checks are used up, or Exchange's answer may be stale."""

    reason: Literal["no_question_left", "stale_read"]
    account: Account | None = None


@dataclass(frozen=True)
class Elsewhere:
    """The names stand for an account with another case. ``finding``: as in ``Decided``."""

    finding: Finding
    account: Account


@dataclass(frozen=True)
class Unlisted:
    """No longer listed by the sweep. ``identified``: the account in Exchange and the directory."""

    identified: Identified


@dataclass(frozen=True)
class Decided:
    """The rules were applied. ``finding``: of a confirmed state, with the time of the read."""

    finding: Finding
    decision: Decision
    identified: Identified
    entry: AllowlistEntry | MalformedEntry | None


async def examine(
    finding: Finding, case: Case, services: Services, lookups: Lookups
) -> Ask | Wait | Elsewhere | Unlisted | Decided:
    """What is to be done with a finding that is due. ``case`` is the target's, as read.

    Raises TransientError when the directory or storage does not answer: then nothing is decided.
    """
    unlisted = finding.source is Source.SWEEP and finding.switch is Switch.OFF
    if not await _may_ask(finding, case, services):
        return Wait("no_question_left")
    doubtful = evidence.in_the_second_of_restoration(case, finding)
    identified = await identify(finding, lookups, now=services.clock(), doubtful=doubtful)
    if isinstance(identified, Ask):
        return identified
    if unlisted:
        return Unlisted(identified)
    account = identified.account
    if _may_be_stale(finding, identified, case):
        return Wait("stale_read", account)
    if finding.source in STATES and identified.exchange_on:
        finding = finding.model_copy(update={"effective_at": identified.read_at or services.clock()})
    if account is not None and account.object_id != finding.target:
        return Elsewhere(finding, account)
    entry = await _entry(finding, account, case, services, lookups) if account else None
    removed = account is not None and entry is None and _was_allowed(finding, case, services.settings)
    if removed and identified.exchange_on is None:
        asked = await identify(finding, lookups, now=services.clock(), doubtful=True)
        if isinstance(asked, Ask):
            return asked
        identified = asked
    facts = _facts(finding, identified, entry, case, services, entry_removed=removed)
    if finding.source is Source.HINT and identified.exchange_on and account:
        facts = facts.model_copy(update=await _of_baseline(finding, account, case, services))
    rule = decide_actor if finding.source is Source.ACTOR else partial(decide, now=services.clock())
    decision = rule(facts).automatic(services.settings.automatic_controls)
    return Decided(finding, decision, identified, entry)


async def _entry(
    finding: Finding, account: Account, case: Case, services: Services, lookups: Lookups
) -> AllowlistEntry | MalformedEntry | None:
    row = await lookups.entry(account, exchange_guids=_exchange_guids(finding, account), now=services.clock())
    return in_force(row, case, approval_required=services.settings.approval_required)


def _exchange_guids(finding: Finding, account: Account) -> set[str]:
    """Return what Exchange calls the account, where it was asked."""
    checks = (check for check in finding.checks if check.object_id == account.object_id)
    return {check.exchange_guid for check in checks if check.exchange_guid} - {account.object_id}


def _was_allowed(finding: Finding, case: Case, settings: Settings) -> bool:
    """Return True for a record of a bypass that began under an allowlist entry that is gone by now."""
    if finding.source not in RECORDS or case.target in settings.protected:
        return False
    return was_in_force(case, finding.effective_at, approval_required=settings.approval_required)


async def _may_ask(finding: Finding, case: Case, services: Services) -> bool:
    """False for a hint when alerts have used up the questions to Exchange of this hour.

    Checked before anything is asked of Graph, since a sender may send thousands of alerts.
    """
    if finding.source is not Source.HINT or finding.checks:
        return True
    if outstanding(case, CommandKind.CHECK_BYPASS) is not None:
        return True  # the awaited answer is about this target as well
    limit = services.settings.hint_checks_per_hour
    return await services.hint_checks.take(finding.id, limit=limit, now=services.clock())


def _may_be_stale(finding: Finding, identified: Identified, case: Case) -> bool:
    """Return True for a read of *on* that may come from a server unaware of the recent restoration.

    A read from before the restoration is evidence of the episode that has ended.
    """
    restored = case.head.restored_at
    if finding.source not in {Source.HINT, Source.SWEEP} or not identified.exchange_on or restored is None:
        return False
    return identified.read_at is None or restored < identified.read_at <= restored + STALE_READ


async def _of_baseline(finding: Finding, account: Account, case: Case, services: Services) -> dict[str, object]:
    """Return the facts of a hint. ``first_run``: neither the last complete sweep nor a read had it off.

    Containment requires that one of them did. The baseline is the one at the arrival of the hint: a later sweep that
    lists the account is about the same episode.
    """
    baseline = await services.sweeps.baseline()
    if baseline is None:
        return {"first_run": True}
    guids = _exchange_guids(finding, account)
    if any(it.exchange_guid in guids and it.object_id != account.object_id for it in baseline.entries.values()):
        return {"first_run": True}  # its Exchange object was on then, as another account's
    known = baseline.entries.get(account.object_id)
    if known is None:
        began_after = _began_after(finding, case, off_at=baseline.started_at)
        return {"first_run": case.head.gone_at is not None, "began_after": began_after}
    off_at = case.head.off_at
    if off_at is not None and off_at >= known.on_since:
        return {"first_run": False}
    listed_since = known.on_since == baseline.started_at and finding.received_at < baseline.moved_at
    return {"first_run": not listed_since or baseline.first_at == baseline.started_at}


def _began_after(finding: Finding, case: Case, *, off_at: datetime | None) -> datetime | None:
    """When the account was last known to be off, before a state that has no record of its start."""
    known = (off_at, finding.off_before, case.head.off_at, case.head.restored_at)
    return max((at for at in known if at is not None and at < finding.effective_at), default=None)


def _facts(
    finding: Finding,
    identified: Identified,
    entry: AllowlistEntry | MalformedEntry | None,
    case: Case,
    services: Services,
    *,
    entry_removed: bool,
) -> Facts:
    account = identified.account
    return Facts(
        effective_at=finding.effective_at,
        naming=identified.naming,
        first_run=finding.first_run,
        protected=account is not None and account.object_id in services.settings.protected,
        allowlist=entry,
        exchange_on=identified.exchange_on,
        confirmed=took_effect(finding) and finding.source not in STATES - {Source.RECHECK},
        unverified_claim=(finding.source is Source.HINT and not finding.seen_on)
        or (finding.source is Source.SWEEP and identified.naming is Naming.NOT_IN_EXCHANGE),
        on_since=finding.on_since,
        began_after=_began_after(finding, case, off_at=None) if finding.source in STATES else None,
        was_covered=finding.was_covered,
        entry_removed=entry_removed,
        answered=finding.source is Source.ACTOR and evidence.is_answered(case, finding),
    )
