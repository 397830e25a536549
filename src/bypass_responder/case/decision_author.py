"""The author of a decision, compared with the accounts and actors that it is about. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.decision_message import APPLICATION, Author
from bypass_responder.model.incident import Incident

if TYPE_CHECKING:
    from bypass_responder.model.account import Account
    from bypass_responder.model.change import Actor


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


def same(one: str | None, other: str | None) -> bool:
    """Return True for two names or ids that are the same but for case and surrounding space."""
    return bool(one and other) and _folded(one or "") == _folded(other or "")


def _folded(name: str) -> str:
    return name.strip().casefold()
