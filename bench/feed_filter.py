"""(a) The feed's filter on 100 blobs of 1,000 mixed records ÷ a ``json.loads`` loop, and ÷ PyPI eql.

All blobs together have one match.
"""

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
from bypass_responder.sensing.records.prefilter import Prefilter
from bypass_responder.sensing.records.reader import read_records

if TYPE_CHECKING:
    from collections.abc import Callable

_BLOBS = 100
_ROUNDS = 7
_CHUNK = 1 << 16
"""Bytes as the feed gets them from the network."""
_NAME = "set-mailboxauditbypassassociation"
# Elastic's rule "O365 Mailbox Audit Logging Bypass": provider, action, outcome. This eql compares strings without case.
_RULE = f'any where Workload == "Exchange" and Operation == "{_NAME}" and ResultStatus == "True"'


def ours(blobs: list[list[bytes]]) -> int:
    """The prefilter as the feed uses it, then detection on what is left."""
    found = 0
    for chunks in blobs:
        prefilter = Prefilter()
        for chunk in chunks:
            prefilter.feed(chunk)
        if prefilter.matched:
            records = read_records(BytesIO(b"".join(chunks)), source="blob")
            found += sum(1 for record in records if isinstance(record, AuditRecord) and detect(record))
    return found


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
    arrived = [[content[at : at + _CHUNK] for at in range(0, len(content), _CHUNK)] for content in blobs]
    filters: dict[str, Callable[[], int]] = {
        "ours": lambda: ours(arrived),
        "json_loop": lambda: plain_loop(blobs),
        "eql": lambda: peer(blobs),
    }
    seconds: dict[str, list[float]] = {name: [] for name in filters}
    for _ in range(_ROUNDS):
        for name, run in filters.items():
            began = time.perf_counter()
            found = run()
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
        "target_json_loop": 8.0,
        "target_eql": 10.0,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
