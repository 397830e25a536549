"""A question of the evidence run, and what a source answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from bypass_responder.model.base import Stored, Utc, Value, counted, whole_text

MOST_ITEMS = 50
"""Items of one answer; ``count`` says how many records there were."""
MOST_RAW = 5_000
"""Records of one answer that are kept as raw evidence."""
LONGEST_TEXT = 300
LONGEST_MEMO = 8_000


def _short(text: str) -> str:
    whole = whole_text(text)
    return whole if len(whole) <= LONGEST_TEXT else f"{whole[: LONGEST_TEXT - 1]}…"


Text = Annotated[str, AfterValidator(_short)]
"""A text of a source, cut to a length that a person reads."""


class Role(StrEnum):
    """Why an account is asked about: it was hidden, or it ran the cmdlet."""

    TARGET = "target"
    ACTOR = "actor"


class AskedAccount(Stored):
    """The account of a question.

    A person's by object id and user principal name, an application's by its app id.
    """

    object_id: str | None = None
    user_principal_name: str = ""
    app_id: str | None = None
    application: bool = False
    name: str = ""
    """The record's own word for it, where it is neither of these."""

    @property
    def known(self) -> bool:
        """True when a source can be asked about it."""
        return bool(self.object_id or self.app_id or self.user_principal_name)

    @property
    def key(self) -> str:
        """The best name there is, without letter case."""
        return (self.object_id or self.app_id or self.user_principal_name or self.name or "unknown").casefold()

    def __str__(self) -> str:
        """For people."""
        return self.user_principal_name or self.name or self.object_id or self.app_id or "unknown"


class Question(Value):
    """What one source is asked about one account. Times are UTC, ``start`` and ``known_from`` inclusive."""

    incident_id: str
    source: str
    """The name of the source in ``evidence.sources``."""
    account: AskedAccount
    role: Role
    start: Utc
    end: Utc
    """From a day before the blind window to a day after it, or to now."""
    dark_from: Utc
    dark_until: Utc
    """The blind window, to now while it lasts: records of the account in mailboxes do not exist for it."""
    known_from: Utc
    """From here to ``start`` is the account's habit. A country, network or client that only came later is new."""
    own_ids: frozenset[str] = frozenset()
    """Ids of the responder and of its worker, as far as they are known: what they do is no follow-on activity."""
    addresses: tuple[str, ...] | None = None
    """The account's mail addresses in the directory, the primary one first. None: not known."""

    @property
    def own_addresses(self) -> tuple[str, ...]:
        """Return the known addresses without case, then the user principal name, which may be none of them."""
        names = (*(self.addresses or ()), self.account.user_principal_name)
        return tuple(dict.fromkeys(name.casefold() for name in names if name))

    def in_the_dark(self, at: Utc) -> bool:
        """Return True for a moment of the blind window."""
        return self.dark_from <= at <= self.dark_until


class Item(Stored):
    """One thing that a source found."""

    at: Utc | None = None
    what: Text
    """What happened, in a few words: ``sign-in``, ``New-InboxRule``."""
    detail: dict[str, Text] = Field(default_factory=dict)
    """Fields by name, such as ``country`` or ``address``. Never a subject or a body of a message."""
    notable: Text | None = None
    """Why a person must see it, such as ``new country``; None where it is ordinary. See ``quoted_text``."""

    @property
    def failed(self) -> bool:
        """True for an attempt: anybody can make many."""
        return self.detail.get("result") == "failed"


class Found(Stored):
    """The source has records."""

    kind: Literal["found"] = "found"
    count: Annotated[int, Field(ge=1)]
    items: tuple[Item, ...] = ()
    """At most ``MOST_ITEMS``: notable before ordinary, effective before failed, one of each kind before the others."""
    complete: bool = True
    """False: there are more than the source was read for. ``note`` says so."""
    note: Text = ""
    """What a person must know to read it, such as ``counts only``."""
    raw: tuple[dict[str, Any], ...] = Field(default=(), exclude=True, repr=False)
    """The records as the service gave them. Kept apart, without subjects and bodies."""

    @model_validator(mode="before")
    @classmethod
    def _weightiest_first(cls, given: Any) -> Any:  # noqa: ANN401 - the input of the model
        if isinstance(given, dict):
            items = _by_weight(
                [each if isinstance(each, Item) else Item.model_validate(each) for each in given.get("items", ())]
            )
            raw = tuple(given.get("raw", ()))
            cut = f"Only the first {MOST_RAW:,} of {len(raw):,} records are kept." if len(raw) > MOST_RAW else ""
            note = " ".join(filter(None, (_left_out(items[MOST_ITEMS:]), cut, given.get("note", ""))))
            return given | {"items": tuple(items[:MOST_ITEMS]), "raw": raw[:MOST_RAW], "note": note}
        return given


def _by_weight(items: Sequence[Item]) -> list[Item]:
    """Return the items in the order in which a person needs them; equals stay in the order given.

    The first of each kind comes before the second of any: many of one kind do not push out another.
    """
    kinds = [(item.notable is None, item.failed, item.what, item.notable) for item in items]
    first = {kind: index for index, kind in reversed(list(enumerate(kinds)))}
    order = sorted(enumerate(kinds), key=lambda each: (each[1][:2], first[each[1]] != each[0]))
    return [items[index] for index, _ in order]


def _left_out(items: Sequence[Item]) -> str:
    if not items:
        return ""
    notable = sum(item.notable is not None for item in items)
    also = f", of which {notable} notable" if notable else ""
    return f"{counted(len(items), 'more item')}{also}: see the raw records."


class Empty(Stored):
    """The source was read, and has no record."""

    kind: Literal["empty"] = "empty"
    note: Text = ""


class Unavailable(Stored):
    """The question stays open. Never used for a source that was read."""

    kind: Literal["unavailable"] = "unavailable"
    reason: Text
    fix: Text
    """What makes it available: a command, or where to look instead."""


class Pending(Value):
    """The source still works on the answer. ``memo`` comes back with the next ask, ``after`` that time."""

    memo: Annotated[str, Field(max_length=LONGEST_MEMO)]
    after: timedelta = timedelta(minutes=1)


Conclusive = Annotated[Found | Empty | Unavailable, Field(discriminator="kind")]
"""An answer that is stored."""
Answer = Found | Empty | Unavailable | Pending
