"""Allowlist rows in words: what differs, the name of a row, its editor. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.account import AllowlistEntry, MalformedEntry

if TYPE_CHECKING:
    from collections.abc import Mapping


LONGEST_VALUE = 200
"""Characters of a column that are kept; the digest covers all of it."""
OTHERS = frozenset({"display_name", "approved_by", "reviewed_at", "reviewed_by"})
"""Columns that the tools fill in automatically."""
NO_DIFFERENCE = "none of the columns that the responder reads"
WHO = "The table does not record who edits it; the storage account's log does (docs/storage.md, Who changed an entry)."


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the differences of two states of a row by column; changes of unread columns count."""
    changed = [name for name in {**before, **after} if before.get(name, "") != after.get(name, "")]
    parts = [_change(name, before.get(name, ""), after.get(name, "")) for name in changed]
    return "; ".join(parts) or NO_DIFFERENCE


def main_difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the same of the fields that a person writes; where only others differ, of those."""
    own = difference(*({name: value for name, value in each.items() if name not in OTHERS} for each in (before, after)))
    return difference(before, after) if own == NO_DIFFERENCE else own


def _change(name: str, before: str, after: str) -> str:
    if not before:
        return f"{name}: {after}"
    return f"{name}: {before} → {after}" if after else f"{name} was: {before}"


def name_of_row(row_id: str, *states: Mapping[str, str]) -> str:
    """Return the first display name of these states with the row's id, or the id alone."""
    name = next((state["display_name"] for state in states if state.get("display_name")), "")
    return f"{name} ({row_id})" if name else row_id


def stamps_of(row: AllowlistEntry | MalformedEntry) -> dict[str, str]:
    """Return what the tool that wrote the row says of its edit."""
    if not isinstance(row, AllowlistEntry) or not row.edit_id:
        return {}
    return {name: getattr(row, name)[:LONGEST_VALUE] for name in ("edit_id", "edited_by", "via")}


def editor_named_by(stamps: Mapping[str, str]) -> str:
    """Return a sentence with the editor that the row names; without stamps, the editor is unknown."""
    if not stamps:
        return f"Edited outside bypassctl and the console, editor unknown. {WHO}"
    return f"The row names {stamps['edited_by']} ({stamps['via']}) as its editor, which is not verified."
