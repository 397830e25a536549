"""Permissions of service principals in Entra ID, over Microsoft Graph, for bypassctl.

The caller is a person; the deployed app may not read the directory. Granting and revoking application permissions
needs the role Privileged Role Administrator or Global Administrator. Any member of the directory may read them, unless
an administrator restricted that. Raw requests: the few calls need no SDK.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx
from azure.core.exceptions import AzureError
from pydantic import TypeAdapter, ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from bypass_responder.errors import NotFoundError, PermissionMissingError, RefusedError, ThrottledError, TransientError
from bypass_responder.model.base import Utc, guid_or_none
from bypass_responder.model.retry_after import seconds_to_wait
from bypass_responder.rights import Assignment, DirectoryRole, Principal

if TYPE_CHECKING:
    from datetime import datetime

    from azure.core.credentials_async import AsyncTokenCredential

GRANTER = "Privileged Role Administrator or Global Administrator"
READER = f"any member of the directory, unless reading service principals is restricted; else {GRANTER}"
ATTEMPTS = 6
LONGEST_WAIT_SECONDS = 60.0
"""Above this, the command ends with an error that names the wait."""
MOST_PAGES = 50
NOT_YET = ("does not exist", "not a valid reference update")
"""Graph's 400 for an unknown object, which may have been created seconds ago."""
ALREADY = ("already exists", "conflicting object", "already assigned")
"""Graph's 400 or 409 for an assignment that exists."""
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Utc)
_FIELDS = "id,appId,displayName,servicePrincipalType"


class _UnknownYetError(TransientError):
    """The directory does not know an object that may be some seconds old."""


class _LongThrottleError(RefusedError):
    """Graph named a wait that is too long for a person at a terminal."""

    advice = "Run the command again after that."


class EntraRights:
    """``operating.grant.DirectoryRights``, which has ``GrantedRoles``.

    ``pause_seconds`` is the wait before the second try; it doubles.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        credential: AsyncTokenCredential,
        base_url: str,
        *,
        scope: str,
        pause_seconds: float = 1.0,
    ) -> None:
        """``base_url`` without ``/v1.0``; no token goes to another address."""
        self._http = http
        self._credential = credential
        self._root = f"{base_url.rstrip('/')}/v1.0/"
        self._scope = scope
        self._pause = pause_seconds

    async def principal(self, object_id: str) -> Principal:
        """Return one service principal. Retries while it is unknown, because it may be some seconds old."""
        found = await self._call("GET", f"servicePrincipals/{object_id}?$select={_FIELDS}", may_be_new=True)
        return _principal(found)

    async def service(self, application_id: str) -> Principal:
        """Return the service principal of a Microsoft service. Raises NotFoundError if it is missing."""
        return _principal(await self._call("GET", f"servicePrincipals(appId='{application_id}')?$select={_FIELDS}"))

    async def assignments(self, principal_id: str) -> tuple[Assignment, ...]:
        """Return every application permission of the principal, over all pages."""
        if guid_or_none(principal_id) is None:
            raise RefusedError(f"{principal_id!r:.80} is not an object id.")
        found = await self._all(f"servicePrincipals/{principal_id}/appRoleAssignments")
        with _readable():
            return tuple(
                Assignment(
                    id=str(each["id"]),
                    role_id=str(each["appRoleId"]).lower(),
                    resource_id=str(each["resourceId"]).lower(),
                    resource_name=str(each.get("resourceDisplayName") or ""),
                    granted_at=_moment_or_none(each.get("createdDateTime")),
                )
                for each in found
            )

    async def grant(self, principal_id: str, *, resource_id: str, role_id: str) -> None:
        """Grant one application permission. An existing one counts as success."""
        body = {"principalId": principal_id, "resourceId": resource_id, "appRoleId": role_id}
        await self._call("POST", f"servicePrincipals/{resource_id}/appRoleAssignedTo", body=body, may_be_new=True)

    async def revoke(self, principal_id: str, assignment_id: str) -> None:
        """Revoke one application permission. A missing one counts as success."""
        await self._gone(f"servicePrincipals/{principal_id}/appRoleAssignments/{assignment_id}")

    async def directory_roles(self, principal_id: str) -> tuple[DirectoryRole, ...]:
        """Return its Entra roles in any scope. The caller needs a role that may read them."""
        found = await self._all(f"roleManagement/directory/roleAssignments?$filter=principalId eq '{principal_id}'")
        with _readable():
            return tuple(
                DirectoryRole(
                    id=str(each["id"]),
                    role_id=str(each["roleDefinitionId"]).lower(),
                    scope=str(each.get("directoryScopeId") or each.get("appScopeId")),
                )
                for each in found
            )

    async def grant_directory_role(self, principal_id: str, *, role_id: str) -> None:
        """Grant an Entra role in the whole directory. An existing one counts as success."""
        body = {"principalId": principal_id, "roleDefinitionId": role_id, "directoryScopeId": "/"}
        await self._call("POST", "roleManagement/directory/roleAssignments", body=body, may_be_new=True)

    async def revoke_directory_role(self, assignment_id: str) -> None:
        """Revoke an Entra role. A missing one counts as success."""
        await self._gone(f"roleManagement/directory/roleAssignments/{assignment_id}")

    async def _gone(self, path: str) -> None:
        try:
            await self._call("DELETE", path)
        except NotFoundError:
            return

    async def _all(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for _ in range(MOST_PAGES):
            page = await self._call("GET", path)
            with _readable():
                found += page["value"]
            following = str(page.get("@odata.nextLink") or "")
            if not following:
                return found
            if not following.startswith(self._root):
                raise RefusedError(f"Graph named an address elsewhere, which gets no token: {following!r:.200}.")
            path = following.removeprefix(self._root)
        raise RefusedError("Graph's list of permissions does not end.")

    async def _call(
        self, method: str, path: str, *, body: dict[str, str] | None = None, may_be_new: bool = False
    ) -> dict[str, Any]:
        """Send one request, with retries while the error may be transient.

        All changes can be repeated safely.
        """

        async def once() -> dict[str, Any]:
            return await self._once(method, path, body, may_be_new=may_be_new)

        try:
            return await self._tried(once)
        except _UnknownYetError as problem:
            raise NotFoundError(str(problem)) from problem

    async def _tried(self, once: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        def wait(state: RetryCallState) -> float:
            problem = state.outcome.exception() if state.outcome else None
            if isinstance(problem, ThrottledError):
                return problem.retry_after_seconds
            return min(self._pause * 2.0 ** (state.attempt_number - 1), LONGEST_WAIT_SECONDS)

        passing = retry_if_exception_type(TransientError)
        retrying = AsyncRetrying(stop=stop_after_attempt(ATTEMPTS), wait=wait, retry=passing, reraise=True)
        return await retrying(once)

    async def _once(self, method: str, path: str, body: dict[str, str] | None, *, may_be_new: bool) -> dict[str, Any]:
        try:
            token = await self._credential.get_token(self._scope)
            answer = await self._http.request(
                method, f"{self._root}{path}", json=body, headers={"Authorization": f"Bearer {token.token}"}
            )
        except AzureError as problem:
            text = (str(problem).splitlines() or [""])[0]
            raise RefusedError(f"Not signed in to Graph: {text[:200]}. Sign in: az login.") from problem
        except httpx.HTTPError as problem:
            raise TransientError(f"Graph is unreachable ({type(problem).__name__}).") from problem
        only_read = method == "GET" and path.startswith("servicePrincipals")
        return _judged(answer, permission=READER if only_read else GRANTER, may_be_new=may_be_new)


def _judged(answer: httpx.Response, *, permission: str, may_be_new: bool) -> dict[str, Any]:
    status, text = answer.status_code, _message(answer)
    if answer.is_success:
        with _readable():
            content: dict[str, Any] = dict(answer.json()) if answer.content else {}
            return content
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT} and any(word in text.lower() for word in ALREADY):
        return {}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = seconds_to_wait(answer.headers, default=5.0)
        if wait > LONGEST_WAIT_SECONDS:
            raise _LongThrottleError(f"Graph throttles requests for {wait:.0f} seconds (429).")
        raise ThrottledError("Graph throttles requests (429).", retry_after_seconds=wait)
    if answer.is_server_error:
        raise TransientError(f"Graph failed ({status}).")
    if status == HTTPStatus.UNAUTHORIZED:
        raise RefusedError(f"Graph rejected the token ({text}). Sign in again: az login.")
    if status == HTTPStatus.FORBIDDEN:
        raise PermissionMissingError(f"Graph refused ({status}): {text}", permission=permission)
    unknown = status == HTTPStatus.BAD_REQUEST and any(words in text.lower() for words in NOT_YET)
    if status == HTTPStatus.NOT_FOUND or (unknown and may_be_new):
        raise (_UnknownYetError if may_be_new else NotFoundError)(f"Graph does not have it: {text}")
    raise RefusedError(f"Graph answered {status}: {text}")


@contextmanager
def _readable() -> Iterator[None]:
    """An answer not in Graph's form does not come from Graph: a proxy's page, for example."""
    try:
        yield
    except (ValueError, KeyError, TypeError) as problem:
        raise RefusedError("The answer is not Graph's. Is there a proxy in between?") from problem


def _moment_or_none(given: object) -> datetime | None:
    try:
        return _MOMENT.validate_python(given)
    except ValidationError:
        return None


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase


def _principal(found: dict[str, Any]) -> Principal:
    with _readable():
        return Principal(
            object_id=str(found["id"]).lower(),
            application_id=str(found["appId"]).lower(),
            name=str(found.get("displayName") or ""),
            managed_identity=found.get("servicePrincipalType") == "ManagedIdentity",
        )
