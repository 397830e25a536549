"""Plans, grants and revokes the rights of the two identities in the directory.

The plan is a value, which a person confirms before anything changes. Each step can be repeated safely.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bypass_responder.errors import NotFoundError, RefusedError, ResponderError
from bypass_responder.model.base import Value
from bypass_responder.operating.self_check import GrantedRoles
from bypass_responder.rights import (
    EVIDENCE_ROLES,
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
    """Reads and changes rights of service principals, for an administrator, never for the app.

    Raises PermissionMissingError when the administrator lacks a role.
    """

    async def principal(self, object_id: str) -> Principal:
        """Return an identity by its object id. Raises NotFoundError."""

    async def service(self, application_id: str) -> Principal:
        """Return a Microsoft service by its application id. Raises NotFoundError if it is missing."""

    async def grant(self, principal_id: str, *, resource_id: str, role_id: str) -> None:
        """Grant an application permission. Succeeds when it is already granted."""

    async def revoke(self, principal_id: str, assignment_id: str) -> None:
        """Revoke an application permission. Succeeds when it is already gone."""

    async def directory_roles(self, principal_id: str) -> tuple[DirectoryRole, ...]:
        """Return the Entra roles of an identity, in any scope."""

    async def grant_directory_role(self, principal_id: str, *, role_id: str) -> None:
        """Grant an Entra role in the whole directory. Succeeds when it is already granted."""

    async def revoke_directory_role(self, assignment_id: str) -> None:
        """Revoke an Entra role. Succeeds when it is already gone."""


class Blocker(StrEnum):
    """The Entra role that lets the responder block administrators. Granted only on request."""

    USER = "user"
    """User Administrator: accounts without a role or with a limited administrator role."""
    PRIVILEGED = "privileged"
    """Privileged Authentication Administrator: all accounts, including Global Administrators."""


BLOCKERS = {
    Blocker.USER: ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
    Blocker.PRIVILEGED: ("7be44c8a-adaf-4e2a-84d6-ab2649e08a13", "Privileged Authentication Administrator"),
}


CONSOLE = "console"


class Holder(Value):
    """An identity, its required application permissions and its current rights."""

    who: str
    principal: Principal
    wanted: tuple[AppRole, ...]
    optional: tuple[AppRole, ...] = ()
    """Permissions that are neither missing nor extra: listed only where they are granted."""
    has: tuple[Assignment, ...] = ()
    directory_roles: tuple[DirectoryRole, ...] = ()


class Item(Value):
    """One required right of one identity. ``assignment_id`` is None while the right is missing."""

    who: str
    principal_id: str
    name: str = ""
    """The display name of the identity in the directory."""
    right: str
    of: str
    role_id: str
    resource_id: str | None = None
    """None for an Entra role."""
    assignment_id: str | None = None
    without: str = ""
    """What does not work without this right."""

    def __str__(self) -> str:
        """Return identity, right and service, for people."""
        return f"{self.who}: {self.right} ({self.of})"


class Plan(Value):
    """All required rights, granted or missing, and the extra rights of the identities."""

    items: tuple[Item, ...]
    extras: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    """Rights of the console, whose pages may be attacked: it must have none."""
    without_rights: tuple[Principal, ...] = ()
    """Identities that have no right in the directory and need none."""

    @property
    def missing(self) -> tuple[Item, ...]:
        """Return the rights that are not granted."""
        return tuple(item for item in self.items if item.assignment_id is None)

    @property
    def granted(self) -> tuple[Item, ...]:
        """Return the rights that are granted."""
        return tuple(item for item in self.items if item.assignment_id is not None)


class PartlyDoneError(ResponderError):
    """The command stopped partway. Completed changes are kept; running it again continues from there."""

    advice = "It is safe to run the command again."

    def __init__(self, why: ResponderError, done: list[Item], left: list[Item], verb: str) -> None:
        """Name the cause, the completed and the remaining changes."""
        super().__init__(f"{why.diagnostics()} {progress(done, left, verb)}")


def progress(done: Iterable[Item], left: Iterable[Item], verb: str) -> str:
    """Return the completed and the remaining changes. ``verb`` is "granted" or "revoked"."""
    done_text, left_text = "; ".join(map(str, done)) or "nothing", "; ".join(map(str, left)) or "nothing"
    return f"{verb.capitalize()} so far: {done_text}. Not {verb}: {left_text}."


def plan(holders: Iterable[Holder], services: Mapping[Api, Principal], blocker: Blocker | None = None) -> Plan:
    """Compare current with required rights. ``blocker`` also requires an Entra role for the responder.

    Permissions of a service that is missing in ``services`` are skipped.
    """
    items: list[Item] = []
    extras: list[str] = []
    holders = list(holders)
    for holder in holders:
        if holder.who == CONSOLE:
            continue
        have = {(each.resource_id, each.role_id): each for each in holder.has}
        for role in dict.fromkeys((*holder.wanted, *holder.optional)):
            service = services.get(role.api)
            if service is None:
                continue
            found = have.pop((service.object_id, role.id), None)
            if found is None and role not in holder.wanted:
                continue
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
    consoles = [holder for holder in holders if holder.who == CONSOLE]
    return Plan(
        items=tuple(items),
        extras=tuple(extras),
        forbidden=tuple(right for holder in consoles for right in _rights_of(holder)),
        without_rights=tuple(holder.principal for holder in consoles if not list(_rights_of(holder))),
    )


def _rights_of(holder: Holder) -> Iterator[str]:
    yield from (f"{holder.who}: {each.role_id} of {each.resource_name}" for each in holder.has)
    yield from (f"{holder.who}: Entra role {each.role_id}" for each in holder.directory_roles)


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
    """An identity from the settings, by object id and application id, with its required permissions."""

    who: str
    object_id: str
    application_id: str | None
    """None: it is not compared."""
    wanted: tuple[AppRole, ...]
    optional: tuple[AppRole, ...] = ()


def identities_of(settings: GrantSettings, evidence: tuple[AppRole, ...] = ()) -> tuple[Named, ...]:
    """Return the identities from the settings; ``evidence`` is required of the responder besides.

    Raises RefusedError when both apps have the same.
    """
    if settings.responder_principal_id == settings.worker_principal_id:
        raise RefusedError(
            "RESPONDER_PRINCIPAL_ID and WORKER_PRINCIPAL_ID are the same. The two apps need separate identities: "
            "take both values from azd env get-values."
        )
    console = settings.console_principal_id
    return (
        Named(
            "responder",
            settings.responder_principal_id,
            settings.responder_client_id,
            RESPONDER_ROLES + evidence,
            EVIDENCE_ROLES,
        ),
        Named("worker", settings.worker_principal_id, settings.worker_client_id, WORKER_ROLES),
        *([Named(CONSOLE, console, None, ())] if console else []),
    )


async def read_plan(
    rights: DirectoryRights,
    identities: Iterable[Named],
    *,
    blocker: Blocker | None = None,
    revoke: bool = False,
) -> Plan:
    """Read the directory and return the plan. Raises NotFoundError or, for a wrong id, RefusedError.

    Entra roles are read only with ``blocker`` or ``revoke``, because reading them needs a stronger right. With
    ``revoke``, a Microsoft service that the tenant does not have is skipped.
    """
    holders = []
    for who, object_id, application_id, wanted, optional in identities:
        principal = await _identity(rights, who, object_id)
        if application_id not in {None, principal.application_id}:
            raise RefusedError(
                f"{who.upper()}_CLIENT_ID is {application_id}, but the client id of {principal.name} ({object_id}) is "
                f"{principal.application_id}. Take both values from azd env get-values."
            )
        roles = await rights.directory_roles(object_id) if revoke or blocker else ()
        has = await rights.assignments(object_id)
        needs = {"wanted": wanted, "optional": optional}
        holders.append(Holder(who=who, principal=principal, **needs, has=has, directory_roles=roles))
    services = {}
    for api in Api:
        try:
            services[api] = await _service(rights, api)
        except NotFoundError:
            if not revoke:
                raise
    return plan(holders, services, blocker)


async def _identity(rights: DirectoryRights, who: str, object_id: str) -> Principal:
    name = f"{who.upper()}_PRINCIPAL_ID"
    try:
        principal = await rights.principal(object_id)
    except NotFoundError as problem:
        raise NotFoundError(
            f"The directory has no identity {object_id} ({name}). It was deleted or belongs to another tenant. "
            "Create it again: azd provision."
        ) from problem
    if not principal.managed_identity:
        raise RefusedError(
            f"{principal.name} ({object_id}) is not a managed identity. Set {name} from azd env get-values."
        )
    return principal


async def _service(rights: DirectoryRights, api: Api) -> Principal:
    try:
        return await rights.service(api.value)
    except NotFoundError as problem:
        raise NotFoundError(
            f"This tenant has no application {SERVICES[api]}. Create it: az ad sp create --id {api.value}."
        ) from problem


async def grant_missing(found: Plan, rights: DirectoryRights, on_done: Callable[[Item], None]) -> None:
    """Grant the missing rights one by one. Raises PartlyDoneError."""

    async def one(item: Item) -> None:
        if item.resource_id is None:
            await rights.grant_directory_role(item.principal_id, role_id=item.role_id)
        else:
            await rights.grant(item.principal_id, resource_id=item.resource_id, role_id=item.role_id)

    await _each(found.missing, one, on_done, "granted")


async def revoke_granted(found: Plan, rights: DirectoryRights, on_done: Callable[[Item], None]) -> None:
    """Revoke the granted rights of the plan one by one. Raises PartlyDoneError."""

    async def one(item: Item) -> None:
        assignment = item.assignment_id or ""
        if item.resource_id is None:
            await rights.revoke_directory_role(assignment)
        else:
            await rights.revoke(item.principal_id, assignment)

    await _each(found.granted, one, on_done, "revoked")


async def _each(
    items: Iterable[Item], do: Callable[[Item], Awaitable[None]], on_done: Callable[[Item], None], verb: str
) -> None:
    left = list(items)
    done: list[Item] = []
    while left:
        try:
            await do(left[0])
        except ResponderError as problem:
            raise PartlyDoneError(problem, done, left, verb) from problem
        on_done(left[0])
        done.append(left.pop(0))
