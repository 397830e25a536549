"""A queue message is read as its sender wrote it."""

from __future__ import annotations

import base64

import pytest

from bypass_responder.adapters.queue_text import text_of


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_base64_of_text_is_the_text(encoding: str) -> None:
    assert text_of(base64.b64encode('{"target": "zoë"}'.encode(encoding)).decode()) == '{"target": "zoë"}'


@pytest.mark.parametrize("content", ['{"target": "alex"}', "wake", "/w=="])
def test_what_is_no_base64_of_text_is_unchanged(content: str) -> None:
    assert text_of(content) == content
