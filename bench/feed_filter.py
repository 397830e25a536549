"""(a) The feed's filter: 100 blobs of 1,000 mixed records, one match in all, ÷ a ``json.loads`` loop and ÷ PyPI eql."""

from __future__ import annotations

import json
import statistics
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any

import eql

from bench.mixed_records import blob
from bypass_responder.detection import detect
from bypass_responder.model.record import AuditRecord
from bypass_responder.sensing.prefilter import worth_reading
from bypass_responder.sensing.reader import read_records

if TYPE_CHECKING:
    from collections.abc import Callable

_BLOBS = 100
_ROUNDS = 5
_NAME = "set-mailboxauditbypassassociation"
# Elastic's rule "O365 Mailbox Audit Logging Bypass": provider, action, outcome. This eql compares strings without case.
_RULE = f'any where Workload == "Exchange" and Operation == "{_NAME}" and ResultStatus == "True"'


def ours(blobs: list[bytes]) -> int:
    """Prefilter, then detection on what is left."""
    records = (r for content in blobs if worth_reading(content) for r in read_records(BytesIO(content), source="blob"))
    return sum(1 for record in records if isinstance(record, AuditRecord) and detect(record))


def plain_loop(blobs: list[bytes]) -> int:
    """What one would write first."""
    return sum(1 for content in blobs for record in json.loads(content) if record["Operation"].lower() == _NAME)


def peer(blobs: list[bytes]) -> int:
    """The eql engine with the rule's condition."""
    matches: list[Any] = []
    engine = eql.PythonEngine()
    engine.add_query(eql.parse_query(_RULE, implied_any=True))
    engine.add_output_hook(matches.append)
    for content in blobs:
        for record in json.loads(content):
            engine.stream_event(eql.Event("any", 0, record))
    engine.finalize()
    return len(matches)


def measure() -> dict[str, Any]:
    """Medians of seconds over rounds in which the three take turns, and the ratios to ours."""
    blobs = [blob(seed, with_match=seed == _BLOBS // 2) for seed in range(_BLOBS)]
    filters: dict[str, Callable[[list[bytes]], int]] = {"ours": ours, "json_loop": plain_loop, "eql": peer}
    seconds: dict[str, list[float]] = {name: [] for name in filters}
    for _ in range(_ROUNDS):
        for name, run in filters.items():
            began = time.perf_counter()
            found = run(blobs)
            seconds[name].append(time.perf_counter() - began)
            if found != 1:
                message = f"{name} found {found} matches instead of one"
                raise AssertionError(message)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "megabytes": round(sum(map(len, blobs)) / 1e6, 1),
        **{f"{name}_seconds": round(value, 4) for name, value in median.items()},
        "times_json_loop": round(median["json_loop"] / median["ours"], 1),
        "times_eql": round(median["eql"] / median["ours"], 1),
        "target_json_loop": 4.0,
        "target_eql": 5.0,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
