"""The object ids of actors whom records name by user principal name only. Pure.

A user principal name can change, an object id cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.change import ActorKind
from bypass_responder.model.incident import Incident

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.change import Actor

_PEOPLE = {ActorKind.ADMINISTRATOR, ActorKind.PERSON, ActorKind.UNKNOWN}


def unresolved(incidents: Iterable[Incident]) -> set[str]:
    """Return the names of people among the actors whose object id is not known, in lower case."""
    return {
        name
        for incident in incidents
        for actor in incident.actors
        if (name := _name_only(actor)) and name not in incident.actor_ids
    }


def store(draft: Draft, ids: Mapping[str, str]) -> None:
    """Store the ids, by name, in every incident that has actors of these names."""
    for incident in draft.case.rows(Incident):
        if incident.row_key in draft.case.kept:
            continue
        mine = {name: ids[name] for name in unresolved([incident]) & ids.keys()}
        if mine:
            draft.put(incident.model_copy(update={"actor_ids": incident.actor_ids | mine}))


def not_compared(incidents: Iterable[Incident], author: str) -> str:
    """Return which actors may be the author under a former name; empty when every one was compared."""
    names = ", ".join(sorted(unresolved(incidents)))
    return f"whether {author} is {names} was not checked: Entra ID has no account of that name" if names else ""


def _name_only(actor: Actor) -> str:
    name = (actor.user_id or "").strip().casefold()
    return name if "@" in name and not actor.ids and actor.kind in _PEOPLE else ""
