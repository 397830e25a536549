"""Puts the parts together: loads the app, listens on everything, ends without losing anything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import uvicorn
from azure.storage.queue.aio import QueueServiceClient

from sandbox.child import bound
from sandbox.host.index import HostedFunction, HostError, load, loaded_packages
from sandbox.host.instances import sharing
from sandbox.host.invocation import notification
from sandbox.host.queues import QueueListener
from sandbox.host.settings import QueueSettings
from sandbox.host.timers import TimerStatus, run_timer
from sandbox.host.web import web_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OUTAGE_SECONDS = 2
"""How long a call to storage may hang before the listener tries again."""


class _Server(uvicorn.Server):
    """Leaves the signals to the host."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(
    app_folder: Path,
    *,
    port: int,
    lease_seconds: float,
    status_file: Path | None,
    stand_in: bool = False,
    seed: int = 0,
    instances: int | None = None,
) -> None:
    """Run the app until SIGTERM or SIGINT, then let running invocations finish. Raises HostError.

    ``stand_in``: the Python stand-in answers for a PowerShell app, even where there is ``pwsh``. ``seed``: the order in
    which a PowerShell function's outputs are written. ``instances``: that all functions share; none: each has its own.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as resources:
        if _in_powershell(app_folder):
            from sandbox.host.powershell import load_powershell

            app = await load_powershell(app_folder, os.environ, resources, stand_in=stand_in, seed=seed)
            functions, answers = app.functions, app.answers
        else:
            functions, answers = load(app_folder, os.environ), f"Python {sys.version.split()[0]}"
        if instances is not None:
            functions = sharing(functions, instances)
        settings = QueueSettings.read(app_folder, os.environ, lease_seconds=lease_seconds)
        status = TimerStatus(status_file)
        listeners = [await _listener(each, settings, resources) for each in functions if _is(each, "queueTrigger")]
        timers = [run_timer(each, status) for each in functions if _is(each, "timerTrigger")]
        server = _Server(
            uvicorn.Config(web_app(functions, prefix=_prefix(app_folder)), lifespan="off", log_config=None)
        )
        # Once the port answers, this line is in the log: the server listens after it.
        listening = bound(port)
        names = [each.name for each in functions]
        notification("host_started", url=f"http://127.0.0.1:{port}", functions=names, answers=answers)
        tasks = [asyncio.create_task(each) for each in (*[each.run() for each in listeners], *timers)]
        web = asyncio.create_task(server.serve(sockets=[listening]))
        ended = asyncio.create_task(stop.wait())
        await asyncio.wait([*tasks, web, ended], return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await _finish(tasks)
        await web
    notification("host_stopped", loaded=loaded_packages())


async def _finish(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


def _in_powershell(app_folder: Path) -> bool:
    """Python declares its functions in ``function_app.py`` alone; what has neither is refused as that."""
    return any(app_folder.glob("*/function.json"))


def _is(function: HostedFunction, trigger: str) -> bool:
    return bool(function.trigger["type"] == trigger)


async def _listener(function: HostedFunction, settings: QueueSettings, resources: AsyncExitStack) -> QueueListener:
    connection = os.environ.get(function.trigger["connection"])
    if not connection:
        msg = f"{function.trigger['connection']} is not set: it wants the connection string of the queue service"
        raise HostError(msg)
    service = QueueServiceClient.from_connection_string(connection, retry_total=0, connection_timeout=OUTAGE_SECONDS)
    await resources.enter_async_context(service)
    name = str(function.trigger["queueName"])
    return QueueListener(function, service.get_queue_client(name), service.get_queue_client(f"{name}-poison"), settings)


def _prefix(app_folder: Path) -> str:
    host = json.loads((app_folder / "host.json").read_text(encoding="utf-8"))
    return str(host.get("extensions", {}).get("http", {}).get("routePrefix", "api"))


class _WithFields(logging.Formatter):
    """The message, then the line's additional fields."""

    standard = frozenset(vars(logging.makeLogRecord({}))) | {"message", "event"}

    def format(self, record: logging.LogRecord) -> str:
        fields = [f"{name}={value}" for name, value in vars(record).items() if name not in self.standard]
        return " ".join([super().format(record), *fields])


def log_to_stderr() -> None:
    """Everything from Information on, the SDKs from Warning on, as host.json has it."""
    handler = logging.StreamHandler()
    handler.setFormatter(_WithFields())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("azure", "httpx", "uvicorn", "msal"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
