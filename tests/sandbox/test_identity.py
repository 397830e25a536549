"""The identity endpoint and who may call what."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncManagedIdentityCredential

from sandbox.tenant.client import SandboxClient
from sandbox.tenant.identity import EXCHANGE, GRAPH, MANAGEMENT, RESPONDER_SECRET, WORKER_SECRET
from sandbox.tenant.server import environment
from sandbox.tenant.state import Tenant

SCOPE = f"{GRAPH}/.default"


def claims(token: str) -> dict[str, object]:
    body = token.split(".")[1]
    read: dict[str, object] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return read


@pytest.fixture
def as_responder(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(url).items():
        monkeypatch.setenv(name, value)


def test_azure_identity_gets_a_token_from_it(as_responder: None, tenant: Tenant) -> None:
    with ManagedIdentityCredential() as credential:
        token = claims(credential.get_token(SCOPE).token)

    assert (token["aud"], token["tid"]) == (GRAPH, tenant.settings.tenant_id)
    assert "User.Read.All" in str(token["roles"])


async def test_azure_identity_gets_a_token_from_it_asynchronously(as_responder: None) -> None:
    async with AsyncManagedIdentityCredential() as credential:
        token = claims((await credential.get_token(f"{MANAGEMENT}/.default")).token)

    assert token["roles"] == ["ActivityFeed.Read"]


def test_a_user_assigned_identity_is_named_by_its_client_id(as_responder: None, tenant: Tenant) -> None:
    client_id = tenant.identities[RESPONDER_SECRET].client_id

    with ManagedIdentityCredential(client_id=client_id) as credential:
        token = claims(credential.get_token(SCOPE).token)

    assert token["appid"] == client_id


def test_another_apps_client_id_gets_nothing(as_responder: None, tenant: Tenant) -> None:
    with (
        ManagedIdentityCredential(client_id=tenant.identities[WORKER_SECRET].client_id) as credential,
        pytest.raises(ClientAuthenticationError),
    ):
        credential.get_token(SCOPE)


def test_a_wrong_header_gets_nothing(url: str) -> None:
    query = {"resource": GRAPH, "api-version": "2019-08-01"}

    answer = httpx.get(f"{url}/identity/token", params=query, headers={"X-IDENTITY-HEADER": "guess"}, trust_env=False)

    assert answer.status_code == 401


@pytest.mark.parametrize("audience", [EXCHANGE, MANAGEMENT])
def test_graph_refuses_a_token_for_another_audience(url: str, bearer: Callable[..., str], audience: str) -> None:
    headers = {"Authorization": f"Bearer {bearer(audience, RESPONDER_SECRET)}"}

    answer = httpx.get(f"{url}/v1.0/users/alex@contoso.onmicrosoft.com", headers=headers, trust_env=False)

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/v1.0/users/x",
        "/api/v1.0/{tenant}/activity/feed/subscriptions/list",
        "/api/v1.0/{tenant}/activity/feed/audit/x",
    ],
)
def test_a_call_without_a_token_is_refused(url: str, tenant: Tenant, path: str) -> None:
    answer = httpx.get(url + path.format(tenant=tenant.settings.tenant_id), trust_env=False)

    assert answer.status_code == 401


def test_the_worker_has_no_right_in_graph(url: str, bearer: Callable[..., str]) -> None:
    headers = {"Authorization": f"Bearer {bearer(GRAPH, WORKER_SECRET)}"}

    answer = httpx.get(f"{url}/v1.0/users/alex@contoso.onmicrosoft.com", headers=headers, trust_env=False)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Authorization_RequestDenied")


def test_the_responder_has_no_right_in_exchange(url: str, tenant: Tenant, bearer: Callable[..., str]) -> None:
    headers = {"Authorization": f"Bearer {bearer(EXCHANGE, RESPONDER_SECRET)}"}
    body = {"CmdletInput": {"CmdletName": "Get-User"}}

    answer = httpx.post(
        f"{url}/exchange/{tenant.settings.tenant_id}/InvokeCommand", json=body, headers=headers, trust_env=False
    )

    assert answer.status_code == 403


def test_a_role_can_be_taken_away(control: SandboxClient, url: str, bearer: Callable[..., str]) -> None:
    control.roles("responder", GRAPH, ["User.Read.All"])
    headers = {"Authorization": f"Bearer {bearer(GRAPH, RESPONDER_SECRET)}"}

    answer = httpx.post(
        f"{url}/v1.0/users/alex@contoso.onmicrosoft.com/revokeSignInSessions", headers=headers, trust_env=False
    )

    assert answer.status_code == 403
