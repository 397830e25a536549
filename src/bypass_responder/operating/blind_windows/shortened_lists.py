"""The times in which a mailbox's action lists lacked actions, from records and the daily read of mailboxes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.finding import Source
from bypass_responder.model.read_back import Persists
from bypass_responder.operating.blind_windows.known_window import KnownWindow, span_text
from bypass_responder.posture.tampered import is_cut, lost_of
from bypass_responder.tampering.match import last_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bypass_responder.model.health import Tampering

_BY = {"AuditAdmin": "administrators", "AuditDelegate": "delegates", "AuditOwner": "the owner"}


def of_lists(changes: Iterable[Tampering]) -> Iterator[KnownWindow]:
    """Yield a window for each change of a mailbox's action lists.

    It ends at the first read of all mailboxes that has the actions in the lists again: no record of that is stored.
    """
    for row in changes:
        if row.took_effect:
            yield _window(row)


def _window(row: Tampering) -> KnownWindow:
    lost = lost_of(row)
    end = row.read_back.read_at if row.read_back and row.read_back.state is Persists.UNDONE else None
    known = row.source is not Source.HINT
    name = last_part(row.target or row.object_id_text) or "a mailbox that the record does not name"
    types = "; ".join(f"by {_BY.get(each, each)} {', '.join(sorted(actions))}" for each, actions in lost.items())
    types += " and more" if is_cut(row) else ""
    claimed = "" if known else "an alert reports, and no record confirms, that "
    why = f"{claimed}{row.actor} took the actions out of its action lists"
    return KnownWindow(
        name=name,
        target=last_part(row.object_id_text or row.target).casefold(),
        start=row.occurred_at,
        start_known=known,
        end=end,
        why=why,
        action_types=tuple(sorted(frozenset().union(*lost.values()))),
        text=f"Records of actions in the mailbox {name} ({types}) do not exist for "
        f"{span_text(row.occurred_at, end, known)}: {why}.",
    )
