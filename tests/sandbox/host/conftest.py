"""A host that runs the sample app beside this file, as a separate program."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from sandbox.child import Child, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLE = Path(__file__).with_name("sample")
NEVER = "0 0 0 1 1 *"


class SampleHost:
    """The host with the sample app, its queue, and what ran so far."""

    def __init__(self, folder: Path, connection_string: str) -> None:
        name = f"sample-{uuid4().hex}"
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self.queue = QueueClient.from_connection_string(
            connection_string, name, message_encode_policy=TextBase64EncodePolicy()
        )
        self.unencoded = QueueClient.from_connection_string(connection_string, name)
        self.poison = QueueClient.from_connection_string(connection_string, f"{name}-poison")
        self.log = folder / "host.log"
        self._runs = folder / "runs.jsonl"
        settings = {
            "SAMPLE_RUNS": str(self._runs),
            "SAMPLE_SCHEDULE": NEVER,
            "SAMPLE_QUEUE": name,
            "SampleStorage": connection_string,
        }
        command = [sys.executable, "-m", "sandbox.host", "--app-dir", str(SAMPLE), "--port", str(self.port)]
        command += ["--lease-seconds", "2"]
        self.child = Child("host", command, environment={**os.environ, **settings}, log=self.log)

    def start(self) -> None:
        self.child.start(self.port)

    def put(self, **order: object) -> str:
        """Send an order to the queue; its id names it in what ran."""
        identity = uuid4().hex
        self.queue.send_message(json.dumps({"id": identity} | order))
        return identity

    def ran(self, function: str, identity: str | None = None) -> list[dict[str, Any]]:
        lines = self._runs.read_text(encoding="utf-8").splitlines() if self._runs.exists() else []
        runs = [json.loads(line) for line in lines]
        return [run for run in runs if run["function"] == function and identity in (None, run["id"])]

    def close(self) -> None:
        self.child.stop()
        for client in (self.queue, self.unencoded, self.poison):
            client.close()


@pytest.fixture
def host(tmp_path: Path, azurite: str) -> Iterator[SampleHost]:
    """A host of the test's own, not yet started; its queue exists."""
    sample = SampleHost(tmp_path, azurite)
    sample.queue.create_queue()
    yield sample
    sample.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, azurite: str) -> Iterator[SampleHost]:
    """A host that the tests of a module share. Its queue is made only after its start."""
    sample = SampleHost(tmp_path_factory.mktemp("host"), azurite)
    sample.start()
    sample.queue.create_queue()
    yield sample
    sample.close()
