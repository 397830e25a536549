"""Programs that the sandbox starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.child import Child, ChildError, free_ports
from tests.programs import running

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

CHOOSER = """
import sys
from sandbox.child import free_ports
print(*free_ports(50), flush=True)
sys.stdin.read()
"""

IGNORING = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
subprocess.run(sys.argv[1:])
"""

IGNORING_AND_LEASHED = f"from sandbox.child import leashed\n{IGNORING.replace('sys.argv[1:]', 'leashed(sys.argv[1:])')}"

TRAP = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('went on')"

LISTENER = """
import socket
from sandbox.child import free_ports
listeners = [socket.create_server(("127.0.0.1", port)) for port in free_ports(60)]
free_ports(60)
"""


def runs(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a program with the one that started it")
def test_a_program_does_not_outlive_a_parent_that_was_killed(
    tmp_path: Path, eventually: Callable[[Callable[[], object]], None]
) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with running(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        eventually(lambda: runs(pid))
        parent.kill()

    eventually(lambda: not runs(pid))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one program")
def test_a_program_is_ended_by_ctrl_c_where_the_shell_had_it_ignored() -> None:
    """``nohup make test &`` ignores it, and what is started inherits that."""
    plain = [sys.executable, "-c", IGNORING, sys.executable, "-c", TRAP]
    reset = [sys.executable, "-c", IGNORING_AND_LEASHED, sys.executable, "-c", TRAP]
    said = [subprocess.run(each, capture_output=True, text=True, check=False) for each in (plain, reset)]

    assert ["went on" in each.stdout for each in said] == [True, False]


def test_a_program_that_does_not_start_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no storage')"]
    child = Child("demo", command, environment=os.environ, log=tmp_path / "log")

    with pytest.raises(ChildError, match=r"(?s)demo does not listen on port .*no storage"):
        child.start(*free_ports(1))


def test_sandboxes_that_start_together_get_different_ports() -> None:
    command = [sys.executable, "-c", CHOOSER]
    choosers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(10)]
    chosen = [port for each in choosers if each.stdout for port in each.stdout.readline().split()]
    for each in choosers:
        each.communicate()

    assert len(chosen) == len(set(chosen)) == 500


def test_ports_that_somebody_listens_on_are_left_out() -> None:
    ended = subprocess.run([sys.executable, "-c", LISTENER], capture_output=True, text=True, check=False)

    assert "60 ports are wanted, 40 of 100 are free: end what this process started" in ended.stderr
