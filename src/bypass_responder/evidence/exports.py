"""Exports of mail by an account that had not signed in, as far as two other sources show.

The two sources are of the same round. An export with eDiscovery or content search opens no mailbox. The account behind
it signs in; where the log has no sign-in before it, somebody may use a session that began earlier, or the name of
another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bypass_responder.evidence.ediscovery import EXPORTS
from bypass_responder.evidence.sources import BY_NAME
from bypass_responder.model.base import iso, moment
from bypass_responder.model.gathered import Inquiry, Round
from bypass_responder.model.question import MOST_ITEMS, Answer, Empty, Found, Item, Pending, Question, Unavailable

if TYPE_CHECKING:
    from bypass_responder.model.question import AskedAccount
    from bypass_responder.ports import GatheredEvidence

SEARCHES, SIGN_INS = "ediscovery", ("sign_ins", "sign_ins_non_interactive")
LAST, NONE, UNKNOWN = "last_sign_in", "none", "unknown"
MARGIN = timedelta(minutes=1)
"""How far the clocks of the two logs may be apart."""
WAIT = Pending(memo="the other sources", after=timedelta(minutes=1))


class ExportsWithoutSignIn:
    """Compares the exports of an account with its sign-ins."""

    def __init__(self, gathered: GatheredEvidence) -> None:
        """Take the store of the answers."""
        self._gathered = gathered

    async def ask(self, question: Question, memo: str | None) -> Answer:
        """Read what the other sources answered in the round that is under way; wait until they have."""
        del memo
        asked = await self._gathered.inquiries(question.incident_id)
        rounds = list(Round)
        asked = sorted(asked, key=lambda each: rounds.index(each.round))
        return exports_of(question, {each.source: each for each in asked if _is_same(each.account, question.account)})


def _is_same(one: AskedAccount, other: AskedAccount) -> bool:
    names = one.user_principal_name.casefold(), other.user_principal_name.casefold()
    return (one.object_id is not None and one.object_id == other.object_id) or (bool(names[0]) and names[0] == names[1])


def exports_of(question: Question, asked: Mapping[str, Inquiry]) -> Answer:
    """Return one item for each export; without a sign-in before it, it is notable.

    ``asked``: the newest, by source.
    """
    searches = asked[SEARCHES].answer if SEARCHES in asked else None
    if searches is None:
        return WAIT
    if isinstance(searches, Unavailable):
        return Unavailable(reason=f"The searches and exports were not read: {searches.reason}", fix=searches.fix)
    exports = [item for item in getattr(searches, "items", ()) if item.what.casefold() in EXPORTS]
    if not exports:
        return Empty(note=searches.note)
    sign_ins = [asked[name] for name in SIGN_INS if name in asked and asked[name].answer is not None]
    if len(sign_ins) < len(SIGN_INS):
        return WAIT
    unread = next(filter(None, (_unread(each, question) for each in sign_ins)), None)
    times = [item.at for each in sign_ins for item in _items(each) if item.what == "sign-in" and item.at]
    items = [_judged(export, times, question, is_certain=unread is None) for export in exports]
    unknown = sum(item.detail[LAST] == UNKNOWN for item in items)
    if unread and unknown == len(items):
        return unread
    note = f"Unknown for {unknown}: {unread.reason}" if unread and unknown else ""
    return Found(
        count=len(items),
        items=tuple(items),
        complete=searches.kind == "found" and searches.complete,
        note=f"{note} {searches.note}".strip(),
        raw=tuple(item.model_dump(mode="json") for item in items),
    )


def _judged(export: Item, sign_ins: Sequence[datetime], question: Question, *, is_certain: bool) -> Item:
    before = [at for at in sign_ins if export.at is None or at - MARGIN <= export.at]
    last = iso(max(before)) if before else NONE if is_certain else UNKNOWN
    dark = ", in the blind window" if export.at and question.in_the_dark(export.at) else ""
    reason = f"export without a sign-in: none since {moment(question.start)}{dark}" if last == NONE else None
    return Item(at=export.at, what=export.what, detail=export.detail | {LAST: last}, notable=reason)


def _items(inquiry: Inquiry) -> Sequence[Item]:
    return inquiry.answer.items if isinstance(inquiry.answer, Found) else ()


def _unread(inquiry: Inquiry, question: Question) -> Unavailable | None:
    """Return why the list of sign-ins is not complete; None when it is."""
    source, answer = BY_NAME[inquiry.source], inquiry.answer
    title = source.title.lower()
    if isinstance(answer, Unavailable):
        return Unavailable(reason=f"The {title} were not read: {answer.reason}", fix=answer.fix)
    kept_from = source.kept_from(inquiry.answered_at) if inquiry.answered_at else None
    if kept_from and question.start < kept_from:
        return Unavailable(reason=f"The {title} from before {moment(kept_from)} are deleted.", fix=source.by_hand)
    if (isinstance(answer, Empty) and answer.note) or (
        isinstance(answer, Found) and (not answer.complete or len(answer.items) >= MOST_ITEMS)
    ):
        return Unavailable(reason=f"There are more {title} than are listed.", fix=source.by_hand)
    return None
