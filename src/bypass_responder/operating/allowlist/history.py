"""Who changed an entry, when and how. Pure.

What a run saw in the table is shown beside the person who claims to have made the change. What was *seen* is never
changed by what is *claimed*: a message may be lost or forged.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bypass_responder.case.allowlist_text import LONGEST_VALUE, main_difference
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.decision_message import DecisionKind

if TYPE_CHECKING:
    from bypass_responder.model.log import LogEntry

REMOVED_TOGETHER = timedelta(hours=1)
"""A removal leaves no edit id in the table: a report belongs to the removal that a run saw within this time."""


class Known(StrEnum):
    """How far the editor of a change is known."""

    VERIFIED = "verified"
    """Reported by the console or the API, which verify who is signed in; and seen in the table."""
    CLAIMED = "claimed"
    """Reported by bypassctl, and seen in the table."""
    NAMED_BY_ROW = "named by the row"
    """No report. The row names an editor, which anybody can type who can write the table."""
    UNKNOWN = "unknown"
    """Edited outside bypassctl and the console."""
    NOT_SEEN = "not seen"
    """Reported, but no run saw it in the table: changed again within a minute, or never made."""
    CONTRADICTED = "contradicted"
    """Reported with this edit id, but the table held other values."""
    RESPONDER = "responder"


class Change(Value):
    """One line of the history of an entry."""

    at: Utc
    what: str
    """added, changed, removed; reported, refused, approved, first used."""
    who: str
    known: Known
    via: str = ""
    changes: str
    before: dict[str, str] | None = None
    after: dict[str, str] | None = None
    edit_id: str = ""
    plan: str = ""
    """The import that it was part of."""
    reason: str = ""

    @property
    def seen(self) -> bool:
        """True for a change of the table that a run of the responder saw."""
        return self.what in {"added", "changed", "removed"}

    @property
    def is_whole(self) -> bool:
        """True when no value of the state before was cut."""
        return all(len(value) != LONGEST_VALUE for value in (self.before or {}).values())


def history(entries: Iterable[LogEntry]) -> list[Change]:
    """Return the changes of one account's entry from its log, oldest first."""
    log = list(entries)
    lines = [_seen(entry) for entry in log if entry.event == "allowlist_changed"]
    others: list[Change] = []
    for entry in log:
        match entry.event:
            case "allowlist_edited":
                others += _report(entry, lines)
            case "allowlist_approved":
                others.append(_line(entry, "approved", Known.VERIFIED if _verified(entry) else Known.CLAIMED))
            case "allowlist_used":
                others.append(_line(entry, "first used", Known.RESPONDER))
            case "decision_refused" if entry.text.startswith(
                (DecisionKind.ALLOWLIST_EDIT.value, DecisionKind.APPROVE_ENTRY.value)
            ):
                others.append(_line(entry, "refused", Known.VERIFIED if _verified(entry) else Known.CLAIMED))
    return sorted([*lines, *others], key=lambda line: line.at)


def _verified(entry: LogEntry) -> bool:
    return entry.facts.get("channel") == "console"


def _line(entry: LogEntry, what: str, known: Known) -> Change:
    return Change(at=entry.at, what=what, who=entry.who, known=known, changes=entry.text)


def _seen(entry: LogEntry) -> Change:
    facts = entry.facts
    before, after = facts.get("before") or None, facts.get("after") or None
    named = facts.get("edited_by", "")
    return Change(
        at=entry.at,
        what="added" if not before else "changed" if after else "removed",
        who=named or "unknown",
        known=Known.NAMED_BY_ROW if facts.get("edit_id") else Known.UNKNOWN,
        via=facts.get("via", ""),
        changes=main_difference(before or {}, after or {}),
        before=before,
        after=after,
        edit_id=facts.get("edit_id", ""),
    )


def _report(entry: LogEntry, lines: list[Change]) -> list[Change]:
    """Add a report to the change that it is about; if there is none, return it as a separate line."""
    facts = entry.facts
    number = _reported_change(entry, lines)
    known = Known.VERIFIED if _verified(entry) else Known.CLAIMED
    about: dict[str, Any] = {
        "who": entry.who,
        "via": facts.get("via", ""),
        "edit_id": facts.get("edit_id", ""),
        "plan": facts.get("plan", ""),
        "reason": facts.get("reason", ""),
    }
    states = {"before": facts.get("before"), "after": facts.get("after")}
    alone = Change(at=entry.at, what="reported", known=Known.NOT_SEEN, changes=entry.text, **about, **states)
    if number is None:
        return [alone]
    line = lines[number]
    if _cut(states["after"]) != (line.after or {}):
        return [alone.model_copy(update={"known": Known.CONTRADICTED})]
    if line.known is Known.VERIFIED or (line.known is Known.CLAIMED and known is Known.CLAIMED):
        return [alone.model_copy(update={"known": Known.CONTRADICTED})] if line.who != entry.who else []
    replaced = [] if line.known in {Known.NAMED_BY_ROW, Known.UNKNOWN} else [_displaced(line)]
    whole = states if _cut(states["before"]) == (line.before or {}) else {}  # else another edit was seen with this one
    lines[number] = line.model_copy(update={"known": known, **about, **whole})
    return replaced


def _displaced(line: Change) -> Change:
    """Return the claim that a verified report of the same edit replaces."""
    return line.model_copy(update={"what": "reported", "known": Known.CONTRADICTED})


def _reported_change(entry: LogEntry, lines: list[Change]) -> int | None:
    facts = entry.facts
    if facts.get("after") is not None:
        return next((n for n, line in enumerate(lines) if line.edit_id and line.edit_id == facts.get("edit_id")), None)
    removals = [
        (abs(line.at - entry.at), number)
        for number, line in enumerate(lines)
        if line.what == "removed" and not line.edit_id and abs(line.at - entry.at) <= REMOVED_TOGETHER
    ]
    return min(removals)[1] if removals else None


def _cut(columns: dict[str, str] | None) -> dict[str, str]:
    """Return columns as the case of the account keeps them."""
    return {name: value[:LONGEST_VALUE] for name, value in (columns or {}).items()}
