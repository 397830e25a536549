"""The local host while storage is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.azurite import Azurite, missing
from tests.sandbox.host.conftest import SampleHost

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.skipif(missing() is not None, reason=f"{missing()}")
def test_a_host_goes_on_when_storage_comes_back_and_storage_kept_its_messages(
    tmp_path: Path, eventually: Callable[[Callable[[], object]], None]
) -> None:
    storage = Azurite(folder=tmp_path / "storage", log=tmp_path / "azurite.log")
    with storage:
        host = SampleHost(tmp_path, storage.connection_string)
        host.queue.create_queue()
        identity = host.put()
        storage.stop()
        host.start()
        eventually(lambda: "queue_unreachable" in host.log.read_text(encoding="utf-8"))
        storage.start()

        eventually(lambda: host.ran("taken", identity))
        host.close()
