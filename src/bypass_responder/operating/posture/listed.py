"""The filters of a report, on the mailboxes that the stored overview lists. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.errors import InputError, RefusedError
from bypass_responder.model.base import Value
from bypass_responder.posture.baseline import measures
from bypass_responder.posture.filter import RowFilter
from bypass_responder.posture.verdict import Audited, Issue

if TYPE_CHECKING:
    from collections.abc import Collection

    from bypass_responder.posture.stored import MailboxLine, Overview


class LineFilter(Value):
    """Mailboxes that fit every condition that is set; without one, all of them."""

    type: str = ""
    """RecipientTypeDetails, in any letter case."""
    missing: str = ""
    """An action that the baseline has, and the mailbox does not record, or is not known to."""
    pinned: bool = False
    not_audited: bool = False
    """Only mailboxes that are not known to be audited: the answers no and unknown."""

    @property
    def is_set(self) -> bool:
        """True if it leaves something out."""
        return self != LineFilter()

    @property
    def command(self) -> str:
        """The command that filters all mailboxes, not only those that are listed."""
        return f"bypassctl posture report {self._rows.text}".rstrip()

    @property
    def _rows(self) -> RowFilter:
        return RowFilter(
            types=(self.type,) if self.type else (),
            missing=(self.missing,) if self.missing else (),
            pinned=self.pinned,
            not_audited=self.not_audited,
        )

    def require_known(self, types: Collection[str]) -> None:
        """Raise InputError for an unknown action, or a type that neither Exchange nor a mailbox has."""
        try:
            self._rows.require_known(measures().possible, types)
        except RefusedError as problem:
            raise InputError("filter", str(problem)) from problem

    def fits(self, line: MailboxLine) -> bool:
        """Return True for a mailbox that fits."""
        actions = {action.casefold() for part in line.missing.split("; ") for action in _actions(part)}
        return (
            (not self.type or line.type.casefold() == self.type.casefold())
            and (not self.missing or self.missing.casefold() in actions or line.audited is not Audited.YES)
            and (not self.pinned or Issue.PINNED in line.issues)
            and (not self.not_audited or line.audited is not Audited.YES)
        )


def listed(overview: Overview, wanted: LineFilter) -> Overview:
    """Return the overview with the mailboxes that fit; its numbers stay those of the whole read."""
    mailboxes = tuple(line for line in overview.mailboxes if wanted.fits(line))
    return overview.model_copy(update={"mailboxes": mailboxes})


def _actions(part: str) -> list[str]:
    """Return the actions of one logon type: ``Owner: Send,Update``."""
    return part.partition(": ")[2].split(",")
