"""The control plane under ``/sandbox/``, and the sink for notifications.

It has no authentication, and is reachable on loopback only.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.tenant.account import Account
from sandbox.tenant.event_subscription import EventSubscription
from sandbox.tenant.faults import MILD, Fault
from sandbox.tenant.feed import AUDIT_EXCHANGE, Subscription
from sandbox.tenant.logs.planted import plant
from sandbox.tenant.notifications_page import notifications_page
from sandbox.tenant.scenarios import stage
from sandbox.tenant.scene import UnknownScenarioError, account_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from sandbox.tenant.state import Tenant

    Body = dict[str, Any]
    Command = Callable[[Tenant, Body], object | Awaitable[object]]


def routes(tenant: Tenant) -> list[Route]:
    """``GET state``, ``GET notifications`` and its page for people, and one ``POST`` per command."""

    def command(name: str, act: Command) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                done = act(tenant, await request.json())
                return JSONResponse(await done if isinstance(done, Awaitable) else done)
            except (ValidationError, ValueError, KeyError, UnknownScenarioError) as error:
                named = "" if isinstance(error, UnknownScenarioError) else f"{type(error).__name__}: "
                return JSONResponse({"error": f"{named}{error}"}, 400)

        return Route(f"/sandbox/{name}", endpoint, methods=["POST"])

    async def state(_request: Request) -> Response:
        tenant.synchronize()
        return JSONResponse(tenant.as_json())

    async def notifications(request: Request) -> Response:
        kept = list(tenant.notifications)
        if request.method == "DELETE":
            tenant.notifications.clear()
        return JSONResponse(kept)

    async def page(_request: Request) -> Response:
        return notifications_page(list(tenant.notifications))

    return [
        Route("/notifications", page, methods=["GET"]),
        Route("/sandbox/state", state, methods=["GET"]),
        Route("/sandbox/notifications", notifications, methods=["GET", "DELETE"]),
        command("settings", _settings),
        command("accounts", _accounts),
        command("delete", _delete),
        command("blobs", _blobs),
        command("attack", _attack),
        command("traces", _traces),
        command("audit_queries", _audit_queries),
        command("faults", _faults),
        command("subscription", _subscription),
        command("events", _subscribe_events),
        command("roles", _roles),
        command("sync", _sync),
    ]


def _settings(tenant: Tenant, body: Body) -> object:
    for name, value in body.items():
        setattr(tenant.settings, name, value)
    return tenant.settings.model_dump()


def _accounts(tenant: Tenant, body: Body) -> object:
    """Add accounts; one that exists (by object id or UPN) gets the given fields.

    ``replace`` removes all others.
    """
    if body.get("replace"):
        tenant.accounts.clear()
    changed = []
    for given in body["accounts"]:
        found = tenant.find(str(given.get("object_id") or given["user_principal_name"]))
        changed.append(Account.model_validate((found.model_dump() if found else {}) | given))
    tenant.add(changed)
    return [account.model_dump(mode="json") for account in changed]


def _delete(tenant: Tenant, body: Body) -> object:
    account = _named(tenant, body["account"])
    tenant.change(account, "deleted", value=True, by="sandbox")
    return account.model_dump(mode="json")


def _named(tenant: Tenant, name: str) -> Account:
    account = tenant.find(name)
    if account is None:
        raise KeyError(name)
    return account


def _blobs(tenant: Tenant, body: Body) -> object:
    """Publish ``records`` (JSON) or ``raw`` (base64) as one blob; options as ``Tenant.deliver`` has them."""
    given = dict(body)
    content = base64.b64decode(given.pop("raw")) if "raw" in given else given.pop("records")
    options = {
        name: given[name]
        for name in ("delay_seconds", "age_seconds", "copies", "hunting_delay_seconds")
        if name in given
    }
    return [blob.content_id for blob in tenant.deliver(content, **options)]


def _attack(tenant: Tenant, body: Body) -> object:
    return stage(
        tenant,
        body["scenario"],
        target=body.get("target"),
        actor=body.get("actor"),
        feed_delay_seconds=float(body.get("feed_delay_seconds", 0)),
        hunting_delay_seconds=body.get("hunting_delay_seconds"),
        silent=bool(body.get("silent")),
    )


def _traces(tenant: Tenant, body: Body) -> object:
    """Add ``records`` to the log ``table``, or the traces of an attack.

    Without ``table``, one trace of every kind of ``target`` and ``actor`` is added.
    """
    if "table" in body:
        tenant.traces.add(str(body["table"]), list(body["records"]))
        return len(body["records"])
    target = account_named(tenant, body["target"])
    actor = tenant.find(body["actor"]) or target
    plant(tenant.traces, target, actor, tenant.clock())
    return [target.object_id, actor.object_id]


def _audit_queries(tenant: Tenant, body: Body) -> object:
    """Set how audit log queries go on: ``running_polls``, ``ends_as``, ``limit``."""
    queries = tenant.audit_queries
    queries.running_polls = int(body.get("running_polls", queries.running_polls))
    queries.ends_as = str(body.get("ends_as", queries.ends_as))
    queries.limit = int(body.get("limit", queries.limit))
    return len(queries.made)


def _faults(tenant: Tenant, body: Body) -> object:
    """Add scripted ``faults``; ``clear`` removes all earlier ones first.

    ``seed`` and ``rates`` (or ``"mild"``) are for random faults.
    """
    faults = tenant.faults
    added = [Fault.model_validate(fault) for fault in body.get("faults", [])]
    if body.get("clear"):
        faults.scripted, faults.rates = [], {}
    faults.scripted = [*faults.scripted, *added]
    faults.seed = int(body.get("seed", faults.seed))
    faults.late_by_seconds = float(body.get("late_by_seconds", faults.late_by_seconds))
    rates = body.get("rates", faults.rates)
    faults.rates = dict(MILD) if rates == "mild" else dict(rates)
    return {"seed": faults.seed, "rates": faults.rates, "scripted": [fault.model_dump() for fault in faults.scripted]}


def _subscription(tenant: Tenant, body: Body) -> object:
    """Set the subscription to ``enabled``, ``disabled`` or ``missing``.

    It can be started again at once.
    """
    content_type, status = body.get("content_type", AUDIT_EXCHANGE), body["status"]
    if status not in {"enabled", "disabled", "missing"}:
        raise ValueError(status)
    tenant.feed.subscribe(content_type, None if status == "missing" else Subscription(status), now=tenant.clock())
    tenant.feed.started_at.pop(content_type, None)
    return status


async def _subscribe_events(tenant: Tenant, body: Body) -> object:
    """Subscribe a webhook or a queue to the topic, as ``EventSubscription`` describes it.

    ``name`` replaces the subscription of that name.
    """
    await tenant.topic.subscribe(EventSubscription.model_validate(body))
    return sorted(tenant.topic.subscriptions)


def _roles(tenant: Tenant, body: Body) -> object:
    """Set the app roles of ``responder`` or ``worker`` on ``resource``; tokens given before keep theirs."""
    for identity in tenant.identities.values():
        if identity.name == body["identity"]:
            identity.roles[body["resource"]] = [str(role) for role in body["roles"]]
            return identity.roles
    raise KeyError(body["identity"])


def _sync(tenant: Tenant, _body: Body) -> object:
    tenant.synchronize(now=True)
    return "synchronized"


async def receive_notification(request: Request, tenant: Tenant) -> Response:
    """Keep what the responder's webhook channel sent.

    A fault on the endpoint ``webhook`` makes the request fail instead.
    """
    body = await request.body()
    tenant.notifications.append({"headers": dict(request.headers), "body": body.decode(errors="replace")})
    return Response(status_code=200)
