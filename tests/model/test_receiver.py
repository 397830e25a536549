"""The receivers of notifications: read from one secret setting, of which no error repeats a value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bypass_responder.errors import SettingError
from bypass_responder.model.notification import Severity
from bypass_responder.model.receiver import Addresses, receivers_of
from bypass_responder.settings import Settings
from tests.adapters.test_slack import a_note
from tests.world import TENANT, some_settings

TEAMS = {"name": "soc", "kind": "teams", "url": "https://x.api.powerplatform.com/geheim"}
HOOK = {
    "name": "pager",
    "kind": "webhook",
    "url": "https://relay.example/geheim",
    "secret": "geheim",
    "minimum": "critical",
}


def test_a_receiver_takes_everything_unless_it_has_a_minimum() -> None:
    found = receivers_of(json.dumps([TEAMS, HOOK]))

    assert {each.name: each.minimum for each in found} == {"soc": Severity.INFO, "pager": Severity.CRITICAL}


def test_an_unresolved_reference_is_no_receiver_and_stops_nothing() -> None:
    assert receivers_of("@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/notification-receivers)") == ()


@pytest.mark.parametrize(
    "wrong",
    [
        "geheim",
        "{}",
        '["geheim"]',
        json.dumps([TEAMS, TEAMS]),
        json.dumps([TEAMS | {"name": "webhook"}]),
        json.dumps([TEAMS | {"name": "A receiver_geheim"}]),
        json.dumps([TEAMS | {"url": "http://relay.example/geheim"}]),
        json.dumps([TEAMS | {"url": "https://[geheim"}]),
        json.dumps([TEAMS | {"kind": "fax"}]),
        json.dumps([TEAMS | {"minimum": "geheim"}]),
        json.dumps([TEAMS | {"secret": "geheim"}]),
        json.dumps([TEAMS | {"geheim": 1}]),
        json.dumps([{**HOOK, "secret": ""}]),
        json.dumps([TEAMS | {"name": f"n{number}"} for number in range(21)]),
    ],
)
def test_a_wrong_list_is_one_line_that_names_the_setting_and_no_value(wrong: str) -> None:
    environment = {"TENANT_ID": TENANT, "ResponderStorage": "unused", "NOTIFICATION_RECEIVERS": wrong}
    with pytest.raises(SettingError) as caught:
        Settings.from_environment(environment)

    assert str(caught.value).startswith("NOTIFICATION_RECEIVERS must ")
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value).replace("geheim:", "")  # the name of an unknown field


def test_the_settings_show_no_address() -> None:
    settings = some_settings(notification_receivers=json.dumps([TEAMS, HOOK]))

    assert "geheim" not in f"{settings!r} {settings.receivers!r} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("addresses", "about", "facts", "links"),
    [
        (Addresses(), "contained", {}, {"runbook": "docs/runbook.md#notification-contained"}),
        (
            Addresses(console="https://c.example", runbook="https://r.example"),
            "contained",
            {},
            {
                "runbook": "https://r.example#notification-contained",
                "incident": "https://c.example/incidents/20260302-a",
            },
        ),
        (Addresses(), "health", {"alert": "poison"}, {"runbook": "docs/runbook.md#alert-poison"}),
    ],
)
def test_a_notification_leads_to_its_incident_and_its_entry_of_the_runbook(
    addresses: Addresses, about: str, facts: dict[str, Any], links: dict[str, str]
) -> None:
    assert addresses.of(a_note(about=about, facts=facts)) == links
