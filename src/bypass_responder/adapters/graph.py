"""Entra ID through msgraph-sdk: read an account, switch its sign-in, revoke its sessions.

Answers are judged here, and the only retry layer is ``_send``.
"""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from kiota_abstractions.method import Method
from pydantic import ValidationError

from bypass_responder.adapters.graph_wire import GraphWire, object_of, wait_of, words_of
from bypass_responder.errors import (
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    ThrottledError,
    TransientError,
)
from bypass_responder.model.account import Account
from bypass_responder.model.base import guid_or_none, whole_text
from bypass_responder.rights import GRAPH_SCOPE

READ = "User.Read.All"
SIGN_IN = "User.EnableDisableAccount.All"
SIGN_IN_OF_ADMINISTRATOR = (
    "the Entra role Privileged Authentication Administrator, because the account is an administrator "
    "(User Administrator is enough for limited roles)"
)
REVOKE = "User.RevokeSessions.All"
_TOTAL_SECONDS = 20.0
_PER_CALL_SECONDS = 8.0
_PAUSE_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 5.0
_FIELDS = {
    "id": "object_id",
    "userPrincipalName": "user_principal_name",
    "displayName": "display_name",
    "accountEnabled": "account_enabled",
    "onPremisesSyncEnabled": "on_premises_sync_enabled",
    "userType": "guest",
    "signInSessionsValidFromDateTime": "sessions_valid_from",
    "mail": "mail",
    "mailNickname": "mail_nickname",
    "proxyAddresses": "proxy_addresses",
    "otherMails": "other_mails",
}
_SELECT = "$select=" + ",".join(_FIELDS)
_MEMBERSHIPS = "$select=id&$top=999"
"""As many as Graph gives at once. Who is in more groups counts by these."""
_ROLE = "#microsoft.graph.directoryRole"
_PART = r"[^@\s\x00-\x1f\x7f\ud800-\udfff/\\*?\"<>|:;,]+"
_UPN = re.compile(rf"{_PART}@{_PART}\Z")
_LONGEST_UPN = 1024


class _Request(NamedTuple):
    method: Method
    path: str
    permission: str
    body: dict[str, Any] | None = None


class GraphDirectory:
    """Microsoft Graph v1.0. The connection belongs to the event loop of the first call, which builds it."""

    def __init__(self, credential: AsyncTokenCredential, base_url: str, *, scope: str = GRAPH_SCOPE) -> None:
        """Take credential and root address (without ``/v1.0``); nothing connects before the first call."""
        self._wire = GraphWire(credential, base_url, scope=scope, seconds=_PER_CALL_SECONDS)
        self._open_at = 0.0
        """When Graph takes requests again, on the clock of the event loop."""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def find(self, name: str) -> Account | None:
        """Read the account. A name that can be neither object id nor UPN gives None, without a call.

        Permission: User.Read.All. Raises RefusedError when Graph answers with another account.
        """
        asked = _asked(name)
        if asked is None:
            return None
        answer = await self._send(_Request(Method.GET, f"{_path(asked)}?{_SELECT}", READ))
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        account = _account(object_of(answer))
        if asked.casefold() not in {account.object_id, account.user_principal_name.casefold()}:
            raise RefusedError(f"Graph was asked for {asked} and answered with {account}.")
        return account

    async def is_administrator(self, name: str) -> bool:
        """Read the memberships. Permission: User.Read.All, with which Graph names a role by type and id only."""
        asked = _asked(name)
        if asked is None:
            return False
        answer = await self._send(_Request(Method.GET, f"{_path(asked)}/transitiveMemberOf?{_MEMBERSHIPS}", READ))
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return False
        listed = object_of(answer).get("value")
        groups = listed if isinstance(listed, list) else []
        return any(isinstance(each, dict) and each.get("@odata.type") == _ROLE for each in groups)

    async def set_sign_in(self, object_id: str, *, enabled: bool) -> None:
        """PATCH accountEnabled. Permission: User.EnableDisableAccount.All, more for an administrator."""
        try:
            await self._change(
                _Request(Method.PATCH, _path(object_id), SIGN_IN, {"accountEnabled": enabled}), object_id
            )
        except PermissionMissingError as refused:
            if not await self._is_known_administrator(object_id):
                raise
            text = str(refused).partition(" Missing: ")[0]
            raise PermissionMissingError(text, permission=SIGN_IN_OF_ADMINISTRATOR) from refused

    async def _is_known_administrator(self, object_id: str) -> bool:
        try:
            return await self.is_administrator(object_id)
        except ResponderError:
            return False

    async def revoke_sessions(self, object_id: str) -> None:
        """POST revokeSignInSessions. Permission: User.RevokeSessions.All."""
        await self._change(_Request(Method.POST, f"{_path(object_id)}/revokeSignInSessions", REVOKE), object_id)

    async def _change(self, request: _Request, object_id: str) -> None:
        if guid_or_none(object_id) != object_id:
            raise RefusedError(f"Only an object id names an account that is changed; this is {object_id!r}.")
        answer = await self._send(request)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise NotFoundError(f"Entra ID knows no account {object_id}.")

    async def _send(self, request: _Request) -> httpx.Response:
        """Return a 2xx or 404 answer. Calls are idempotent and retried; longer waits are the caller's.

        Once Graph asks one call to wait, no other is sent until then: it would be refused as well. For these the wait
        counts from when the refused call was sent. Counted from the last refusal, a part of each second is lost.
        """
        clock = asyncio.get_running_loop().time
        paused, throttled, again_at = False, None, 0.0
        try:
            async with asyncio.timeout(_TOTAL_SECONDS):
                while True:
                    if (wait := max(self._open_at, again_at) - clock()) > 0:
                        await asyncio.sleep(wait)
                        continue  # another call may have been asked to wait longer
                    throttled = None  # from here on a time-out leaves it unknown whether the call had its effect
                    sent_at = clock()
                    try:
                        return await self._once(request)
                    except ThrottledError as refused:
                        throttled = refused
                        wait = min(refused.retry_after_seconds, _LONGEST_WAIT_SECONDS)
                        again_at, self._open_at = clock() + wait, max(self._open_at, sent_at + wait)
                        if refused.retry_after_seconds > _LONGEST_WAIT_SECONDS:
                            raise
                    except TransientError:
                        if paused:
                            raise
                        paused = True
                        await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError as late:
            if throttled:
                raise throttled from late
            raise TransientError(f"Graph did not answer within {_TOTAL_SECONDS:.0f} seconds.") from late

    async def _once(self, request: _Request) -> httpx.Response:
        answer = await self._wire.send(request.method, f"{self._wire.root}/v1.0{request.path}", request.body)
        return _judged(answer, request.permission)


def _asked(name: str) -> str | None:
    """Return the object id or UPN to ask about; None for a name that can be neither."""
    asked = guid_or_none(name) or name.strip()
    possible = guid_or_none(asked) or (len(asked) <= _LONGEST_UPN and _UPN.match(asked))
    return asked if possible else None


def _path(name: str) -> str:
    """``$`` would start an OData segment, so such a name goes into quotes."""
    if name.startswith("$"):
        return "/users('" + quote(name.replace("'", "''"), safe="") + "')"
    return f"/users/{quote(name, safe='')}"


def _judged(answer: httpx.Response, permission: str) -> httpx.Response:
    status = answer.status_code
    if answer.is_success:
        return answer
    code, message = words_of(answer)
    text = f"Graph answered {status} {code}: {message}"
    if status == HTTPStatus.NOT_FOUND and code == "Request_ResourceNotFound":
        return answer
    if status == HTTPStatus.FORBIDDEN:
        raise PermissionMissingError(text, permission=permission)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise ThrottledError(text, retry_after_seconds=wait_of(answer))
    if answer.is_server_error or status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT}:
        raise TransientError(text)
    raise RefusedError(text)


def _account(body: dict[str, Any]) -> Account:
    fields = {ours: body[name] for name, ours in _FIELDS.items() if body.get(name) is not None}
    fields |= {name: whole_text(text) for name, text in fields.items() if isinstance(text, str)}
    for name in ("proxy_addresses", "other_mails"):
        fields[name] = tuple(whole_text(text) for text in fields.get(name, ()) if isinstance(text, str))
    fields |= {"guest": str(fields.get("guest", "")).casefold() == "guest"}
    fields |= {"object_id": guid_or_none(str(fields.get("object_id")))}
    try:
        return Account.model_validate(fields)
    except ValidationError as problem:
        missing = ", ".join(str(error["loc"][0]) for error in problem.errors())
        raise RefusedError(f"Graph's answer lacks what a decision needs: {missing}.") from problem
