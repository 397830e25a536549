"""Checks what others reference in the apps: Event Grid's destination, runtimes, modules, open paths."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from infra import package_responder
from infra.checks import app_code, predicted
from infra.checks.predicted import of_type
from infra.checks.unreadable import reported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANONYMOUS = {"health"}
"""Functions that accept anonymous calls. Their answers reveal nothing."""
EXCLUDED = {"/runtime/webhooks/eventgrid", "/runtime/webhooks/EventGrid", "/api/health"}
"""Paths that App Service authentication lets through: Event Grid signs in otherwise, and health is public."""
CONSOLE_ASSETS = "src/bypass_responder/console/static"
CONSOLE_EXCLUDED = {"/welcome", "/static/console.css", "/static/console.js", "/static/icon.svg"}
"""The public page of the console and what it loads; nothing in them is secret."""
PAIRS = {"7.6": ((3, 10, 0), (4, 0, 0)), "7.4": ((3, 5, 0), (3, 10, 0))}
"""PowerShell of the app, to the versions of ExchangeOnlineManagement from … below that run on it."""
RETRY = {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440}


@reported
def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    functions = app_code.declared(root).functions
    yield from _anonymous(root, functions)
    yield from _destination(root, functions)
    yield from _versions(root)
    yield from _instances(root, functions)


def _anonymous(root: Path, functions: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    open_to_all = {
        name for name, bindings in functions.items() if any(str(it.get("authLevel")) == "ANONYMOUS" for it in bindings)
    }
    if open_to_all != ANONYMOUS:
        yield f"anonymous calls are allowed to {sorted(open_to_all)}, must be {sorted(ANONYMOUS)}"
    found = of_type(predicted.resources(root, "everything"), "Microsoft.Web/sites/config")
    auth = {"console" if "func-bypass-cons" in str(each["name"]) else "responder": each for each in found}
    if len(found) != len(auth) or set(auth) != {"responder", "console"}:
        yield f"App Service authentication of {sorted(auth)} with authClientId and deployConsole, must be of both"
    for app, each in auth.items():
        validation = each["properties"].get("globalValidation", {})
        excluded, action = (CONSOLE_EXCLUDED, "RedirectToLoginPage") if app == "console" else (EXCLUDED, "Return401")
        if set(validation.get("excludedPaths", [])) != excluded:
            yield f"{app}: without sign-in goes {validation.get('excludedPaths')}, must be {sorted(excluded)}"
        if not validation.get("requireAuthentication") or validation.get("unauthenticatedClientAction") != action:
            yield f"{app}: App Service authentication lets callers through that did not sign in"
    assets = {f"/static/{path.name}" for path in (root / CONSOLE_ASSETS).glob("*")}
    if assets != CONSOLE_EXCLUDED - {"/welcome"}:
        yield f"the public page of the console needs {sorted(assets)}, which main.bicep must exclude from the sign-in"
    if of_type(predicted.resources(root, "default"), "Microsoft.Web/sites/config"):
        yield "App Service authentication is there without authClientId"


def _destination(root: Path, functions: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    for alerts_to in ("function", "queue"):
        found = of_type(predicted.events(root, alerts_to=alerts_to), "Microsoft.EventGrid/topics/eventSubscriptions")
        if len(found) != 1:
            yield f"events.bicep makes {len(found)} subscriptions, must be 1"
        for each in found:
            properties = each["properties"]
            given = properties.get("destination") or (properties.get("deliveryWithResourceIdentity") or {}).get(
                "destination"
            )
            yield from _delivered(given or {}, functions)
            if (schema := properties.get("eventDeliverySchema")) != "CloudEventSchemaV1_0":
                yield f"the subscription delivers {schema}, must be CloudEventSchemaV1_0"
            if properties.get("filter"):
                yield f"the subscription drops what its filter does not name: {properties['filter']}"
            if properties.get("retryPolicy") != RETRY:
                yield f"the subscription tries {properties.get('retryPolicy')}, must be {RETRY}"
            if not properties.get("deadLetterWithResourceIdentity"):
                yield "what cannot be delivered is dropped: the subscription has no dead letters"


def _delivered(destination: dict[str, Any], functions: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    properties = destination.get("properties", {})
    if destination.get("endpointType") == "StorageQueue":
        if properties.get("queueName") != "alerts":
            yield f"events.bicep delivers to the queue {properties.get('queueName')}, which no function reads"
        return
    function = str(properties.get("resourceId", "")).rpartition("/functions/")[2].rstrip("')]")
    kinds = {each["type"] for each in functions.get(function, [])}
    if "eventGridTrigger" not in kinds:
        yield f"events.bicep delivers to {function or 'nothing'}, which is no function with an Event Grid trigger"
    if properties.get("maxEventsPerBatch") != 1:
        yield f"a delivery has {properties.get('maxEventsPerBatch')} events, must be 1: the function reads one"


def _instances(root: Path, functions: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """One reading of Azure's limit has all groups share it: the HTTP functions, and each other function."""
    http = {name for name, bindings in functions.items() if any(it["type"] == "httpTrigger" for it in bindings)}
    groups = {
        "responder": len(set(functions) - http) + bool(http),
        "exchange-worker": len(list((root / "src" / "exchange_worker").glob("*/function.json"))),
    }
    for each in of_type(predicted.resources(root, "default"), "Microsoft.Web/sites"):
        service = str(each.get("tags", {}).get("azd-service-name"))
        most = each["properties"]["functionAppConfig"]["scaleAndConcurrency"]["maximumInstanceCount"]
        if most < groups.get(service, 0):
            yield f"{service} has {most} instances for {groups[service]} groups of functions, which may share them"


def _versions(root: Path) -> Iterator[str]:
    python = (predicted.app(root, "responder").get("runtime") or {}).get("version")
    packaged = ".".join(map(str, package_responder.DEPLOYED))
    if python != packaged:
        yield f"the responder runs on Python {python}, and is packaged for {packaged}"
    shell = (predicted.app(root, "exchange-worker").get("runtime") or {}).get("version")
    lock = json.loads((root / "src" / "exchange_worker" / "modules.lock.json").read_text(encoding="utf-8"))
    pinned = str(lock.get("ExchangeOnlineManagement", {}).get("version"))
    first, below = PAIRS.get(str(shell), ((0,), (0,)))
    if not pinned.replace(".", "").isdigit() or not first <= tuple(map(int, pinned.split("."))) < below:
        yield f"ExchangeOnlineManagement {pinned} does not run on PowerShell {shell}"
