"""(f) A sweep's answer about 1,000,000 objects, compared with the baseline: time and memory.

5,000 of the objects are on, the baseline has 5,000, and 50 each came and went.

Time: reading the answer, judging it and comparing it, ÷ ``json.loads`` of its bytes and pydantic's validation of what
that gave. A list cannot be used before it is read and its fields are checked, so this is the floor.
Memory: the peak that ``tracemalloc`` sees, from the bytes of the answer and of the stored baseline in hand to the
comparison, ÷ the bytes of the answer. What pydantic's parser holds outside of Python's memory is not seen.
Every round has its own ids: pydantic keeps short strings, and would find those of the last round.

Where there is PowerShell: the peak memory of the worker that lists 1,000,000 objects ÷ of one that lists 100,000.
"""

from __future__ import annotations

import gc
import gzip
import hashlib
import json
import random
import statistics
import time
import tracemalloc
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from bench import worker_memory
from bypass_responder.adapters.sweep_store import _packed, _unpacked
from bypass_responder.model.message import CommandKind
from bypass_responder.model.sweep import Baseline, BaselineEntry, SweepContent, SweepResult
from bypass_responder.sensing.sweep import Comparison, compare, incomplete, read_content, too_few

if TYPE_CHECKING:
    from collections.abc import Callable

_STARTED = datetime(2026, 3, 2, 9, tzinfo=UTC)
LARGE, SMALL = 1_000_000, 100_000
_MEMORY_ROUNDS = 5


@dataclass(frozen=True)
class Answer:
    """The blob and the message of a sweep, and the baseline as it is stored."""

    data: bytes
    result: SweepResult
    stored: bytes
    sha256: str
    """Of the baseline before it was packed."""

    def baseline(self) -> Baseline:
        """Unpack it, as the store does once it has the bytes."""
        return Baseline(
            command_id="before",
            started_at=_STARTED,
            scanned=self.result.scanned,
            entries=_unpacked(self.stored, self.sha256),
            first_at=_STARTED,
            moved_at=_STARTED,
        )


def measure(on: int = 5000, changed: int = 50, scanned: int = LARGE, rounds: int = 31) -> dict[str, Any]:
    """Return medians: how many times the floor's time ours takes, and memory.

    The memory is in bytes for each byte of the answer.
    """
    seconds: dict[str, list[float]] = {"compare": [], "json_and_validation": []}
    for number in range(rounds):
        answer = make(number, on=on, changed=changed, scanned=scanned)
        runs: dict[str, Callable[[], object]] = {
            "compare": partial(judge, answer, answer.baseline()),
            "json_and_validation": partial(floor, answer),
        }
        for name, run in sorted(runs.items(), reverse=number % 2 == 1):
            seconds[name].append(_seconds(run))
    answers = [make(rounds + number, on=on, changed=changed, scanned=scanned) for number in range(_MEMORY_ROUNDS)]
    peak = statistics.median(peak_bytes(answer) / len(answer.data) for answer in answers)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "times_json_and_validation": round(median["compare"] / median["json_and_validation"], 2),
        "peak_memory_per_answer_byte": round(peak, 2),
        **{f"{name}_ms": round(value * 1000, 2) for name, value in median.items()},
        "answer_kb": round(len(answers[0].data) / 1000),
        "runs": rounds,
        **({} if worker_memory.missing() else worker_figures()),
    }


def make(seed: int, *, on: int, changed: int, scanned: int) -> Answer:
    """An answer in which ``changed`` are newly on, and as many of the baseline are gone."""
    by_seed = random.Random(seed)
    before = [(_guid(by_seed), _guid(by_seed)) for _ in range(on)]
    now = before[changed:] + [(_guid(by_seed), _guid(by_seed)) for _ in range(changed)]
    about: dict[str, Any] = {"command_id": _guid(by_seed), "tenant_id": _guid(by_seed), "complete": True}
    content = about | {
        "schema_version": 1,
        "started_at": (_STARTED + timedelta(minutes=15)).isoformat(),
        "scanned": scanned,
        "bypassed": [{"object_id": own, "exchange_guid": guid, "name": own} for own, guid in now],
    }
    data = json.dumps(content, separators=(",", ":")).encode()
    summary = about | {"started_at": content["started_at"], "scanned": scanned, "bypassed": len(now)}
    named = {"blob": "answer.json", "sha256": hashlib.sha256(data).hexdigest()}
    result = SweepResult(kind=CommandKind.LIST_BYPASSED, outcome="listed", **summary, **named)
    entries = {own: BaselineEntry(own, "", _STARTED, covered=False, exchange_guid=guid) for own, guid in before}
    unpacked = _packed(entries)
    return Answer(data, result, gzip.compress(unpacked), hashlib.sha256(unpacked).hexdigest())


def judge(answer: Answer, baseline: Baseline) -> Comparison:
    """What the responder does with an answer. Raises AssertionError when it is not believed."""
    content = read_content(answer.data, answer.result)
    if incomplete(content, answer.result) or too_few(content.scanned, baseline.scanned):
        raise AssertionError(f"{content.scanned} objects, last time {baseline.scanned}")
    return compare(content, baseline)


def floor(answer: Answer) -> SweepContent:
    """What one would write first."""
    return SweepContent.model_validate(json.loads(answer.data))


def peak_bytes(answer: Answer) -> int:
    """The most memory that was in use at once, in the order in which the responder goes: the list first."""
    gc.collect()
    tracemalloc.start()
    try:
        content = read_content(answer.data, answer.result)
        baseline = answer.baseline()
        too_few(content.scanned, baseline.scanned)
        compare(content, baseline)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def worker_figures(large: int = LARGE, small: int = SMALL) -> dict[str, Any]:
    """Peak memory of the PowerShell worker by size of the tenant."""
    swept = {objects: worker_memory.sweep(objects) for objects in (small, large)}
    return {
        "worker_memory_growth": round(swept[large].peak_mb / swept[small].peak_mb, 2),
        **{f"worker_{objects}_objects_peak_mb": round(each.peak_mb) for objects, each in swept.items()},
        **{f"worker_{objects}_objects_seconds": round(each.seconds, 1) for objects, each in swept.items()},
    }


def _seconds(run: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _guid(by_seed: random.Random) -> str:
    return str(uuid.UUID(int=by_seed.getrandbits(128), version=4))


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
