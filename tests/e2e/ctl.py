"""`bypassctl` on the same settings as the app: in this process, or as a separate program."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from bypass_responder.cli.app import app
from bypass_responder.cli.profile_file import KNOWN
from sandbox.child import ROOT

SETTINGS = KNOWN - {"IDENTITY_ENDPOINT", "IDENTITY_HEADER"} | {"BYPASSCTL_PROFILE"}


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


def run_bypassctl(env: Mapping[str, str], *arguments: str) -> Said:
    """Run it in this process, which must not be in an event loop."""
    given = dict.fromkeys(SETTINGS) | dict(env)
    ended = CliRunner().invoke(app, arguments, env=given)
    if ended.exception and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return Said(ended.exit_code, ended.stdout, ended.stderr)


async def bypassctl(env: Mapping[str, str], *arguments: str) -> Said:
    """The same beside a running event loop."""
    return await asyncio.to_thread(run_bypassctl, env, *arguments)


def bypassctl_program(env: Mapping[str, str], *arguments: str) -> Said:
    """Run it as a person does."""
    command = [sys.executable, "-m", "bypass_responder.cli", *arguments]
    path = {"PYTHONPATH": str(ROOT / "src"), "XDG_CONFIG_HOME": os.environ["XDG_CONFIG_HOME"]}
    ended = subprocess.run(
        command, capture_output=True, check=False, cwd=ROOT, env=path | dict(env), encoding="utf-8", timeout=60
    )
    return Said(ended.returncode, ended.stdout, ended.stderr)
