"""Sign-ins as items, with what is new about them. Pure; every source of sign-ins uses it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bypass_responder.evidence.audit_fields import NOT_ALL, detail, quoted_text
from bypass_responder.model.base import Utc, Value, counted, iso, whole_text
from bypass_responder.model.question import Empty, Found, Item, Question

HABITS = ("country", "network", "client")
"""Fields in which a sign-in may differ from those before; the weightiest first."""
TOO_FEW = 1
"""Sign-ins before the window that make a habit: without any, nothing is new."""
MORE_FAILED = "The service has more failed ones. All successful ones were read."
MOST_VALUES = 3
"""How many values of a field the item of all failures names."""


class SignIn(Value):
    """One sign-in of any kind, by the names that a report uses."""

    at: Utc
    succeeded: bool
    address: str = ""
    country: str = ""
    """Of two letters, as the service gives it."""
    network: str = ""
    """The autonomous system number of the address."""
    client: str = ""
    """Client application or user agent."""
    application: str = ""
    result: str = ""
    risk: str = ""
    record: dict[str, Any]
    """As the service gave it."""


def answer_of(
    sign_ins: Iterable[SignIn],
    question: Question,
    *,
    complete: bool = True,
    succeeded_complete: bool = False,
    unread: int = 0,
) -> Found | Empty:
    """Return the sign-ins around the window, notable where something differs from those before it.

    ``sign_ins``: from ``known_from`` on. Only a sign-in that succeeded makes a habit or breaks one: anybody can fail to
    sign in, from anywhere and as any client. Failures are one item. ``complete`` False: the service has more, but of
    failed ones only where ``succeeded_complete`` is True. ``unread``: records without a time.
    """
    ordered = sorted(sign_ins, key=lambda each: each.at)
    before = [each for each in ordered if question.known_from <= each.at < question.start and each.succeeded]
    around = [each for each in ordered if question.start <= each.at <= question.end]
    note = "" if complete else MORE_FAILED if succeeded_complete else NOT_ALL
    if unread:
        note = f"{note} {counted(unread, 'record')} without a time.".strip()
    if not around:
        return Empty(note=note)
    known = {habit: {_folded(getattr(each, habit)) for each in before} for habit in HABITS}
    if len(before) < TOO_FEW:
        note = f"{note} No earlier sign-in to compare with.".strip()
        known = {}
    succeeded = [each for each in around if each.succeeded]
    failed = [each for each in around if not each.succeeded]
    succeeded.sort(key=lambda each: _weight(each, known), reverse=True)
    return Found(
        count=len(around),
        items=(*(_item(each, known) for each in succeeded), *_failures(failed)),
        complete=complete,
        note=note,
        raw=tuple(each.record for each in (*succeeded, *failed)),
    )


def _new(sign_in: SignIn, known: Mapping[str, set[str]]) -> list[str]:
    return [habit for habit in known if _folded(getattr(sign_in, habit)) not in known[habit] | {""}]


def _weight(sign_in: SignIn, known: Mapping[str, set[str]]) -> int:
    """Return how much a sign-in stands out: a country more than a network, a network more than a client."""
    new = _new(sign_in, known)
    return sum(1 << (len(HABITS) - HABITS.index(habit)) for habit in new) + bool(sign_in.risk)


def _item(sign_in: SignIn, known: Mapping[str, set[str]]) -> Item:
    values = {habit: getattr(sign_in, habit) for habit in _new(sign_in, known)}
    reasons = [f"new {name}: {quoted_text(value) if name == 'client' else value}" for name, value in values.items()]
    reasons += [f"risk: {sign_in.risk}"] if sign_in.risk else []
    shown = {name: getattr(sign_in, name) for name in ("address", *HABITS, "application", "result")}
    return Item(
        at=sign_in.at,
        what="sign-in",
        detail={name: whole_text(value) for name, value in shown.items() if value},
        notable="; ".join(reasons) or None,
    )


def _failures(failed: Sequence[SignIn]) -> Iterator[Item]:
    """Yield one item for all failures, in the order of time, with what they have most often."""
    if not failed:
        return
    shown = {name: _most(failed, name) for name in ("address", *HABITS, "application", "result", "risk")}
    yield Item(
        at=failed[0].at,
        what="failed sign-ins",
        detail=detail(records=len(failed), until=iso(failed[-1].at) if len(failed) > 1 else "") | detail(**shown),
    )


def _most(failed: Sequence[SignIn], name: str) -> str:
    counts = Counter(value for each in failed if (value := whole_text(getattr(each, name))))
    named = ", ".join(f"{quoted_text(value)} ({count})" for value, count in counts.most_common(MOST_VALUES))
    return f"{named} and {len(counts) - MOST_VALUES} more" if len(counts) > MOST_VALUES else named


def _folded(text: str) -> str:
    return text.strip().casefold()
