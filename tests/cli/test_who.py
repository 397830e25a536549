"""Who the response log says was at the keyboard, where storage is keyless."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from bypass_responder.cli.root import Given
from bypass_responder.cli.terminal import who_am_i, with_responder
from tests.world import TENANT

PERSON = {"upn": "ops@contoso.com", "oid": "11111111-1111-4111-8111-111111111111"}


def a_token(claims: object) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}."


async def who(token: str | Exception) -> str:
    async def get_token(*scopes: str) -> AccessToken:
        if isinstance(token, Exception):
            raise token
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


@pytest.mark.parametrize(
    ("tried", "why"),
    [
        (
            "The chain failed.\n\tAzureCliCredential: AADSTS700082: expired.\nTrace ID: 1\n\tPowerShellCredential: no",
            "AzureCliCredential: AADSTS700082: expired",
        ),
        ("The chain failed.\n\tEnvironmentCredential: wrong secret", "EnvironmentCredential: wrong secret"),
        ("no identity", "the token of the caller: ClientAuthenticationError: no identity"),
    ],
)
def test_a_caller_who_is_not_signed_in_reads_one_line_with_the_command_that_signs_in(
    tried: str, why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Given, "applied", True)
    monkeypatch.setenv("TENANT_ID", TENANT)
    monkeypatch.setenv("ResponderStorage", "UseDevelopmentStorage=true")
    with pytest.raises(typer.Exit) as ended:
        with_responder(lambda _: who(ClientAuthenticationError(tried)))

    assert ended.value.exit_code == 3
    assert capsys.readouterr().err == f"Not signed in to Azure ({why}). Sign in: az login --tenant {TENANT}.\n"
