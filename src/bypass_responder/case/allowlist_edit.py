"""An edit of the allowlist, as the tool that made it reports it: a claim beside what the table holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case.allowlist import record_row
from bypass_responder.case.allowlist_text import difference
from bypass_responder.case.decision_author import same
from bypass_responder.case.recorded_decision import log_decision, out_of_time, recorded_already, recorded_as, refuse
from bypass_responder.model.account import AllowlistEntry

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import MalformedEntry
    from bypass_responder.model.allowlist import AllowlistEdit, EditedRow
    from bypass_responder.model.decision_message import Author, Channel, DecisionMessage
    from bypass_responder.model.incident import PersonDecision


def record_edit(
    draft: Draft,
    message: DecisionMessage,
    edit: AllowlistEdit,
    row: EditedRow,
    entry: AllowlistEntry | MalformedEntry | None,
    *,
    channel: Channel,
) -> PersonDecision:
    """Log who reports to have edited a row, once. A row that bears this edit is recorded with its editor.

    ``entry``: as the table has it now. A person who reports an entry of their own account is refused, and notified.
    """
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    if why := out_of_time(message, draft.now) or own_entry(message.author, _as_written(row, entry)):
        return refuse(draft, message, why, channel=channel)
    decision = recorded_as(draft, message, channel, outcome="carried_out", why="")
    if isinstance(entry, AllowlistEntry) and entry.edit_id == row.edit_id and len(edit.rows) == 1:
        record_row(draft, row.object_id, entry, compared=False, editor=decision.who)
    log_decision(
        draft,
        decision,
        "allowlist_edited",
        f"{edit.action}: {difference(row.before or {}, row.after or {})}",
        edit_id=row.edit_id,
        action=edit.action.value,
        via=edit.via,
        plan=edit.plan or None,
        reason=message.reason,
        before=row.before,
        after=row.after,
    )
    return decision


def _as_written(row: EditedRow, entry: AllowlistEntry | MalformedEntry | None) -> EditedRow:
    """Return the row as the table has it, if it bears this edit.

    A report may leave out whose entry it is.
    """
    if isinstance(entry, AllowlistEntry) and entry.edit_id == row.edit_id:
        return row.model_copy(update={"after": entry.columns})
    return row


def own_entry(author: Author, row: EditedRow) -> str:
    """Return why a person may not have made this edit: it allowlists their own account.

    Empty when they may.
    """
    name = (row.after or {}).get("display_name")
    if row.after is None or not (same(author.object_id, row.object_id) or same(author.name, name)):
        return ""
    return (
        f"{author.name} cannot allowlist their own account. The entry is in the table all the same: remove it with "
        f"bypassctl allowlist remove {row.object_id}, or let another person write it."
    )
