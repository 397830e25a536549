"""The author of a decision, compared with the accounts and actors that it is about. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bypass_responder.model.decision_message import APPLICATION, Author
from bypass_responder.model.incident import Incident

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bypass_responder.model.account import Account
    from bypass_responder.model.change import Actor


_BETWEEN_NAMES = re.compile(r"[\s,;:<>()\[\]\"/|&]+|[.'](?=\s|\Z)|(?<=\s)'")


def known_as(author: Author, itself: Account | None = None) -> frozenset[str]:
    """Return every id and name of an author, from the message and from their account in the directory."""
    given = (author.object_id, author.name, author.name.removeprefix(APPLICATION))
    held = (itself.object_id, itself.user_principal_name) if itself else ()
    return frozenset(map(_folded, filter(None, (*given, *held))))


def author_is(author: Author, account: Account) -> bool:
    """Return True when the author is this account, by object id or user principal name."""
    return is_among(known_as(author), account.object_id, account.user_principal_name)


def is_an_actor(known: frozenset[str], incident: Incident) -> bool:
    """Return True when the author is one of the incident's actors. ``known``: as of ``known_as``."""
    return is_among(known, *incident.actor_ids.values()) or any(_is_actor(known, actor) for actor in incident.actors)


def _is_actor(known: frozenset[str], actor: Actor) -> bool:
    name = (actor.user_id or "").casefold()
    return is_among(known, name, name.removeprefix("serviceprincipal_"), actor.object_id, actor.app_id)


def is_among(known: frozenset[str], *names: str | None) -> bool:
    """Return True when one of these ids or names is the author's. ``known``: as of ``known_as``."""
    return any(_folded(name) in known for name in names if name)


def may_be_named(author: Author, itself: Account | None, names: Iterable[str]) -> bool:
    """Return True when a name that stands for no single account may be the author's.

    Exchange takes a display name, an alias, which mostly is the local part of the user principal name, an address, a
    distinguished name and a path that ends in the name.
    """
    known = known_as(author, itself)
    mine = known | {_local(name) for name in known} | {_folded(itself.display_name) if itself else ""}
    return any(_folded(each) in mine for name in names for each in (name, *_ends(name)) if each.strip())


def _ends(name: str) -> tuple[str, ...]:
    """Return what names the object in a longer name."""
    first = name.strip().partition(",")[0]
    common = first[3:] if first[:3].casefold() == "cn=" else ""
    return common, re.split(r"[/\\]", name)[-1], _local(name)


def _local(name: str) -> str:
    return name.partition("@")[0].strip()


def has_written(known: frozenset[str], signature: str) -> bool:
    """Return True when an entry names the author as the one who wrote it. ``known``: as of ``known_as``.

    The tools write the name with the object id; by hand it may be any text with names in it.
    """
    return is_among(known, signature, signature.rpartition(" (")[0], *_BETWEEN_NAMES.split(signature))


def same(one: str | None, other: str | None) -> bool:
    """Return True for two names or ids that are the same but for case and surrounding space."""
    return bool(one and other) and _folded(one or "") == _folded(other or "")


def _folded(name: str) -> str:
    return name.strip().casefold()
