"""What is not a command that the worker carries out is refused before Exchange is asked anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.exchange_online import Function
from sandbox.tenant.account import TENANT_ID, Account
from sandbox.tenant.state import Tenant
from tests.exchange_worker.commands import Start, a_check, a_command, ask


def asked_of_exchange(tenant: Tenant) -> list[str]:
    return [name for name in tenant.counters if name.startswith("exchange.")]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"not_after": "2026-01-01T00:00:00Z"}, "expired"),
        ({"not_after": "2026-01-01 00:00:00"}, "expired"),
        ({"not_after": "tomorrow"}, "not_after"),
        ({"not_after": 4102444800}, "not_after"),
        ({"not_after": None}, "not_after"),
        ({"tenant_id": "11111111-2222-3333-4444-555555555555"}, "tenant"),
        ({"tenant_id": TENANT_ID.upper()}, "tenant_id"),
        ({"tenant_id": [TENANT_ID]}, "tenant_id"),
        ({"schema_version": 99}, "schema_version"),
        ({"schema_version": 0}, "schema_version"),
        ({"schema_version": "1"}, "schema_version"),
        ({"schema_version": True}, "schema_version"),
        ({"schema_version": [1]}, "schema_version"),
        ({"kind": "enable_bypass"}, "kind"),
        ({"kind": "Disable_Bypass"}, "kind"),
        ({"kind": "list_bypassed"}, "kind"),
        ({"kind": ["disable_bypass"]}, "kind"),
        ({"AuditBypassEnabled": True}, "AuditBypassEnabled"),
        ({"Kind": "check_bypass"}, "Kind"),
        ({"target": None}, "target"),
        ({"target": ["a"]}, "target"),
        ({"object_id": None}, "exactly one"),
        ({"identity": "alex"}, "exactly one"),
        ({"object_id": None, "identity": "alex"}, "object_id only"),
        ({"object_id": "alex"}, "object_id"),
        ({"object_id": ""}, "object_id"),
        ({"object_id": "*"}, "object_id"),
        ({"object_id": "' -or '1' -eq '1"}, "object_id"),
        ({"object_id": ["00000000-0000-0000-0000-000000000000"]}, "object_id"),
        ({"object_id": "00000000-0000-0000-0000-000000000000\n"}, "object_id"),
    ],
)
def test_a_command_that_is_not_right_is_refused(
    commands: Function, tenant: Tenant, alex: Account, changed: dict[str, Any], reason: str
) -> None:
    result = ask(commands, a_command(object_id=alex.object_id) | changed)

    assert result.outcome == "refused"
    assert reason in str(result.error)
    assert asked_of_exchange(tenant) == []


@pytest.mark.parametrize(
    "identity",
    ["", "  ", "*", "al*x", "a?", "alex\0", "alex\nadele", "alex\r", "\t", ["alex"], [], {"a": 1}, 7, True, "a" * 1025],
)
def test_an_identity_that_could_mean_many_is_refused(commands: Function, tenant: Tenant, identity: object) -> None:
    assert ask(commands, a_check(identity=identity)).outcome == "refused"
    assert asked_of_exchange(tenant) == []


@pytest.mark.parametrize(
    ("changed", "error_class"),
    [
        ({"schema_version": 2}, "transient"),
        ({"not_after": "2026-01-01T00:00:00Z"}, "transient"),
        ({"kind": "enable_bypass"}, None),
    ],
)
def test_only_an_unknown_schema_version_and_an_expired_command_are_worth_asking_again(
    commands: Function, alex: Account, changed: dict[str, Any], error_class: str | None
) -> None:
    result = ask(commands, a_command(object_id=alex.object_id) | changed)

    assert (result.outcome, result.error_class) == ("refused", error_class)


def test_a_command_with_nothing_but_its_id_is_refused(commands: Function, tenant: Tenant) -> None:
    result = ask(commands, {"command_id": "command-2"})

    assert (result.command_id, result.outcome, result.tenant_id) == ("command-2", "refused", TENANT_ID)


def test_a_refusal_changes_nothing_of_what_it_answers(commands: Function, tenant: Tenant) -> None:
    other = "11111111-2222-3333-4444-555555555555"

    result = ask(commands, a_command(tenant_id=other))

    assert (result.command_id, result.target, result.tenant_id) == ("command-1", "the ledger's key", other)


@pytest.mark.parametrize(
    "body",
    [
        "not JSON",
        "",
        "[]",
        "[1]",
        "{}",
        "null",
        "7",
        '{"command_id": ""}',
        '{"command_id": 1}',
        '{"COMMAND_ID": "c"}',
        "{",
    ],
)
def test_a_message_that_cannot_be_answered_fails_so_that_it_ends_in_poison(
    commands: Function, tenant: Tenant, body: str
) -> None:
    ended = commands.invoke(body)

    assert ended.ok is False
    assert ended.outputs == {}
    assert asked_of_exchange(tenant) == []


def test_the_next_command_is_answered_after_a_bad_one(commands: Function, alex: Account) -> None:
    commands.invoke("not JSON")

    assert ask(commands, a_command(object_id=alex.object_id)).outcome == "verified"


@pytest.mark.parametrize(
    ("name", "value"),
    [("EXCHANGE_ORGANIZATION", ""), ("READ_BACK_SECONDS", "soon"), ("RETRY_PAUSE_SECONDS", "-1")],
)
def test_a_setting_that_is_missing_or_wrong_is_named(start: Start, alex: Account, name: str, value: str) -> None:
    result = ask(start(**{name: value}), a_command(object_id=alex.object_id))

    assert (result.outcome, result.error_class) == ("failed", "other")
    assert name in str(result.error)


def test_the_tenant_in_the_settings_may_be_in_capitals(start: Start, alex: Account) -> None:
    result = ask(start(TENANT_ID=TENANT_ID.upper()), a_command(object_id=alex.object_id))

    assert result.outcome == "verified"


def test_a_time_without_a_zone_is_utc_wherever_the_worker_runs(start: Start, alex: Account) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=1)).replace(tzinfo=None).isoformat()

    result = ask(start(TZ="Asia/Tokyo"), a_command(object_id=alex.object_id, not_after=soon))

    assert result.outcome == "verified"


def test_an_organization_of_another_tenant_is_noticed(start: Start, tenant: Tenant) -> None:
    other = "11111111-2222-3333-4444-555555555555"
    command = a_command(tenant_id=other, object_id="00000000-0000-0000-0000-000000000000")

    result = ask(start(TENANT_ID=other), command)

    assert result.outcome == "failed"
    assert str(result.error).startswith("EXCHANGE_ORGANIZATION")
    assert asked_of_exchange(tenant) == []


def test_the_body_of_a_command_may_be_indented(commands: Function, alex: Account) -> None:
    [result] = commands.invoke(json.dumps(a_command(object_id=alex.object_id), indent=2)).results

    assert result["outcome"] == "verified"
