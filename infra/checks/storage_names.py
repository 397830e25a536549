"""Checks that the template creates the queues, tables and containers that the apps expect."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from infra.checks import app_code, predicted
from infra.checks.predicted import Resource, of_type
from infra.checks.unreadable import reported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT = "Microsoft.Storage/storageAccounts"
KINDS = {"table": "tableServices/tables", "queue": "queueServices/queues", "container": "blobServices/containers"}


@reported
def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    for variant in predicted.VARIANTS:
        found = predicted.resources(root, variant)
        for kind, expected in _expected(root).items():
            yield from (f"{variant}: {problem}" for problem in _compared(kind, expected, _made(found, kind)))


def _expected(root: Path) -> dict[str, set[str]]:
    code = app_code.declared(root)
    queues = code.queues | {f"{name}-poison" for name in code.queues}
    containers = {*code.containers, *_bound(root)}
    return {"table": set(code.tables), "queue": queues, "container": containers}


def _bound(root: Path) -> Iterator[str]:
    """Containers that the worker's bindings write to."""
    for path in (root / "src" / "exchange_worker").glob("*/function.json"):
        for binding in json.loads(path.read_text(encoding="utf-8"))["bindings"]:
            if match := re.match(r"([a-z0-9-]+)/", binding.get("path", "")):
                yield match[1]


def _made(found: tuple[Resource, ...], kind: str) -> set[str]:
    """By the name alone, of the data account."""
    each = of_type(found, f"{ACCOUNT}/{KINDS[kind]}")
    return {it["name"].rpartition("/")[2] for it in each if it["name"].startswith("stbypass")}


def _compared(kind: str, expected: set[str], made: set[str]) -> Iterator[str]:
    yield from (f"{kind} {name} is used by the code and not made" for name in sorted(expected - made))
    yield from (f"{kind} {name} is created but never used" for name in sorted(made - expected))
