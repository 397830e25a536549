"""Who the response log says was at the keyboard, where storage is keyless."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from azure.core.credentials import AccessToken

from bypass_responder.cli.terminal import who_am_i

PERSON = {"upn": "ops@contoso.com", "oid": "11111111-1111-4111-8111-111111111111"}


def a_token(claims: object) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}."


async def who(token: str) -> str:
    async def get_token(*scopes: str) -> AccessToken:
        return AccessToken(token, 0)

    settings = SimpleNamespace(storage=SimpleNamespace(connection_string=None))
    services, credential = SimpleNamespace(settings=settings), SimpleNamespace(get_token=get_token)
    return str(await who_am_i(cast("Any", SimpleNamespace(services=services, credential=credential))))


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (a_token(PERSON), "ops@contoso.com (11111111-1111-4111-8111-111111111111)"),
        (a_token({"appid": "an application"}), "an application (no object id)"),
        (a_token(["no", "claims"]), "unknown (no object id)"),
        ("no JWT", "unknown (no object id)"),
    ],
)
async def test_the_token_names_who_signed_in(token: str, said: str) -> None:
    assert await who(token) == said
