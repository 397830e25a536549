"""What happens in one run: events with their times, and how unreliable the world is.

All of it is derived from a seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.simulation.gate import CALLS, PORTS

VICTIMS = ("alex", "blake")
SERVICE = "svc"
BYSTANDER = "casey"
CHANGES = (
    *("delete", "allow", "disallow", "protect", "mode", "skew", "graph_outage", "limit_full"),
    *("unsubscribe", "lost_blob", "late_blob", "foreign", "look", "silent", "permission"),
)
REACHED_BY = {
    "allowlist.put": "allow",
    "allowlist.remove": "disallow",
    "allowlist.put_all": "service_edits",
    "allowlist_snapshot.replace": "allow",
    "checkpoints.all": "look",
    "index.get": "look",
    "index.newest": "look",
    "index.matching": "look",
    "index.page": "look",
    "index.count": "look",
    "ledger.log": "look",
    "ledger.episodes": "again",
    "ledger.alone": "attempt",
    "ledger.findings": "storm",
    "ledger.sent": "attempt",
    "ledger.tampering": "look",
    "ledger.targets": "look",
    "outbox.waiting": "look",
    "feed_store.gaps": "look",
    "feed_store.unreadable": "look",
    "feed_store.keep_unreadable": "foreign",
    "feed_store.set_pending": "late_blob",
    "feed_store.add_gap": "lost_blob",
    "feed.subscription": "unsubscribe",
    "feed.start_subscription": "unsubscribe",
    "gathered.keep": "on",
    "hint_checks.take": "hint",
    "hunting_store.forget_before": "days_later",
    "limit.give_back": "refused_on",
    "access.state": "opened",
    "access.save": "opened",
    "access.days": "opened",
    "access.keep": "opened",
    "access.known": "opened",
    "access.forget_before": "opened",
    "access.newest": "look",
    "permissions.note": "permission",
    "permissions.of": "permission",
    "permissions.defer": "permission",
    "permissions.deferred": "permission",
    "permissions.drop_deferred": "permission",
    "permissions.newest": "look",
    "permissions.forget_before": "read_mailboxes",
    "inspections.save": "ask",
    "inspections.of": "ask",
    "inspections.forget_before": "ask",
    "decisions.send": "dismiss",
    "decisions.finish": "poison_decision",
} | {
    f"{port}.{method}": "read_mailboxes"
    for port, methods in PORTS.items()
    if port in {"reads", "posture", "posture_runs"}
    for method in methods
}
"""What has to happen for a call that few runs make."""
REACHED_BY |= dict.fromkeys(("ledger.plan_runs", *(f"plans.{method}" for method in PORTS["plans"])), "apply_plan")
REACHED_BY["reads.withdraw"] = "stop_plan"
RARE = {"allowlist.remove", "decisions.send"}
"""Calls that need an incident or an entry before them."""
LATER = {"gathered.keep", "ledger.sent"}
"""Calls that need their event long before the end, or a second one half an hour after it."""
SELDOM = RARE | LATER
SELDOM |= {"access.known", "allowlist.put_all", "decisions.finish", "inspections.forget_before", "plans.changes"}
"""Calls that a run seldom makes twice: the host is killed at the first."""
SELDOM |= {call for call, kind in REACHED_BY.items() if kind == "look"}
CYCLE = 20
"""A seed is of a kind by its remainder of this."""
ALSO = {
    1: "console_edits",
    3: "console",
    5: "wrong_queue",
    7: "listed_late",
    9: "accept_warning",
    11: "service_edits",
    15: "opened",
    17: "weeks_later",
    19: "denied",
}
"""What happens in some seeds as well, by their remainder: it moves no other seed."""
RARELY = 0.1
OBSERVED = 4
"""The remainder of the seeds in which the mode is observe for longer than anything is due of an incident."""
CROWDED = 13
"""The remainder of the seeds in which an account has many alerts at once, and claims end before their calls."""
HASTY = 11
"""The remainder of the seeds in which a decision meets a late record, or the next bypass."""
OBSERVE_LASTS = 5
"""The value of a *mode* event, so many times, is how long the mode is observe."""
PEOPLE_ACT = ("approve", "dismiss", "release", "close", "enable", "disable")


@dataclass(frozen=True)
class Event:
    """Something that happens ``at`` so many seconds after the start."""

    at: float
    kind: str
    account: str = ""
    value: float = 0.0

    def __str__(self) -> str:
        value = f" {self.value:g}" if self.value else ""
        return f"{self.at / 60:6.1f} min  {self.kind} {self.account}{value}".rstrip()


@dataclass(frozen=True)
class Schedule:
    """The events, the probability of each fault at a gate, and the seed of the interleaving."""

    seed: int
    events: tuple[Event, ...]
    faults: dict[str, float] = field(default_factory=dict)
    crash_at: tuple[str, str, int] | None = None
    """The host is killed when it reaches this call the so many-th time, before or after it."""

    def __str__(self) -> str:
        faults = ", ".join(f"{name} {rate:g}" for name, rate in sorted(self.faults.items())) or "none"
        crash = f", killed {self.crash_at[1]} {self.crash_at[0]} no. {self.crash_at[2]}" if self.crash_at else ""
        return "\n".join((f"seed {self.seed}, faults: {faults}{crash}", *map(str, self.events)))


FAULTS = {
    "crash": (0.002, 0.006),
    "transient_before": (0.01, 0.03),
    "transient_after": (0.01, 0.03),
    "slow": (0.01, 0.05),
    "limit": (0.001, 0.004),
    "throttled": (0.05, 0.3),
    "stale": (0.2, 0.6),
    "duplicate": (0.1, 0.3),
    "late_decision": (0.2, 0.6),
    "lost_decision": (0.1, 0.3),
    "worker_crash": (0.1, 0.3),
    "late_answer": (0.1, 0.9),
}
"""The kinds of fault, each with the lowest and highest probability in a run that has it."""
ENDS_CALLS = {"crash", "transient_before", "transient_after", "limit", "throttled"}
"""Faults that end a slow call before it meets another."""
SLOW = {"slow": 0.1, "slow directory.set_sign_in": 0.9, "slow directory.revoke_sessions": 0.9}
"""Almost every call on an account takes up to 90 seconds before it takes effect, and again after it."""


def schedule(seed: int) -> Schedule:
    """The run of a seed."""
    rng = random.Random(seed)
    events: list[Event] = []
    for account in VICTIMS[: rng.choice((1, 1, 1, 2))]:
        events += _attacks(rng, account)
    events += [_decision(rng) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
    events += [_change(rng) for _ in range(rng.choice((0, 0, 1, 2)))]
    if rng.random() < 0.3:
        events.append(Event(rng.uniform(0, 7200), "on", SERVICE, rng.choice((0, 30, 3600))))
    if rng.random() < 0.2:
        events.append(Event(rng.uniform(0, 7200), "hint", BYSTANDER))
    if rng.random() < 0.15:
        events += _edits(rng, rng.choice((SERVICE, *VICTIMS)))
    faults = {name: rng.uniform(*bounds) for name, bounds in FAULTS.items() if rng.random() < 0.4}
    call = CALLS[seed // 2 % len(CALLS)]
    crash_at = (call, ("before", "after")[seed % 2], rng.choice((1, 1, 1, 2, 3)))
    events, faults = _alone(call, events, faults)
    events += _besides(rng, seed, call)
    if call in SELDOM:
        crash_at = (call, crash_at[1], 1)
    if seed % CYCLE == CROWDED:
        faults = {name: rate for name, rate in faults.items() if name not in ENDS_CALLS} | SLOW
    return Schedule(seed, tuple(sorted(events, key=lambda event: event.at)), faults, crash_at)


def _alone(call: str, events: list[Event], faults: dict[str, float]) -> tuple[list[Event], dict[str, float]]:
    """The events and faults of a call that is reached in no other way."""
    match call:
        case "limit.give_back":  # only where the first call finds no account
            return [], {"stale": 10.0}
        case "ledger.findings":  # only where the worker answers later than the next records come
            storms = [Event(500 + 1500 * number, "storm", VICTIMS[number % 2], 60) for number in range(6)]
            return storms, {"late_answer": 0.9}
        case "gathered.keep":  # only where the sources answer
            return events, {name: rate for name, rate in faults.items() if rate < RARELY}
        case "plans.changes":  # only where the run goes on until a plan is undone
            return [*events, Event(16000, "look")], faults
        case _:
            return events, faults


def _besides(rng: random.Random, seed: int, call: str) -> list[Event]:
    """What happens in the runs that reach a call, and in some seeds as well."""
    events = []
    if kind := REACHED_BY.get(call):
        events.append(Event(rng.uniform(60, 7200), kind, VICTIMS[0], 60))
    if call in RARE:
        events += [Event(300, "on", VICTIMS[0]), Event(600, "allow", VICTIMS[0])]
        events += [Event(at, REACHED_BY[call], VICTIMS[0]) for at in (7500, 7800, 8100)]
    if call in LATER:
        events += [Event(at, REACHED_BY[call], VICTIMS[0]) for at in (300, 3000, 6000)]
    if kind == "look":
        events += [Event(at, kind) for at in (7300, 9000)]
    if kind := ALSO.get(seed % CYCLE):
        events.append(Event(60.0 * (seed % 200), kind, VICTIMS[0]))
    if seed % CYCLE == OBSERVED:
        events += _observed(rng, rng.choice(VICTIMS))
    if seed % CYCLE == CROWDED:
        events += _crowded(rng, rng.choice(VICTIMS))
    if seed % CYCLE == HASTY:
        events += _hasty(rng, VICTIMS[0])
    return events


def _observed(rng: random.Random, account: str) -> list[Event]:
    """The mode is observe for 3 to 24 hours, with a bypass in the first of them."""
    at = rng.uniform(60, 3600)
    return [
        Event(at, "mode", account, rng.uniform(3, 24) * 3600 / OBSERVE_LASTS),
        Event(at + rng.uniform(30, 3600), "on", account, rng.choice((0, 60, 600))),
    ]


def _crowded(rng: random.Random, account: str) -> list[Event]:
    """A bypass with ten alerts in ten minutes, while a clock is wrong; later, somebody enables the account."""
    at = rng.uniform(60, 900)
    return [
        Event(rng.uniform(0, at), "skew", value=120),
        Event(at, "on", account, rng.choice((0, 5, 60))),
        *(Event(at + rng.uniform(0, 600), "hint", account) for _ in range(10)),
        Event(at + rng.uniform(1500, 9000), "enable", account),
    ]


def _hasty(rng: random.Random, account: str) -> list[Event]:
    """A bypass, a decision before all of its records arrived, and perhaps the next bypass within minutes of it."""
    at = rng.uniform(60, 3600)
    decided = at + rng.choice((600, 1800, 2700)) * rng.uniform(0.8, 1.2)
    events = [
        Event(at, "on", account, rng.choice((0, 60, 3600, 3600))),
        Event(decided, rng.choice(("dismiss", "release", "release")), account),
    ]
    if rng.random() < 0.6:
        again = decided + rng.choice((-60, 30, 30, 120)) * rng.uniform(0.5, 1.5)
        events.append(Event(again, "on", account, rng.choice((0, 60, 600))))
    return events


def _attacks(rng: random.Random, account: str) -> list[Event]:
    """The events of attacks on an account: on, and perhaps off and on again.

    Records are late, doubled or missing; there are alerts and failed attempts as well.
    """
    at = rng.uniform(0, 3600)
    events = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        kind = rng.choice(("on", "on", "on", "silent_on", "alias_on"))
        events.append(Event(at, kind, account, rng.choice((0, 5, 60, 600, 3600, 5400))))
        if rng.random() < 0.2:
            events.append(Event(at + rng.uniform(0, 300), "hint", account))
        if rng.random() < 0.3:
            events.append(Event(at + rng.uniform(1, 900), "off", account, rng.choice((0, 60, 3600))))
        if rng.random() < 0.1:
            events.append(Event(at + rng.uniform(0, 60), "attempt", account, rng.choice((0, 600))))
        if rng.random() < 0.1:
            events.append(Event(at + rng.uniform(0, 3600), rng.choice(("again", "storm")), account))
        at += rng.choice((30, 120, 600, 1800, 7200, 15000)) * rng.uniform(0.5, 1.5)
    return events


def _edits(rng: random.Random, account: str) -> list[Event]:
    """An entry is added, edited and perhaps removed around a bypass whose record is late."""
    at = rng.uniform(0, 3600)
    events = [Event(at, "allow", account)]
    for kind in ("on", *rng.choices(("allow", "allow", "disallow"), k=rng.choice((1, 2, 3)))):
        at += rng.choice((5, 90, 600, 1800)) * rng.uniform(0.5, 1.5)
        events.append(Event(at, kind, account, rng.choice((60, 3600)) if kind == "on" else 0))
    return events


def _decision(rng: random.Random) -> Event:
    """A person decides about one of the two newest incidents, or changes an account manually.

    A manual change enables or disables the account.
    """
    return Event(
        rng.uniform(30, 20000), rng.choice(PEOPLE_ACT), rng.choice((VICTIMS[0], *VICTIMS)), rng.choice((0, 0, 1))
    )


def _change(rng: random.Random) -> Event:
    kind = rng.choice(CHANGES)
    account = rng.choice((VICTIMS[0], *VICTIMS))
    return Event(rng.uniform(0, 15000), kind, account, rng.choice((60, 300, 1200)))
