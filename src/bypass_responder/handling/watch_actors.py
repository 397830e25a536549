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

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.change import Actor
    from bypass_responder.services import Services
    from bypass_responder.session import Session

WINDOW = timedelta(days=1)
MANY = 3
"""Accounts of one actor within the window."""
MOST_READ = 500
"""Incidents of the window that are read, the newest first."""


async def watch_actors(session: Session, services: Services) -> None:
    """Judge each actor who is new in an incident; notify once a day of one who has hidden many accounts.

    That they are judged is deferred.
    """
    fresh = [
        incident
        for incident in session.case.rows(Incident)
        if len(incident.actors) > incident.actors_counted and incident.row_key not in session.case.kept
    ]
    if not fresh:
        return
    actors = {str(actor): actor for incident in fresh for actor in incident.actors}
    targets = await _targets_of(actors, services)
    many = {name: found for name, found in targets.items() if len(found) >= MANY}
    for name, found in many.items():
        reported = f"many_targets {name} {services.clock():%Y-%m-%d}"
        if reported not in services.done:
            report = partial(_report, actor=actors[name], accounts=sorted(found.values()))
            await change_if_needed(await open_session(TENANT_TARGET, services), report, services)
            services.done.add([reported])
    administrators = [name for name, actor in actors.items() if await _is_administrator(actor, services)]
    session.defer(partial(_count, many=frozenset(many), administrators=frozenset(administrators)))
    with suppress(ResponderError):  # asked again when somebody decides
        if ids := await ids_of_actors(session, services):
            session.defer(partial(actor_ids.store, ids=ids))


async def ids_of_actors(session: Session, services: Services) -> dict[str, str]:
    """Return the object ids of actors whom records name by user principal name only: they may be renamed later.

    Permission: User.Read.All.
    """
    incidents = [row for row in session.case.rows(Incident) if row.row_key not in session.case.kept]
    names = sorted(actor_ids.unresolved(incidents))
    found = await asyncio.gather(*map(limited(services.directory.find), names))
    return {name: account.object_id for name, account in zip(names, found, strict=True) if account}


async def _is_administrator(actor: Actor, services: Services) -> bool:
    """Return True when an actor holds an Entra role; False also where that cannot be read."""
    name = actor.object_id or actor.user_id
    if actor.kind is not ActorKind.ADMINISTRATOR or not name:
        return False
    try:
        return await services.directory.is_administrator(name)
    except ResponderError:
        return False


async def _targets_of(actors: Mapping[str, Actor], services: Services) -> dict[str, dict[str, str]]:
    """Return for each actor the accounts of the last day's incidents, by target; no more than are many."""
    found: dict[str, dict[str, str]] = {name: {} for name in actors}
    since, read = services.clock() - WINDOW, 0
    async for entry in services.index.newest(kinds=("incident",)):
        read += 1
        if entry.at < since or read > MOST_READ or all(len(each) >= MANY for each in found.values()):
            break
        for name in set(entry.actor.split(", ")) & found.keys():
            if len(found[name]) < MANY:
                found[name][entry.target] = entry.account
    return found


def _count(draft: Draft, many: frozenset[str], administrators: frozenset[str]) -> None:
    for incident in draft.case.rows(Incident):
        if incident.row_key in draft.case.kept:
            continue
        raised = incident.many_targets or any(str(actor) in many for actor in incident.actors)
        held = incident.by_administrator or any(str(actor) in administrators for actor in incident.actors)
        judged = {"actors_counted": len(incident.actors), "many_targets": raised, "by_administrator": held}
        draft.put(incident.model_copy(update=judged))


def _report(draft: Draft, actor: Actor, accounts: list[str]) -> None:
    before = len(draft.changed)
    named = ", ".join(accounts)
    draft.notify(
        "many_targets",
        f"One actor hides several accounts: {actor}",
        f"{actor.described} has hidden at least {len(accounts)} accounts from mailbox auditing within a day: "
        f"{named}. Each of them has an incident; the actor is not contained by them.",
        key=f"{str(actor).casefold()}-{draft.now:%Y-%m-%d}",
        severity=Severity.EMERGENCY,
        left_to_do=(*contain_actors((actor,)), Task("Read the incidents", "bypassctl incidents list")),
        actor=[actor.described],
    )
    if len(draft.changed) > before:
        draft.log("many_targets", f"{actor} has hidden at least {len(accounts)} accounts within a day: {named}")
