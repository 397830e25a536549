"""Stands for App Service authentication before the console: a sign-in page for three made-up people.

As the real one it removes the header of the principal from what comes in, and sets its own.
"""

from __future__ import annotations

import base64
import json
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

HEADER = b"x-ms-client-principal"
ROLE_TYPE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
"""What App Service names as ``role_typ``, while app roles are claims of the type ``roles``."""
COOKIE = "AppServiceAuthSession"
PUBLIC = ("/welcome", "/static/")
"""What the real one is configured to let through without a sign-in."""
PEOPLE = {
    "reader": ("rita@contoso.onmicrosoft.com", "c0000000-0000-4000-8000-000000000001", "Console.Read"),
    "ops": ("olga@contoso.onmicrosoft.com", "c0000000-0000-4000-8000-000000000002", "Console.Allowlist"),
    "on-call": ("oscar@contoso.onmicrosoft.com", "c0000000-0000-4000-8000-000000000003", "Console.Decide"),
    "nobody": ("nina@contoso.onmicrosoft.com", "c0000000-0000-4000-8000-000000000004", ""),
}
"""Made-up people, by the word that signs them in: name, object id, app role. The last one has none."""


def principal_header(who: str, tenant_id: str) -> str:
    """Return the header of one of ``PEOPLE``, as App Service sends it."""
    name, object_id, role = PEOPLE[who]
    claims = {"tid": tenant_id, "oid": object_id, "preferred_username": name} | ({"roles": role} if role else {})
    principal = {
        "auth_typ": "aad",
        "name_typ": "preferred_username",
        "role_typ": ROLE_TYPE,
        "claims": [{"typ": kind, "val": value} for kind, value in claims.items()],
    }
    return base64.b64encode(json.dumps(principal).encode()).decode()


class SignIn:
    """Wraps the console. A bearer token is one of the words of ``PEOPLE``."""

    def __init__(self, app: ASGIApp, *, tenant_id: str) -> None:
        """``tenant_id``: of the people who sign in."""
        self._app = app
        self._tenant_id = tenant_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sign in, sign out, or pass a request on with the principal of its session."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, query = scope["path"], parse_qs(scope["query_string"].decode())
        if path == "/.auth/login/aad":
            await _login(query)(scope, receive, send)
            return
        if path == "/.auth/logout":
            await _logout(query)(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name != HEADER]
        who = _who(headers)
        if who is None and not path.startswith(PUBLIC):
            await _unknown(path, headers)(scope, receive, send)
            return
        if who is not None:
            headers.append((HEADER, principal_header(who, self._tenant_id).encode()))
        await self._app({**scope, "headers": headers}, receive, send)


def _who(headers: list[tuple[bytes, bytes]]) -> str | None:
    given = {name: value.decode("latin-1") for name, value in headers}
    bearer = given.get(b"authorization", "").removeprefix("Bearer ")
    cookies = SimpleCookie(given.get(b"cookie", ""))
    word = cookies[COOKIE].value if COOKIE in cookies else bearer
    return word if word in PEOPLE else None


def _unknown(path: str, headers: list[tuple[bytes, bytes]]) -> Response:
    if any(name == b"authorization" for name, _ in headers):
        return PlainTextResponse("You do not have permission to view this directory or page.", status_code=401)
    return RedirectResponse(f"/.auth/login/aad?post_login_redirect_uri={quote(path)}", status_code=302)


def _own(query: dict[str, list[str]], name: str, default: str) -> str:
    """Return the path to go on to, never an address elsewhere."""
    parts = urlsplit(query.get(name, [default])[0])
    return quote(parts.path) if not parts.netloc and parts.path.startswith("/") else default


def _login(query: dict[str, list[str]]) -> Response:
    then, who = _own(query, "post_login_redirect_uri", "/"), query.get("as", [""])[0]
    if who in PEOPLE:
        answer = RedirectResponse(then, status_code=302)
        answer.set_cookie(COOKIE, who, httponly=True, samesite="lax")
        return answer
    here = f"/.auth/login/aad?post_login_redirect_uri={then}&amp;as="
    links = "".join(
        f'<li><a href="{here}{word}">{name}</a> ({role or "no role"})</li>' for word, (name, _, role) in PEOPLE.items()
    )
    return HTMLResponse(
        f'<!doctype html><html lang="en"><title>Sandbox sign-in</title><h1>Sandbox sign-in</h1><ul>{links}</ul></html>'
    )


def _logout(query: dict[str, list[str]]) -> Response:
    answer = RedirectResponse(_own(query, "post_logout_redirect_uri", "/welcome"), status_code=302)
    answer.delete_cookie(COOKIE)
    return answer
