"""The times in which an allowlisted bypass was on, from its findings and the last complete sweep. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.decision import Verdict
from bypass_responder.model.base import guid_or_none
from bypass_responder.model.change import Outcome, Switch
from bypass_responder.model.finding import STATES, Finding, Source
from bypass_responder.model.incident import Incident
from bypass_responder.operating.blind_windows.known_window import KnownWindow, Moment, dark, of_account

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bypass_responder.model.case import Case
    from bypass_responder.model.sweep import Baseline, BaselineEntry


def of_baseline(entry: BaselineEntry, name: str) -> KnownWindow:
    """Return the window of an account that the last complete sweep had on, and the allowlist covered."""
    name = name or entry.name or entry.object_id or "unknown"
    return of_account(name, entry.object_id or "", (entry.on_since, None, False), why="its bypass is allowlisted")


def of_allowlisted(case: Case, baseline: Baseline | None, name: str) -> Iterator[KnownWindow]:
    """Yield the windows of an account's allowlisted bypasses: those that ended, and one that no sweep has seen yet.

    ``case``: one that ``has_allowlisted``, read with its history. ``name`` empty: as the findings have it.
    """
    covered, findings = _covered(case), case.rows(Finding)
    ended = [each.restored_at for each in case.rows(Incident) if each.restored_at]
    ended += [each.effective_at for each in findings if _shows_off(each)]
    moments = [Moment(at, off=False) for at in ended] + [_began(each) for each in covered]
    name = name or next(iter(covered[-1].names), case.target)
    for start, end, known in dark([*_swept(case, baseline), *moments]):
        why = "its bypass was allowlisted" if end else "its bypass is allowlisted"
        yield of_account(name, case.target, (start, end, known), why=why)


def has_allowlisted(case: Case) -> bool:
    """Return True for a case with a finding of an allowlisted bypass."""
    return bool(_covered(case))


def _covered(case: Case) -> list[Finding]:
    return [each for each in case.rows(Finding) if each.verdict == Verdict.ALLOWLISTED]


def _shows_off(finding: Finding) -> bool:
    done = (finding.switch, finding.outcome) == (Switch.OFF, Outcome.SUCCESS)
    return done and finding.verdict == "switched_off"


def _began(finding: Finding) -> Moment:
    """Return when it was on. Only a record of the change knows that it was not on before."""
    seen = min(finding.on_since or finding.effective_at, finding.effective_at)
    return Moment(seen, off=True, known=finding.source not in STATES and finding.proves_on)


def _swept(case: Case, baseline: Baseline | None) -> Sequence[Moment]:
    """Return what the last complete sweep shows of an account; nothing of one without an object id.

    The sweep keeps an account that is not listed any more until Exchange has answered.
    """
    if baseline is None or guid_or_none(case.target) is None:
        return []
    kept = [each for each in baseline.entries.values() if each.object_id == case.target]
    if not kept and not baseline.left_out:
        return [Moment(baseline.started_at, off=False)]
    unlisted = [row for row in case.rows(Finding) if row.source is Source.SWEEP and row.switch is Switch.OFF]
    is_listed = baseline.started_at not in {row.available_at for row in unlisted}
    covered = [each.on_since for each in kept if each.covered]
    return [Moment(at, off=True) for at in (*covered, *([baseline.started_at] if covered and is_listed else []))]
