"""Finding + facts + clock → Decision. Pure and total; docs/flow.md shows its table."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.base import Value, until
from bypass_responder.model.step import Rule, StepKind, StepState

if TYPE_CHECKING:
    from collections.abc import Collection

HISTORY_AFTER = timedelta(hours=24)
EXPIRED_GRACE = timedelta(days=14)


class Naming(StrEnum):
    """What became of the names that the finding gives its target."""

    ONE_ACCOUNT = "one_account"
    NONE = "none"
    SEVERAL = "several"
    TWO_ACCOUNTS = "two_accounts"
    NAME_MAY_HAVE_MOVED = "name_may_have_moved"
    REFUSED = "refused"
    NOT_IN_EXCHANGE = "not_in_exchange"
    ANOTHER_BY_NOW = "another_by_now"
    NAME_ONLY = "name_only"


class Verdict(StrEnum):
    """The row of the table that applied."""

    UNCONFIRMED = "unconfirmed"
    UNRESOLVED = "unresolved"
    ALLOWLISTED = "allowlisted"
    PROTECTED = "protected"
    FIRST_RUN = "first_run"
    HISTORY = "history"
    ALLOWLIST_UNCLEAR = "allowlist_unclear"
    ALLOWLIST_EXPIRED = "allowlist_expired"
    LIMIT_REACHED = "limit_reached"
    VIOLATION = "violation"
    ACTOR = "actor"


class Disposition(StrEnum):
    """What happens to a step, weakest first: within an incident a step only becomes stronger."""

    NOT = "not"
    HELD = "held"
    NOW = "now"

    @property
    def rank(self) -> int:
        """0, 1, 2."""
        return list(Disposition).index(self)


class Facts(Value):
    """The inputs of a decision. ``effective_at``: when the bypass began, or when a state was read."""

    effective_at: datetime
    naming: Naming
    first_run: bool
    protected: bool
    allowlist: AllowlistEntry | MalformedEntry | None
    began_after: datetime | None = None
    """Of a state: when it was last known to be off. An entry must be older than this to exempt the account."""
    exchange_on: bool | None
    """Exchange's answer; None when it was not asked."""
    confirmed: bool
    """False: the record does not say that the switch took effect, so only Exchange can."""
    unverified_claim: bool = False
    """True: from an alert, or a list that may be old by now, without a record or a read of this account."""
    on_since: datetime | None = None
    """Of a state: since when it is known to be on; None: since ``effective_at``."""
    was_covered: bool = False
    """True: at the last sweep a valid allowlist entry covered it."""
    entry_removed: bool = False
    """Of a record: an allowlist entry was in force when the bypass began, and is gone. Only Exchange knows the rest."""
    answered: bool = False
    """Of an actor: a person has released the account or dismissed its incident since, and acted on what they knew."""


class Decision(Value):
    """Which steps now, which held, which not, and why. Everything NOT is standing down."""

    verdict: Verdict
    reason: str
    disable_bypass: Disposition
    revoke_sessions: Disposition
    block_sign_in: Disposition

    def over_limit(self) -> Decision:
        """The decision when the hourly limit leaves no block: a block that would be made now is held."""
        if self.block_sign_in is not Disposition.NOW:
            return self
        reason = "the hourly limit of blocks is reached"
        return self.model_copy(
            update={"verdict": Verdict.LIMIT_REACHED, "reason": reason, "block_sign_in": Disposition.HELD}
        )

    def automatic(self, controls: Collection[StepKind]) -> Decision:
        """The decision if only these controls act automatically: any other that would act now is held."""
        held = [kind for kind, step in self.steps.items() if step is Disposition.NOW and kind not in controls]
        if not held:
            return self
        names = ", ".join(kind.value for kind in held)
        reason = f"{self.reason}; not in AUTOMATIC_CONTROLS: {names}"
        return self.model_copy(update={kind.value: Disposition.HELD for kind in held} | {"reason": reason})

    @property
    def stands_down(self) -> bool:
        """True when nothing is to be done."""
        return all(disposition is Disposition.NOT for disposition in self.steps.values())

    @property
    def steps(self) -> dict[StepKind, Disposition]:
        """The disposition of every step."""
        return {
            StepKind.BLOCK_SIGN_IN: self.block_sign_in,
            StepKind.REVOKE_SESSIONS: self.revoke_sessions,
            StepKind.DISABLE_BYPASS: self.disable_bypass,
        }


_NAMING = {
    Naming.NONE: "no account has the record's name",
    Naming.SEVERAL: "the record's name matches several accounts",
    Naming.TWO_ACCOUNTS: "the record names two different accounts",
    Naming.NAME_MAY_HAVE_MOVED: (
        "it is known only by an Exchange name and is not bypassed now: the name may have moved to another account"
    ),
    Naming.REFUSED: "the Exchange worker refuses to look up the record's name",
    Naming.ANOTHER_BY_NOW: (
        "the account that the record names no longer exists, and its name now belongs to another account"
    ),
    Naming.NAME_ONLY: (
        "the record has no object id of the actor, only a name, which may now belong to another account"
    ),
    Naming.NOT_IN_EXCHANGE: "Exchange has no object for this account, so its present state is not known",
}


def needs_exchange(*, effective_at: datetime, confirmed: bool, now: datetime) -> bool:
    """True when Exchange must be asked for its present state before deciding."""
    return not confirmed or now - effective_at > HISTORY_AFTER


def decide(facts: Facts, *, now: datetime) -> Decision:
    """Return the decision for a finding that switches a bypass on, or may have. The first rule wins."""
    now_, held, not_ = Disposition.NOW, Disposition.HELD, Disposition.NOT
    entry = facts.allowlist
    began = facts.began_after or facts.effective_at
    if unconfirmed := _unconfirmed(facts):
        return _plan(Verdict.UNCONFIRMED, unconfirmed, not_, not_, not_)
    if unresolved := _unresolved(facts, now=now):
        return _plan(Verdict.UNRESOLVED, unresolved, held, held, held)
    if covers(entry, since=began, now=now):
        return _plan(Verdict.ALLOWLISTED, _allowed(entry), not_, not_, not_)
    if facts.protected:
        return _plan(Verdict.PROTECTED, "protected account: never blocked; its auditing is restored", now_, not_, not_)
    expired = _expired_lately(entry, since=facts.on_since or facts.effective_at, now=now)
    removed = (facts.was_covered or facts.entry_removed) and entry is None
    if facts.first_run and not (facts.was_covered and (expired or removed)):
        lapsed = _unclear(entry, since=began) if facts.was_covered else ""
        return _plan(Verdict.FIRST_RUN, lapsed or "the bypass predates monitoring", held, held, held)
    if now - facts.effective_at > HISTORY_AFTER and facts.exchange_on is False:
        return _plan(Verdict.HISTORY, "older than 24 hours, and Exchange reports the bypass off now", not_, held, held)
    if unclear := _unclear(entry, since=began) or _ended_with_its_entry(facts):
        return _plan(Verdict.ALLOWLIST_UNCLEAR, unclear, now_, held, held)
    if expired:
        return _plan(Verdict.ALLOWLIST_EXPIRED, _expired(entry), now_, not_, not_)
    reason = "removed from the allowlist while its bypass is on" if removed else "not on the allowlist"
    return _plan(Verdict.VIOLATION, reason, now_, now_, now_)


def decide_actor(facts: Facts) -> Decision:
    """Return the decision for the actor of a violation, where ``ACTOR_RESPONSE`` is contain."""
    now_, held, not_ = Disposition.NOW, Disposition.HELD, Disposition.NOT
    if facts.naming is not Naming.ONE_ACCOUNT:
        return _plan(Verdict.UNRESOLVED, _NAMING[facts.naming], not_, held, held)
    if facts.protected:
        return _plan(Verdict.PROTECTED, "protected account: never blocked", not_, not_, not_)
    reason = "switched on the bypass of an account that is not on the allowlist"
    if facts.answered:
        reason += ", before a person released it or dismissed an incident about it as an actor"
        return _plan(Verdict.ACTOR, reason, not_, held, held)
    return _plan(Verdict.ACTOR, reason, not_, now_, now_)


def weakened(kind: StepKind, *, enforce: bool, protected: bool, slot: bool) -> tuple[StepState, str] | None:
    """What a decided step becomes at its claim; None: it is carried out.

    Only the mode, the protected accounts, the limit and people may weaken a decision. The allowlist was part of it.
    A person's approval gives a slot and does not outweigh the other two.
    """
    if not enforce:
        return StepState.WITHHELD, Rule.OBSERVE
    if protected and kind in {StepKind.BLOCK_SIGN_IN, StepKind.REVOKE_SESSIONS}:
        return StepState.CANCELED, Rule.PROTECTED
    if kind is StepKind.BLOCK_SIGN_IN and not slot:
        return StepState.HELD, "the hourly limit of blocks is reached"
    return None


def covers(entry: AllowlistEntry | MalformedEntry | None, *, since: datetime, now: datetime) -> bool:
    """True when a valid entry, in force since before the bypass began, exempts the account."""
    return isinstance(entry, AllowlistEntry) and entry.expires_at > now and entry.in_force_at(since)


def _plan(verdict: Verdict, reason: str, disable: Disposition, revoke: Disposition, block: Disposition) -> Decision:
    return Decision(verdict=verdict, reason=reason, disable_bypass=disable, revoke_sessions=revoke, block_sign_in=block)


def _unconfirmed(facts: Facts) -> str:
    """Why nothing was observed; empty when something was."""
    if not facts.confirmed and facts.exchange_on is False:
        return "Exchange reports that the account is not bypassed"
    if facts.unverified_claim and facts.naming is not Naming.ONE_ACCOUNT:
        return f"claimed, not observed: {_NAMING[facts.naming]}"
    return ""


def _unresolved(facts: Facts, *, now: datetime) -> str:
    """Why the account, or its state, is unknown; empty when both are known."""
    if facts.naming is not Naming.ONE_ACCOUNT:
        return _NAMING[facts.naming]
    asked = facts.exchange_on is not None
    needed = needs_exchange(effective_at=facts.effective_at, confirmed=facts.confirmed, now=now)
    if not asked and (needed or facts.entry_removed):
        return "Exchange was not asked, and only it knows"
    return ""


def _unclear(entry: AllowlistEntry | MalformedEntry | None, *, since: datetime) -> str:
    match entry:
        case MalformedEntry(of_anyone=True, problem=problem):
            return problem
        case MalformedEntry(problem=problem):
            return f"the allowlist row does not count: {problem}"
        case AllowlistEntry() if not entry.in_force_at(since):
            return "the allowlist entry came into force after the bypass began"
        case _:
            return ""


def _ended_with_its_entry(facts: Facts) -> str:
    """Return why the late record of a bypass is unclear; empty where it is clear.

    It is unclear if the bypass was allowed, and both bypass and entry are gone by now.
    """
    if facts.entry_removed and facts.allowlist is None and facts.exchange_on is False:
        return "an allowlist entry was in force when the bypass began; both no longer exist"
    return ""


def _expired_lately(entry: AllowlistEntry | MalformedEntry | None, *, since: datetime, now: datetime) -> bool:
    return isinstance(entry, AllowlistEntry) and since < entry.expires_at <= now <= entry.expires_at + EXPIRED_GRACE


def _allowed(entry: AllowlistEntry | MalformedEntry | None) -> str:
    if not isinstance(entry, AllowlistEntry):
        return ""
    return f"{entry.reason_class}, owner {entry.owner}, ticket {entry.ticket}, until {until(entry.expires_at)}"


def _expired(entry: AllowlistEntry | MalformedEntry | None) -> str:
    if not isinstance(entry, AllowlistEntry):
        return ""
    return f"its allowlist entry (owner {entry.owner}, ticket {entry.ticket}) expired on {until(entry.expires_at)}"
