"""Text comes out of UTF-8 and UTF-16 alike; what was lost on the way is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.model.encoding import decoded

TEXT = '{"target": "zoë"}'
BYTE_ORDERS = ("utf-16-le", "utf-16-be")


@pytest.mark.parametrize("encoding", ["utf-8", *BYTE_ORDERS])
@given(rest=st.text(st.characters(max_codepoint=0xAFFF)))
def test_text_in_every_encoding_is_the_same(encoding: str, rest: str) -> None:
    assert decoded(f'{{"{rest}'.encode(encoding)) == f'{{"{rest}'


@pytest.mark.parametrize("encoding", BYTE_ORDERS)
def test_a_byte_order_mark_names_the_encoding(encoding: str) -> None:
    assert decoded(("\ufeff" + TEXT).encode(encoding)) == "\ufeff" + TEXT


def test_a_mark_that_was_replaced_is_left_out() -> None:
    """The Functions host hands over the bytes of a queue message as UTF-8."""
    replaced = '{"target": "alex"}'.encode("utf-16").decode("utf-8", "replace").encode()

    assert decoded(replaced) == '{"target": "alex"}'


def test_characters_that_were_replaced_are_an_error() -> None:
    replaced = TEXT.encode("utf-16").decode("utf-8", "replace").encode()

    with pytest.raises(UnicodeDecodeError):
        decoded(replaced)


@pytest.mark.parametrize("data", [TEXT.encode("utf-16")[:-1], b"\xff"])
def test_bytes_of_neither_encoding_are_an_error(data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        decoded(data)
