"""People who visit the console, and their browsers: the real app on fakes, without a network."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import httpx

from bypass_responder.bootstrap import ConsoleServices
from bypass_responder.console.app import create_app
from bypass_responder.console.principal import HEADER, Role
from bypass_responder.model.decision_message import Channel
from bypass_responder.operating.self_check import SelfChecks
from tests.fakes.self_check import FakeProbe, FakeSelfCheckStore, FakeTokens
from tests.world import TENANT

if TYPE_CHECKING:
    from tests.world import World

PERSON = "0f0f0f0f-0000-4000-8000-00000000000f"
NAME = "ops@contoso.onmicrosoft.com"
HOST = "console.contoso.example"
BASE = f"https://{HOST}"
LONG_ROLES = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
"""``role_typ`` as App Service sends it, beside app roles in claims of the type ``roles``."""
KEY = b"a key of the tests, 32 characters"


def a_header(*roles: str, **changed: Any) -> str:
    """The header of a principal, as App Service sends it."""
    claims = {"tid": TENANT, "oid": PERSON, "preferred_username": NAME} | changed.pop("claims", {})
    listed = [{"typ": kind, "val": value} for kind, value in claims.items() if value is not None]
    listed += [{"typ": "roles", "val": role} for role in roles]
    given = {"auth_typ": "aad", "name_typ": "preferred_username", "role_typ": LONG_ROLES, "claims": listed}
    return encoded(given | changed)


def encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def services_of(world: World) -> ConsoleServices:
    world.decisions.tool = Channel.CONSOLE
    checks = SelfChecks(tokens=FakeTokens(TENANT), storage=FakeProbe(), store=FakeSelfCheckStore())

    async def form_key() -> bytes:
        return KEY

    return ConsoleServices(world.services, checks, form_key, _closing=())


def visitor(world: World, *roles: Role, header: str | None = None, **options: Any) -> httpx.AsyncClient:
    """A browser whose person has these roles; ``header``: what it sends instead as their principal."""
    headers = {HEADER: header if header is not None else a_header(*roles)}
    transport = httpx.ASGITransport(create_app(services_of(world), KEY))
    return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers, **options)
