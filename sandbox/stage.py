"""Everything that runs in the sandbox, started together.

These are Azurite, the stand-in tenant, the function host and the worker.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Self

from sandbox.azurite import Azurite
from sandbox.child import READY_SECONDS, ROOT, Child, ChildError
from sandbox.stage_settings import KEPT, SETTINGS, Ports, Worker
from sandbox.tenant.client import SandboxClient

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sandbox.tenant.event_subscription import Schema

EXCHANGE_WORKER = ROOT / "src" / "exchange_worker"


class Stage:
    """The whole sandbox, as a context manager: ``with Stage(folder) as stage``.

    The data stays in ``folder``, the logs beside it. Enter the stage in the main thread. Each part can be stopped,
    killed and started again; addresses stay the same.
    """

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        ports: Ports | None = None,
        tenant_arguments: Sequence[str] = (),
        worker: Worker = "auto",
        lease_seconds: float = 10.0,
        app: Path = ROOT,
        console: bool = False,
    ) -> None:
        """Say what to run: ``tenant_arguments`` go to `python -m sandbox.tenant`, ``settings`` to both apps.

        ``worker``: the Exchange worker in PowerShell where there is ``pwsh``, its stand-in in Python, or none.
        ``app``: the folder of the Python app, the checkout or an unpacked package. ``console``: serve it as well.
        """
        self.folder = folder
        self.ports = ports or Ports.free()
        self.tenant: dict[str, Any] = {}
        """What the tenant announced: its addresses, its id, the identities of the two apps."""
        self._settings = dict(settings or {})
        self._worker_kind = worker
        self._lease_seconds = lease_seconds
        self._app = app
        self._inherited = {name: os.environ[name] for name in KEPT if name in os.environ}
        services = (self.ports.blob, self.ports.queue, self.ports.table)
        self.azurite = Azurite(folder=folder / "storage", log=folder / "azurite.log", ports=services)
        self._tenant = self._python("tenant", "--port", str(self.ports.tenant), *tenant_arguments)
        self._host: Child | None = None
        self._worker: Child | None = None
        self._console: Child | None = None
        self._has_console = console

    @property
    def tenant_url(self) -> str:
        """Base address of the stand-in tenant."""
        return f"http://127.0.0.1:{self.ports.tenant}"

    @property
    def host_url(self) -> str:
        """Base address of the function host."""
        return f"http://127.0.0.1:{self.ports.host}"

    @property
    def console_url(self) -> str:
        """Base address of the console."""
        return f"http://127.0.0.1:{self.ports.console}"

    @property
    def notifications_url(self) -> str:
        """The page of what the webhook received."""
        return f"{self.tenant_url}/notifications"

    @property
    def connection_string(self) -> str:
        """Of Azurite."""
        return self.azurite.connection_string

    @property
    def env(self) -> dict[str, str]:
        """The whole environment of the host: the settings of the app. `bypassctl` runs with the same."""
        return {
            **self._inherited,
            **self.tenant["responder_environment"],
            **SETTINGS,
            "TENANT_ID": self.tenant["tenant_id"],
            "ResponderStorage": self.connection_string,
            "GRAPH_URL": self.tenant["url"],
            "MANAGEMENT_API_URL": self.tenant["management_api"],
            "EXCHANGE_WORKER_IDS": self.tenant["worker_client_id"],
            "NOTIFICATION_WEBHOOK_URL": self.tenant["webhook"],
            **self._settings,
        }

    @property
    def _worker_env(self) -> dict[str, str]:
        return {
            **self.env,
            **self.tenant["worker_environment"],
            "AZURE_CLIENT_ID": self.tenant["worker_client_id"],
            "EXCHANGE_ORGANIZATION": self.tenant["domain"],
            "EXCHANGE_STANDIN_URL": self.tenant["exchange"],
        }

    @property
    def worker_answers(self) -> str:
        """What answers for the Exchange worker, in the words of its host."""
        started = [line for line in self.log("worker").splitlines() if line.startswith('{"event": "host_started"')]
        return str(json.loads(started[-1])["answers"]) if started else "nothing"

    def start(self) -> None:
        """Start everything and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.azurite.launch()
            self._tenant.launch()
            self.azurite.wait()
            self._tenant.wait_until(self.ports.tenant)
            self.tenant = self._announced()
            self._python("infrastructure", environment=self.env).run()
            if self._worker_kind != "none":
                self._launch_worker()
            if self._has_console:
                self._launch_console()
            self.start_host()
            if self._console is not None:
                self._console.wait_until(self.ports.console)
            if self._worker is not None:
                self._worker.wait_until(self.ports.worker)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything, what depends on others first."""
        self.stop_host()
        self.stop_console()
        self.stop_worker()
        self._tenant.stop()
        self.azurite.stop()

    def ended(self) -> list[str]:
        """Names of the parts that ended without being stopped."""
        parts: dict[str, Child | Azurite | None] = {
            "tenant": self._tenant,
            "Azurite": self.azurite,
            "host": self._host,
            "worker": self._worker,
            "console": self._console,
        }
        return [name for name, part in parts.items() if part is not None and not part.running]

    def start_host(self) -> None:
        """Start the function host and wait until it answers."""
        lease = ("--lease-seconds", str(self._lease_seconds), "--timer-status", str(self.folder / "timers.json"))
        arguments = ("--app-dir", str(self._app), "--port", str(self.ports.host), *lease)
        self._host = self._python("host", *arguments, environment=self.env)
        self._host.start(self.ports.host)

    def stop_host(self) -> None:
        """Let running invocations finish, then end the host."""
        if self._host is not None:
            self._host.stop()
            self._host = None

    @property
    def host_pid(self) -> int:
        """The id of the process that runs the Python app. Raises ChildError when it does not run."""
        if self._host is None:
            msg = "the host was not started"
            raise ChildError(msg)
        return self._host.pid

    def kill_host(self) -> None:
        """End the host in the middle of whatever it does (SIGKILL)."""
        if self._host is not None:
            self._host.kill()
            self._host = None

    def _launch_worker(self) -> Child:
        lease = ("--lease-seconds", str(self._lease_seconds))
        arguments = ("--app-dir", str(EXCHANGE_WORKER), "--port", str(self.ports.worker), *lease)
        stand_in = ("--stand-in",) if self._worker_kind == "python" else ()
        self._worker = self._python("host", *arguments, *stand_in, environment=self._worker_env, log="worker")
        self._worker.launch()
        return self._worker

    def _launch_console(self) -> None:
        arguments = ("--port", str(self.ports.console))
        self._console = self._python("console_host", *arguments, environment=self.env, log="console")
        self._console.launch()

    def stop_console(self) -> None:
        """End the console."""
        if self._console is not None:
            self._console.stop()
            self._console = None

    def start_worker(self) -> None:
        """Start the Exchange worker and wait until it takes commands."""
        self._launch_worker().wait_until(self.ports.worker)

    def stop_worker(self) -> None:
        """End the Exchange worker."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def kill_worker(self) -> None:
        """End the Exchange worker in the middle of whatever it does (SIGKILL)."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def subscribe_events(self, function: str = "receive_alert", schema: Schema = "cloudevents") -> None:
        """Let the topic of the tenant deliver to the webhook of a function of the host."""
        with SandboxClient(self.tenant_url) as client:
            endpoint = f"{self.host_url}/runtime/webhooks/eventgrid?functionName={function}"
            client.subscribe_events(endpoint, schema=schema)

    def start_azurite(self) -> None:
        """Start storage again, with everything that was written."""
        self.azurite.start()

    def stop_azurite(self) -> None:
        """Take storage away."""
        self.azurite.stop()

    def log(self, part: str) -> str:
        """What ``host``, ``worker``, ``tenant`` or ``azurite`` wrote so far."""
        return (self.folder / f"{part}.log").read_text(encoding="utf-8", errors="replace")

    def _python(
        self, module: str, *arguments: str, environment: Mapping[str, str] | None = None, log: str | None = None
    ) -> Child:
        command = [sys.executable, "-m", f"sandbox.{module}", *arguments]
        file = self.folder / f"{log or module}.log"
        return Child(f"sandbox.{module}", command, environment=environment or self._inherited, log=file)

    def _announced(self) -> dict[str, Any]:
        give_up_at = time.monotonic() + READY_SECONDS
        while self._tenant.running and time.monotonic() < give_up_at:
            for line in reversed(self.log("tenant").splitlines()):
                if line.startswith('{"url"'):
                    announcement: dict[str, Any] = json.loads(line)
                    return announcement
            time.sleep(0.02)
        msg = f"the tenant announced nothing; {self._tenant.log} ends with:\n{self._tenant.tail()}"
        raise ChildError(msg)

    def __enter__(self) -> Self:
        """Start everything."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self.stop()
