"""What `bypassctl doctor` gathers: its identity, and what it asks the directory.

What it does without permission is tested as well.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from bypass_responder.cli.doctor import exit_status, of_setting
from bypass_responder.errors import NotFoundError, PermissionMissingError, SettingError, TransientError
from bypass_responder.model.self_check import Token
from bypass_responder.operating.doctor.diagnose import diagnose
from bypass_responder.operating.doctor.diagnosis import Diagnosis, Facts, Problem, Unchecked
from bypass_responder.operating.doctor.gather import gather_facts, is_app, names
from bypass_responder.rights import RESPONDER_ROLES, Api, Assignment
from tests.e2e.ctl import bypassctl_program
from tests.fakes.scripted import Scripted
from tests.fakes.self_check import RESPONDER, a_token
from tests.operating.test_self_check import KEYLESS, Looking
from tests.world import TENANT, some_settings

WORKER = "dddddddd-0000-4000-8000-000000000001"
CONSOLE = "dddddddd-0000-4000-8000-000000000003"
ENVIRONMENT = {"RESPONDER_PRINCIPAL_ID": RESPONDER.upper(), "WORKER_PRINCIPAL_ID": WORKER}
GRANTED = datetime(2026, 3, 2, 3, 7, tzinfo=UTC)
KINDS = ("table", "queue", "blob")
PERSON = {"delegated": True, "object_id": "a person", "roles": ()}


class FakeGranted(Scripted):
    """``held`` is identity → role → since when."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, dict[str, datetime | None]] = {}

    async def assignments(self, principal_id: str) -> tuple[Assignment, ...]:
        self._called("assignments", principal_id)
        if principal_id not in self.held:
            raise NotFoundError("no such identity")
        held = self.held[principal_id].items()
        return tuple(Assignment(id=role, role_id=role, resource_id="graph", granted_at=since) for role, since in held)


class Examined(Looking):
    """The app has checked itself, and a person runs doctor."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self.granted = FakeGranted()
        self.granted.held = {
            RESPONDER: {role.id: GRANTED for role in RESPONDER_ROLES},
            WORKER: {},
        }
        self.checks.granted = self.granted

    async def facts(self, environment: dict[str, str] = ENVIRONMENT, **caller: object) -> Facts:
        """As a person gathers them, after the app ran."""
        await self.passes(seconds=0)
        self.tokens.changed[Api.GRAPH] = {**PERSON, **caller}
        return await gather_facts(self.services, self.checks, environment)


async def test_a_person_asks_the_directory_about_both_identities() -> None:
    world = Examined()
    found = await world.facts()

    assert found.grants == world.granted.held
    assert found.live is None


async def test_a_token_from_before_the_grant_is_reported_to_a_person() -> None:
    world = Examined()
    world.tokens.changed[Api.MANAGEMENT] = {"roles": ()}
    found = diagnose(await world.facts())

    assert ("role_not_in_token", "ActivityFeed.Read") in [(it.id, it.about) for it in found.problems]


async def test_a_worker_without_a_role_is_reported_to_a_person() -> None:
    found = diagnose(await Examined().facts())

    assert "worker_role_missing" in [problem.id for problem in found.problems]


async def test_a_deleted_identity_is_reported() -> None:
    world = Examined()
    del world.granted.held[WORKER]
    found = diagnose(await world.facts())

    assert ("identity_missing", WORKER) in [(it.id, it.about) for it in found.problems]


async def test_the_console_must_hold_no_permission() -> None:
    world = Examined()
    world.granted.held[CONSOLE] = {"Mail.Read": GRANTED}
    found = diagnose(await world.facts({**ENVIRONMENT, "CONSOLE_PRINCIPAL_ID": CONSOLE}))

    assert ("console_has_rights", CONSOLE) in [(it.id, it.about) for it in found.problems]


async def test_a_person_without_access_to_the_directory_gets_that_reported() -> None:
    world = Examined()
    world.granted.fail("assignments", PermissionMissingError("Graph answered 403.", permission="to read"), always=True)
    found = await world.facts()

    assert found.grants is None
    assert "403" in found.grants_problem


async def test_without_a_sign_in_no_service_is_called() -> None:
    world = Examined()
    found = await world.facts(problem="az login")

    assert (found.grants, world.granted.calls) == (None, [])


async def test_the_app_checks_itself_now_and_does_not_ask_the_directory() -> None:
    world = Examined()
    await world.passes(seconds=0)
    world.now += timedelta(minutes=5)
    found = await gather_facts(world.services, world.checks, ENVIRONMENT)

    assert found.live is not None
    assert found.live.at == world.now
    assert world.granted.calls == []


async def test_gathering_does_not_write() -> None:
    world = Examined()
    await world.facts()
    saves = world.saves
    await gather_facts(world.services, world.checks, ENVIRONMENT)

    assert world.saves == saves


async def test_a_person_checks_the_queues_that_the_app_only_sends_to() -> None:
    world = Examined()
    world.services = dataclasses.replace(world.services, settings=some_settings(storage=KEYLESS))
    found = await world.facts()

    assert {"exchange-commands", "exchange-checks", "exchange-sweeps"} <= {reach.name for reach in found.here.reaches}


async def test_what_cannot_be_read_is_a_fact_and_stops_nothing() -> None:
    world = Examined()
    await world.passes(seconds=0)
    world.store.fail("last", TransientError("no answer"))
    world.work.fail("items", TransientError("no answer either"))
    found = await gather_facts(world.services, world.checks, ENVIRONMENT)

    assert (found.stored_problem, found.standing_problem) == ("no answer", "no answer either")


async def test_overdue_is_judged_by_the_clock_of_storage_and_by_the_apps_setting() -> None:
    world = Examined(sweep_overdue_minutes=150)
    await world.sweep()
    await world.passes(minutes=100)
    world.services = dataclasses.replace(world.services, settings=some_settings())
    world.now += timedelta(hours=2)
    world.probe.skew_seconds = 7200.0
    world.tokens.changed[Api.GRAPH] = PERSON
    found = await gather_facts(world.services, world.checks, ENVIRONMENT)

    assert found.standing is not None
    assert found.standing.doubt == ""


# ---- as whom


def caller(**fields: object) -> Token:
    return a_token(Api.GRAPH, tenant_id=TENANT, **fields)


async def test_only_the_identity_that_wrote_the_row_is_the_app() -> None:
    world = Looking()
    await world.passes(seconds=0)
    settings, stored = world.services.settings, world.last

    assert is_app(caller(), stored, settings, {})
    assert not is_app(caller(object_id="another"), stored, settings, {"IDENTITY_ENDPOINT": "x"})


def test_without_a_row_the_client_id_identifies_the_app() -> None:
    ours = some_settings(azure_client_id="cccccccc-0000-4000-8000-000000000002")
    other = some_settings(azure_client_id=WORKER)

    assert is_app(caller(), None, ours, {})
    assert not is_app(caller(), None, other, {"IDENTITY_ENDPOINT": "x"})


def test_without_either_the_environment_identifies_the_app() -> None:
    assert is_app(caller(), None, some_settings(), {"IDENTITY_ENDPOINT": "x"})
    assert not is_app(caller(), None, some_settings(), {})


def test_a_person_and_nobody_are_not_the_app() -> None:
    environment = {"IDENTITY_ENDPOINT": "x"}

    assert not is_app(caller(delegated=True), None, some_settings(), environment)
    assert not is_app(caller(problem="none"), None, some_settings(), environment)


def test_commands_name_the_outputs_of_the_deployment() -> None:
    given = {"RESPONDER_APP_NAME": "func-r", "AZURE_RESOURCE_GROUP": "rg"}
    known = names(given, some_settings(storage=KEYLESS))

    assert (known.app, known.group, known.account, known.worker) == ("func-r", "rg", "a", "WORKER_APP")


# ---- exit status


def test_a_problem_outranks_a_missing_check() -> None:
    unchecked = [Unchecked("it", "how", essential=True)]

    assert exit_status(Diagnosis([Problem("poll_late", "", "", "")], [], unchecked)) == 1
    assert exit_status(Diagnosis([], [], unchecked)) == 3
    assert exit_status(Diagnosis([], [], [Unchecked("it", "how")])) == 0


def test_a_wrong_setting_names_itself_and_what_to_do() -> None:
    found = of_setting(SettingError("TENANT_ID is not set."))

    assert [(it.id, it.about) for it in found.problems] == [("setting_wrong", "TENANT_ID")]
    assert exit_status(found) == 3


@pytest.mark.slow
def test_without_a_sign_in_the_error_names_the_fix_and_no_library() -> None:
    addresses = {f"ResponderStorage__{kind}ServiceUri": f"https://st.{kind}.core.windows.net" for kind in KINDS}
    nobody = {"AZURE_TOKEN_CREDENTIALS": "AzureCliCredential", "TENANT_ID": TENANT}
    result = bypassctl_program(nobody | addresses, "doctor")

    assert (result.code, result.err) == (3, "")
    assert "sign in: az login" in result.out
