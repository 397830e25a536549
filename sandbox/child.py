"""Programs that the sandbox starts, and the ports they listen on."""

from __future__ import annotations

import atexit
import itertools
import os
import random
import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LEASH = str(Path(__file__).with_name("leash.py"))
ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 30.0
GRACE_SECONDS = 10.0
PORTS = range(20_000, 32_000)
"""Below the numbers that systems give to outgoing connections (Linux from 32,768), so that none of them takes one."""
BLOCK = 100


class ChildError(Exception):
    """A program of the sandbox did not start, or ended unexpectedly.

    The message holds the end of the program's log.
    """


def free_ports(count: int) -> list[int]:
    """Free loopback ports, which no other process gets from here while this one runs."""
    _, numbers = _own_block()
    free = list(itertools.islice(filter(_is_free, itertools.islice(numbers, BLOCK)), count))
    if len(free) < count:
        msg = f"{count} ports are wanted, {len(free)} of {BLOCK} are free: end what this process started"
        raise ChildError(msg)
    return free


def bound(port: int) -> socket.socket:
    """Return a loopback socket that has the port (0: any) and does not listen yet. Raises OSError when it is taken."""
    # named as TCP, else asyncio leaves Nagle's algorithm on and every answer waits 40 ms
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(("127.0.0.1", port))
    except OSError:
        taken.close()
        raise
    return taken


@cache
def _own_block() -> tuple[socket.socket, Iterator[int]]:
    """Reserve a block of port numbers for this process alone.

    A UDP socket on the first of them holds the block, and ends with the process.
    """
    blocks = list(PORTS[::BLOCK])
    random.shuffle(blocks)
    for first in blocks:
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind(("127.0.0.1", first))
        except OSError:
            claim.close()
        else:
            atexit.register(claim.close)
            return claim, itertools.cycle(range(first, first + BLOCK))
    msg = f"no port is free from {PORTS.start} to {PORTS.stop}: end other sandboxes"
    raise ChildError(msg)


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def leashed(command: Sequence[str]) -> list[str]:
    """Return the command wrapped so that it ends with this process, and that SIGINT ends it.

    SIGINT ends it even where this process ignores the signal.
    """
    return [sys.executable, "-I", "-S", LEASH, str(os.getpid()), *command]


class Child:
    """One program, which can be started again after it ended. Output goes to ``log``, appended."""

    def __init__(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        """Set what to run; ``start`` runs it."""
        self.name = name
        self.command = list(command)
        self.environment = dict(environment)
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the program was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the running program."""
        if self._process is None:
            msg = f"{self.name} was not started"
            raise ChildError(msg)
        return self._process.pid

    def start(self, *ports: int) -> None:
        """Run it and wait until it listens on ``ports``."""
        self.launch()
        self.wait_until(*ports)

    def launch(self) -> None:
        """Run it.

        The thread that calls this must last as long as the program shall: Linux takes its end for the parent's.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                leashed(self.command),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_until(self, *ports: int) -> None:
        """Wait until the program listens on ``ports``. Raises ChildError when it ends before."""
        give_up_at = time.monotonic() + READY_SECONDS
        for port in ports:
            while not listens(port):
                if not self.running or time.monotonic() > give_up_at:
                    self.kill()
                    msg = f"{self.name} does not listen on port {port}; {self.log} ends with:\n{self.tail()}"
                    raise ChildError(msg)
                time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to end (SIGTERM) and wait; SIGKILL when it does not."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def run(self) -> None:
        """Run it to its end. Raises ChildError when it fails."""
        self.launch()
        if code := self.wait():
            msg = f"{self.name} ended with {code}; {self.log} ends with:\n{self.tail()}"
            raise ChildError(msg)

    def wait(self) -> int:
        """Wait until it ends; returns its exit code."""
        if self._process is None:
            msg = f"{self.name} was not started"
            raise ChildError(msg)
        return self._process.wait(READY_SECONDS)

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def tail(self) -> str:
        """The end of what it wrote."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]


def listens(port: int) -> bool:
    """True when a process listens on this loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
