"""The token of a form: for one person, for a while, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.console.form_token import LASTS, FormTokenError, FormTokens
from bypass_responder.console.principal import Principal, Role
from tests.world import ALEX, BLAKE, START

FORM = "11111111-2222-4333-8444-555555555555"


def a_principal(object_id: str = ALEX) -> Principal:
    return Principal(object_id=object_id, name="alex@contoso.onmicrosoft.com", roles=frozenset({Role.DECIDE}))


def tokens(key: bytes = b"one") -> FormTokens:
    return FormTokens(key)


def issued(key: bytes = b"one") -> str:
    return tokens(key).issue(a_principal(), form_id=FORM, now=START)


def test_a_token_gives_the_id_of_its_form() -> None:
    assert tokens().accept(issued(), a_principal(), now=START) == FORM


def test_another_instance_with_the_same_key_accepts_it() -> None:
    assert FormTokens(b"one").accept(issued(), a_principal(), now=START + timedelta(hours=1)) == FORM


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "no_form_token"),
        (issued()[:-1], "no_form_token"),
        (issued(b"two"), "foreign_form_token"),
        (issued().replace(FORM, ALEX), "foreign_form_token"),
    ],
)
def test_another_token_is_refused(token: str, why: str) -> None:
    with pytest.raises(FormTokenError, match=why):
        tokens().accept(token, a_principal(), now=START)


def test_the_token_of_another_person_is_refused() -> None:
    with pytest.raises(FormTokenError, match="foreign_form_token"):
        tokens().accept(issued(), a_principal(BLAKE), now=START)


def test_a_token_is_accepted_once() -> None:
    own = tokens()
    own.accept(issued(), a_principal(), now=START)
    with pytest.raises(FormTokenError, match="used_form_token"):
        own.accept(issued(), a_principal(), now=START)


@pytest.mark.parametrize("late", [LASTS + timedelta(seconds=2), timedelta(minutes=-1)])
def test_a_token_of_another_time_is_refused(late: timedelta) -> None:
    with pytest.raises(FormTokenError, match="old_form_token"):
        tokens().accept(issued(), a_principal(), now=START + late)
