"""What a stage needs before it starts: settings of the sandbox, ports, the kind of worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from sandbox.child import free_ports

Worker = Literal["auto", "python", "none"]
"""The Exchange worker in PowerShell where there is ``pwsh``, its stand-in in Python, or none."""
EVERY_TWO_SECONDS = "*/2 * * * * *"
SETTINGS = {
    "MODE": "enforce",
    "PROTECTED_OBJECT_IDS": "none",
    "POLL_SCHEDULE": EVERY_TWO_SECONDS,
    "HUNTING_SCHEDULE": EVERY_TWO_SECONDS,
    "RESUME_SCHEDULE": EVERY_TWO_SECONDS,
    "SWEEP_SCHEDULE": "*/5 * * * * *",
    "EVIDENCE_SCHEDULE": "*/3 * * * * *",
    "POSTURE_SCHEDULE": "*/5 * * * * *",
    "ALERTS_QUEUE": "alerts",
    "DECISIONS_QUEUE": "decisions",
    "NOTIFICATIONS_QUEUE": "notifications",
    "DECISIONS_CONSOLE_QUEUE": "decisions-console",
    "COMMAND_TIMEOUT_SECONDS": "30",
    "EXCHANGE_COMMANDS_QUEUE": "exchange-commands",
    "EXCHANGE_CHECKS_QUEUE": "exchange-checks",
    "EXCHANGE_SWEEPS_QUEUE": "exchange-sweeps",
    "EXCHANGE_READS_QUEUE": "exchange-reads",
    "EXCHANGE_READ_RESULTS_QUEUE": "exchange-read-results",
    "EXCHANGE_RESULTS_QUEUE": "exchange-results",
    "NOTIFICATION_WEBHOOK_SECRET": "sandbox",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:01",
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:01",
}
"""What the sandbox sets, to be quick where Azure is patient. ``Stage(settings=…)`` wins."""
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV", "COVERAGE_PROCESS_START", "PYTHONWARNINGS")
"""All that the sandbox takes over from the environment: settings and credentials of a real tenant stay outside."""


@dataclass(frozen=True)
class Ports:
    """Where everything listens, on 127.0.0.1."""

    blob: int = 10000
    queue: int = 10001
    table: int = 10002
    tenant: int = 8025
    host: int = 7071
    worker: int = 7072
    console: int = 7073

    @classmethod
    def from_first(cls, first: int) -> Self:
        """Seven ports in a row."""
        return cls(*range(first, first + 7))

    @classmethod
    def free(cls) -> Self:
        """Ports that are free now."""
        return cls(*free_ports(7))
