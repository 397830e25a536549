"""The findings of a complete sweep, with ids derived from the sweep's id, and the next baseline."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.bounded import limited
from bypass_responder.case.allowlist import in_force
from bypass_responder.case.evidence import end_of
from bypass_responder.case.plain_text import name_of
from bypass_responder.case.reminder import waits_in_list
from bypass_responder.decision import covers
from bypass_responder.errors import InputError
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.base import guid_or_none, target_key
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.finding import Check, Finding, FindingState, Source
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.sweep import BaselineEntry
from bypass_responder.sensing.sweep import compare
from bypass_responder.session import all_announced, raise_health

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bypass_responder.model.case import Case
    from bypass_responder.model.sweep import Baseline, BypassedObject, SweepContent
    from bypass_responder.sensing.sweep import Comparison
    from bypass_responder.services import Services


class StillOn(NamedTuple):
    """Names of accounts that are still on, and that people have to know of."""

    dismissed: list[str]
    of_first: list[str]
    """Listed by the first sweep, and nobody has decided or acknowledged."""


async def changes(
    content: SweepContent, baseline: Baseline | None, services: Services
) -> tuple[list[Finding], dict[str, BaselineEntry], StillOn]:
    """Return a complete sweep's findings, the next baseline, and which accounts are still on."""
    now = services.clock()
    allowed: set[str] = {
        entry.object_id async for entry in services.allowlist.entries() if covers(entry, since=now, now=now)
    }
    comparison = compare(content, baseline)
    if services.settings.approval_required:
        allowed = await _approved(allowed & {*comparison.newly_on, *comparison.still_on}, services)
    known = baseline.entries if baseline else {}
    off_before = baseline.started_at if baseline else None
    found, entries = await _newly_listed(comparison, allowed, content, services, off_before=off_before)
    again, still_on = await _still_on(comparison.still_on, known, allowed, content, services, entries)
    gone = await _not_listed(comparison.gone, content, services, entries)
    return [*found, *again, *gone], entries, still_on


async def _approved(accounts: set[str], services: Services) -> set[str]:
    """Return which of these accounts have an entry that is approved as it is now."""

    async def approved(account: str) -> bool:
        entry = await services.allowlist.get(account)
        case = await services.ledger.load(account)
        return isinstance(in_force(entry, case, approval_required=True), AllowlistEntry)

    listed = sorted(accounts)
    answers = await asyncio.gather(*map(limited(approved), listed))
    return {account for account, counts in zip(listed, answers, strict=True) if counts}


async def listed_on(content: SweepContent, baseline: Baseline | None, services: Services) -> list[Finding]:
    """Return an incomplete sweep's findings: accounts on that were off at the last complete one or since.

    Exchange is asked about each, once until it is read as off. Before the first complete sweep, each is held.
    """
    known = baseline.entries if baseline else {}
    since = baseline.command_id if baseline else "before the first"
    comparison = compare(content, baseline)
    on = comparison.newly_on | comparison.still_on
    cases = await _cases({key: _target(each.object_id, each.name) for key, each in on.items()}, services)
    found = []
    for key, each in on.items():
        entry, case, taken_over = known.get(key), cases.get(key), key in comparison.taken_over
        if case is None:
            continue
        off_at, gone_at = case.head.off_at, case.head.gone_at
        if entry and (off_at is None or off_at < entry.on_since):
            continue
        back = taken_over or (gone_at is not None and (off_at is None or off_at < gone_at))
        finding = _newly_on(each, content, services, back=back or baseline is None, key=f"{since}|{off_at}")
        stored = case.row(Finding, finding.row_key)
        if stored is None or stored.state is FindingState.UNDECIDED:  # a run that stored it may have ended there
            off_before = baseline.started_at if baseline and entry is None and not taken_over else None
            found.append(finding.model_copy(update={"off_before": off_before}))
    return found


async def _newly_listed(
    comparison: Comparison,
    allowed: set[str],
    content: SweepContent,
    services: Services,
    *,
    off_before: datetime | None,
) -> tuple[list[Finding], dict[str, BaselineEntry]]:
    """Return findings for newly listed accounts, off at the last sweep.

    Once-missing ones are held, and those whose Exchange object was on then as another account's.
    """
    first = off_before is None
    entries = {key: _entry(each, content, covered=key in allowed) for key, each in comparison.newly_on.items()}
    ledger = {} if first else await _known(entries, services)
    found = []
    for key, each in comparison.newly_on.items():
        taken_over = key in comparison.taken_over
        back = taken_over or (key in ledger and ledger[key].was_gone)
        finding = _newly_on(each, content, services, first=first, back=back)
        found.append(finding.model_copy(update={"off_before": None if taken_over else off_before}))
    return found, entries


async def _still_on(
    listed: Mapping[str, BypassedObject],
    known: Mapping[str, BaselineEntry],
    allowed: set[str],
    content: SweepContent,
    services: Services,
    entries: dict[str, BaselineEntry],
) -> tuple[list[Finding], StillOn]:
    """Return findings for accounts that are on again or lost their entry, and which of them are still on."""
    uncovered = {key: known[key] for key in listed if key not in allowed}
    ledger = await _known(uncovered, services)
    found: list[Finding] = []
    for key, each in listed.items():
        entry = known[key]._replace(exchange_guid=each.exchange_guid)
        entries[key] = entry._replace(covered=key not in uncovered)
        if key in uncovered and key not in ledger:
            entries[key] = entry  # its case cannot be read: retried at the next sweep
        elif key in ledger and ledger[key].off_at:
            entries[key] = _entry(each, content, covered=False)
            found.append(_newly_on(each, content, services))
        elif entry.covered and key in uncovered:
            found.append(_uncovered(each, entry, content, services))
    dismissed = [listed[key].name for key, state in ledger.items() if state.dismissed]
    return found, StillOn(dismissed, [name for state in ledger.values() for name in state.waiting])


async def _not_listed(
    gone: Mapping[str, BaselineEntry], content: SweepContent, services: Services, entries: dict[str, BaselineEntry]
) -> list[Finding]:
    """Return findings for unlisted accounts, which stay in the baseline until reported off or missing."""
    ledger = await _known(gone, services)
    stays = {key: entry for key, entry in gone.items() if key not in ledger or not ledger[key].over}
    entries |= stays
    found = {
        key: _gone(key, gone[key], content, services, off_at=known.off_at)
        for key, known in ledger.items()
        if not (known.over and known.reported)
    }
    return [each for key, each in found.items() if not ledger[key].asked or each.row_key in ledger[key].asked]


def _entry(each: BypassedObject, content: SweepContent, *, covered: bool) -> BaselineEntry:
    name = "" if each.name == each.object_id else each.name
    return BaselineEntry(each.object_id, name, content.started_at, covered, each.exchange_guid)


@dataclass(frozen=True)
class _Known:
    """The state of one account in the ledger since a sweep first listed it."""

    off_at: datetime | None
    """When Exchange reported it off."""
    asked: frozenset[str]
    """Findings for which a check of Exchange is pending. One of this sweep is from a run that may have ended there."""
    reported: bool
    """True when off or missing is already stored as evidence."""
    was_gone: bool
    """True when it was missing once and has not been reported off since."""
    dismissed: bool
    """True when a person dismissed its incident, and it was not reported off since."""
    waiting: tuple[str, ...]
    """Names in incidents of the first sweep that nobody has decided or acknowledged."""

    @property
    def over(self) -> bool:
        """True when it can leave the baseline."""
        return self.off_at is not None or self.reported


async def _known(entries: Mapping[str, BaselineEntry], services: Services) -> dict[str, _Known]:
    """Return the known state by the keys of the baseline. Unreadable cases are left out."""
    targets = {key: _target(entry.object_id, entry.name or key) for key, entry in entries.items()}
    return {key: _known_of(case, entries[key]) for key, case in (await _cases(targets, services)).items()}


async def _cases(targets: Mapping[str, str], services: Services) -> dict[str, Case]:
    """Return the cases by the keys of the baseline. Unreadable ones are left out and raise a health alert."""

    async def load(item: tuple[str, str]) -> tuple[str, Case] | InputError:
        key, target = item
        try:
            return key, await services.ledger.load(target)
        except InputError as error:
            return error

    answers = await asyncio.gather(*map(limited(load), targets.items()))
    if broken := [answer for answer in answers if isinstance(answer, InputError)]:
        await raise_health("sweep_account_unreadable", str(broken[0]), services)
    return dict(answer for answer in answers if not isinstance(answer, InputError))


def _known_of(case: Case, entry: BaselineEntry) -> _Known:
    head = case.head
    questions = [
        row
        for row in case.by_key.values()
        if isinstance(row, Finding) and row.switch is Switch.OFF and row.on_since == entry.on_since
    ]
    return _Known(
        off_at=head.off_at if head.off_at and head.off_at >= entry.on_since else None,
        asked=frozenset(row.row_key for row in questions if row.state is not FindingState.DECIDED),
        reported=head.reported_off is not None and head.reported_off == entry.on_since,
        was_gone=head.gone_at is not None and (head.off_at is None or head.off_at < head.gone_at),
        dismissed=any(
            row.status is IncidentStatus.DISMISSED and not row.about_actor and end_of(case, row) is None
            for row in case.rows(Incident)
        ),
        waiting=tuple(name_of(row) for row in case.rows(Incident) if waits_in_list(row)),
    )


def _target(object_id: str | None, name: str) -> str:
    return guid_or_none(object_id or "") or target_key(name)


def _newly_on(
    each: BypassedObject,
    content: SweepContent,
    services: Services,
    *,
    first: bool = False,
    back: bool = False,
    key: str = "",
) -> Finding:
    """Return the finding for a newly listed account. Exchange is asked again, except in the first sweep.

    ``key`` stands for the sweep in its id, where several sweeps are to find it once.
    """
    finding = _finding("on", each.exchange_guid, each.object_id, each.name, content, services, key=key)
    finding = finding.model_copy(
        update={"first_run": first or back, "listed_once": first, "on_since": content.started_at}
    )
    if not first or each.object_id is None:
        return finding
    check = Check(
        name="",
        outcome=ExchangeOutcome.CHECKED,
        object_id=each.object_id,
        exchange_guid=each.exchange_guid,
        bypass_on=True,
        read_at=content.started_at,
    )
    return finding.model_copy(update={"checks": (check,)})


def _uncovered(each: BypassedObject, entry: BaselineEntry, content: SweepContent, services: Services) -> Finding:
    """Return the finding for an allowlist entry that lapsed, or was removed."""
    finding = _finding("uncovered", each.exchange_guid, each.object_id, each.name, content, services)
    return finding.model_copy(update={"first_run": True, "was_covered": True, "on_since": entry.on_since})


def _gone(
    key: str, entry: BaselineEntry, content: SweepContent, services: Services, *, off_at: datetime | None
) -> Finding:
    """Return the finding for an unlisted account. Exchange is asked, unless it already reported off."""
    finding = _finding("off", key, entry.object_id, entry.name or key, content, services)
    stated = Check(name="", outcome=ExchangeOutcome.CHECKED, object_id=entry.object_id, bypass_on=False, read_at=off_at)
    checks = (stated,) if off_at and entry.object_id else ()
    return finding.model_copy(update={"switch": Switch.OFF, "on_since": entry.on_since, "checks": checks})


def _finding(
    what: str, which: str, object_id: str | None, name: str, content: SweepContent, services: Services, *, key: str = ""
) -> Finding:
    digest = hashlib.sha256(f"{what}|{which}|{key or content.command_id}".encode()).hexdigest()[:32]
    return Finding(
        id=f"sweep-{digest}",
        target=_target(object_id, name),
        source=Source.SWEEP,
        switch=Switch.UNKNOWN,
        outcome=Outcome.UNKNOWN,
        effective_at=content.started_at,
        object_id_text=object_id or "",
        identity_text="" if object_id else name,
        received_at=services.clock(),
        available_at=content.started_at,
    )


async def store_findings(found: list[Finding], services: Services) -> None:
    """Store the findings concurrently; an existing finding is kept unchanged.

    Their targets are marked before as well: after a crash in between, the sweep may end without them.
    """
    async with all_announced({finding.target for finding in found}, services):
        await asyncio.gather(*map(limited(services.ledger.add_finding), found))
