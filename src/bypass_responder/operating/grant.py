"""The rights of the two identities in the directory: what is missing, what is there, what should not be; and the way.

The plan is a value; nothing is given or taken before a person has seen it. Each step is safe to do twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bypass_responder.errors import NotFoundError, RefusedError, ResponderError
from bypass_responder.model.base import Value
from bypass_responder.operating.self_check import GrantedRoles
from bypass_responder.rights import (
    RESPONDER_ROLES,
    SERVICES,
    WORKER_ROLES,
    Api,
    AppRole,
    Assignment,
    DirectoryRole,
    Principal,
)

if TYPE_CHECKING:
    from bypass_responder.settings import GrantSettings


class DirectoryRights(GrantedRoles, Protocol):
    """Rights of service principals, read and changed by an administrator with `bypassctl grant`; never by the app.

    Raises PermissionMissingError where the administrator may not.
    """

    async def principal(self, object_id: str) -> Principal:
        """An identity by its object id. Raises NotFoundError."""
        ...

    async def service(self, application_id: str) -> Principal:
        """A Microsoft service by its application id. Raises NotFoundError where the tenant has none."""
        ...

    async def give(self, principal_id: str, *, resource_id: str, role_id: str) -> None:
        """Give one; one that is there is as good."""
        ...

    async def take(self, principal_id: str, assignment_id: str) -> None:
        """Take one back; one that is gone is as good."""
        ...

    async def directory_roles(self, principal_id: str) -> tuple[DirectoryRole, ...]:
        """The Entra roles of an identity, in the whole directory."""
        ...

    async def give_directory_role(self, principal_id: str, *, role_id: str) -> None:
        """Give one; one that is there is as good."""
        ...

    async def take_directory_role(self, assignment_id: str) -> None:
        """Take one back; one that is gone is as good."""
        ...


class Blocker(StrEnum):
    """Which Entra role lets the responder block administrators. Given only by explicit choice."""

    USER = "user"
    """User Administrator: people without a role, and some limited ones."""
    PRIVILEGED = "privileged"
    """Privileged Authentication Administrator: everybody, Global Administrators too."""


BLOCKERS = {
    Blocker.USER: ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
    Blocker.PRIVILEGED: ("7be44c8a-adaf-4e2a-84d6-ab2649e08a13", "Privileged Authentication Administrator"),
}


class Holder(Value):
    """An identity, the application permissions that it is to have, and what it has."""

    who: str
    principal: Principal
    wanted: tuple[AppRole, ...]
    has: tuple[Assignment, ...] = ()
    directory_roles: tuple[DirectoryRole, ...] = ()


class Item(Value):
    """One right of one identity. ``assignment_id``: it is there, under this id."""

    who: str
    principal_id: str
    name: str = ""
    """Of the identity, as the directory has it."""
    right: str
    of: str
    role_id: str
    resource_id: str | None = None
    """None: an Entra role of the directory."""
    assignment_id: str | None = None
    without: str = ""
    """What does not work without it."""

    def __str__(self) -> str:
        """For people."""
        return f"{self.who}: {self.right} ({self.of})"


class Plan(Value):
    """Everything that is ours, there or not; and what the identities have besides."""

    items: tuple[Item, ...]
    extras: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[Item, ...]:
        """What is still to be given."""
        return tuple(item for item in self.items if item.assignment_id is None)

    @property
    def there(self) -> tuple[Item, ...]:
        """What is given already."""
        return tuple(item for item in self.items if item.assignment_id is not None)


class HalfDoneError(ResponderError):
    """It stopped on the way. What was done stays, and the same command goes on from there."""

    advice = "It is safe to run again."

    def __init__(self, why: ResponderError, done: list[Item], left: list[Item], verb: str) -> None:
        """Say what was done and what was not."""
        super().__init__(f"{why.diagnostics()} {progress(done, left, verb)}")


def progress(done: Iterable[Item], left: Iterable[Item], verb: str) -> str:
    """What was ``verb``, "given" or "taken back", and what was not, for people."""
    done_text, left_text = "; ".join(map(str, done)) or "nothing", "; ".join(map(str, left)) or "nothing"
    return f"{verb.capitalize()} so far: {done_text}. Not {verb}: {left_text}."


def plan(holders: Iterable[Holder], services: Mapping[Api, Principal], blocker: Blocker | None = None) -> Plan:
    """Have against want. An Entra role is wanted only with ``blocker``, and for the responder.

    A service that ``services`` leaves out has no permissions, given or to be given.
    """
    items: list[Item] = []
    extras: list[str] = []
    for holder in holders:
        have = {(each.resource_id, each.role_id): each for each in holder.has}
        for role in holder.wanted:
            service = services.get(role.api)
            if service is None:
                continue
            found = have.pop((service.object_id, role.id), None)
            items.append(
                Item(
                    who=holder.who,
                    principal_id=holder.principal.object_id,
                    name=holder.principal.name,
                    right=role.value,
                    of=SERVICES[role.api],
                    role_id=role.id,
                    resource_id=service.object_id,
                    assignment_id=found.id if found else None,
                    without=role.missing,
                )
            )
        extras += [f"{holder.who}: {each.role_id} of {each.resource_name}" for each in have.values()]
        ours = _directory_items(holder, blocker)
        ids = {item.assignment_id for item in ours}
        extras += [f"{holder.who}: Entra role {each.role_id}" for each in holder.directory_roles if each.id not in ids]
        items += ours
    return Plan(items=tuple(items), extras=tuple(extras))


def _directory_items(holder: Holder, blocker: Blocker | None) -> list[Item]:
    whole = [each for each in holder.directory_roles if each.scope == "/" and holder.who == "responder"]
    have = {each.role_id: each.id for each in whole}
    return [
        Item(
            who=holder.who,
            principal_id=holder.principal.object_id,
            name=holder.principal.name,
            right=name,
            of="Entra role",
            role_id=role_id,
            assignment_id=have.get(role_id),
            without="administrators are not blocked",
        )
        for choice, (role_id, name) in BLOCKERS.items()
        if role_id in have or (choice is blocker and holder.who == "responder")
    ]


class Named(NamedTuple):
    """One identity by both of its ids, which must be of one and the same."""

    who: str
    object_id: str
    application_id: str
    wanted: tuple[AppRole, ...]


def named(settings: GrantSettings) -> tuple[Named, Named]:
    """The two identities. Raises RefusedError where they are one."""
    if settings.responder_principal_id == settings.worker_principal_id:
        raise RefusedError(
            "RESPONDER_PRINCIPAL_ID and WORKER_PRINCIPAL_ID are the same: no identity may have the rights of both."
        )
    return (
        Named("responder", settings.responder_principal_id, settings.responder_client_id, RESPONDER_ROLES),
        Named("worker", settings.worker_principal_id, settings.worker_client_id, WORKER_ROLES),
    )


async def look(
    rights: DirectoryRights,
    identities: Iterable[Named],
    *,
    blocker: Blocker | None = None,
    taking_back: bool = False,
) -> Plan:
    """Read the directory and plan. Raises NotFoundError, RefusedError where an id is not what it is said to be.

    Entra roles are read with ``blocker`` or ``taking_back``: they need a stronger right. Who takes back goes on without
    a Microsoft service that the tenant does not have (any more): nobody has a permission of it.
    """
    holders = []
    for who, object_id, application_id, wanted in identities:
        principal = await _identity(rights, who, object_id)
        if application_id != principal.application_id:
            raise RefusedError(
                f"{who.upper()}_CLIENT_ID is {application_id}, and {principal.name} ({object_id}) has "
                f"{principal.application_id}: take both from azd env get-values."
            )
        roles = await rights.directory_roles(object_id) if taking_back or blocker else ()
        has = await rights.assignments(object_id)
        holders.append(Holder(who=who, principal=principal, wanted=wanted, has=has, directory_roles=roles))
    services = {}
    for api in Api:
        try:
            services[api] = await _service(rights, api)
        except NotFoundError:
            if not taking_back:
                raise
    return plan(holders, services, blocker)


async def _identity(rights: DirectoryRights, who: str, object_id: str) -> Principal:
    name = f"{who.upper()}_PRINCIPAL_ID"
    try:
        principal = await rights.principal(object_id)
    except NotFoundError as problem:
        raise NotFoundError(
            f"The directory has no identity {object_id} ({name}): it was deleted, or belongs to another tenant. "
            "azd provision makes it anew."
        ) from problem
    if not principal.managed_identity:
        raise RefusedError(f"{principal.name} ({object_id}) is no managed identity: {name} wants the object id of one.")
    return principal


async def _service(rights: DirectoryRights, api: Api) -> Principal:
    try:
        return await rights.service(api.value)
    except NotFoundError as problem:
        raise NotFoundError(
            f"This tenant has no application {SERVICES[api]}. Make it: az ad sp create --id {api.value}."
        ) from problem


async def give(found: Plan, rights: DirectoryRights, tell: Callable[[Item], None]) -> None:
    """Give what is missing, one after the other. Raises HalfDoneError."""

    async def one(item: Item) -> None:
        if item.resource_id is None:
            await rights.give_directory_role(item.principal_id, role_id=item.role_id)
        else:
            await rights.give(item.principal_id, resource_id=item.resource_id, role_id=item.role_id)

    await _each(found.missing, one, tell, "given")


async def take(found: Plan, rights: DirectoryRights, tell: Callable[[Item], None]) -> None:
    """Take back what is ours and there, one after the other. Raises HalfDoneError."""

    async def one(item: Item) -> None:
        assignment = item.assignment_id or ""
        if item.resource_id is None:
            await rights.take_directory_role(assignment)
        else:
            await rights.take(item.principal_id, assignment)

    await _each(found.there, one, tell, "taken back")


async def _each(
    items: Iterable[Item], do: Callable[[Item], Awaitable[None]], tell: Callable[[Item], None], verb: str
) -> None:
    left = list(items)
    done: list[Item] = []
    while left:
        try:
            await do(left[0])
        except ResponderError as problem:
            raise HalfDoneError(problem, done, left, verb) from problem
        tell(left[0])
        done.append(left.pop(0))
