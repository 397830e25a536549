"""Programs that tests start: none outlives its test, and one that fails shows its own output."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.child import leashed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextmanager
def running(command: Sequence[str], **io: Any) -> Iterator[subprocess.Popen[str]]:
    """The program, with SIGINT as on a terminal.

    A test that fails kills it: ``Popen`` would wait for its end.
    """
    with subprocess.Popen(leashed(command), text=True, **io) as program:
        try:
            yield program
        except BaseException:
            program.kill()
            raise


def report(output: str, errors: str = "") -> dict[str, Any]:
    """The JSON object in the last line of the output. Fails with all of the output when there is none."""
    try:
        reported = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        reported = None
    if not isinstance(reported, dict):
        pytest.fail(f"The program ended without a report. Its output:\n{output}{errors}", pytrace=False)
    return reported
