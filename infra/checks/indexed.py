"""The functions that a host finds in function_app.py of a checkout."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

_INDEX = """
import json, sys
sys.path.insert(0, ".")
import function_app
found = {}
for each in function_app.app.get_functions():
    found[each.get_function_name()] = [json.loads(text) for text in each.get_raw_bindings()]
print(json.dumps(found))
"""


class UnreadableAppError(Exception):
    """The host would find no function; the message is the last line of what Python says."""


@lru_cache(maxsize=16)
def functions(root: Path) -> dict[str, list[dict[str, Any]]]:
    """Bindings by function. In a process of its own: an app can be indexed once."""
    command = [sys.executable, "-c", _INDEX]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)  # noqa: S603 - our own words
    if ended.returncode:
        raise UnreadableAppError((ended.stderr.strip().splitlines() or ["it said nothing"])[-1])
    found: dict[str, list[dict[str, Any]]] = json.loads(ended.stdout)
    return found
