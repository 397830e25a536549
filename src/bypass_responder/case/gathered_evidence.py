"""What the evidence run adds to a case: log entries and notifications.

Each complete round adds one log entry; the notifications report what it found.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.case.plain_text import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.gathered import Inquiry, Round
    from bypass_responder.model.incident import Incident

MOST_NAMED = 5
"""Kinds of findings that one notification lists."""
GROWS = frozenset({"until", "records", "in the blind window"})
"""Fields of an item that change as records of the same fact are added."""


class FollowOn(NamedTuple):
    """A notable item: which source found it about which account."""

    source: str
    account: str
    at: str
    what: str
    notable: str
    detail: tuple[tuple[str, str], ...] = ()
    """Fields of the item that stay the same when it is recorded again."""

    @property
    def digest(self) -> str:
        """The same for the same fact, however often it was recorded."""
        fact = json.dumps([self.source, self.account, self.what, self.notable, self.detail])
        return hashlib.sha256(fact.encode()).hexdigest()[:12]

    @property
    def kind(self) -> tuple[str, ...]:
        """The same for facts that read the same."""
        return (self.source, self.account, self.what, self.notable)

    def __str__(self) -> str:
        """For people."""
        return f"{self.account}: {self.what}{f' at {self.at}' if self.at else ''}, {self.notable}"


def follow_on(inquiries: Iterable[Inquiry]) -> list[FollowOn]:
    """Return the notable items of all answers, each fact once, the weightiest first.

    The questions take turns.
    So that many items of one source do not push those of another out of the notification.
    """
    turns = zip_longest(*map(_facts, inquiries))
    found = (each for turn in turns for each in turn if each is not None)
    return list({each.digest: each for each in reversed(list(found))}.values())[::-1]


def _facts(inquiry: Inquiry) -> list[FollowOn]:
    if inquiry.answer is None or inquiry.answer.kind != "found":
        return []
    return [
        FollowOn(
            source=inquiry.source,
            account=str(inquiry.account),
            at=f"{item.at:%Y-%m-%d %H:%M:%SZ}" if item.at else "",
            what=item.what,
            notable=item.notable,
            detail=tuple(sorted((name, text) for name, text in item.detail.items() if name not in GROWS)),
        )
        for item in inquiry.answer.items
        if item.notable
    ]


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
    kinds: dict[tuple[str, ...], list[FollowOn]] = {}
    for each in found:
        kinds.setdefault(each.kind, []).append(each)
    shown = list(kinds.values())[:MOST_NAMED]
    more = len(found) - sum(map(len, shown))
    times = (f"{facts[0]}{f' ({len(facts)} times)' if len(facts) > 1 else ''}" for facts in shown)
    listed = "; ".join(times) + (f"; and {more} more" if more > 0 else "")
    draft.notify_about(
        "follow_on",
        incident,
        f"Follow-on activity found: {name_of(incident)}",
        f"Evidence from other sources: {listed}.",
        key=hashlib.sha256("|".join(sorted(each.digest for each in found)).encode()).hexdigest()[:16],
        count=len(found),
    )
