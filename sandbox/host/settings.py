"""host.json, with the same overrides by environment that Azure's host knows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OVERRIDE = "AzureFunctionsJobHost__"


def seconds(text: str) -> float:
    """A .NET time span such as ``00:00:30`` or ``00:00:00.5``, in seconds."""
    hours, minutes, rest = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


@dataclass(frozen=True)
class QueueSettings:
    """The settings under ``extensions.queues``, and ``lease_seconds``, which is not among them.

    ``lease_seconds`` is how long a message of a crashed host stays hidden. Azure's host hides it for ten minutes; here
    it is a few seconds, so that a crash can be watched.
    """

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    max_polling_seconds: float = 60.0
    retry_after_seconds: float = 0.0
    base64: bool = True
    lease_seconds: float = 10.0

    @classmethod
    def read(cls, app_folder: Path, environment: Mapping[str, str], *, lease_seconds: float) -> Self:
        """Read the section; ``AzureFunctionsJobHost__extensions__queues__NAME`` in the environment wins."""
        host: dict[str, Any] = json.loads((app_folder / "host.json").read_text(encoding="utf-8"))
        section: dict[str, Any] = dict(host.get("extensions", {}).get("queues", {}))
        prefix = f"{OVERRIDE}extensions__queues__"
        section |= {name.removeprefix(prefix): value for name, value in environment.items() if name.startswith(prefix)}
        batch_size = int(section.get("batchSize", 16))
        return cls(
            batch_size=batch_size,
            new_batch_threshold=int(section.get("newBatchThreshold", batch_size // 2)),
            max_dequeue_count=int(section.get("maxDequeueCount", 5)),
            max_polling_seconds=seconds(section.get("maxPollingInterval", "00:01:00")),
            retry_after_seconds=seconds(section.get("visibilityTimeout", "00:00:00")),
            base64=section.get("messageEncoding", "base64") == "base64",
            lease_seconds=lease_seconds,
        )
