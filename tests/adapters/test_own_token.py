"""The roles, the times and the identity of the app's own token, as azure-identity gives it."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from bypass_responder.adapters.own_token import OwnTokens

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class GivenToken:
    """A credential that has one token, or none."""

    def __init__(self, token: str | None) -> None:
        self.token = token
        self.asked: list[str] = []

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.asked += scopes
        if self.token is None:
            raise ClientAuthenticationError("No managed identity here.\nTo mitigate this issue, …")
        return AccessToken(self.token, int(time.time()) + 60)


def a_jwt(**claims: object) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "signature"])


def tokens(token: str | None) -> OwnTokens:
    credential: Any = GivenToken(token)
    return OwnTokens(credential, {"api": "https://api.example/.default"})


async def test_a_token_gives_its_roles_its_times_and_its_owner() -> None:
    issued = int(NOON.timestamp())
    jwt = a_jwt(roles=["B", "A"], iat=issued, exp=issued + 3600, oid="O", appid="P", tid="T")
    check = await tokens(jwt).inspect("api")

    assert (check.roles, check.issued_at, check.expires_at) == (("A", "B"), NOON, NOON + timedelta(hours=1))
    assert (check.object_id, check.application_id, check.tenant_id, check.delegated) == ("o", "p", "t", False)


async def test_a_token_with_scopes_is_a_persons() -> None:
    assert (await tokens(a_jwt(scp="User.Read")).inspect("api")).delegated


async def test_nothing_of_the_token_itself_is_reported() -> None:
    jwt = a_jwt(oid="o")

    assert not set(jwt.split(".")) & set((await tokens(jwt).inspect("api")).model_dump_json().split('"'))


async def test_without_a_token_the_reason_is_one_line() -> None:
    assert (await tokens(None).inspect("api")).problem == "No managed identity here."


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", f"a.{base64.urlsafe_b64encode(b'[1]').decode()}.c"])
async def test_a_token_that_is_no_jwt_is_reported(token: str) -> None:
    assert "JWT" in (await tokens(token).inspect("api")).problem


@pytest.mark.parametrize("claims", [{"iat": "soon", "exp": 10**30, "roles": "User.Read.All"}, {}])
async def test_claims_of_another_shape_are_left_out(claims: dict[str, object]) -> None:
    check = await tokens(a_jwt(**claims)).inspect("api")

    assert (check.roles, check.issued_at, check.expires_at, check.problem) == ((), None, None, "")
