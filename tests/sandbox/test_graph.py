"""Graph, read with httpx for its quirks and with msgraph-sdk to prove that the SDK accepts it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from azure.identity.aio import ManagedIdentityCredential
from kiota_abstractions.api_error import APIError
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from kiota_http.middleware.options import RetryHandlerOption
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.user import User
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]

from sandbox.tenant.account import DOMAIN
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.server import environment
from sandbox.tenant.state import Tenant

# the SDK's own packages warn about themselves while they are imported
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:(msgraph|kiota).*")

ALEX = f"alex@{DOMAIN}"
GUEST = f"pat_fabrikam.example#EXT#@{DOMAIN}"
ENABLED = {"$select": "accountEnabled"}


@pytest.fixture
async def sdk(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GraphServiceClient]:
    for name, value in environment(url).items():
        monkeypatch.setenv(name, value)
    once = {RetryHandlerOption.get_key(): RetryHandlerOption(delay=0, max_retries=0)}
    # the SDK's transport does not close the one it wraps, so no connection may outlive its answer
    plain = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)
    async with (
        ManagedIdentityCredential() as credential,
        GraphClientFactory.create_with_default_middleware(client=plain, options=once) as http,
    ):
        provider = AzureIdentityAuthenticationProvider(
            credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=["127.0.0.1"]
        )
        adapter = GraphRequestAdapter(provider, client=http)
        adapter.base_url = f"{url}/v1.0"
        yield GraphServiceClient(request_adapter=adapter)


def error_code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("path", ["/users/{id}", "//users/{id}", "/users/{upn}", "/users('{upn}')", "/users/{UPN}"])
def test_a_user_is_found_however_the_path_names_it(graph: httpx.Client, tenant: Tenant, path: str) -> None:
    account = tenant.find(ALEX)
    assert account
    named = path.format(id=account.object_id, upn=ALEX, UPN=ALEX.upper())

    answer = graph.get(str(graph.base_url).rstrip("/") + named, params=ENABLED)

    assert answer.json()["accountEnabled"] is True


def test_a_guest_is_found_with_its_hash_encoded(graph: httpx.Client) -> None:
    answer = graph.get(f"/users/{GUEST.replace('#', '%23')}", params={"$select": "userType"})

    assert answer.json()["userType"] == "Guest"


def test_account_enabled_is_given_only_when_selected(graph: httpx.Client) -> None:
    assert "accountEnabled" not in graph.get(f"/users/{ALEX}").json()


def test_an_unknown_user_is_not_found(graph: httpx.Client) -> None:
    assert error_code(graph.get("/users/nobody@contoso.example")) == (404, "Request_ResourceNotFound")


def test_a_deleted_user_is_not_found(graph: httpx.Client, control: SandboxClient) -> None:
    control.delete(ALEX)

    assert error_code(graph.patch(f"/users/{ALEX}", json={"accountEnabled": False}))[0] == 404


@pytest.mark.parametrize("extra", [{}, {"@odata.type": "#microsoft.graph.user"}])
def test_a_patch_blocks_sign_in(graph: httpx.Client, tenant: Tenant, extra: dict[str, str]) -> None:
    answer = graph.patch(f"/users/{ALEX}", json=extra | {"accountEnabled": False})

    assert (answer.status_code, answer.content) == (204, b"")
    assert [(c.field, c.before, c.after) for c in tenant.journal] == [("account_enabled", True, False)]


def test_a_patch_of_anything_else_changes_nothing(graph: httpx.Client, tenant: Tenant) -> None:
    answer = graph.patch(f"/users/{ALEX}", json={"accountEnabled": False, "jobTitle": "x"})

    assert answer.status_code == 400
    assert tenant.journal == []


def test_an_administrator_is_not_blocked_without_an_entra_role(graph: httpx.Client, tenant: Tenant) -> None:
    answer = graph.patch(f"/users/admin@{DOMAIN}", json={"accountEnabled": False})

    assert error_code(answer) == (403, "Authorization_RequestDenied")
    assert tenant.journal == []


def test_an_administrator_is_blocked_with_an_entra_role(graph: httpx.Client, control: SandboxClient) -> None:
    control.settings(privileged_role=True)

    graph.patch(f"/users/admin@{DOMAIN}", json={"accountEnabled": False}).raise_for_status()

    assert control.account(f"admin@{DOMAIN}")["account_enabled"] is False


@pytest.mark.parametrize(("who", "types"), [("admin", {"group", "directoryRole"}), ("alex", {"group"})])
def test_memberships_name_a_role_by_its_type_only(graph: httpx.Client, who: str, types: set[str]) -> None:
    listed = graph.get(f"/users/{who}@{DOMAIN}/transitiveMemberOf?$select=id").json()["value"]

    assert {each["@odata.type"].rpartition(".")[2] for each in listed} == types


def test_a_revoke_stamps_the_account(graph: httpx.Client, tenant: Tenant) -> None:
    answer = graph.post(f"/users/{ALEX}/revokeSignInSessions")

    assert answer.json()["value"] is True
    assert [c.field for c in tenant.journal] == ["sign_in_sessions_valid_from"]


def test_a_revoke_of_a_guest_says_true_and_changes_nothing(graph: httpx.Client, tenant: Tenant) -> None:
    answer = graph.post(f"/users/{GUEST.replace('#', '%23')}/revokeSignInSessions")

    assert answer.json()["value"] is True
    assert tenant.journal == []


def test_a_read_after_a_patch_is_stale_for_a_while(graph: httpx.Client, control: SandboxClient, tenant: Tenant) -> None:
    control.settings(graph_delay_seconds=60)

    graph.patch(f"/users/{ALEX}", json={"accountEnabled": False})

    assert graph.get(f"/users/{ALEX}", params=ENABLED).json()["accountEnabled"] is True
    assert control.account(ALEX)["account_enabled"] is False


def test_a_synced_account_is_enabled_again_by_the_next_cycle(graph: httpx.Client, control: SandboxClient) -> None:
    graph.patch(f"/users/hybrid@{DOMAIN}", json={"accountEnabled": False})

    control.sync()

    assert graph.get(f"/users/hybrid@{DOMAIN}", params=ENABLED).json()["accountEnabled"] is True


def test_a_cloud_account_is_not_touched_by_a_sync_cycle(graph: httpx.Client, control: SandboxClient) -> None:
    graph.patch(f"/users/{ALEX}", json={"accountEnabled": False})

    control.sync()

    assert control.account(ALEX)["account_enabled"] is False


async def test_the_sdk_blocks_and_revokes(sdk: GraphServiceClient, tenant: Tenant) -> None:
    user = sdk.users.by_user_id(ALEX)

    await user.patch(User(account_enabled=False))
    await user.revoke_sign_in_sessions.post()

    assert [c.field for c in tenant.journal] == ["account_enabled", "sign_in_sessions_valid_from"]


async def test_the_sdk_reads_error_codes(sdk: GraphServiceClient) -> None:
    with pytest.raises(ODataError) as caught:
        await sdk.users.by_user_id(f"admin@{DOMAIN}").patch(User(account_enabled=False))

    assert caught.value.error is not None
    assert caught.value.error.code == "Authorization_RequestDenied"


async def test_the_sdk_meets_a_server_error_without_a_body(sdk: GraphServiceClient, control: SandboxClient) -> None:
    control.fault("server_error", "graph.*")

    with pytest.raises(APIError) as caught:
        await sdk.users.by_user_id(ALEX).patch(User(account_enabled=False))

    assert caught.value.response_status_code == 503


async def test_the_sdk_meets_throttling_with_a_retry_after(sdk: GraphServiceClient, control: SandboxClient) -> None:
    control.fault("throttle", "graph.*", retry_after_seconds=7)

    with pytest.raises(ODataError) as caught:
        await sdk.users.by_user_id(ALEX).patch(User(account_enabled=False))

    assert caught.value.response_status_code == 429
    assert "7" in str(caught.value.response_headers)
