"""Checks that only the API versions of infra/checks/api-versions.json are used.

Each is listed there with the evidence that Azure accepts it.

Bicep has types of a version months before each region's provider accepts it, so that a build proves nothing.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from infra.checks import predicted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIST = "infra/checks/api-versions.json"
USED = re.compile(r"'(?P<type>Microsoft\.\w+/\w+)(?:/\w+)*@(?P<version>[\w-]+)'")
"""A nested resource has the version of its parent."""


def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    known: dict[str, list[str]] = json.loads((root / LIST).read_text(encoding="utf-8"))
    used = set[str]()
    for path in predicted.templates(root):
        for found in USED.finditer(path.read_text(encoding="utf-8")):
            used.add(found["type"])
            version, _ = known.get(found["type"], ("none", ""))
            if found["version"] != version:
                name = path.relative_to(root).as_posix()
                yield f"{name}: {found['type']}@{found['version']}, but {LIST} has {version} as deployable"
    yield from (f"{LIST}: {name} has no evidence" for name, (_, why) in known.items() if not why.strip())
    yield from (f"{LIST}: no template uses {name}" for name in sorted(set(known) - used))
