"""Cost of a month from counted calls, schedules and list prices.

``python -m bench.cost`` prints it as tables. ``bench/idle_day.py`` counts the calls, and a test compares its counts
with these constants. Everything else is an assumption, named here and listed in the document. Prices are US dollars for
East US; verify them before quoting.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

MINUTES = 43_800
"""Of a month: 365 days divided by 12."""
DAYS = MINUTES / (24 * 60)

# ---- counted ---------------------------------------------------------------------------------------------------------
CALLS: dict[str, dict[str, float]] = {
    "poll": {"table": 4, "queue": 0, "blob": 0},
    "new_blob": {"table": 2.1, "queue": 0, "blob": 0},
    "hunt": {"table": 5, "queue": 0, "blob": 0},
    "hunt_off": {"table": 1, "queue": 0, "blob": 0},
    "resume": {"table": 4, "queue": 10, "blob": 1},
    "evidence": {"table": 6, "queue": 0, "blob": 1},
    "sweep_plan": {"table": 7, "queue": 1, "blob": 0},
    "sweep_answer": {"table": 12, "queue": 0, "blob": 2},
    "resume_after_sweep": {"table": 9, "queue": 10, "blob": 4},
    "service_accounts_day": {"table": 86, "queue": 5, "blob": 7},
    "organization_day": {"table": 16, "queue": 1, "blob": 1},
    "posture": {"table": 5, "queue": 0, "blob": 0},
    "posture_day": {"table": 124, "queue": 7, "blob": 8},
    "evidence_round": {"table": 198, "queue": 8, "blob": 14},
}
"""Calls of one run to the data account, by service.

``…_day``: a day's questions to the worker, with their answers. ``evidence_round``: of one incident, every source
granted, about target and actor; an incident has three rounds.
"""
LINES = {
    "poll": 1,
    "hunt": 1,
    "hunt_off": 0,
    "resume": 1,
    "evidence": 0,
    "sweep_plan": 0,
    "sweep_answer": 3,
    "resume_after_sweep": 2,
    "service_accounts_day": 5,
    "organization_day": 1,
    "posture": 0,
    "posture_day": 8,
    "evidence_round": 11,
}
"""Log lines that the responder writes in one run; the host's are in HOST_LINES."""

WRITES = {
    "poll": 1,
    "new_blob": 2,
    "hunt": 1,
    "hunt_off": 0,
    "resume": 0,
    "evidence": 0,
    "sweep_plan": 4,
    "sweep_answer": 8,
    "resume_after_sweep": 3,
    "service_accounts_day": 61,
    "organization_day": 7,
    "posture": 0,
    "posture_day": 47,
    "evidence_round": 132,
}
"""Writes and deletions in tables and blobs during one run; the storage account logs each."""

# ---- assumed: not measured in Azure ----------------------------------------------------------------------------------
SECONDS = {
    "poll": 2.0,
    "hunt": 5.0,
    "hunt_off": 1.0,
    "resume": 1.5,
    "evidence": 1.0,
    "sweep_plan": 1.5,
    "sweep_answer": 1.5,
    "resume_after_sweep": 1.5,
    "service_accounts_day": 9.0,
    "organization_day": 1.5,
    "posture": 1.0,
    "posture_day": 12.0,
}
"""Of an execution; one second is the billing minimum. Locally it takes 0.02 to 0.12 s, without Azure's round trips.

Of ``posture_day`` and ``service_accounts_day``: of the executions that take their answers, and of asking the sources.
"""
SWEEP_SECONDS = 60
"""Of the worker's sweep: sign-in to Exchange, and a small tenant."""
READS_SECONDS = 300
"""Of the worker for a day's questions about roles, switches, all mailboxes and five service accounts: 13 in all."""
NEW_BLOBS_PER_MINUTE = 1
WORKER_QUEUE_CALLS = 5
"""Per sweep: get and delete the command; put, get and delete the answer."""
QUEUES, QUEUE_POLLS_PER_MINUTE = 10, 24
"""Per queue: 12 by an idle instance at ``maxPollingInterval``, and 12 by the platform's scale controller."""
LOCK_RENEWALS_PER_MINUTE = 5
"""By each app's host, in its host account."""
HOST_LINES = 3
"""Per execution: its request, and two lines of the host."""
LINE_BYTES = 1_100
"""Of a line as Log Analytics bills it: about 150 bytes of fields, plus the platform's columns."""
STORAGE_LINE_BYTES = 1_500
"""Of a line in the storage account's log; a transaction is one line."""

# ---- list prices -----------------------------------------------------------------------------------------------------
GB_SECOND, FREE_GB_SECONDS = 0.000026, 100_000
EXECUTION, FREE_EXECUTIONS = 0.40 / 1e6, 250_000
TABLE_CALL, QUEUE_CALL, BLOB_WRITE, BLOB_OTHER = 0.00036 / 1e4, 0.004 / 1e4, 0.055 / 1e4, 0.0044 / 1e4
LOG_GB = 2.76
ALERT_BY_MINUTES = {1: 3.00, 5: 1.50, 10: 1.00, 15: 0.50}
PRIVATE_ENDPOINT, PRIVATE_ZONE = 7.30, 0.50

# ---- the installation ------------------------------------------------------------------------------------------------
ALERT_RULES = {5: 3, 15: 12}
"""Number of log alerts by evaluation interval in minutes, as in infra/modules/alerts.bicep."""
PRIVATE_ENDPOINTS, PRIVATE_ZONES = 7, 3
WORKER_GB = 2.0


@dataclass(frozen=True)
class Installation:
    """Schedules, memory and network of one installation."""

    name: str
    poll_minutes: int
    resume_minutes: int
    sweep_minutes: int
    evidence_minutes: int = 5
    posture_minutes: int = 10
    responder_gb: float = 2.0
    hunting: bool = False
    hunting_minutes: int = 5
    private: bool = False

    @property
    def runs(self) -> dict[str, float]:
        """Executions per month by kind; the scheduler's run after a sweep writes the checkpoint."""
        sweeps = MINUTES / self.sweep_minutes
        return {
            "poll": MINUTES / self.poll_minutes,
            "hunt" if self.hunting else "hunt_off": MINUTES / self.hunting_minutes,
            "resume": MINUTES / self.resume_minutes - sweeps,
            "resume_after_sweep": sweeps,
            "evidence": MINUTES / self.evidence_minutes,
            "sweep_plan": sweeps,
            "sweep_answer": sweeps,
            "service_accounts_day": DAYS,
            "organization_day": DAYS,
            "posture": MINUTES / self.posture_minutes,
            "posture_day": DAYS,
        }


DEFAULT = Installation("default", 1, 1, 15)
INSTALLATIONS = (
    DEFAULT,
    Installation("default, 512 MB", 1, 1, 15, responder_gb=0.5),
    Installation("default, hunting", 1, 1, 15, hunting=True),
    Installation("calm", 5, 1, 30),
    Installation("frugal", 15, 5, 60),
    Installation("default, private network", 1, 1, 15, private=True),
)


def gb_seconds(at: Installation) -> float:
    """GB-seconds per month of both apps."""
    responder = sum(runs * SECONDS[what] for what, runs in at.runs.items())
    worker = MINUTES / at.sweep_minutes * SWEEP_SECONDS + DAYS * READS_SECONDS
    return responder * at.responder_gb + worker * WORKER_GB


def calls(at: Installation, service: str) -> float:
    """Calls per month by the responder's code to one service of the data account."""
    of_blobs = NEW_BLOBS_PER_MINUTE * MINUTES * CALLS["new_blob"][service]
    return of_blobs + sum(runs * CALLS[what][service] for what, runs in at.runs.items())


def log_gb(at: Installation) -> float:
    """GB per month that Log Analytics ingests."""
    executions = sum(at.runs.values()) + MINUTES / at.sweep_minutes
    own = sum(runs * LINES[what] for what, runs in at.runs.items())
    written = sum(runs * WRITES[what] for what, runs in at.runs.items())
    written += NEW_BLOBS_PER_MINUTE * MINUTES * WRITES["new_blob"] + MINUTES / at.sweep_minutes  # the worker's list
    return ((own + executions * HOST_LINES) * LINE_BYTES + written * STORAGE_LINE_BYTES) / 1e9


def bill(at: Installation) -> dict[str, float]:
    """Cost of one month by item, in US dollars."""
    sweeps = MINUTES / at.sweep_minutes
    executions = sum(at.runs.values()) + sweeps
    timers = sum(at.runs[name] for name in ("poll", "evidence", "posture")) + sweeps
    timers += MINUTES / at.hunting_minutes + MINUTES / at.resume_minutes
    polls = QUEUES * QUEUE_POLLS_PER_MINUTE * MINUTES + sweeps * WORKER_QUEUE_CALLS
    renewals = 2 * LOCK_RENEWALS_PER_MINUTE * MINUTES
    return {
        "execution": max(0.0, gb_seconds(at) - FREE_GB_SECONDS) * GB_SECOND
        + max(0.0, executions - FREE_EXECUTIONS) * EXECUTION,
        "storage, counted": calls(at, "table") * TABLE_CALL
        + calls(at, "queue") * QUEUE_CALL
        + calls(at, "blob") * BLOB_WRITE,
        "storage, function hosts": polls * QUEUE_CALL + timers * BLOB_WRITE + renewals * BLOB_OTHER,
        "logs": log_gb(at) * LOG_GB,
        "log alerts": sum(count * ALERT_BY_MINUTES[minutes] for minutes, count in ALERT_RULES.items()),
        "private network": PRIVATE_ENDPOINTS * PRIVATE_ENDPOINT + PRIVATE_ZONES * PRIVATE_ZONE if at.private else 0.0,
    }


def row(*cells: str) -> str:
    """Return one line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def counts_table() -> str:
    """Return the table of counted calls and log lines of one run."""
    heads = ("one run of", "table calls", "queue calls", "blob calls", "logged writes", "log lines")
    shown = [row(*heads), row(*["---"] * len(heads))]
    for what, by_service in CALLS.items():
        numbers = [f"{number:g}" for number in (*by_service.values(), WRITES[what], LINES.get(what, 0))]
        shown.append(row(f"`{what}`", *numbers))
    return "\n".join(shown)


def bill_table() -> str:
    """Return the table of the monthly cost of each installation."""
    bills = {at.name: bill(at) for at in INSTALLATIONS}
    minutes = [f"{at.poll_minutes} / {at.resume_minutes} / {at.sweep_minutes}" for at in INSTALLATIONS]
    shown = [
        row("a month, US$", *bills),
        row(*["---"] * (len(bills) + 1)),
        row("poll / resume / sweep, minutes", *minutes),
    ]
    shown.append(row("GB-seconds", *(f"{gb_seconds(at):,.0f}" for at in INSTALLATIONS)))
    shown += [row(item, *(f"{each[item]:.2f}" for each in bills.values())) for item in bill(DEFAULT)]
    shown.append(row("**total**", *(f"**{sum(each.values()):.0f}**" for each in bills.values())))
    return "\n".join(shown)


def main() -> int:
    """Print both tables."""
    print(counts_table(), bill_table(), sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
