"""What the sandbox shows of a line of the app: its word, and the fields beside it."""

from __future__ import annotations

import logging

from sandbox.host.app import _WithFields


def test_a_line_is_shown_with_its_fields() -> None:
    record = logging.makeLogRecord({"msg": "resumed", "event": "resumed", "targets": 2, "problems": 0})

    assert _WithFields().format(record) == "resumed targets=2 problems=0"


def test_a_message_without_fields_is_shown_as_it_is() -> None:
    record = logging.makeLogRecord({"msg": "%s went", "args": ("it",)})

    assert _WithFields().format(record) == "it went"
