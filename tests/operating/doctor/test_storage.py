"""What `bypassctl doctor` concludes about storage: what is missing, and whose right it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bypass_responder.model.self_check import Access, Place, Reach, StorageCheck
from bypass_responder.operating.doctor.diagnose import diagnose
from bypass_responder.operating.doctor.diagnosis import Standing
from bypass_responder.rights import Api
from tests.fakes.self_check import RESPONDER
from tests.operating.doctor.installation import (
    SEND_ONLY,
    a_check,
    a_standing,
    a_storage_check,
    closed,
    facts,
    reported,
    without,
)


def test_what_only_the_person_cannot_read_is_no_problem_and_needs_no_check() -> None:
    found = diagnose(facts(here=a_storage_check({"sweeps": Access.FORBIDDEN})))

    assert reported(found) == []
    assert not any("sweeps" in unchecked.what for unchecked in found.unchecked)


def test_what_neither_can_read_is_reported_as_not_checked() -> None:
    found = diagnose(facts(stored=None, here=a_storage_check({"sweeps": Access.FORBIDDEN})))

    assert [unchecked.what for unchecked in found.unchecked if unchecked.essential] == ["sweeps: code of sweeps"]


def test_what_was_created_again_since_the_self_check_exists() -> None:
    assert reported(diagnose(facts(**closed(Access.MISSING, "sweeps")))) == []


def test_the_role_that_is_missing_is_named_with_its_scope_and_the_apps_identity() -> None:
    [problem] = diagnose(facts(**closed(Access.FORBIDDEN, "Feed"))).problems

    assert problem.what == "the app has no Storage Table Data Contributor on the table Feed (code of Feed)"
    assert f"--assignee-object-id {RESPONDER}" in problem.fix
    assert "--name data --query id --output tsv)/tableServices/default/tables/Feed" in problem.fix


@pytest.mark.parametrize(
    ("code", "problem"),
    [("AuthorizationFailure", "storage_blocked"), ("KeyBasedAuthenticationNotPermitted", "storage_by_key")],
)
def test_a_refusal_that_no_role_fixes_is_reported_as_its_own_problem(code: str, problem: str) -> None:
    reaches = [
        reach.model_copy(update={"access": Access.FORBIDDEN, "code": code}) if reach.name == "Work" else reach
        for reach in a_storage_check(person=False).reaches
    ]
    stored = a_check(storage=StorageCheck(reaches=tuple(reaches), skew_seconds=0.0))

    assert reported(diagnose(facts(stored=stored))) == [(problem, "table Work")]


def test_a_refusal_in_the_ledger_is_not_reported_twice() -> None:
    standing = a_standing("response_permission_missing")
    detail = "the case: 403 Missing: Storage Table, Queue and Blob Data Contributor on the responder's storage account."
    alerts = [alert.model_copy(update={"detail": detail}) for alert in standing.alerts]
    found = diagnose(facts(standing=replace(standing, alerts=alerts), **closed(Access.FORBIDDEN, "Allowlist")))

    assert reported(found) == [("storage_forbidden", "table Allowlist")]


def refused_in_the_ledger(detail: str) -> Standing:
    standing = a_standing("response_permission_missing")
    return replace(standing, alerts=[alert.model_copy(update={"detail": detail}) for alert in standing.alerts])


def test_a_role_that_the_ledger_misses_too_is_not_reported_twice() -> None:
    standing = refused_in_the_ledger("Graph answered 403. Missing: User.Read.All.")
    found = diagnose(facts(standing=standing, stored=without(Api.GRAPH, "User.Read.All")))

    assert reported(found) == [("role_not_in_token", "User.Read.All")]


def test_an_unexplained_refusal_is_reported_beside_a_missing_role() -> None:
    standing = refused_in_the_ledger("the command 7: 403 Missing: Storage Table, Queue and Blob Data Contributor.")
    found = diagnose(facts(standing=standing, stored=without(Api.GRAPH, "User.Read.All")))

    assert reported(found) == [("role_not_in_token", "User.Read.All"), ("response_permission_missing", "health alert")]


def test_a_refusal_by_graph_is_reported_beside_a_closed_table() -> None:
    standing = refused_in_the_ledger("Graph answered 403. Missing: User.Read.All.")
    found = diagnose(facts(standing=standing, **closed(Access.FORBIDDEN, "Allowlist")))

    assert [problem.id for problem in found.problems] == ["storage_forbidden", "response_permission_missing"]


def test_a_queue_that_only_the_app_knows_is_reported_by_the_app() -> None:
    other = Reach(place=Place.QUEUE, name="other-poison", access=Access.OK, held=1)
    gone = Reach(place=Place.QUEUE, name="other", access=Access.MISSING)
    look = a_storage_check(person=False)
    stored = a_check(storage=look.model_copy(update={"reaches": (*look.reaches, other, gone)}))

    assert reported(diagnose(facts(stored=stored))) == [
        ("poison_waiting", "other-poison"),
        ("storage_missing", "queue other"),
    ]


def test_a_poison_queue_that_the_person_cannot_read_is_reported_by_the_app() -> None:
    waits = [
        each.model_copy(update={"held": int(each.name == "alerts-poison")})
        for each in a_storage_check(person=False).reaches
    ]
    stored = a_check(storage=StorageCheck(reaches=tuple(waits), skew_seconds=0.0))
    found = diagnose(facts(stored=stored, here=a_storage_check({"alerts-poison": Access.FORBIDDEN})))

    assert reported(found) == [("poison_waiting", "alerts-poison")]


def test_queues_that_nobody_may_read_are_reported_as_not_checked() -> None:
    found = diagnose(facts(here=a_storage_check(dict.fromkeys(SEND_ONLY, Access.FORBIDDEN))))
    what = [unchecked.what for unchecked in found.unchecked if "only send" in unchecked.what]

    assert (reported(found), len(what)) == ([], 1)
    assert what[0].startswith("exchange-checks and exchange-commands and exchange-reads and exchange-sweeps: ")
    assert not any(unchecked.essential for unchecked in found.unchecked)
