"""(s) A sweep, and disable_bypass, while the worker reads ÷ the same while it reads nothing.

It reads evidence or the mailboxes. The worker's own PowerShell: a process for each function, as each has separate
instances in a Flex Consumption plan. As there, they share no core: what acts has one, and what reads has another, with
a separate Exchange. A call of Exchange takes 100 ms. Idle and busy take turns; a read is asked again as soon as it is
answered.

Times are by the clock, so the machine must have nothing else to do; with ``cpu``, of the acting process's processor. It
cannot show what the functions share in Azure: Exchange Online's throttling of one app, and the storage account.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from bench import worker_memory
from bench.exchange_pages import ON, listing, object_id
from bench.slow_services import medians_ms
from sandbox.exchange_online.powershell import PowerShellError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.connection import Connection

    from bench.worker_memory import Worker

    Read = Callable[[], dict[str, Any]]

CALL_SECONDS = 0.1
SECTIONS = (
    *("mailbox", "inbox_rules", "opened_by", "sent_as_by", "folder_permissions"),
    *("can_send_as", "can_send_on_behalf", "can_open"),
)
_FIGURES = ("sweep", "sweep_cpu", "disable", "disable_cpu")
_BOUNDS = {"record": "none", "most_seconds": 600}


class _Acting(NamedTuple):
    """The functions that nothing may delay, on a tenant of so many objects."""

    sweeps: Worker
    commands: Worker
    objects: int
    changed: dict[int, bool]


def measure(objects: int = 5_000, mailboxes: int = 100_000, shard: int = 2_000, runs: int = 5) -> dict[str, Any]:
    """Return ratios of medians, and the milliseconds they are made of.

    Raises PowerShellError without PowerShell.

    ``objects``: of the tenant that is swept. ``mailboxes``: of the one that is read, ``shard`` with each message.
    """
    if why := worker_memory.missing():
        raise PowerShellError(why)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        cores = sorted(os.sched_getaffinity(0))
        stack.enter_context(_on_core(cores[0]))
        tenant = stack.enter_context(listing(objects, page_seconds=CALL_SECONDS))
        sweeps, commands = (
            stack.enter_context(worker_memory.worker(name, tenant.url, folder))
            for name in ("ExchangeSweeps", "ExchangeCommands")
        )
        with _on_core(cores[-1]):
            url = stack.enter_context(_elsewhere(mailboxes))
            evidence, posture = (
                stack.enter_context(worker_memory.worker("ExchangeReads", url, folder)) for _ in range(2)
            )
        bounds = {"object_id": object_id(0), "sections": SECTIONS, "most_items": 200, "most_checks": 200}
        reads: dict[str, Read] = {
            "evidence": lambda: evidence.answer("read_account", **bounds, **_BOUNDS),
            "posture": lambda: posture.answer("read_mailboxes", **worker_memory.shard_from(0, shard)),
        }
        return _measured(_Acting(sweeps, commands, objects, tenant.changed), reads, runs)


@contextlib.contextmanager
def _on_core(core: int) -> Iterator[None]:
    """Processes that are started here have one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def _elsewhere(objects: int) -> Iterator[str]:
    """A tenant that another process serves; gives its base URL."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(objects, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(objects: int, answer: Connection) -> None:
    with listing(objects, page_seconds=CALL_SECONDS) as tenant:
        answer.send(tenant.url)
        threading.Event().wait()


def _measured(acting: _Acting, reads: Mapping[str, Read], runs: int) -> dict[str, Any]:
    _act(acting)
    names = ("idle", *reads)
    taken: dict[str, list[tuple[float, ...]]] = {name: [] for name in names}
    for run in range(runs):
        first = run % len(names)
        for name in (*names[first:], *names[:first]):
            with _reading(reads[name]) if name in reads else contextlib.nullcontext():
                taken[name].append(_act(acting))
    medians = {name: dict(zip(_FIGURES, medians_ms(each), strict=True)) for name, each in taken.items()}
    idle = medians["idle"]
    return {
        **{
            f"times_{what}_beside_{name}": round(medians[name][what] / idle[what], 2) for name in reads for what in idle
        },
        **{f"{what}_{name}_ms": round(value, 1) for name, each in medians.items() for what, value in each.items()},
        "objects": acting.objects,
        "runs": runs,
    }


@contextlib.contextmanager
def _reading(read: Read) -> Iterator[None]:
    """The worker is in the middle of a read, and begins the next when it has ended."""
    ended, problems = threading.Event(), list[object]()

    def again() -> None:
        while not ended.is_set():
            if (answer := read())["outcome"] != "read":
                problems.append(answer)
                return

    thread = threading.Thread(target=again, name="reads")
    thread.start()
    time.sleep(2)
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if problems:
        raise AssertionError(problems)


def _act(acting: _Acting) -> tuple[float, ...]:
    """Seconds of one sweep and of one removal of a bypass, by the clock and of the processor.

    Of three removals the one in the middle: PowerShell collects its garbage in about one of three. Raises
    AssertionError when something else was done.
    """
    swept, *of_sweep = _timed(acting.sweeps, "list_bypassed")
    if swept["outcome"] != "listed":
        raise AssertionError(swept)
    return *of_sweep, *sorted(_removal(acting) for _ in range(3))[1]


def _removal(acting: _Acting) -> tuple[float, float]:
    acting.changed.clear()
    target = object_id(acting.objects - ON)
    removed, *taken = _timed(acting.commands, "disable_bypass", target=target, object_id=target)
    if removed["outcome"] != "verified":
        raise AssertionError(removed)
    return taken[0], taken[1]


def _timed(function: Worker, kind: str, **given: str) -> tuple[dict[str, Any], float, float]:
    began, cpu = time.perf_counter(), function.cpu_seconds()
    answer = function.answer(kind, **given)
    return answer, time.perf_counter() - began, function.cpu_seconds() - cpu


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
