"""`bypassctl` as a program of its own, on the same settings as the app."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.child import ROOT


@dataclass(frozen=True)
class Said:
    """How it ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)


def bypassctl(env: Mapping[str, str], *arguments: str) -> Said:
    """Run it to its end."""
    command = [sys.executable, "-m", "bypass_responder.cli", *arguments]
    path = {"PYTHONPATH": str(ROOT / "src")}
    ended = subprocess.run(
        command, capture_output=True, check=False, cwd=ROOT, env=path | dict(env), encoding="utf-8", timeout=60
    )
    return Said(ended.returncode, ended.stdout, ended.stderr)
