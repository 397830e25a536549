"""What is refused, and what an unset value means."""

from __future__ import annotations

import re

import pytest

from bypass_responder.errors import SettingError
from bypass_responder.model.step import CONTROLS, StepKind
from bypass_responder.settings import Mode, Settings
from tests.world import ALEX, TENANT

LEAST = {"TENANT_ID": TENANT, "ResponderStorage": "UseDevelopmentStorage=true"}


def read(**given: str) -> Settings:
    return Settings.from_environment(LEAST | given)


@pytest.mark.parametrize("given", [{}, {"MODE": ""}, {"MODE": " "}])
def test_an_unset_mode_is_observe(given: dict[str, str]) -> None:
    assert read(**given).mode is Mode.OBSERVE


def test_enforce_requires_protected_accounts() -> None:
    with pytest.raises(SettingError, match="PROTECTED_OBJECT_IDS must list"):
        read(MODE="enforce")


@pytest.mark.parametrize(("text", "protected"), [("none", frozenset()), (ALEX.upper(), frozenset({ALEX}))])
def test_enforce_starts_with_protected_accounts_or_the_word_none(text: str, protected: frozenset[str]) -> None:
    assert read(MODE="enforce", PROTECTED_OBJECT_IDS=text).protected == protected


@pytest.mark.parametrize(
    ("text", "controls"),
    [
        ("", {*CONTROLS}),
        ("none", set()),
        ("disable_bypass", {StepKind.DISABLE_BYPASS}),
        (" Revoke_Sessions ;disable_bypass,", {StepKind.REVOKE_SESSIONS, StepKind.DISABLE_BYPASS}),
    ],
)
def test_automatic_controls_are_words_or_none_and_all_when_unset(text: str, controls: set[StepKind]) -> None:
    assert read(AUTOMATIC_CONTROLS=text).automatic_controls == controls


@pytest.mark.parametrize("text", ["all", "block_sign_in, none", "release", ","])
def test_an_unknown_control_is_refused_with_the_choices(text: str) -> None:
    choices = "block_sign_in, revoke_sessions, disable_bypass, or the word none"

    with pytest.raises(SettingError, match=f"AUTOMATIC_CONTROLS must be .*{choices}"):
        read(AUTOMATIC_CONTROLS=text)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"MODE": "on"}, "MODE must be 'observe' or 'enforce' (it is 'on')."),
        (
            {"CONTAINMENT_LIMIT_PER_HOUR": "-1"},
            "CONTAINMENT_LIMIT_PER_HOUR must be greater than or equal to 0 (it is '-1').",
        ),
        ({"TENANT_ID": "contoso"}, "TENANT_ID must be a GUID such as"),
    ],
)
def test_an_invalid_value_is_refused_with_the_rule(given: dict[str, str], rule: str) -> None:
    with pytest.raises(SettingError, match=re.escape(rule)):
        read(**given)
