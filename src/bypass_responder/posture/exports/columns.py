"""The columns of an export under Exchange's names, whatever language or tool renamed them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache

from bypass_responder.errors import RefusedError
from bypass_responder.posture.baseline import DATA

_BETWEEN = re.compile(r"[\W_]+")


def _folded(name: str) -> str:
    return _BETWEEN.sub("", name).casefold()


@cache
def _known() -> dict[str, str]:
    """Return every known header, folded, to the property of Exchange."""
    aliases: dict[str, list[str]] = json.loads((DATA / "headers.json").read_text(encoding="utf-8"))
    found = {_folded(alias): name for name, others in aliases.items() for alias in others}
    return found | {_folded(name): name for name in aliases}


@cache
def properties() -> tuple[str, ...]:
    """Return the properties that an export can have."""
    return tuple(json.loads((DATA / "headers.json").read_text(encoding="utf-8")))


def renamed(pairs: Iterable[str]) -> dict[str, str]:
    """Return header to property of texts such as ``Besitzer=AuditOwner``. Raises RefusedError."""
    found = {}
    for pair in pairs:
        header, _, name = pair.rpartition("=")
        if not header or name not in properties():
            raise RefusedError(f"{pair!r:.80} is not HEADER=PROPERTY. Properties: {', '.join(properties())}.")
        found[_folded(header)] = name
    return found


def columns_of(headers: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return property to header.

    ``given`` counts before the property's own name, and that before other names.
    """
    found: dict[str, str] = {}
    for header in sorted(headers, key=lambda each: (_folded(each) not in given, each not in properties())):
        if name := given.get(_folded(header)) or _known().get(_folded(header)):
            found.setdefault(name, header)
    return found
