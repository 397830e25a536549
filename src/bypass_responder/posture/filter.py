"""Which rows of a comparison somebody wants to see. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

from bypass_responder.errors import RefusedError
from bypass_responder.model.base import Value
from bypass_responder.posture.baseline import Baseline, exchange_rules
from bypass_responder.posture.comparison_row import MailboxPosture
from bypass_responder.posture.verdict import Audited


class RowFilter(Value):
    """Rows that fit every condition that is set; without one, all rows."""

    types: tuple[str, ...] = ()
    """RecipientTypeDetails, in any letter case."""
    missing: tuple[str, ...] = ()
    """Actions; a row fits unless all of them are known to be recorded for every logon type that can have them."""
    pinned: bool = False
    not_audited: bool = False
    """Only rows that are not known to be audited: the answers no and unknown."""

    @property
    def is_set(self) -> bool:
        """True if it leaves something out."""
        return self != RowFilter()

    @property
    def text(self) -> str:
        """The filter as the options of a command."""
        words = [f"--type {each}" for each in self.types] + [f"--missing {each}" for each in self.missing]
        flags = (("--pinned", self.pinned), ("--not-audited", self.not_audited))
        return " ".join((*words, *(flag for flag, is_set in flags if is_set)))

    def require_known(self, possible: Baseline, types: Collection[str]) -> None:
        """Raise RefusedError for an action that cannot be recorded, or an unknown mailbox type."""
        rules = exchange_rules()
        actions = {action for logon in possible.actions.values() for action in logon}
        for action in self.missing:
            new = {name.casefold(): other for name, other in rules.replaced.items()}.get(action.casefold())
            if new:
                raise RefusedError(f"--missing {action}: it cannot be chosen any more. Ask for {new}.")
            _require("--missing", action, actions)
        for type_ in self.types:
            _require("--type", type_, {*rules.own_setting, *rules.fixed_set, *rules.follows_organization, *types})

    def of(self, rows: Sequence[MailboxPosture]) -> Sequence[MailboxPosture]:
        """Return the rows that fit, in their order."""
        return tuple(row for row in rows if self._fits(row)) if self.is_set else rows

    def _fits(self, row: MailboxPosture) -> bool:
        types = {type_.casefold() for type_ in self.types}
        lacking = {action.casefold() for action in self.missing}
        absent = {action.casefold() for each in row.verdict.logons.values() for action in each.not_audited}
        unsure = row.verdict.audited is not Audited.YES
        return (
            (not types or row.mailbox.type.casefold() in types)
            and (not lacking or unsure or bool(lacking & absent))
            and (not self.pinned or bool(row.verdict.pinned))
            and (not self.not_audited or row.verdict.audited is not Audited.YES)
        )


def _require(option: str, name: str, known: Iterable[str]) -> None:
    folded = {each.casefold(): each for each in known if each}
    if name.casefold() not in folded:
        near = [folded[each] for each in get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)]
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(sorted(folded.values()))}."
        raise RefusedError(f"{option} {name!r:.60}: there is none. {hint}")
