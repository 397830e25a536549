"""What goes wrong in the stand-in services: at random by seed and so replayable, or by script.

A random fault is drawn from the seed, the kind, the endpoint and the number of the draw there, so that calls to one
endpoint never change what happens at another. Endpoints are the names that the counters have: ``graph.patch_user``,
``feed.blob``,
``exchange.Set-MailboxAuditBypassAssociation``, ``webhook`` …; a script names them with wildcards (``graph.*``).
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["throttle", "server_error", "drop_before", "drop_after", "latency", "exception"]
STOPPING: tuple[Kind, ...] = ("throttle", "server_error", "drop_before", "drop_after", "exception")
MILD = {
    "throttle": 0.05, "server_error": 0.05, "drop_before": 0.03, "drop_after": 0.03, "latency": 0.2,
    "duplicate_blob": 0.2, "late_blob": 0.2, "reorder": 0.5, "stale_read": 0.1,
}  # fmt: skip
"""Rates that leave the chain able to finish; what ``--seed`` takes when no rates are given."""


class Fault(BaseModel):
    """One scripted fault.

    ``throttle``: 429 with Retry-After (403 with AF429 in the feed). ``server_error``: ``status``, empty body.
    ``drop_before`` and ``drop_after``: the connection breaks, without and with the effect. ``latency``: ``seconds``
    more. ``exception``: Exchange answers 500 with the exception ``name``. It fires ``times`` times, forever
    when None; the first ``skip`` calls pass.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    endpoint: str = "*"
    times: int | None = 1
    skip: int = 0
    seconds: float = 0.05
    retry_after_seconds: int = 1
    status: int = 503
    name: str = "ADServerSettingsChangedException"


@dataclass
class Faults:
    """Draws faults. Without rates and scripts nothing ever goes wrong."""

    seed: int = 0
    rates: dict[str, float] = field(default_factory=dict)
    scripted: list[Fault] = field(default_factory=list)
    late_by_seconds: float = 2.0
    _draws: Counter[str] = field(default_factory=Counter)

    def happens(self, kind: str, endpoint: str) -> bool:
        """Whether a random fault of this kind happens now; each question is the next draw."""
        key = f"{self.seed}:{kind}:{endpoint}"
        self._draws[key] += 1
        draw = random.Random(f"{key}:{self._draws[key]}").random()
        return draw < self.rates.get(kind, 0.0)

    def lateness_seconds(self) -> float:
        """How much later than its contentCreated the next blob is listed."""
        return self.late_by_seconds if self.happens("late_blob", "feed.publish") else 0.0

    def shuffle_seed(self) -> int | None:
        """A seed for the order of a listing, the same for all its pages; None for the order of appearance."""
        return self.seed if self.rates.get("reorder", 0.0) > 0 else None

    def delay_seconds(self, endpoint: str) -> float:
        """How long this call takes longer: every scripted latency that fits, and a random one."""
        slow = [fault.seconds for fault in self.scripted if fault.kind == "latency" and self._fires(fault, endpoint)]
        self._forget_spent()
        return sum(slow) + (0.05 if self.happens("latency", endpoint) else 0.0)

    def next_fault(self, endpoint: str) -> Fault | None:
        """The fault that this call meets: the first script that fits, else a random one, else none."""
        for fault in self.scripted:
            if fault.kind != "latency" and self._fires(fault, endpoint):
                self._forget_spent()
                return fault
        for kind in STOPPING:
            if self.happens(kind, endpoint):
                return Fault(kind=kind, endpoint=endpoint)
        return None

    def _fires(self, fault: Fault, endpoint: str) -> bool:
        if not fnmatchcase(endpoint, fault.endpoint):
            return False
        if fault.skip > 0:
            fault.skip -= 1
            return False
        if fault.times is not None:
            fault.times -= 1
        return True

    def _forget_spent(self) -> None:
        self.scripted = [fault for fault in self.scripted if fault.times is None or fault.times > 0]
