"""The directory: the same facts hold for the fake and for msgraph-sdk against the stand-in Graph."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import pkgutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any, NamedTuple, cast

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError

from bypass_responder.adapters import graph
from bypass_responder.adapters.graph import GraphDirectory, _Request
from bypass_responder.adapters.graph_wire import FAILURES, object_of
from bypass_responder.errors import (
    NotFoundError,
    NoTokenError,
    PermissionMissingError,
    RefusedError,
    ThrottledError,
    TransientError,
)
from bypass_responder.model.account import Account
from bypass_responder.ports import Directory
from sandbox.tenant.account import Account as TenantAccount
from sandbox.tenant.faults import Fault
from sandbox.tenant.identity import GRAPH, RESPONDER_SECRET
from sandbox.tenant.state import Tenant
from tests.fakes import FakeDirectory
from tests.simulation.loop import SimulatedLoop

PERSON = "11111111-1111-1111-1111-111111111111"
ADMIN = "22222222-2222-2222-2222-222222222222"
GUEST = "33333333-3333-3333-3333-333333333333"
SYNCED = "44444444-4444-4444-4444-444444444444"
NOBODY = "99999999-9999-9999-9999-999999999999"
ODD = {
    "55555555-5555-5555-5555-555555555555": "someone_fabrikam.com#EXT#@contoso.onmicrosoft.com",
    "66666666-6666-6666-6666-666666666666": "$svc@contoso.com",
    "77777777-7777-7777-7777-777777777777": "o'brien@contoso.com",
    "88888888-8888-8888-8888-888888888888": "$o'brien+x&y=100%25@contoso.com",
}
NAMES = ODD | {
    PERSON: "adele@contoso.com",
    ADMIN: "admin@contoso.com",
    GUEST: "guest@fabrikam.com",
    SYNCED: "synced@contoso.com",
}
FIRST = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


class Token:
    """A credential that asks the stand-in once, as azure-identity keeps what it got."""

    def __init__(self, url: str) -> None:
        query = {"resource": GRAPH, "api-version": "2019-08-01"}
        headers = {"X-IDENTITY-HEADER": RESPONDER_SECRET}
        answer = httpx.get(f"{url}/identity/token", params=query, headers=headers, trust_env=False)
        self._token = AccessToken(answer.json()["access_token"], 2**40)

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        return self._token


def a_directory(credential: object, url: str) -> GraphDirectory:
    """``get_token`` is all that the adapter asks of a credential."""
    return GraphDirectory(cast("AsyncTokenCredential", credential), url)


@pytest.fixture
async def real(stand_in: Tenant, stand_in_url: str) -> AsyncIterator[GraphDirectory]:
    stand_in.accounts.clear()
    for object_id, name in NAMES.items():
        facts: dict[str, Any] = {"user_principal_name": name, "object_id": object_id, "admin": object_id == ADMIN}
        facts |= {"user_type": "Guest" if object_id == GUEST else "Member"}
        facts |= {"on_premises_sync_enabled": True if object_id == SYNCED else None, "mail": f"mail-{name}"}
        facts |= {
            "mail_nickname": "alias",
            "proxy_addresses": [f"SMTP:mail-{name}"],
            "other_mails": ["at@home.example"],
        }
        stand_in.add([TenantAccount.model_validate(facts | {"display_name": "A person"})])
    directory = a_directory(Token(stand_in_url), stand_in_url)
    yield directory
    await directory.aclose()


@pytest.fixture(params=["fake", "graph"])
def directory(request: pytest.FixtureRequest) -> Directory:
    if request.param == "graph":
        real: GraphDirectory = request.getfixturevalue("real")
        return real
    fake = FakeDirectory(*(an_account(object_id) for object_id in NAMES))
    fake.admins = {ADMIN}
    return fake


def an_account(object_id: str) -> Account:
    return Account(
        object_id=object_id,
        user_principal_name=NAMES[object_id],
        display_name="A person",
        account_enabled=True,
        on_premises_sync_enabled=object_id == SYNCED,
        guest=object_id == GUEST,
        sessions_valid_from=FIRST,
        mail=f"mail-{NAMES[object_id]}",
        mail_nickname="alias",
        proxy_addresses=(f"SMTP:mail-{NAMES[object_id]}",),
        other_mails=("at@home.example",),
    )


@pytest.mark.parametrize("object_id", NAMES)
async def test_an_account_is_found_by_its_object_id(directory: Directory, object_id: str) -> None:
    assert await directory.find(object_id) == an_account(object_id)


@pytest.mark.parametrize("object_id", NAMES)
async def test_an_account_is_found_by_its_principal_name(directory: Directory, object_id: str) -> None:
    assert await directory.find(f" {NAMES[object_id].upper()} ") == an_account(object_id)


@pytest.mark.parametrize("name", [NOBODY, "nobody@contoso.com", "nobody"])
async def test_nobody_is_none(directory: Directory, name: str) -> None:
    assert await directory.find(name) is None


async def test_the_primary_address_comes_first_and_only_mail_addresses_count(
    real: GraphDirectory, stand_in: Tenant
) -> None:
    proxies = ["smtp:a@contoso.onmicrosoft.com", "X500:/o=Labs/cn=a", "SIP:a@contoso.com", "SMTP:adele@contoso.com"]
    account = stand_in.find(PERSON)
    assert account
    account.proxy_addresses, account.mail = proxies, "adele@contoso.com"

    found = await real.find(PERSON)

    assert found
    assert found.mail_addresses == ("adele@contoso.com", "a@contoso.onmicrosoft.com")


async def test_an_account_without_a_mailbox_has_no_address(real: GraphDirectory, stand_in: Tenant) -> None:
    account = stand_in.find(PERSON)
    assert account
    account.proxy_addresses, account.mail = [], None
    found = await real.find(PERSON)

    assert found
    assert found.mail_addresses == ()


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "*",
        "adele",
        "a b@contoso.com",
        "a@b@c",
        "@contoso.com",
        "../me",
        "adele@contoso.com/x",
        "a*@contoso.com",
        "a?@contoso.com",
        "a\n@contoso.com",
        "a" + chr(0xD800) + "@contoso.com",
        "x" * 2000 + "@contoso.com",
        "CN=Adele,OU=x",
        "adele@contoso.com;x",
    ],
)
async def test_what_can_be_no_principal_name_is_none_without_a_call(
    real: GraphDirectory, stand_in: Tenant, name: str
) -> None:
    assert await real.find(name) is None
    assert stand_in.counters["graph.get_user"] == 0


async def test_sign_in_is_blocked_and_restored(directory: Directory) -> None:
    await directory.set_sign_in(PERSON, enabled=False)
    blocked = await directory.find(PERSON)
    await directory.set_sign_in(PERSON, enabled=True)
    restored = await directory.find(PERSON)

    assert blocked is not None
    assert not blocked.account_enabled
    assert restored == an_account(PERSON)


async def test_revoking_moves_the_moment_from_which_sessions_are_valid(directory: Directory) -> None:
    await directory.revoke_sessions(PERSON)
    account = await directory.find(PERSON)

    assert account is not None
    assert account.sessions_valid_from is not None
    assert datetime.now(UTC) - account.sessions_valid_from < timedelta(minutes=1)


async def test_revoking_does_nothing_for_a_guest(directory: Directory) -> None:
    await directory.revoke_sessions(GUEST)

    assert await directory.find(GUEST) == an_account(GUEST)


async def test_an_administrator_cannot_be_blocked_without_the_role(directory: Directory) -> None:
    with pytest.raises(PermissionMissingError, match="Privileged Authentication Administrator"):
        await directory.set_sign_in(ADMIN, enabled=False)

    assert await directory.find(ADMIN) == an_account(ADMIN)


@pytest.mark.parametrize("name", [ADMIN, f" {NAMES[ADMIN].upper()} "])
async def test_an_administrator_holds_a_role(directory: Directory, name: str) -> None:
    assert await directory.is_administrator(name)


@pytest.mark.parametrize("name", [PERSON, NAMES[PERSON], NOBODY, "nobody@contoso.com", "serviceprincipal_1", ""])
async def test_anyone_else_holds_none(directory: Directory, name: str) -> None:
    assert not await directory.is_administrator(name)


async def test_what_an_administrator_lacks_is_the_role_alone(directory: Directory) -> None:
    with pytest.raises(PermissionMissingError) as caught:
        await directory.set_sign_in(ADMIN, enabled=False)

    assert "User.EnableDisableAccount.All" not in str(caught.value)


async def test_changing_an_account_that_is_gone_says_so(directory: Directory) -> None:
    with pytest.raises(NotFoundError):
        await directory.set_sign_in(NOBODY, enabled=False)
    with pytest.raises(NotFoundError):
        await directory.revoke_sessions(NOBODY)


async def test_a_missing_right_is_named(real: GraphDirectory, stand_in: Tenant, stand_in_url: str) -> None:
    stand_in.identities[RESPONDER_SECRET].roles[GRAPH] = []
    directory = a_directory(Token(stand_in_url), stand_in_url)
    calls = (directory.find(PERSON), directory.set_sign_in(PERSON, enabled=False), directory.revoke_sessions(PERSON))
    said = []
    for call in calls:
        with pytest.raises(PermissionMissingError) as caught:
            await call
        said.append(caught.value.permission.split(",")[0])
    await directory.aclose()

    assert said == ["User.Read.All", "User.EnableDisableAccount.All", "User.RevokeSessions.All"]


@pytest.mark.parametrize("kind", ["server_error", "drop_before", "drop_after", "throttle"])
async def test_one_fault_is_overcome(real: GraphDirectory, stand_in: Tenant, kind: Any) -> None:
    stand_in.faults.scripted = [Fault(kind=kind, endpoint="graph.patch_user")]
    await real.set_sign_in(PERSON, enabled=False)

    assert not stand_in.accounts[PERSON].account_enabled
    assert stand_in.counters["graph.patch_user"] == 2


@pytest.mark.parametrize("kind", ["server_error", "drop_before"])
async def test_a_service_in_trouble_is_asked_twice(real: GraphDirectory, stand_in: Tenant, kind: Any) -> None:
    stand_in.faults.scripted = [Fault(kind=kind, endpoint="graph.*", times=None)]
    with pytest.raises(TransientError):
        await real.find(PERSON)

    assert stand_in.counters["graph.get_user"] == 2


async def test_a_throttled_call_holds_back_the_others(real: GraphDirectory, stand_in: Tenant) -> None:
    """The second call is sent after the wait of the first, and meets no 429."""
    stand_in.faults.scripted = [Fault(kind="throttle", endpoint="graph.patch_user", retry_after_seconds=3)]
    waiting = asyncio.create_task(real.set_sign_in(PERSON, enabled=False))
    while not stand_in.counters["fault.throttle"]:  # noqa: ASYNC110 - the stand-in has no event to await
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    other = asyncio.create_task(real.find(PERSON))
    await asyncio.sleep(0.2)
    before = stand_in.counters["graph.get_user"]
    await asyncio.gather(waiting, other)

    assert (before, stand_in.counters["graph.get_user"]) == (0, 1)


async def test_a_call_is_made_again_as_often_as_it_is_throttled_within_its_time(
    real: GraphDirectory, stand_in: Tenant
) -> None:
    stand_in.faults.scripted = [Fault(kind="throttle", endpoint="graph.patch_user", times=3, retry_after_seconds=0)]
    await real.set_sign_in(PERSON, enabled=False)

    assert not stand_in.accounts[PERSON].account_enabled
    assert stand_in.counters["graph.patch_user"] == 4


async def test_a_call_that_waits_too_long_was_throttled(
    real: GraphDirectory, stand_in: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was refused each time, so nothing is unknown about its effect."""
    monkeypatch.setattr(graph, "_TOTAL_SECONDS", 0.5)
    stand_in.faults.scripted = [Fault(kind="throttle", endpoint="graph.*", times=None)]

    with pytest.raises(ThrottledError):
        await real.set_sign_in(PERSON, enabled=False)


async def test_a_long_wait_is_left_to_the_caller(real: GraphDirectory, stand_in: Tenant) -> None:
    stand_in.faults.scripted = [Fault(kind="throttle", endpoint="graph.*", times=None, retry_after_seconds=77)]
    with pytest.raises(ThrottledError) as caught:
        await real.revoke_sessions(PERSON)

    assert caught.value.retry_after_seconds == 77
    assert stand_in.counters["graph.revoke"] == 1


async def test_a_service_that_hangs_is_given_up(
    real: GraphDirectory, stand_in: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "_TOTAL_SECONDS", 0.2)
    stand_in.faults.scripted = [Fault(kind="latency", endpoint="graph.*", seconds=2)]
    with pytest.raises(TransientError, match="did not answer"):
        await real.find(PERSON)


async def test_only_an_object_id_is_ever_changed(real: GraphDirectory, stand_in: Tenant) -> None:
    with pytest.raises(RefusedError):
        await real.set_sign_in("adele@contoso.com", enabled=False)
    with pytest.raises(RefusedError):
        await real.revoke_sessions("")

    assert stand_in.journal == []


class NoToken:
    """A credential that gets no token."""

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        raise ClientAuthenticationError("no identity")


async def test_without_a_token_nothing_is_decided(stand_in_url: str) -> None:
    directory = a_directory(NoToken(), stand_in_url)
    with pytest.raises(NoTokenError):
        await directory.find(PERSON)
    await directory.aclose()


class Answer(NamedTuple):
    """What a service could answer, given to the judgment directly."""

    status: int
    body: bytes = b""

    def judged(self) -> httpx.Response:
        return graph._judged(httpx.Response(self.status, content=self.body), "some right")


def test_a_404_without_graph_s_code_is_not_a_missing_account() -> None:
    with pytest.raises(RefusedError):
        Answer(404, b"<html>no such site</html>").judged()


@pytest.mark.parametrize("status", [401, 408, 500, 502, 503, 504])
def test_trouble_of_the_service_is_transient(status: int) -> None:
    with pytest.raises(TransientError):
        Answer(status).judged()


@pytest.mark.parametrize("status", [301, 302, 400, 409, 412])
def test_everything_else_is_refused_with_the_service_s_words(status: int) -> None:
    body = {"error": {"code": "Request_BadRequest", "message": "on-premises mastered"}}
    with pytest.raises(RefusedError, match="on-premises mastered"):
        Answer(status, json.dumps(body).encode()).judged()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"7"])
def test_an_answer_that_is_no_json_object_is_transient(body: bytes) -> None:
    with pytest.raises(TransientError):
        object_of(httpx.Response(200, content=body))


@pytest.mark.parametrize("missing", ["id", "userPrincipalName", "accountEnabled"])
def test_an_answer_without_what_a_decision_needs_is_refused(missing: str) -> None:
    body = {"id": PERSON, "userPrincipalName": "a@contoso.com", "accountEnabled": True}
    with pytest.raises(RefusedError):
        graph._account(body | {missing: None})


async def test_an_answer_about_another_account_is_refused(
    real: GraphDirectory, stand_in: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed_up = stand_in.accounts[ADMIN]
    monkeypatch.setattr(Tenant, "find", lambda _tenant, _name: mixed_up)
    with pytest.raises(RefusedError, match="answered with"):
        await real.find(PERSON)


def _modules(root: ModuleType) -> list[ModuleType]:
    found = pkgutil.walk_packages(root.__path__, root.__name__ + ".")
    names = [module.name for module in found if ".generated" not in module.name and ".requests" not in module.name]
    return [root, *(importlib.import_module(name) for name in names)]


@pytest.mark.filterwarnings("ignore:GetQueryParameters:DeprecationWarning")
@pytest.mark.parametrize(
    "package", ["kiota_abstractions", "kiota_http", "kiota_authentication_azure", "msgraph_core", "httpx"]
)
def test_every_error_that_the_sdk_defines_is_mapped(package: str) -> None:
    defined = {
        value
        for module in _modules(importlib.import_module(package))
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Exception) and value.__module__.startswith(package)
    }

    assert {error for error in defined if not issubclass(error, FAILURES)} == {*_NOT_OURS.get(package, ())}


_NOT_OURS = {"httpx": (httpx.CookieConflict,)}
"""Raised only by methods that the SDK does not call."""


def test_the_typed_error_of_the_sdk_is_one_that_is_mapped() -> None:
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    assert issubclass(ODataError, FAILURES)


# --- a limit, in simulated time

PER_SECOND, LATENCY_SECONDS, CALLS = 20, 0.1, 600


class LimitedDirectory(GraphDirectory):
    """A directory with a bucket of tokens in place of the wire.

    A call that finds no token is refused for a second and takes none.
    """

    def __init__(self) -> None:
        super().__init__(cast("AsyncTokenCredential", None), "https://graph.test")
        self.tokens, self.filled_at = float(PER_SECOND), 0.0

    async def _once(self, request: _Request) -> httpx.Response:
        now = asyncio.get_running_loop().time()
        self.tokens = min(PER_SECOND, self.tokens + (now - self.filled_at) * PER_SECOND)
        self.filled_at, passes = now, self.tokens >= 1
        self.tokens -= passes
        await asyncio.sleep(LATENCY_SECONDS)
        if not passes:
            raise ThrottledError("429", retry_after_seconds=1.0)
        return httpx.Response(204, request=httpx.Request(request.method.value, request.path))


async def revoke_all(callers: int) -> float:
    """How many simulated seconds the calls take."""
    directory, slots = LimitedDirectory(), asyncio.Semaphore(callers)

    async def revoke() -> None:
        async with slots:
            await directory.revoke_sessions(PERSON)

    await asyncio.gather(*(revoke() for _ in range(CALLS)))
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("callers", [4, 8, 16])
def test_the_pauses_after_a_429_leave_little_of_the_limit_unused(callers: int) -> None:
    def jump(seconds: float | None) -> None:
        loop.now += seconds or 0.0

    loop = SimulatedLoop(jump)
    try:
        seconds = loop.run_until_complete(revoke_all(callers))
    finally:
        loop.close()

    assert seconds < 1.03 * CALLS / PER_SECOND
