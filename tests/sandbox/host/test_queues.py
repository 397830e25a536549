"""Queue triggers of the local host, on Azurite."""

from __future__ import annotations

import base64
import json
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.host.conftest import SampleHost

    Eventually = Callable[[Callable[[], object]], None]


def messages_in(host: SampleHost) -> int:
    return host.queue.get_queue_properties().approximate_message_count or 0


def poison_with(host: SampleHost, content: str) -> bool:
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return any(message.content == content for message in host.poison.peek_messages(32))
    except ResourceNotFoundError:
        return False


def test_a_message_is_run_with_what_the_worker_would_see(running: SampleHost, eventually: Eventually) -> None:
    identity = running.put()
    eventually(lambda: running.ran("taken", identity))

    assert [run["dequeue_count"] for run in running.ran("take", identity)] == [1]


def test_a_message_is_deleted_when_its_function_succeeded(host: SampleHost, eventually: Eventually) -> None:
    host.put()
    host.start()
    eventually(lambda: host.ran("taken"))

    eventually(lambda: messages_in(host) == 0)


def test_a_message_that_fails_too_often_goes_to_the_poison_queue_as_it_was(
    running: SampleHost, eventually: Eventually
) -> None:
    identity = running.put(fail=True)
    content = base64.b64encode(json.dumps({"id": identity, "fail": True}).encode()).decode()
    eventually(lambda: poison_with(running, content))

    assert [run["dequeue_count"] for run in running.ran("take", identity)] == [1, 2, 3]


def test_a_message_that_is_not_base64_goes_to_the_poison_queue_and_stops_no_other(
    running: SampleHost, eventually: Eventually
) -> None:
    running.unencoded.send_message("{not base64}")
    identity = running.put()
    eventually(lambda: poison_with(running, "{not base64}"))

    eventually(lambda: running.ran("taken", identity))


def test_a_message_stays_hidden_as_long_as_its_function_runs(running: SampleHost, eventually: Eventually) -> None:
    """The function takes longer than the lease of 2 s."""
    identity = running.put(seconds=3)
    eventually(lambda: running.ran("taken", identity))

    assert len(running.ran("take", identity)) == 1


def test_a_message_of_a_killed_host_comes_back(host: SampleHost, eventually: Eventually) -> None:
    host.start()
    identity = host.put(seconds=1)
    eventually(lambda: host.ran("take", identity))
    host.child.kill()
    host.start()
    eventually(lambda: host.ran("taken", identity))

    assert [run["dequeue_count"] for run in host.ran("take", identity)] == [1, 2]


def test_a_host_that_gets_sigterm_finishes_what_runs(host: SampleHost, eventually: Eventually) -> None:
    host.start()
    identity = host.put(seconds=1)
    eventually(lambda: host.ran("take", identity))
    host.child.stop()

    assert host.ran("taken", identity)


def test_a_host_that_gets_sigterm_ends_without_an_error(host: SampleHost) -> None:
    host.start()

    os.kill(host.child.pid, signal.SIGTERM)

    assert host.child.wait() == 0


def test_each_invocation_is_one_line_of_json_in_the_log(running: SampleHost, eventually: Eventually) -> None:
    identity = running.put(fail=True)
    eventually(lambda: len(running.ran("take", identity)) == 3)
    lines = [json.loads(line) for line in running.log.read_text(encoding="utf-8").splitlines()]

    assert {"take"} == {line["function"] for line in lines if line.get("outcome") == "failed"}
