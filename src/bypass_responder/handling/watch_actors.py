"""Notice an actor who hides one account after the other, or who is an administrator of the directory.

The index of the last day has every incident.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.case import actor_ids
from bypass_responder.case.tasks import Task, contain_actors
from bypass_responder.errors import ResponderError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import ActorKind
from bypass_responder.model.incident import Incident
from bypass_responder.model.notification import Severity
from bypass_responder.session import change_if_needed, open_session
from bypass_responder.settings import ActorResponse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.change import Actor
    from bypass_responder.model.listing import IndexEntry
    from bypass_responder.services import Services
    from bypass_responder.session import Session

WINDOW = timedelta(days=1)
MANY = 3
"""Accounts of one actor within the window."""
ROOM = 10
"""Operations left in a transaction that marks another incident. The actors of the others are judged by the next run."""
MOST_READ = 500
"""Incidents of the window that are read, the newest first."""


async def watch_actors(sessions: Sequence[Session], services: Services) -> None:
    """Judge each actor who is new in an incident; notify once a day of one who has hidden many accounts.

    Each actor is read once for all sessions, which are listed in the index. That they are judged is deferred.
    """
    judged = [session for session in sessions if fresh(session)]
    incidents = [incident for session in judged for incident in fresh(session)]
    if not incidents:
        return
    reported_by = [actor for incident in incidents for actor in incident.actors]
    actors = {str(actor): actor for actor in reported_by}
    targets = await _targets_of(actors, services)
    many = {name: found for name, found in targets.items() if len(found) >= MANY}
    for name, found in many.items():
        reported = f"many_targets {name} {services.clock():%Y-%m-%d}"
        if reported not in services.done:
            report = partial(_report, actor=actors[name], accounts=sorted(found.values()))
            await change_if_needed(await open_session(TENANT_TARGET, services), report, services)
            services.done.add([reported])
    administrators = await _administrators(reported_by, services)
    ids: dict[str, str] = {}

    async def look_up(name: str) -> None:
        with suppress(ResponderError):  # asked again when somebody decides
            ids.update(await _ids_of([name], services))

    await asyncio.gather(*map(limited(look_up), sorted(actor_ids.unresolved(incidents))))
    for session in judged:
        session.defer(partial(_count, many=frozenset(many), administrators=administrators))
        session.defer(partial(actor_ids.store, ids=ids))


def fresh(session: Session) -> list[Incident]:
    """Return the loaded incidents with actors who are not judged yet."""
    return [incident for incident in _loaded(session) if len(incident.actors) > incident.actors_counted]


def _loaded(session: Session) -> list[Incident]:
    return [row for row in session.case.rows(Incident) if row.row_key not in session.case.kept]


async def ids_of_actors(session: Session, services: Services) -> dict[str, str]:
    """Return the object ids of actors whom records name by user principal name only.

    They may be renamed later.
    Permission: User.Read.All.
    """
    return await _ids_of(sorted(actor_ids.unresolved(_loaded(session))), services)


async def _ids_of(names: Sequence[str], services: Services) -> dict[str, str]:
    found = await asyncio.gather(*map(limited(services.directory.find), names))
    return {name: account.object_id for name, account in zip(names, found, strict=True) if account}


async def _administrators(actors: Iterable[Actor], services: Services) -> frozenset[str]:
    """Return the names of those who hold an Entra role; none of whom that cannot be read."""
    asked = {str(actor): actor.object_id or actor.user_id for actor in actors if actor.kind is ActorKind.ADMINISTRATOR}

    async def holds(name: str | None) -> bool:
        try:
            return name is not None and await services.directory.is_administrator(name)
        except ResponderError:
            return False

    held = await asyncio.gather(*map(limited(holds), asked.values()))
    return frozenset(name for name, each in zip(asked, held, strict=True) if each)


async def _targets_of(actors: Mapping[str, Actor], services: Services) -> dict[str, dict[str, str]]:
    """Return for each actor the accounts of the last day's incidents, by target; no more than are many."""
    found: dict[str, dict[str, str]] = {name: {} for name in actors}
    since, read = services.clock() - WINDOW, 0
    contained = services.settings.actor_response is ActorResponse.CONTAIN
    async for entry in services.index.newest(kinds=("incident",)):
        read += 1
        if entry.at < since or read > MOST_READ or all(len(each) >= MANY for each in found.values()):
            break
        for name in set(entry.actor.split(", ")) & found.keys():
            if len(found[name]) < MANY and not (contained and _is_about(entry, actors[name])):
                found[name][entry.target] = entry.account
    return found


def _is_about(entry: IndexEntry, actor: Actor) -> bool:
    """Return True for an incident about the actor, who is contained for the others, and so hid nobody by it."""
    return entry.target == actor.object_id or entry.account.casefold() == (actor.user_id or "").casefold()


def _count(draft: Draft, many: frozenset[str], administrators: frozenset[str]) -> None:
    for incident in draft.case.rows(Incident):
        if incident.row_key in draft.case.kept:
            continue
        if not draft.has_room(ROOM):
            return
        raised = incident.many_targets or any(str(actor) in many for actor in incident.actors)
        held = incident.by_administrator or any(str(actor) in administrators for actor in incident.actors)
        judged = {"actors_counted": len(incident.actors), "many_targets": raised, "by_administrator": held}
        draft.put(incident.model_copy(update=judged))


def _report(draft: Draft, actor: Actor, accounts: list[str]) -> None:
    named = ", ".join(accounts)
    if draft.notify(
        "many_targets",
        f"One actor hides several accounts: {actor}",
        f"{actor.described} has hidden at least {len(accounts)} accounts from mailbox auditing within a day: "
        f"{named}. Each of them has an incident; the actor is not contained by them.",
        key=f"{str(actor).casefold()}-{draft.now:%Y-%m-%d}",
        severity=Severity.EMERGENCY,
        left_to_do=(*contain_actors((actor,)), Task("Read the incidents", "bypassctl incidents list")),
        actor=[actor.described],
    ):
        draft.log("many_targets", f"{actor} has hidden at least {len(accounts)} accounts within a day: {named}")
