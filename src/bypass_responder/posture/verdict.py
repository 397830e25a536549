"""What one mailbox records: by logon type, and as a whole, with why. Pure and total.

A verdict depends only on settings, type, license and bypass. Most mailboxes share these, so each verdict is made once.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from bypass_responder.model.mailbox_audit import LogonType
from bypass_responder.posture.age_limit import days_of
from bypass_responder.posture.baseline import ExchangeRules, Kind, License, Measures, exchange_rules
from bypass_responder.posture.mailbox import Audit, Mailbox
from bypass_responder.posture.organization import Organization

MAIL_READS = "MailItemsAccessed"


class Audited(StrEnum):
    """Whether what people do in a mailbox leaves a record."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Issue(StrEnum):
    """Something to know of a mailbox, the worst first."""

    ORGANIZATION_OFF = "organization off"
    BYPASSED = "bypassed"
    AUDIT_OFF = "AuditEnabled off"
    RECORDS_NOTHING = "records nothing"
    NOT_READ = "not read"
    UNKNOWN_TYPE = "unknown type"
    NO_MAIL_READS = "no MailItemsAccessed"
    MISSING = "actions missing"
    PINNED = "pinned"
    LEGACY_MESSAGE_BIND = "legacy MessageBind"
    SHORT_AGE_LIMIT = "short age limit"
    FLAG_IGNORED = "AuditEnabled ignored"
    UNKNOWN_ACTIONS = "unknown actions"
    FIXED_SET = "fixed set"


TO_FIX = (
    *(Issue.ORGANIZATION_OFF, Issue.BYPASSED, Issue.AUDIT_OFF, Issue.RECORDS_NOTHING, Issue.NOT_READ),
    *(Issue.UNKNOWN_TYPE, Issue.NO_MAIL_READS, Issue.MISSING, Issue.PINNED, Issue.SHORT_AGE_LIMIT),
)
"""The issues that somebody should do something about. The others explain a value."""
_TOO_SHORT, _LONG_ENOUGH = "00:00:00", "99999.00:00:00"
ORDER = {issue: number for number, issue in enumerate(Issue)}


class Logon(NamedTuple):
    """What one logon type records."""

    audited: Audited
    pinned: bool | None
    """True: the list is the mailbox's own, and gets no action that Microsoft adds. None: not known."""
    not_audited: tuple[str, ...]
    """All possible actions that are not in its list, whatever else keeps it from recording."""
    missing: dict[Kind, tuple[str, ...]]
    unknown_actions: tuple[str, ...]


class Verdict(NamedTuple):
    """What a mailbox records. ``why`` begins with the reason that outranks the others."""

    audited: Audited
    why: tuple[str, ...]
    logons: dict[LogonType, Logon]
    issues: tuple[Issue, ...]
    rank: int
    """For sorting, the worst first."""

    @property
    def pinned(self) -> tuple[LogonType, ...]:
        """The logon types that Microsoft does not maintain."""
        return tuple(logon for logon, each in self.logons.items() if each.pinned)

    def lacks(self, action: str, kind: Kind) -> bool:
        """Return whether an action is missing for a logon type of which the baseline wants it."""
        folded = action.casefold()
        return any(folded in map(str.casefold, each.missing[kind]) for each in self.logons.values())


class Judge:
    """Judges mailboxes of one organization by the same baselines.

    A cache: equal questions have one answer.
    """

    def __init__(self, organization: Organization, measures: Measures, rules: ExchangeRules | None = None) -> None:
        """Take what every mailbox is judged by."""
        self._organization = organization
        self._measures = measures
        self._rules = rules or exchange_rules()
        self._known: dict[tuple[int, str, License, bool | None], Verdict] = {}
        """By the identity of the settings: equal ones are one object, and all live as long as the read."""
        self._same: dict[tuple[Audit, str, License, bool | None], Verdict] = {}

    def __call__(self, mailbox: Mailbox, bypassed: bool | None) -> Verdict:  # noqa: FBT001 - None means unknown
        """Return the verdict on a mailbox. ``bypassed`` None: not known."""
        question = (id(mailbox.audit), mailbox.type, mailbox.license, bypassed)
        if (known := self._known.get(question)) is None:
            audit = mailbox.audit._replace(age_limit=self._age_that_counts(mailbox.audit.age_limit))
            same = (audit, *question[1:])
            if (known := self._same.get(same)) is None:
                known = self._same[same] = self._judged(audit, mailbox.type, mailbox.license, bypassed)
            self._known[question] = known
        return known

    def _age_that_counts(self, age_limit: str | None) -> str | None:
        """Return one age limit for all with the same verdict: a tenant may have as many as mailboxes."""
        days, least = days_of(age_limit), self._measures.baseline.age_limit_days
        return None if days is None else _TOO_SHORT if least is not None and days < least else _LONG_ENOUGH

    def _judged(self, audit: Audit, type_: str, license_: License, bypassed: bool | None) -> Verdict:  # noqa: FBT001 - as above
        fixed = type_ in self._rules.fixed_set
        logons = {logon: self._logon(audit, logon, license_, fixed=fixed) for logon in LogonType}
        reasons = list(self._reasons(audit, type_, logons, bypassed, fixed=fixed))
        answers = {audited for audited, _, _ in reasons}
        answer = next((each for each in (Audited.NO, Audited.UNKNOWN) if each in answers), Audited.YES)
        issues = {issue for _, issue, _ in reasons} | set(self._gaps(audit, logons, fixed=fixed))
        worst_first = tuple(sorted(issues, key=ORDER.__getitem__))
        rank = (Audited.NO, Audited.UNKNOWN, Audited.YES).index(answer) * len(ORDER) * 2
        rank += ORDER[worst_first[0]] if worst_first else len(ORDER)
        why = [text for audited, _, text in reasons if audited is answer]
        why += [text for audited, _, text in reasons if audited is not answer]
        return Verdict(answer, tuple(why), logons, worst_first, rank)

    def _reasons(
        self,
        audit: Audit,
        type_: str,
        logons: dict[LogonType, Logon],
        bypassed: bool | None,  # noqa: FBT001 - None means unknown
        *,
        fixed: bool,
    ) -> Iterator[tuple[Audited, Issue, str]]:
        """Yield what decides whether the mailbox is audited, the strongest first."""
        if off := self._organization.off:
            yield Audited.NO, Issue.ORGANIZATION_OFF, off
            return
        if bypassed:
            text = "its account is bypassed: what it does, here and in every other mailbox, leaves no record"
            yield Audited.NO, Issue.BYPASSED, text
        if unread := self._organization.unread:
            yield Audited.UNKNOWN, Issue.NOT_READ, f"not read: the organization's {unread}"
        if bypassed is None:
            yield Audited.UNKNOWN, Issue.NOT_READ, "not read: whether its account is bypassed"
        if fixed:
            yield Audited.YES, Issue.FIXED_SET, "Microsoft audits groups with a fixed set; the values are not used"
            return
        yield from self._flag(audit, type_)
        if absent := [*self._unread(audit)]:
            yield Audited.YES, Issue.NOT_READ, f"not read: {', '.join(absent)}"
        if lacking := ", ".join(logon for logon, each in logons.items() if each.missing[self._measures.chosen]):
            yield Audited.YES, Issue.MISSING, f"not every action of the baseline is recorded for {lacking}"
        for answer, issue, text in (
            (Audited.NO, Issue.RECORDS_NOTHING, "has an empty list, so nothing is recorded"),
            (Audited.UNKNOWN, Issue.NOT_READ, "is not known: its list was not read"),
        ):
            if named := [logon for logon, each in logons.items() if each.audited is answer]:
                yield answer, issue, f"{', '.join(named)} {text}"

    def _unread(self, audit: Audit) -> Iterator[str]:
        """Yield the properties that decide whether something is to fix, and are missing or mean nothing."""
        if audit.default_set is None:
            yield "DefaultAuditSet"
        if self._measures.baseline.age_limit_days is not None and days_of(audit.age_limit) is None:
            yield "AuditLogAgeLimit"

    def _flag(self, audit: Audit, type_: str) -> Iterator[tuple[Audited, Issue, str]]:
        """Yield what AuditEnabled means for the type."""
        if audit.enabled:
            return
        if type_ in self._rules.follows_organization:
            if audit.enabled is False:
                text = "AuditEnabled is off, which has no effect while the organization audits"
                yield Audited.YES, Issue.FLAG_IGNORED, text
        elif type_ not in self._rules.own_setting:
            text = f"whether the organization's default covers the type {type_ or '(not read)'} is not known"
            yield Audited.UNKNOWN, Issue.UNKNOWN_TYPE, text
        elif audit.enabled is False:
            text = f"AuditEnabled is off, and a {type_} does not follow the organization's default"
            yield Audited.NO, Issue.AUDIT_OFF, text
        else:
            yield Audited.UNKNOWN, Issue.NOT_READ, f"AuditEnabled was not read, which counts for a {type_}"

    def _logon(self, audit: Audit, logon: LogonType, license_: License, *, fixed: bool) -> Logon:
        nothing: dict[Kind, tuple[str, ...]] = dict.fromkeys(Kind, ())
        if fixed:
            return Logon(Audited.YES, None, (), nothing, ())
        maintained, actions = audit.in_default_set(logon), audit.actions(logon)
        if maintained and not actions:
            actions = self._measures.microsoft.wanted(logon, license_)
        pinned = None if maintained is None else not maintained
        if actions is None:
            return Logon(Audited.UNKNOWN, pinned, (), nothing, ())
        by_kind = {
            each.kind: each.missing(logon, actions, license_)
            for each in (self._measures.microsoft, self._measures.cis, self._measures.possible)
        }
        known = {action.casefold() for action in self._measures.possible.actions[logon]}
        known |= {action.casefold() for action in self._rules.replaced}
        return Logon(
            Audited.YES if actions else Audited.NO,
            pinned,
            by_kind[Kind.POSSIBLE],
            by_kind,
            tuple(action for action in actions if action.casefold() not in known),
        )

    def _gaps(self, audit: Audit, logons: dict[LogonType, Logon], *, fixed: bool) -> Iterator[Issue]:
        """Yield what is wrong with the settings, whether or not the mailbox records anything."""
        if fixed:
            return
        chosen = self._measures.chosen
        missing = [action for each in logons.values() for action in each.missing[chosen]]
        if MAIL_READS in missing:
            yield Issue.NO_MAIL_READS
        if missing:
            yield Issue.MISSING  # also where the organization is off
        if chosen is Kind.MICROSOFT and any(each.pinned for each in logons.values()):
            yield Issue.PINNED  # the others want actions that only a list of one's own has
        if any("messagebind" in map(str.casefold, audit.actions(logon) or ()) for logon in logons):
            yield Issue.LEGACY_MESSAGE_BIND
        if any(each.unknown_actions for each in logons.values()):
            yield Issue.UNKNOWN_ACTIONS
        days, least = days_of(audit.age_limit), self._measures.baseline.age_limit_days
        if days is not None and least is not None and days < least:
            yield Issue.SHORT_AGE_LIMIT
