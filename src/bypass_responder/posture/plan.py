"""What would make mailboxes audit more: one change for each mailbox. Pure.

A change carries the settings for which it was planned. ``DefaultAuditSet`` is preferred: a custom list freezes a logon
type. A change never audits less, and can be undone.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bypass_responder import __version__
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.mailbox_audit import Action, AuditChange, AuditSettings, LogonType
from bypass_responder.model.message import Guid
from bypass_responder.model.plan_run import MOST_CHANGES
from bypass_responder.posture.age_limit import days_of
from bypass_responder.posture.baseline import exchange_rules, measures
from bypass_responder.posture.comparison import Comparison
from bypass_responder.posture.comparison_row import MailboxPosture
from bypass_responder.posture.mailbox import settings_of
from bypass_responder.posture.verdict import Issue

PUBLIC_FOLDERS = "PublicFolderMailbox"
LONGEST_NAME = 256


class Goal(Value):
    """What a plan is for. Without lists or days it is Microsoft's default set."""

    default_set: bool = True
    """Logon types return to the set that Microsoft maintains, where they then audit no less."""
    enable: bool = True
    """AuditEnabled is switched on where it counts."""
    actions: dict[LogonType, tuple[Action, ...]] = Field(default_factory=dict)
    """Actions that are added. This pins the logon type."""
    age_limit_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class PlannedChange(Value):
    """The change of one mailbox. It is refused where the settings are not as ``expected`` by then."""

    object_id: Guid
    name: Annotated[str, StringConstraints(max_length=LONGEST_NAME)]
    type: str
    expected: AuditSettings
    change: AuditChange
    why: tuple[str, ...]


class Skipped(Value):
    """A mailbox that something is wrong with, and that the plan leaves as it is, in whole or in part."""

    id: str
    name: str
    why: str


class Plan(Value):
    """The file that ``posture plan`` writes.

    ``sha256`` is of everything else in it: a changed one is refused.
    """

    format: Literal["bypass-responder/posture-plan/1"] = "bypass-responder/posture-plan/1"
    made_at: Utc
    version: str = __version__
    read_at: Utc | None
    """When the settings were read. Each mailbox is read again before its change, and left if it is another by then."""
    baseline: str
    goal: Goal
    changes: tuple[PlannedChange, ...]
    skipped: tuple[Skipped, ...]
    left_out: int = 0
    """Mailboxes that would change as well, and are for another plan."""
    sha256: str = ""

    def digest(self) -> str:
        """Return the hash of everything but ``sha256``."""
        content = self.model_dump(mode="json", exclude={"sha256"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def pinning(self) -> int:
        """How many logon types get an explicit list in place of the one that Microsoft maintains."""
        return sum(
            logon.value in change.expected.default_set
            for change in self.changes
            for logon in LogonType
            if getattr(change.change, logon.lower())
        )


def plan(
    found: Comparison,
    rows: Iterable[MailboxPosture],
    goal: Goal,
    *,
    made_at: datetime,
    most: int = MOST_CHANGES,
) -> Plan:
    """Return the plan for some rows of a comparison, of at most ``most`` mailboxes, the worst first."""
    changes: list[PlannedChange] = []
    ranks: dict[str, int] = {}
    skipped: list[Skipped] = []
    doubled = _doubled(found.rows)
    for row in rows:
        mailbox = row.mailbox
        if why := _no_plan(row, doubled):
            if Issue.FIXED_SET not in row.verdict.issues:
                skipped.append(Skipped(id=mailbox.key, name=mailbox.name, why=why))
            continue
        wanted, reasons, left = _change(row, goal)
        if wanted is not None and mailbox.type == PUBLIC_FOLDERS:
            wanted, left = None, ["it needs Set-Mailbox -PublicFolder, which the worker's role does not have"]
        skipped += [Skipped(id=mailbox.key, name=mailbox.name, why=why) for why in left]
        if wanted is not None and mailbox.object_id:
            ranks[mailbox.object_id] = row.verdict.rank
            changes.append(
                PlannedChange(
                    object_id=mailbox.object_id,
                    name=mailbox.name[:LONGEST_NAME],
                    type=mailbox.type,
                    expected=settings_of(mailbox.audit),
                    change=wanted,
                    why=tuple(reasons),
                )
            )
    changes.sort(key=lambda change: ranks[change.object_id])
    made = Plan(
        made_at=made_at,
        read_at=found.read_at,
        baseline=found.measures.baseline.id,
        goal=goal,
        changes=tuple(changes[:most]),
        left_out=len(changes[most:]),
        skipped=tuple(skipped),
    )
    return made.model_copy(update={"sha256": made.digest()})


def _doubled(rows: Iterable[MailboxPosture]) -> set[str]:
    return {key for key, count in Counter(row.mailbox.key for row in rows).items() if count > 1}


def _no_plan(row: MailboxPosture, doubled: set[str]) -> str:
    """Return why a mailbox cannot be changed; empty when it can."""
    mailbox = row.mailbox
    if Issue.FIXED_SET in row.verdict.issues:
        return "Microsoft audits groups with a fixed set"
    if mailbox.object_id is None:
        return "it has no object id, by which it would be changed"
    if mailbox.key in doubled:
        return "several mailboxes have its object id"
    if None in mailbox.audit:  # the worker compares them all before it changes a mailbox
        return "not all of its settings were read"
    return ""


def _change(row: MailboxPosture, goal: Goal) -> tuple[AuditChange | None, list[str], list[str]]:
    """Return the change, if any, with its reasons, and why some logon types are left as they are."""
    audit, verdict = row.mailbox.audit, row.verdict
    reasons: list[str] = []
    left: list[str] = []
    returned: list[LogonType] = []
    added: dict[LogonType, tuple[str, ...]] = {}
    for logon, each in verdict.logons.items():
        wanted = _absent(goal.actions.get(logon, ()), audit.actions(logon) or ())
        kept = _kept(row, logon)
        if (goal.default_set or wanted) and (fixed := exchange_rules().not_accepted & {*(audit.actions(logon) or ())}):
            left.append(_not_undoable(logon, min(fixed), row))
            continue
        if goal.default_set and each.pinned and not wanted and not kept:
            returned.append(logon)
            reasons.append(f"{logon}: returns to Microsoft's default set")
            continue
        if goal.default_set and each.pinned:
            wanted = (*wanted, *_absent(_default(row, logon), (*(audit.actions(logon) or ()), *wanted)))
        if wanted:
            added[logon] = wanted
            stays = f"; stays pinned, for {', '.join(kept)}" if each.pinned and kept else ""
            reasons.append(f"{logon}: adds {', '.join(wanted)}{stays}")
    enable = goal.enable and audit.enabled is False and Issue.FLAG_IGNORED not in verdict.issues
    if enable:
        reasons.append("AuditEnabled: on")
    days = days_of(audit.age_limit)
    longer = goal.age_limit_days if goal.age_limit_days and (days is None or days < goal.age_limit_days) else None
    if longer:
        reasons.append(f"AuditLogAgeLimit: {longer} days")
    if not reasons:
        return None, [], left
    change = AuditChange(
        enable=True if enable else None,
        age_limit_days=longer,
        default_set=tuple(returned),
        admin=added.get(LogonType.ADMIN, ()),
        delegate=added.get(LogonType.DELEGATE, ()),
        owner=added.get(LogonType.OWNER, ()),
    )
    return change, reasons, left


def _not_undoable(logon: LogonType, action: str, row: MailboxPosture) -> str:
    return (
        f"{logon}: its list has {action}, which Set-Mailbox no longer accepts, so a change could not be undone. "
        f"To return it permanently: Set-Mailbox -Identity {row.mailbox.key} -DefaultAuditSet {logon}"
    )


def _default(row: MailboxPosture, logon: LogonType) -> tuple[str, ...]:
    return measures().microsoft.wanted(logon, row.mailbox.license)


def _kept(row: MailboxPosture, logon: LogonType) -> tuple[str, ...]:
    """Return the actions of a list that the default set would not record, nor record under another name."""
    replaced = exchange_rules().replaced
    default = _default(row, logon)
    actions = row.mailbox.audit.actions(logon) or ()
    return tuple(action for action in _absent(actions, default) if replaced.get(action, action) not in default)


def _absent(actions: Iterable[str], there: Iterable[str]) -> tuple[str, ...]:
    known = {action.casefold() for action in there}
    return tuple(action for action in dict.fromkeys(actions) if action.casefold() not in known)
