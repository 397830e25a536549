"""What an error says to do next."""

from __future__ import annotations

import pytest

from bypass_responder.errors import RefusedError


@pytest.mark.parametrize("text", ["Read it again: bypassctl incidents show x.", "Not signed in. Sign in: az login."])
def test_a_refusal_that_names_a_command_has_no_other_advice(text: str) -> None:
    assert RefusedError(text).diagnostics() == text


def test_any_other_refusal_says_that_retrying_will_not_help() -> None:
    assert (
        RefusedError("Another person must.").diagnostics()
        == "Another person must. Trying again without a change will not help."
    )
