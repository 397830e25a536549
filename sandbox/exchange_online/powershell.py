"""The Exchange worker's functions under PowerShell.

Each has one long-lived process, as on the platform.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).resolve().parent
APP = FOLDER.parent.parent / "src" / "exchange_worker"
LEASH = FOLDER.parent / "leash.py"
GRACE_SECONDS = 10.0


class PowerShellError(Exception):
    """The PowerShell process did not start, or ended unexpectedly."""


def missing() -> str:
    """Why the real worker cannot run here; empty when it can."""
    return "" if shutil.which("pwsh") else "pwsh is not on PATH"


@dataclass(frozen=True)
class Invocation:
    """How one call of the function ended."""

    ok: bool
    """False: the platform would make the message visible again, and give up after five tries."""
    error: str | None
    outputs: dict[str, list[str | bytes]]
    """What the function gave to each output binding."""

    @property
    def results(self) -> list[dict[str, Any]]:
        """The messages for ``exchange-results``."""
        return [json.loads(each) for each in self.outputs.get("Result", [])]


class Function:
    """One function of the worker. Use as a context manager.

    ``invoke`` blocks, and takes one message at a time.
    """

    def __init__(
        self,
        name: str,
        *,
        environment: Mapping[str, str],
        app: Path = APP,
        modules: Path = FOLDER,
        log: Path | None = None,
    ) -> None:
        """Set what to run; entering the context starts it.

        ``environment`` holds the settings of the worker and what the module in ``modules`` needs. What the function
        logs is appended to ``log``, or goes to this process's stderr.
        """
        self.name = name
        self.version = ""
        self._command = ["pwsh", "-NoLogo", "-NoProfile", "-NonInteractive", "-File", str(FOLDER / "driver.ps1")]
        self._command += ["-App", str(app), "-Function", name, "-ModulePath", str(modules)]
        self._environment = dict(environment) | {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        self._log = log
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start PowerShell and wait until it takes messages."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it; a message that is being worked on is finished first."""
        self.close()

    def start(self) -> None:
        """Start PowerShell and wait until it takes messages. Raises PowerShellError when it does not."""
        if reason := missing():
            raise PowerShellError(reason)
        leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid())]
        log = self._log.open("ab") if self._log else None
        try:
            self._process = subprocess.Popen(
                [*leash, *self._command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                encoding="utf-8",
            )
        finally:
            if log:
                log.close()
        self.version = str(self._line("ready")["powershell"])

    def invoke(
        self,
        body: str,
        *,
        message_id: str = "message",
        dequeue_count: int = 1,
        inputs: Mapping[str, str | None] = MappingProxyType({}),
    ) -> Invocation:
        """Hand over one queue message (not base64). Raises PowerShellError when the process dies over it.

        ``inputs``: what the input bindings found, by name; None where there is no blob.
        """
        metadata = {"Id": message_id, "DequeueCount": dequeue_count}
        with self._lock:
            self._send(json.dumps({"body": body, "metadata": metadata, "inputs": dict(inputs)}))
            done = self._line("done")
        outputs = {name: [_value(each) for each in values] for name, values in done["outputs"].items()}
        return Invocation(ok=done["ok"], error=done["error"], outputs=outputs)

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Wait ten seconds for it to end, then kill it."""
        if self._process is None:
            return
        process, self._process = self._process, None
        with suppress(OSError):
            _pipe(process.stdin).close()
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _pipe(process.stdout).close()

    def _send(self, line: str) -> None:
        if self._process is None:
            raise PowerShellError(f"{self.name} was not started")
        stdin = _pipe(self._process.stdin)
        try:
            stdin.write(line + "\n")
            stdin.flush()
        except OSError as error:
            raise PowerShellError(f"{self.name} has ended") from error

    def _line(self, kind: str) -> dict[str, Any]:
        """The driver's next line of this kind; whatever else is on stdout is passed over."""
        if self._process is None:
            raise PowerShellError(f"{self.name} was not started")
        for line in _pipe(self._process.stdout):
            if line.startswith("{") and f'"driver":"{kind}"' in line:
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise PowerShellError(f"{self.name} ended before it was {kind}")


def _pipe(stream: Any) -> Any:  # noqa: ANN401 - Popen's own types
    if stream is None:
        raise PowerShellError("the process has no such pipe")
    return stream


def _value(each: str | dict[str, str]) -> str | bytes:
    return each if isinstance(each, str) else base64.b64decode(each["base64"])
