"""(o) A fresh process of ``bypassctl incidents list`` on Azurite ÷ one with the necessary imports.

The floor imports what such a program needs anyway: typer, azure-identity, azure-data-tables and pydantic. The figures
are CPU seconds of the whole process, so that other work on the machine changes the ratio little; the commands take
turns.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.azurite import Azurite
from sandbox.child import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROUNDS = 7
_FLOOR = "import typer, azure.identity, azure.data.tables, pydantic"
_TENANT = "5f0c9b6e-3d3a-4a54-9e0d-2b7c1c0f7a10"


def measure() -> dict[str, Any]:
    """Return the medians of each process, and their ratio.

    The first round only fills the caches, bytecode included.
    """
    with tempfile.TemporaryDirectory() as folder, Azurite(log=Path(folder) / "azurite.log") as azurite:
        settings = {"TENANT_ID": _TENANT, "ResponderStorage": azurite.connection_string, "XDG_CONFIG_HOME": folder}
        cached = {"PYTHONPYCACHEPREFIX": f"{folder}/bytecode", "PYTHONDONTWRITEBYTECODE": ""}
        paths = {"PYTHONPATH": str(ROOT / "src"), "GRAPH_URL": "http://127.0.0.1:1"}
        environment = os.environ | settings | paths | cached
        _cpu_seconds([sys.executable, "-m", "sandbox.infrastructure"], environment)
        commands = {
            "floor": [sys.executable, "-c", _FLOOR],
            "list": [sys.executable, "-m", "bypass_responder.cli", "incidents", "list"],
            "version": [sys.executable, "-m", "bypass_responder.cli", "--version"],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(_ROUNDS + 1):
            for name, command in commands.items():
                seconds[name].append(_cpu_seconds(command, environment))
    medians = {name: statistics.median(values[1:]) for name, values in seconds.items()}
    return {f"{name}_cpu_seconds": round(value, 3) for name, value in medians.items()} | {
        "times_imports": round(medians["list"] / medians["floor"], 2)
    }


def _cpu_seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Run a command that must succeed, and return the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
