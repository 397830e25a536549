"""Which rows of a comparison somebody wants to see. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bypass_responder.model.base import Value
from bypass_responder.posture.comparison_row import MailboxPosture
from bypass_responder.posture.verdict import Audited


class RowFilter(Value):
    """Rows that fit every condition that is set; without one, all rows."""

    types: tuple[str, ...] = ()
    """RecipientTypeDetails, in any letter case."""
    missing: tuple[str, ...] = ()
    """Actions; a row fits where one of them is in no list of a logon type that can have it."""
    pinned: bool = False
    not_audited: bool = False
    """Only rows that are not known to be audited: the answers no and unknown."""

    @property
    def is_set(self) -> bool:
        """True if it leaves something out."""
        return self != RowFilter()

    def of(self, rows: Sequence[MailboxPosture]) -> Sequence[MailboxPosture]:
        """Return the rows that fit, in their order."""
        return tuple(row for row in rows if self._fits(row)) if self.is_set else rows

    def _fits(self, row: MailboxPosture) -> bool:
        types = {type_.casefold() for type_ in self.types}
        lacking = {action.casefold() for action in self.missing}
        absent = {action.casefold() for each in row.verdict.logons.values() for action in each.not_audited}
        return (
            (not types or row.mailbox.type.casefold() in types)
            and (not lacking or bool(lacking & absent))
            and (not self.pinned or bool(row.verdict.pinned))
            and (not self.not_audited or row.verdict.audited is not Audited.YES)
        )
