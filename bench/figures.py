"""What the benches measured, beside its target: met, or missed by how much."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Target:
    """A bound for one figure."""

    bound: float
    at_least: bool = False

    def __str__(self) -> str:
        """As the table shows it."""
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"

    def verdict(self, value: float) -> str:
        """Whether the bound holds, and by how much it does not."""
        if value >= self.bound if self.at_least else value <= self.bound:
            return "met"
        share = f" ({abs(value / self.bound - 1):.0%})" if self.bound else ""
        return f"missed by {abs(value - self.bound):.2g}{share}"


TARGETS = {
    "feed_filter.times_json_loop": Target(8, at_least=True),
    "feed_filter.times_eql": Target(10, at_least=True),
    "contain.times_bare_calls": Target(1.15),
    "account_history.times_until_block": Target(1.2),
    "account_history.times_settling": Target(1.5),
    "account_history.times_idle_settling": Target(1.5),
    "off_flood.times_until_block": Target(1.5),
    "mixed_events.storage_calls_per_event": Target(6),
    "graph_limit.times_ideal": Target(1.2),
    "graph_limit.lost": Target(0),
    "graph_limit.blocks_called_again": Target(0),
    "notifications.times_until_contained": Target(1.1),
    "notifications.times_idle_poll": Target(1.2),
    "notifications.times_idle_resume": Target(1.2),
    "evidence_run.times_until_block": Target(1.1),
    "evidence_run.times_until_restored": Target(1.1),
    "bypassctl_start.times_imports": Target(1.3),
    "cold_start.times_bare": Target(2),
    "detect_export.lines_times_grep": Target(3),
    "detect_export.array_times_grep": Target(3),
    "detect_export.hits_times_jq": Target(10, at_least=True),
    "detect_export.array_memory_growth": Target(1.1),
    "detect_export.lines_memory_growth": Target(1.1),
    "log_verify.year_requests": Target(500),
    "log_verify.lines_memory_growth": Target(1.2),
    "incident_pages.times_first_page": Target(1.2),
    "incident_pages.times_far_page": Target(1.2),
    "incident_pages.times_account": Target(1.2),
    "incident_pages.times_status": Target(1.2),
    "incident_pages.times_statuses": Target(1.2),
    "incident_pages.most_requests": Target(4),
    "posture_compare.times_json": Target(3),
    "posture_memory.memory_growth": Target(1.2),
    "posture_read.calls_per_shard": Target(1),
    "posture_read.worker_memory_growth": Target(1.2),
    "posture_read.worker_live_growth": Target(1.1),
    "worker_beside.times_sweep_beside_evidence": Target(1.1),
    "worker_beside.times_disable_beside_evidence": Target(1.1),
    "worker_beside.times_sweep_beside_posture": Target(1.1),
    "worker_beside.times_disable_beside_posture": Target(1.1),
    "sweep_compare.times_json_and_validation": Target(2),
    "sweep_compare.peak_memory_per_answer_byte": Target(4),
    "sweep_compare.worker_memory_growth": Target(1.2),
}
_UNITS = {
    "mb_per_second": "MB/s",
    "_mb": "MB",
    "megabytes": "MB",
    "_growth": "x",
    "_per_answer_byte": "x",
    "_kb": "kB",
    "seconds": "s",
    "_ms": "ms",
    "_minutes": "min",
    "runs": "runs",
    "events": "events",
}


@dataclass(frozen=True)
class Bench:
    """One bench: its figures by name, or why it could not be measured."""

    name: str
    figures: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""

    @classmethod
    def measured(cls, name: str, figures: Mapping[str, float]) -> Self:
        """Return a bench with its figures, and those that follow from two of them.

        The bench's own copies of targets are left out.
        """
        reported = {figure: value for figure, value in figures.items() if not figure.startswith("target_")}
        growth = {
            f"{form}_memory_growth": round(reported[f"{form}_1gb_peak_mb"] / reported[f"{form}_100mb_peak_mb"], 2)
            for form in ("array", "lines")
            if reported.get(f"{form}_100mb_peak_mb")
        }
        return cls(name, growth | reported)

    def target(self, figure: str) -> Target | None:
        """The target of a figure, None when it is only reported."""
        return TARGETS.get(f"{self.name}.{figure}")

    def as_json(self) -> dict[str, Any]:
        """Figures with unit, target and verdict."""
        if self.problem:
            return {"problem": self.problem}
        return {figure: self._as_json(figure, value) for figure, value in self.figures.items()}

    def _as_json(self, figure: str, value: float) -> dict[str, Any]:
        reported: dict[str, Any] = {"value": value, "unit": unit(figure)}
        target = self.target(figure)
        return reported if target is None else reported | {"target": str(target), "verdict": target.verdict(value)}


def unit(figure: str) -> str:
    """The unit that a figure's name ends with; ``times_`` begins a ratio."""
    if figure.startswith("times_"):
        return "x"
    named = (unit for ending, unit in _UNITS.items() if figure.endswith(ending))
    return next(named, "calls" if "_calls" in figure else "")


def table(benches: Sequence[Bench]) -> Table:
    """Everything that was measured, the figures with a target in bold."""
    shown = Table("bench", "figure", title="Measured in this run")
    shown.add_column("value", justify="right")
    for name in ("unit", "target", "verdict"):
        shown.add_column(name)
    for bench in benches:
        if bench.problem:
            shown.add_row(bench.name, "", "", "", "", "not measured", style="red")
        for figure, value in bench.figures.items():
            target = bench.target(figure)
            reported = (str(target), target.verdict(value)) if target else ("", "")
            style = "bold" if target else ""
            shown.add_row(bench.name, figure.replace("_", " "), f"{value:.4g}", unit(figure), *reported, style=style)
        shown.add_section()
    return shown
