"""Dated baselines of what a mailbox should audit, and what Exchange does with the settings.

Each is a data file with its source: a change by Microsoft is a new file, not new code.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from bypass_responder.errors import RefusedError
from bypass_responder.model.base import Value
from bypass_responder.model.mailbox_audit import LogonType

DATA = files("bypass_responder.posture")


class Kind(StrEnum):
    """Who says what should be audited."""

    MICROSOFT = "microsoft"
    CIS = "cis"
    POSSIBLE = "possible"
    """Every action that can be audited."""


class License(StrEnum):
    """What auditing the mailbox's license includes."""

    STANDARD = "standard"
    PREMIUM = "premium"
    UNKNOWN = "unknown"


class Baseline(Value):
    """What one source, at one date, says that a mailbox audits."""

    id: str
    kind: Kind
    name: str
    date: date
    source: str
    url: str
    age_limit_days: int | None
    """At least how long the mailbox keeps its entries; None: not documented."""
    actions: dict[LogonType, tuple[str, ...]]
    premium_only: tuple[str, ...]
    """Actions that a mailbox without Audit (Premium) does not have."""

    def wanted(self, logon: LogonType, license_: License) -> tuple[str, ...]:
        """Return the actions of a logon type.

        Those of Audit (Premium) are not wanted of a license without it.
        """
        if license_ is not License.STANDARD:
            return self.actions[logon]
        return tuple(action for action in self.actions[logon] if action not in self.premium_only)

    def missing(self, logon: LogonType, audited: Collection[str], license_: License) -> tuple[str, ...]:
        """Return the actions that are not among those audited, in the order of the file, in any letter case."""
        there = {action.casefold() for action in audited}
        return tuple(action for action in self.wanted(logon, license_) if action.casefold() not in there)


class Measures(NamedTuple):
    """The baselines of one comparison. ``chosen`` is the one that decides whether something is missing."""

    microsoft: Baseline
    cis: Baseline
    possible: Baseline
    chosen: Kind = Kind.MICROSOFT

    @property
    def baseline(self) -> Baseline:
        """The one that decides."""
        return {Kind.MICROSOFT: self.microsoft, Kind.CIS: self.cis, Kind.POSSIBLE: self.possible}[self.chosen]


class ExchangeRules(Value):
    """What Exchange does with audit settings, by mailbox type."""

    date: date
    source: str
    own_setting: frozenset[str]
    """Types for which AuditEnabled counts: the organization's default does not reach them."""
    fixed_set: frozenset[str]
    """Types that Microsoft audits with a fixed set, whatever the settings say."""
    follows_organization: frozenset[str]
    """Types for which AuditEnabled is ignored while the organization audits."""
    delegated: frozenset[str]
    """Types that other people open."""
    premium_capabilities: frozenset[str]
    not_accepted: frozenset[str]
    """Actions that a list from before may have, and that Set-Mailbox accepts no more."""
    replaced: dict[str, str]
    """Actions that cannot be chosen any more, and what records it now."""

    def license_of(self, capabilities: Collection[str]) -> License:
        """Return the license that the capabilities of a mailbox stand for; unknown without any."""
        if not capabilities:
            return License.UNKNOWN
        return License.PREMIUM if self.premium_capabilities & {*capabilities} else License.STANDARD


@cache
def baselines() -> dict[str, Baseline]:
    """Return every baseline by its id, the oldest first."""
    texts = (each.read_text(encoding="utf-8") for each in (DATA / "baselines").iterdir() if each.name.endswith(".json"))
    found = sorted(map(Baseline.model_validate_json, texts), key=lambda each: (each.date, each.id))
    return {each.id: each for each in found}


@cache
def exchange_rules() -> ExchangeRules:
    """Return the newest rules of Exchange."""
    newest = max(each.name for each in DATA.iterdir() if each.name.startswith("exchange-"))
    return ExchangeRules.model_validate_json((DATA / newest).read_text(encoding="utf-8"))


def measures(chosen: str = Kind.MICROSOFT) -> Measures:
    """Return the newest baseline of each kind, and the one chosen by its id or kind. Raises RefusedError."""
    newest = {each.kind: each for each in baselines().values()}
    if chosen in newest:
        return Measures(**newest, chosen=Kind(chosen))
    if (named := baselines().get(chosen)) is None:
        known = ", ".join((*Kind, *baselines()))
        raise RefusedError(f"There is no baseline {chosen!r:.60}. Choose one of {known}.")
    return Measures(**newest | {named.kind: named}, chosen=named.kind)
