"""Sign-ins as items, with what is new about them. Pure; every source of sign-ins uses it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bypass_responder.model.base import Utc, Value, whole_text
from bypass_responder.model.question import Empty, Found, Item, Question

HABITS = ("country", "network", "client")
"""Fields in which a sign-in may differ from those before."""
TOO_FEW = 1
"""Sign-ins before the window that make a habit: without any, nothing is new."""


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


def answer_of(sign_ins: Iterable[SignIn], question: Question, *, complete: bool = True) -> Found | Empty:
    """Return the sign-ins around the window, notable where something differs from those before it.

    ``sign_ins``: from ``known_from`` on. Only a sign-in that succeeded makes a habit.
    """
    ordered = sorted(sign_ins, key=lambda each: each.at)
    before = [each for each in ordered if question.known_from <= each.at < question.start and each.succeeded]
    around = [each for each in ordered if question.start <= each.at <= question.end]
    note = "" if complete else "Not all of them were read: the service has more."
    if not around:
        return Empty(note=note)
    known = {habit: {_folded(getattr(each, habit)) for each in before} for habit in HABITS}
    if len(before) < TOO_FEW:
        note = f"{note} No earlier sign-in to compare with.".strip()
        known = {}
    return Found(
        count=len(around),
        items=tuple(_item(each, known) for each in around),
        complete=complete,
        note=note,
        raw=tuple(each.record for each in around),
    )


def _item(sign_in: SignIn, known: Mapping[str, set[str]]) -> Item:
    new = [
        f"new {habit}: {value}"
        for habit in known
        if (value := getattr(sign_in, habit)) and _folded(value) not in known[habit]
    ]
    reasons = new + ([f"risk: {sign_in.risk}"] if sign_in.risk else [])
    shown = {name: getattr(sign_in, name) for name in ("address", *HABITS, "application", "result")}
    return Item(
        at=sign_in.at,
        what="sign-in" if sign_in.succeeded else "failed sign-in",
        detail={name: whole_text(value) for name, value in shown.items() if value},
        notable="; ".join(reasons) or None,
    )


def _folded(text: str) -> str:
    return text.strip().casefold()
