"""Programs that the sandbox starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.child import Child, ChildError, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable

PARENT = """
import os, sys, time
from pathlib import Path
from sandbox.child import Child
child = Child("sleep", [sys.executable, "-c", "import time; time.sleep(60)"],
              environment=os.environ, log=Path(sys.argv[1]))
child.launch()
print(child.pid, flush=True)
time.sleep(60)
"""


def runs(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a program with the one that started it")
def test_a_program_does_not_outlive_a_parent_that_was_killed(
    tmp_path: Path, eventually: Callable[[Callable[[], object]], None]
) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        eventually(lambda: runs(pid))
        parent.kill()

    eventually(lambda: not runs(pid))


def test_a_program_that_does_not_start_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no storage')"]
    child = Child("demo", command, environment=os.environ, log=tmp_path / "log")

    with pytest.raises(ChildError, match=r"(?s)demo does not listen on port .*no storage"):
        child.start(*free_ports(1))
