"""Azurite, the storage emulator, as a program that can be stopped and started again.

Its data is kept.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from sandbox.child import ROOT, Child, ChildError, free_ports
from sandbox.node import node

SCRIPT = ROOT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The well-known key of every storage emulator."""


def missing() -> str | None:
    """Why Azurite cannot run on this machine, None when it can."""
    if node() is None:
        return "Node is missing: run `make setup`"
    return None if SCRIPT.exists() else "Azurite is missing: run `make setup`"


class Azurite:
    """One Azurite. It keeps its data in ``folder``, or in memory, until it stops, when there is none."""

    def __init__(self, *, log: Path, folder: Path | None = None, ports: tuple[int, int, int] | None = None) -> None:
        """Choose free ports unless ``ports`` names them, in the order blob, queue, table. Raises ChildError."""
        program = node()
        if program is None or not SCRIPT.exists():
            raise ChildError(missing())
        self.ports = ports or tuple(free_ports(3))
        blob, queue, table = map(str, self.ports)
        keep = ["--inMemoryPersistence"] if folder is None else ["--location", str(folder)]
        self._child = Child(
            "Azurite",
            [
                program, str(SCRIPT), "--skipApiVersionCheck", "--disableTelemetry", "--silent", *keep,
                "--blobPort", blob, "--queuePort", queue, "--tablePort", table,
            ],
            environment=os.environ,
            log=log,
        )  # fmt: skip

    @property
    def connection_string(self) -> str:
        """What the SDKs take: all three services, with the emulator's key."""
        services = zip(("Blob", "Queue", "Table"), self.ports, strict=True)
        addresses = ";".join(f"{name}Endpoint=http://127.0.0.1:{port}/{ACCOUNT}" for name, port in services)
        return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{addresses}"

    def start(self) -> None:
        """Start it, on the same ports every time, and wait until it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it."""
        self._child.launch()

    def wait(self) -> None:
        """Wait until it answers."""
        self._child.wait_until(*self.ports)

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child.running

    def stop(self) -> None:
        """Stop it; with a folder, everything that was written is there at the next start."""
        self._child.stop()

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()
