"""Auditing switched off for the whole organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.operation import truth
from bypass_responder.tampering.match import Match, Matcher, all_given

if TYPE_CHECKING:
    from bypass_responder.model.record import AuditRecord
    from bypass_responder.tampering.match import Own


def switch(parameter: str, *, weakened_by: bool) -> Matcher:
    """Return the matcher of a switch.

    A change that does not weaken it matches too: it says who restored it.
    """

    def match(record: AuditRecord, _: Own) -> Match | None:
        values = all_given(record.parameters, parameter)
        weakens = any(truth(value) is weakened_by for value in values)
        return Match(parameter, ", ".join(values), weakens=weakens) if values else None

    return match
