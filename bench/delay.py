"""The delay from bypass to blocked, for each mix of sensors: 1,000 attacks at random times.

``python -m bench.delay`` prints it. A model, not a measurement: each part is published, measured here, counted from a
schedule, or assumed, and says which. The sensors of a mix are independent; the first one counts. The bypass stays on
until it is found.
"""

from __future__ import annotations

import random
import statistics
import sys
from dataclasses import dataclass
from typing import Any

ATTACKS = 1_000
SEED = 20_261_128

# ---- minutes, each drawn evenly between two bounds -------------------------------------------------------------------
FEED = (60.0, 90.0)
"""Published: the usual time until an audit record is available. There is no upper bound."""
UNKNOWN = (5.0, 90.0)
"""Assumed: nobody publishes how late Defender's table is, nor how late a SIEM has the record."""
SWEEP_READ = (0.5, 2.0)
"""Assumed: the worker's read of a small tenant. One with 100,000 accounts takes much longer."""
CHECK = (0.1, 0.5)
"""Assumed: the question to the worker about one account, which a state and an alert need."""
RESPONSE = (0.01, 0.1)
"""Measured without Azure's round trips (bench contain): from the finding to the observed block."""


@dataclass(frozen=True)
class Mix:
    """The sensors of an installation, with the minutes between their runs; None: the sensor is not there."""

    name: str
    poll: float | None
    sweep: float | None = None
    hunting: float | None = None
    alert: bool = False

    @property
    def unknown(self) -> bool:
        """True when a delay that nobody publishes takes part."""
        return self.alert or self.hunting is not None


MIXES = (
    Mix("feed each minute", 1),
    Mix("feed every 15 minutes", 15),
    Mix("sweep every 15 minutes", None, sweep=15),
    Mix("default: feed each minute, sweep every 15", 1, sweep=15),
    Mix("calm: feed every 5, sweep every 30", 5, sweep=30),
    Mix("frugal: feed every 15, sweep every 60", 15, sweep=60),
    Mix("default and hunting every 5", 1, sweep=15, hunting=5),
    Mix("frugal and hunting every 5", 15, sweep=60, hunting=5),
    Mix("default and alerts", 1, sweep=15, alert=True),
    Mix("only the record shows it: feed each minute", 1),
    Mix("only the record shows it: feed each minute, hunting every 5", 1, hunting=5),
)
"""The last two: the bypass was off again before the next sweep."""


def minutes_until_blocked(mix: Mix, draw: random.Random) -> float:
    """Return the minutes from one bypass to the block."""
    seen = []
    if mix.poll:
        seen.append(_at_next_run(draw.uniform(*FEED), mix.poll, draw))
    if mix.hunting:
        seen.append(_at_next_run(draw.uniform(*UNKNOWN), mix.hunting, draw))
    if mix.sweep:
        seen.append(_at_next_run(0, mix.sweep, draw) + draw.uniform(*SWEEP_READ) + draw.uniform(*CHECK))
    if mix.alert:
        seen.append(draw.uniform(*UNKNOWN) + draw.uniform(*CHECK))
    return min(seen) + draw.uniform(*RESPONSE)


def _at_next_run(available: float, every: float, draw: random.Random) -> float:
    """Return when a timer of so many minutes first runs after the moment at which something is there."""
    return available + draw.uniform(0, every)


def delays(mix: Mix, attacks: int = ATTACKS) -> tuple[float, float, float]:
    """Return the minutes of the fastest 5% (at most), of half, and of 95% of the attacks."""
    draw = random.Random(f"{SEED}|{mix.name}")
    found = [minutes_until_blocked(mix, draw) for _ in range(attacks)]
    cuts = statistics.quantiles(found, n=20)
    return cuts[0], statistics.median(found), cuts[-1]


def delay_table() -> str:
    """Return the table for docs/cost.md."""
    lines = ["| sensors | 5% within | half within | 95% within |", "| --- | --- | --- | --- |"]
    for mix in MIXES:
        cells = (f"{minutes:.0f} min{' (?)' if mix.unknown else ''}" for minutes in delays(mix))
        lines.append(f"| {mix.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def measure(attacks: int = ATTACKS) -> dict[str, Any]:
    """Minutes of half and of 95% of the attacks, by mix."""
    found: dict[str, Any] = {"attacks": attacks}
    for mix in MIXES:
        _, half, most = delays(mix, attacks)
        name = "".join(each if each.isalnum() else " " for each in mix.name).split()
        found[f"{'_'.join(name)}_median_minutes"] = round(half, 1)
        found[f"{'_'.join(name)}_p95_minutes"] = round(most, 1)
    return found


def main() -> int:
    """Print the table."""
    print(delay_table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
