"""What the evidence run adds to a case: a log entry for each complete round, and notifications of what it found."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.case.plain_text import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.gathered import Inquiry, Round
    from bypass_responder.model.incident import Incident

MOST_NAMED = 5
"""Findings that one notification lists."""


class FollowOn(NamedTuple):
    """A notable item: which source found it about which account."""

    source: str
    account: str
    at: str
    what: str
    notable: str

    @property
    def digest(self) -> str:
        """The same for the same fact, however often it was recorded."""
        return hashlib.sha256(f"{self.source}|{self.account}|{self.what}|{self.notable}".encode()).hexdigest()[:12]

    def __str__(self) -> str:
        """For people."""
        return f"{self.account}: {self.what}{f' at {self.at}' if self.at else ''}, {self.notable}"


def follow_on(inquiries: Iterable[Inquiry]) -> list[FollowOn]:
    """Return the notable items of all answers, each fact once, in the order of the questions."""
    found = (
        FollowOn(
            source=inquiry.source,
            account=str(inquiry.account),
            at=f"{item.at:%Y-%m-%d %H:%M:%SZ}" if item.at else "",
            what=item.what,
            notable=item.notable,
        )
        for inquiry in inquiries
        if inquiry.answer and inquiry.answer.kind == "found"
        for item in inquiry.answer.items
        if item.notable
    )
    return list({each.digest: each for each in reversed(list(found))}.values())[::-1]


def record_round(draft: Draft, incident: Incident, round_: Round, inquiries: Sequence[Inquiry]) -> None:
    """Log that every question of a round is answered, with a hash over questions and answers."""
    kinds = Counter(each.answer.kind for each in inquiries if each.answer)
    digests = "\n".join(sorted(each.digest() for each in inquiries))
    draft.log(
        "evidence_gathered",
        f"evidence, round {round_}: {kinds['found']} found, {kinds['empty']} empty, {kinds['unavailable']} unavailable",
        incident=incident.id,
        count=kinds["found"],
        round=round_.value,
        sha256=hashlib.sha256(digests.encode()).hexdigest(),
    )


def report_follow_on(draft: Draft, incident: Incident, found: Sequence[FollowOn]) -> None:
    """Notify people of notable items, together."""
    more = len(found) - MOST_NAMED
    listed = "; ".join(map(str, found[:MOST_NAMED])) + (f"; and {more} more" if more > 0 else "")
    draft.notify_about(
        "follow_on",
        incident,
        f"Follow-on activity found: {name_of(incident)}",
        f"Evidence from other sources: {listed}.",
        key=hashlib.sha256("|".join(sorted(each.digest for each in found)).encode()).hexdigest()[:16],
        count=len(found),
    )
