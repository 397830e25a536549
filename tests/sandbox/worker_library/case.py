"""Drives the function app with the library of the real Python worker.

It prints what it saw as one JSON object.

`case.py APP`: with a stand-in for the workflow. `case.py APP --alone FOLDER`: with nothing stood in and
the packages of the app alone; the worker is in FOLDER.

Run by the tests beside it as a program: the worker's state is global, so there is one app per process. The worker talks
protobuf to the host; here the messages are objects that keep what they are given.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

if (
    sys.flags.isolated
):  # nothing is importable but Python itself: first the app's packages, as in Azure, then the worker
    sys.path[:0] = [f"{sys.argv[1]}/.python_packages/lib/site-packages", sys.argv[1], *sys.argv[3:]]

import azure_functions_runtime as worker
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.native_invocation import invocation_request_native

APP = sys.argv[1]
ALONE = "--alone" in sys.argv
SCHEDULE_STATUS = {
    "Last": "2026-01-02T03:03:00+00:00",
    "Next": "2026-01-02T03:05:00+00:00",
    "LastUpdated": "2026-01-02",
}
TIMER = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": SCHEDULE_STATUS, "IsPastDue": False}
RESULT = '{"command_id": "c-1"}'


class Message(SimpleNamespace):
    """Any message of the worker's protocol."""


class BindingInfo(Message):
    """A binding, with the numbers of its directions."""

    undefined, out, inout = 0, 1, 2


class StatusResult(Message):
    """How a request ended."""

    Failure, Success = 0, 1


def protocol() -> Any:
    """The messages that indexing needs."""
    names = ("WorkerInitResponse", "WorkerMetadata", "FunctionMetadataResponse", "RpcFunctionMetadata")
    others = ("RpcRetryOptions", "RpcException", "FunctionLoadResponse")
    return SimpleNamespace(
        BindingInfo=BindingInfo, StatusResult=StatusResult, **dict.fromkeys((*names, *others), Message)
    )


class Responder:
    """Stands in for the workflow: keeps what reaches it."""

    reached: list[list[str]]

    def __init__(self) -> None:
        """Nothing reached it yet."""
        self.reached = []

    async def poll_audit_feed(self) -> None:
        """Keep that it was called."""
        self.reached.append(["poll_audit_feed"])

    async def resume_responses(self) -> None:
        """Fail, as when storage is away."""
        self.reached.append(["resume_responses"])
        msg = "storage is away"
        raise OSError(msg)

    async def record_exchange_result(self, body: bytes) -> None:
        """Keep the body."""
        self.reached.append(["record_exchange_result", body.decode()])


def stand_in_bootstrap() -> Responder:
    """Put a bootstrap that builds no client where the functions look for it."""
    import bypass_responder

    responder = Responder()

    async def build() -> Responder:
        return responder

    module = ModuleType("bypass_responder.bootstrap")
    module.responder = build  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    bypass_responder.bootstrap = module  # type: ignore[attr-defined]
    return responder


def inputs(trigger: dict[str, Any]) -> tuple[Datum, dict[str, Datum]]:
    """What the host sends for a trigger: its data and its metadata."""
    match trigger["type"]:
        case "timerTrigger":
            return Datum(json.dumps(TIMER), "json"), {}
        case "queueTrigger":
            moment = Datum(json.dumps("2026-01-02T03:04:05+00:00"), "json")
            times = dict.fromkeys(("ExpirationTime", "InsertionTime", "NextVisibleTime"), moment)
            named = {"Id": Datum("m-1", "string"), "PopReceipt": Datum("r-1", "string")}
            return Datum(RESULT, "string"), {**named, **times, "DequeueCount": Datum("1", "json")}
        case _:
            text = {"method": "GET", "url": "https://responder.example/api/health"}
            request = {name: Datum(value, "string") for name, value in text.items()}
            request |= {"headers": {}, "params": {}, "query": {}, "body": Datum(b"", "bytes")}
            return Datum(request, "http"), {}


def import_everything() -> None:
    """Import every module of the app: what it lacks would fail some invocation, some day."""
    import bypass_responder

    for module in pkgutil.walk_packages(bypass_responder.__path__, "bypass_responder."):
        importlib.import_module(module.name)


def loaded() -> list[str]:
    """The files of what was imported and is not Python's own."""
    own = (*sys.stdlib_module_names, f"_sysconfigdata_{sys.abiflags}_{sys.platform}_{sys.implementation._multiarch}")
    modules = [module for name, module in sys.modules.items() if name.split(".")[0] not in own]
    return sorted(file for module in modules if (file := getattr(module, "__file__", None)))


async def main() -> None:
    """Index the app, invoke every function once, report."""
    sys.path.insert(0, APP)
    worker.start_threadpool_executor()
    init = SimpleNamespace(capabilities={}, function_app_directory=APP)
    request = SimpleNamespace(
        request=SimpleNamespace(worker_init_request=init), properties={"protos": protocol(), "host": "127.0.0.1"}
    )
    started = await worker.worker_init_request(request)
    if started.result.status != StatusResult.Success:
        sys.exit(str(started.result.exception))
    responder = Responder() if ALONE else stand_in_bootstrap()
    indexed = (await worker.functions_metadata_request(request)).function_metadata_results
    report: dict[str, Any] = {"bindings": {}, "outcomes": {}}
    for function in indexed:
        bindings = [json.loads(binding) for binding in function.raw_bindings]
        trigger = bindings[0]
        data, metadata = inputs(trigger)
        arguments = [(trigger["name"], data)]
        succeeded, returned, _, error, _ = await invocation_request_native(
            "i-1", function.function_id, arguments, metadata
        )
        report["bindings"][function.name] = bindings
        report["outcomes"][function.name] = {
            "succeeded": succeeded,
            "error": error,
            "body": returned.value["body"].value.decode() if returned is not None else None,
        }
    if ALONE:
        import_everything()
    report |= {"reached": responder.reached, "loaded": loaded(), "capabilities": started.capabilities}
    print(json.dumps(report))  # noqa: T201 -- the answer to the test


asyncio.run(main())
