"""When the app checks itself, what it stores, and that no run depends on it."""

from __future__ import annotations

import asyncio
import dataclasses
import logging

import pytest

from bypass_responder.case.health_alerts import end_alert
from bypass_responder.errors import FeedError, PermissionMissingError, TransientError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.notification import Severity
from bypass_responder.model.self_check import Access, SelfCheck, Token
from bypass_responder.operating import self_check
from bypass_responder.operating.self_check import SelfChecks
from bypass_responder.rights import Api
from bypass_responder.session import change_health, raise_health
from tests.fakes.self_check import FakeConsole, FakeProbe, FakeSelfCheckStore, FakeTokens
from tests.world import START, TENANT, World, a_finding, some_settings

KEYLESS = {"table_service_uri": "https://a.table.core.windows.net"} | {
    f"{kind}_service_uri": f"https://a.{kind}.core.windows.net" for kind in ("queue", "blob")
}


class Looking(World):
    """A world whose responder checks itself."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self.tokens, self.probe, self.store = FakeTokens(TENANT), FakeProbe(), FakeSelfCheckStore()
        self.start()

    def start(self) -> None:
        """Start a fresh process without memory."""
        self.self_checks = self.checks = SelfChecks(tokens=self.tokens, storage=self.probe, store=self.store)

    async def has_a_finding(self) -> None:
        """A finding waits for the scheduler."""
        finding = a_finding()
        await self.work.touch(finding.target, self.now)
        await self.ledger.add_finding(finding)

    async def passes_in_vain(self) -> None:
        """Let time pass; the run fails."""
        with pytest.raises(ExceptionGroup):
            await self.passes(minutes=1)

    @property
    def saves(self) -> int:
        return sum(method == "save" for method, _ in self.store.calls)

    @property
    def last(self) -> SelfCheck:
        assert self.store.saved is not None
        return self.store.saved


# ---- when


async def test_the_first_run_after_a_start_checks() -> None:
    world = Looking()
    await world.passes(seconds=0)

    assert world.last.at == START


async def test_within_an_hour_it_checks_once() -> None:
    world = Looking()
    for _ in range(59):
        await world.passes(minutes=1)

    assert world.saves == 1


async def test_after_an_hour_it_checks_again() -> None:
    world = Looking()
    await world.passes(seconds=0)
    await world.passes(hours=1)

    assert world.saves == 2


async def test_a_quiet_run_in_between_reads_nothing_for_it() -> None:
    world = Looking()
    await world.passes(minutes=1)
    await world.passes(minutes=1)
    before = len(world.ledger.calls)
    await world.passes(minutes=1)
    with_checks = len(world.ledger.calls) - before
    world.self_checks = None
    before = len(world.ledger.calls)
    await world.passes(minutes=1)

    assert with_checks == len(world.ledger.calls) - before


async def test_a_lost_permission_is_checked_at_once_and_not_each_minute() -> None:
    world = Looking()
    await world.passes(minutes=1)
    missing = PermissionMissingError("Graph answered 403.", permission="User.Read.All")
    world.directory.fail("find", missing, always=True)
    await world.has_a_finding()
    for _ in range(5):
        await world.passes_in_vain()

    assert world.saves == 2


async def test_a_regained_permission_is_checked_at_once() -> None:
    world = Looking()
    missing = PermissionMissingError("Graph answered 403.", permission="User.Read.All")
    world.directory.fail("find", missing, always=True)
    await world.has_a_finding()
    await world.passes_in_vain()
    before = world.saves
    world.directory.recover()
    await world.passes(minutes=1)
    await world.passes(minutes=1)

    assert world.saves == before + 1


async def test_a_permission_that_another_function_missed_is_checked_at_once() -> None:
    world = Looking()
    await world.passes(minutes=1)
    await raise_health("permission_lost", "AF10001", world.services)
    await world.passes(minutes=1)
    lost = world.saves
    await change_health(lambda draft: end_alert(draft, "permission_lost"), world.services)
    await world.passes(minutes=1)

    assert (lost, world.saves) == (2, 3)


async def test_another_alert_triggers_no_check() -> None:
    world = Looking()
    await world.passes(minutes=1)
    await raise_health("feed_silent", "nothing came", world.services)
    await world.passes(minutes=1)

    assert world.saves == 1


# ---- dead letters


async def test_dead_letters_are_an_alert_until_there_are_none() -> None:
    world = Looking()
    world.probe.held["dead-letters"] = 3
    await world.passes(minutes=1)
    lost = await world.alerts()
    world.probe.held.clear()
    await world.passes(hours=1)

    assert (lost, await world.alerts()) == ({"dead_letters"}, set())


async def test_dead_letters_that_stay_are_reported_once() -> None:
    world = Looking()
    world.probe.held["dead-letters"] = 3
    for _ in range(3):
        await world.passes(hours=1)
        world.start()

    assert [entry.event async for entry in world.ledger.log(TENANT_TARGET)].count("alert") == 1


async def test_dead_letters_that_cannot_be_counted_change_nothing() -> None:
    world = Looking()
    world.probe.held["dead-letters"] = 3
    await world.passes(minutes=1)
    world.probe.spoiled["dead-letters"] = Access.FORBIDDEN
    await world.passes(hours=1)

    assert await world.alerts() == {"dead_letters"}


# ---- what


async def test_it_stores_the_names_of_settings_and_no_value_of_a_secret() -> None:
    world = Looking(notification_webhook_url="https://hooks.example/secret-path", notification_webhook_secret="geheim")
    await world.passes(seconds=0)

    assert {"NOTIFICATION_WEBHOOK_URL", "NOTIFICATION_WEBHOOK_SECRET"} <= set(world.last.settings)
    assert not {"geheim", "secret-path"} & set(world.last.model_dump_json().replace('"', "/").split("/"))


async def test_an_unresolved_key_vault_reference_is_reported() -> None:
    reference = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s)"
    world = Looking(notification_webhook_url="https://hooks.example", notification_webhook_secret=reference)
    await world.passes(seconds=0)

    assert world.last.secret_unresolved


@pytest.mark.parametrize(("status", "stored"), [("enabled", "enabled"), ("disabled", "disabled"), (None, "missing")])
async def test_it_stores_the_state_of_the_subscription(status: str | None, stored: str) -> None:
    world = Looking()
    world.feed.status = status
    await world.passes(seconds=0)

    assert world.last.subscription == stored


async def test_a_subscription_that_cannot_be_read_is_stored_with_the_reason() -> None:
    world = Looking()
    world.feed.fail("subscription", FeedError("AF20011", "the tenant is unknown"))
    await world.passes(seconds=0)

    assert (world.last.subscription, world.last.subscription_problem) == ("", "AF20011: the tenant is unknown")


async def test_it_stores_roles_and_the_result_of_each_storage_check() -> None:
    world = Looking()
    world.tokens.changed[Api.MANAGEMENT] = {"roles": ()}
    world.probe.spoiled["sweeps"] = Access.FORBIDDEN
    await world.passes(seconds=0)
    token = world.last.token(Api.MANAGEMENT)

    assert token is not None
    assert token.roles == ()
    assert [reach.name for reach in world.last.storage.reaches if reach.access is Access.FORBIDDEN] == ["sweeps"]


async def test_without_a_key_it_does_not_read_queues_that_it_may_only_send_to() -> None:
    world = Looking()
    world.services = dataclasses.replace(world.services, settings=some_settings(storage=KEYLESS))
    await world.passes(seconds=0)

    assert {reach.name for reach in world.last.storage.reaches} >= {"exchange-commands-poison", "exchange-results"}
    assert not {reach.name for reach in world.last.storage.reaches} & {
        "exchange-commands",
        "exchange-checks",
        "exchange-sweeps",
    }


async def test_its_log_line_counts_the_problems(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="bypass_responder.event_lines")
    world = Looking()
    world.probe.spoiled |= {"sweeps": Access.FORBIDDEN, "Feed": Access.MISSING}
    world.tokens.changed[Api.GRAPH] = {"problem": "no identity"}
    world.feed.status = "disabled"
    await world.passes(seconds=0)
    [line] = [vars(record) for record in caplog.records if record.getMessage() == "self_checked"]

    assert line["problems"] == 4


# ---- that a run does not depend on it


async def test_a_row_that_cannot_be_written_fails_no_run_and_is_retried() -> None:
    world = Looking()
    world.store.fail("save", TransientError("storage is away"))
    await world.passes(minutes=1)
    first = world.store.saved
    await world.passes(minutes=6)

    assert first is None
    assert world.store.saved is not None


@pytest.mark.parametrize("problem", [RuntimeError("a bug of a library"), ValueError("no JSON")])
async def test_a_check_that_fails_does_not_fail_the_run(problem: Exception, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="bypass_responder.event_lines")
    world = Looking()
    world.store.fail("save", problem)
    await world.passes(minutes=1)
    events = [record.getMessage() for record in caplog.records]

    assert events.count("self_check_failed") == 1
    assert "resumed" in events


async def test_a_check_that_hangs_does_not_delay_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_check, "TIMEOUT_SECONDS", 0.05)
    world = Looking()

    async def forever(api: str) -> Token:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(world.tokens, "inspect", forever)
    await asyncio.wait_for(world.passes(minutes=1), timeout=10)

    assert world.saves == 0


async def test_a_run_that_cannot_read_the_work_list_still_stores_a_check() -> None:
    world = Looking()
    world.work.fail("items", PermissionMissingError("403.", permission="Storage Table Data Contributor"))
    with pytest.raises(PermissionMissingError):
        await world.passes(seconds=0)

    assert world.saves == 1


async def test_it_is_no_part_of_the_response_log() -> None:
    world = Looking()
    await world.passes(seconds=0)

    assert [entry async for entry in world.ledger.log(TENANT_TARGET)] == []


# ---- the console


async def test_a_console_that_answers_strangers_is_an_alert_until_it_does_not() -> None:
    world = Looking()
    world.checks.console = console = FakeConsole("without a sign-in it answers 200")
    await world.passes(seconds=0)
    opened = await world.alerts()
    console.answer = ""
    await world.passes(minutes=61)

    assert (opened, await world.alerts()) == ({"console_open"}, set())


async def test_a_console_that_cannot_be_reached_changes_nothing() -> None:
    world = Looking()
    world.checks.console = console = FakeConsole("with a forged sign-in it answers 200")
    await world.passes(seconds=0)
    console.answer = None
    await world.passes(minutes=61)

    assert await world.alerts() == {"console_open"}


async def test_an_open_console_is_critical() -> None:
    world = Looking()
    world.checks.console = FakeConsole("without a sign-in it answers 200")
    await world.passes(seconds=0)
    [alert] = (await world.case(TENANT_TARGET)).rows(HealthAlert)

    assert alert.severity is Severity.CRITICAL
