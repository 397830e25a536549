"""Whether the actors of an incident can sign in, as last read."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from bypass_responder.case.control import BLOCK
from bypass_responder.case.tasks import MOST_ACTORS, is_name
from bypass_responder.model.base import Value, guid_or_none, moment
from bypass_responder.model.change import ActorKind
from bypass_responder.model.step import Observed

if TYPE_CHECKING:
    from bypass_responder.model.change import Actor
    from bypass_responder.model.incident import Incident
    from bypass_responder.services import Services

_PEOPLE = {ActorKind.ADMINISTRATOR, ActorKind.PERSON, ActorKind.UNKNOWN}


class ActorAccount(Value):
    """The account of one actor."""

    name: str
    key: str
    """Its object id, or its user principal name where that is all that is known."""
    sign_in: str
    """With the time of the read; or that it was not read."""
    command: str = ""
    """Reads it, where it was not read."""

    def __str__(self) -> str:
        """For people."""
        return f"{self.sign_in}. Read it: {self.command}" if self.command else self.sign_in


async def actor_accounts(incident: Incident, services: Services) -> tuple[ActorAccount, ...]:
    """Return the accounts of the first actors who are people, from what the responder has read."""
    people = [actor for actor in incident.actors if actor.kind in _PEOPLE and is_name(_key(actor, incident))]
    return tuple([await _account(actor, _key(actor, incident), services) for actor in people[:MOST_ACTORS]])


async def _account(actor: Actor, key: str, services: Services) -> ActorAccount:
    control = (await services.ledger.load(key)).control(BLOCK) if guid_or_none(key) else None
    if control and control.observed is not None and control.observed_at is not None:
        read = {Observed.ABSENT: "account not found"}.get(control.observed, f"sign-in {control.observed.value}")
        return ActorAccount(name=str(actor), key=key, sign_in=f"{read}, as of {moment(control.observed_at)}")
    answer = await services.inspections.of(key)
    if answer is not None and not answer.problem:
        enabled = answer.account.account_enabled if answer.account else None
        read = {True: "sign-in enabled", False: "sign-in disabled", None: "account not found"}[enabled]
        return ActorAccount(name=str(actor), key=key, sign_in=f"{read}, as of {moment(answer.at)}")
    command = f"az ad user show --id={shlex.quote(key)} --query accountEnabled"
    return ActorAccount(name=str(actor), key=key, sign_in="not read", command=command)


def _key(actor: Actor, incident: Incident) -> str:
    name = (actor.user_id or "").strip()
    return actor.object_id or incident.actor_ids.get(name.casefold()) or name
