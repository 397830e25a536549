"""What the app cannot read or do, by its last self-check, each with the fix. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import Value
from bypass_responder.model.self_check import POISON, Access
from bypass_responder.rights import RESPONDER_ROLES, SERVICES, Api, storage_role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bypass_responder.model.self_check import Reach, SelfCheck

PROVISION = "azd provision"


class Fixable(Value):
    """One problem, and the command that fixes it."""

    what: str
    fix: str


def access_problems(check: SelfCheck) -> Iterator[Fixable]:
    """Yield missing roles, tokens and places of storage, and queues that hold failed messages."""
    for token in check.tokens:
        if token.problem:
            yield Fixable(what=f"No token for {SERVICES[Api(token.api)]}: {token.problem}", fix=PROVISION)
    for role in RESPONDER_ROLES:
        held = check.token(role.api)
        if held is not None and not held.problem and role.value not in held.roles:
            yield Fixable(what=f"No {role.value} of {SERVICES[role.api]}: {role.missing}.", fix="bypassctl grant")
    if check.subscription != "enabled":
        state = check.subscription or check.subscription_problem or "not known"
        yield Fixable(what=f"The subscription of the audit feed: {state}.", fix="bypassctl doctor")
    for reach in check.storage.reaches:
        yield from _of(reach)


def _of(reach: Reach) -> Iterator[Fixable]:
    name = f"{reach.place.value} {reach.name}"
    match reach.access:
        case Access.OK:
            if reach.held and reach.name.endswith(POISON):
                what = f"The {name} holds {reach.held} messages that failed five times."
                yield Fixable(what=what, fix="bypassctl doctor")
        case Access.FORBIDDEN:
            role = storage_role(reach.place.value, reach.name)
            yield Fixable(what=f"The app has no {role} on the {name}.", fix=PROVISION)
        case _:
            yield Fixable(what=f"The {name}: {reach.access.value} {reach.code}".strip() + ".", fix="bypassctl doctor")
