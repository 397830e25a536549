"""Whether a bypassed, allowlisted account behaves like a person: asked daily, judged here. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from bypass_responder.case.like_a_person import Sign
from bypass_responder.evidence.exchange_changes import RULES
from bypass_responder.model.base import Utc, Value, moment
from bypass_responder.model.gathered import Inquiry, Round
from bypass_responder.model.question import AskedAccount, Conclusive, Empty, Found, Item, Question, Role, Unavailable

LIST = "allowlisted"
"""Stands for the id of an incident in the rows of these questions."""
SOURCES = ("sign_ins", "exchange_changes", "inbox_rules")
"""Of ``evidence.sources``."""
EVERY = timedelta(days=1)
OVERLAP = timedelta(hours=2)
"""Records arrive late."""
LONGEST = timedelta(days=7)
OUTDATED = timedelta(days=2)
"""An older answer is not shown."""
HABIT = timedelta(days=21)
MOST_ACCOUNTS = 200
MOST_SHOWN = 5
SIGN_IN, COUNTRY, RULE = "interactive sign-in", "new country", "new inbox rule"
NEW_RULE = "new since the last look"


class Behavior(Value):
    """What is known of one account. ``as_of`` None: it was never checked."""

    as_of: Utc | None = None
    signs: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    """Why something was not checked, with what would make it so."""

    @property
    def text(self) -> str:
        """For people, in one line."""
        missing = "; ".join(self.unchecked)
        if self.as_of is None:
            return f"not checked: {missing}" if missing else "not checked"
        partly = f"; not checked: {missing}" if missing else ""
        if self.signs:
            return f"YES, as of {moment(self.as_of)}: {'; '.join(self.signs)}{partly}"
        return f"no sign, as of {moment(self.as_of)}{partly}"


def new_inquiries(accounts: Mapping[str, str], there: Collection[Inquiry], *, now: datetime) -> list[Inquiry]:
    """Return the questions about accounts (object id → user principal name) that are not stored yet."""
    known = {each.account.object_id for each in there}
    return [
        Inquiry(
            incident_id=LIST,
            round=Round.OPENED,
            source=source,
            role=Role.TARGET,
            account=AskedAccount(object_id=object_id, user_principal_name=name if "@" in name else ""),
            next_at=now,
        )
        for object_id, name in list(accounts.items())[:MOST_ACCOUNTS]
        if object_id not in known
        for source in SOURCES
    ]


def question_of(inquiry: Inquiry, *, now: datetime) -> Question:
    """Return what is asked: the time since the last answer, at least a day, and the habit before it."""
    since = min(inquiry.answered_at or now, now - EVERY) - OVERLAP
    start = max(since, now - LONGEST)
    return Question(
        incident_id=LIST,
        source=inquiry.source,
        account=inquiry.account,
        role=inquiry.role,
        start=start,
        end=now,
        dark_from=start,
        dark_until=now,
        known_from=start - HABIT,
    )


def compared(answer: Conclusive | None, before: Conclusive | None) -> Conclusive | None:
    """Return an answer about inbox rules in which those that were not there before are marked."""
    if not isinstance(answer, Found) or not isinstance(before, Found | Empty):
        return answer
    known = [item.detail for item in before.items] if isinstance(before, Found) else []
    items = (
        item if item.detail in known else item.model_copy(update={"notable": NEW_RULE})
        for item in (each.model_copy(update={"notable": None}) for each in answer.items)
    )
    return answer.model_copy(update={"items": tuple(items)})


def signs_of(inquiry: Inquiry) -> list[Sign]:
    """Return what the answer shows of a person."""
    answer, read_at = inquiry.answer, inquiry.answered_at
    if not isinstance(answer, Found) or read_at is None:
        return []
    return [
        Sign(
            object_id=inquiry.account.object_id or "",
            account=str(inquiry.account),
            kind=kind,
            at=item.at or read_at,
            text=f"{kind}: {what}" if what else kind,
        )
        for item in answer.items
        for kind, what in _kinds(inquiry.source, item)
    ]


def _kinds(source: str, item: Item) -> Iterator[tuple[str, str]]:
    """Yield what an item is a sign of, and its details."""
    if source == "sign_ins" and item.what == "sign-in":
        yield SIGN_IN, _said(item, "application", "address", "country")
        if "new country" in (item.notable or ""):
            yield COUNTRY, _said(item, "country", "address")
    failed = item.detail.get("result") == "failed"
    if source == "exchange_changes" and item.what in RULES and not failed:
        yield RULE, _said(item, "by", "address")
    if source == "inbox_rules" and item.notable == NEW_RULE:
        yield RULE, _said(item, "name")


def _said(item: Item, *names: str) -> str:
    return ", ".join(item.detail[name] for name in names if item.detail.get(name))


def behaviors(inquiries: Iterable[Inquiry], *, now: datetime) -> dict[str, Behavior]:
    """Return what is known of each account, by object id.

    Nothing is asked about one that is not bypassed any more.
    """
    found: dict[str, Behavior] = {}
    for each in inquiries:
        if each.answered_at is not None and each.answered_at < now - OUTDATED:
            continue
        object_id = each.account.object_id or ""
        found[object_id] = _with(found.get(object_id, Behavior()), each)
    return found


def _with(known: Behavior, inquiry: Inquiry) -> Behavior:
    answer = inquiry.answer
    if isinstance(answer, Unavailable):
        why = f"{answer.reason.removesuffix('.')} ({answer.fix.removesuffix('.')})"
        return known.model_copy(update={"unchecked": tuple(dict.fromkeys((*known.unchecked, why)))})
    if answer is None or inquiry.answered_at is None:
        return known
    as_of = min(known.as_of or inquiry.answered_at, inquiry.answered_at)
    signs = (*known.signs, *(f"{sign.text} at {moment(sign.at)}" for sign in signs_of(inquiry)))
    return known.model_copy(update={"as_of": as_of, "signs": tuple(dict.fromkeys(signs))[:MOST_SHOWN]})
