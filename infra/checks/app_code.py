"""What the code of a checkout says of itself: its functions, its settings, its storage, its rights."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from infra.checks.unreadable import UnreadableError

_ASK = """
import json, sys
sys.path[:0] = [".", "src"]
import function_app
from bypass_responder import rights
from bypass_responder.adapters import storage_clients
from bypass_responder.settings import Settings
functions = {}
for each in function_app.app.get_functions():
    functions[each.get_function_name()] = [json.loads(text) for text in each.get_raw_bindings()]
def text(value):
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    return value if isinstance(value, (str, int)) else ""
defaults = {name: field.default for name, field in Settings.model_fields.items() if name != "storage"}
print(json.dumps({
    "functions": functions,
    "settings": {name: text(value) for name, value in defaults.items()},
    "tables": storage_clients.TABLES,
    "containers": storage_clients.CONTAINERS,
    "responder_roles": [role.value for role in (*rights.RESPONDER_ROLES, *rights.EVIDENCE_ROLES)],
    "worker_roles": [role.value for role in rights.WORKER_ROLES],
    "worker_cmdlets": [name for each in rights.EXCHANGE_GRANTS.values() for name in each.cmdlets],
}))
"""


@dataclass(frozen=True)
class Code:
    """Lists are as the code has them."""

    functions: dict[str, list[dict[str, Any]]]
    """Bindings by function, as a host finds them in function_app.py."""
    settings: dict[str, str | int]
    """Default by field of Settings; what has none, or an empty one, has the empty text."""
    tables: list[str]
    containers: list[str]
    responder_roles: list[str]
    worker_roles: list[str]
    worker_cmdlets: list[str]

    @property
    def queues(self) -> set[str]:
        """Every queue by its default name, without the poison twins."""
        return {str(default) for name, default in self.settings.items() if name.endswith("_queue")}


@lru_cache(maxsize=16)
def declared(root: Path) -> Code:
    """Return what the code of a checkout declares. Raises UnreadableError.

    In a separate process, since an app can be indexed only once.
    """
    command = [sys.executable, "-c", _ASK]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)  # noqa: S603 - our own words
    if ended.returncode:
        why = (ended.stderr.strip().splitlines() or ["no error message"])[-1]
        raise UnreadableError(f"function_app.py and its package cannot be loaded: {why}")
    return Code(**json.loads(ended.stdout))
