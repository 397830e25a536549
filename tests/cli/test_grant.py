"""`bypassctl grant` on the stand-in Graph: from nothing to complete, twice, and back.

It also starts from every state in between.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Self

import httpx
import pytest
from azure.core.credentials import AccessToken
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.adapters.entra_rights import EntraRights
from bypass_responder.errors import RefusedError
from bypass_responder.operating.grant import BLOCKERS, Blocker, Holder, plan
from bypass_responder.rights import RESPONDER_ROLES, WORKER_CMDLETS, Api, AppRole, Assignment, DirectoryRole, Principal
from sandbox.child import ROOT
from sandbox.tenant import service_principals
from sandbox.tenant.graph import graph_error
from sandbox.tenant.identity import (
    ADMINISTRATOR_SECRET,
    EXCHANGE,
    GRAPH,
    MANAGEMENT,
    RESPONDER_SECRET,
    WORKER_SECRET,
    Identity,
)
from sandbox.tenant.service_principals import APPLICATIONS
from sandbox.tenant.state import Tenant
from tests.cli.granting import COMPLETE, OURS, RESOURCES, Directory, lines
from tests.programs import running

SERVICES = {api: Principal(object_id=f"service {api}", application_id=api, name=api.name) for api in Api}
PERSON = Principal(object_id="p", application_id="a", name="id", managed_identity=True)
FOREIGN = ("810c84a8-4a9e-49e6-bf7d-12d183f40d01", "00000000-0000-0000-0000-00000000abcd")


class FakeCredential:
    """Somebody who is signed in."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("token", 0)

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *args: object) -> None: ...


def has(role: AppRole) -> Assignment:
    return Assignment(id=f"of {role.value}", role_id=role.id, resource_id=SERVICES[role.api].object_id)


@given(st.sets(st.sampled_from(RESPONDER_ROLES)), st.sets(st.sampled_from(FOREIGN)))
def test_what_there_is_and_what_is_missing_are_together_what_is_wanted(have: set[AppRole], extra: set[str]) -> None:
    others = [Assignment(id=each, role_id=each, resource_id=SERVICES[Api.GRAPH].object_id) for each in extra]
    holder = Holder(who="responder", principal=PERSON, wanted=RESPONDER_ROLES, has=(*map(has, have), *others))
    found = plan([holder], SERVICES)

    assert {item.right for item in found.granted} == {role.value for role in have}
    assert {item.right for item in found.missing} == {role.value for role in set(RESPONDER_ROLES) - have}
    assert len(found.extras) == len(extra)


@given(st.sets(st.sampled_from(RESPONDER_ROLES)))
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(have: set[AppRole]) -> None:
    holder = Holder(who="responder", principal=PERSON, wanted=RESPONDER_ROLES, has=tuple(map(has, have)))
    given_too = {item.right for item in plan([holder], SERVICES).missing}
    after = [role for role in RESPONDER_ROLES if role in have or role.value in given_too]
    again = plan([holder.model_copy(update={"has": tuple(map(has, after))})], SERVICES)

    assert again.missing == ()


def test_the_same_role_of_another_service_is_an_extra() -> None:
    elsewhere = has(RESPONDER_ROLES[0]).model_copy(update={"resource_id": "service of somebody"})
    holder = Holder(who="responder", principal=PERSON, wanted=RESPONDER_ROLES, has=(elsewhere,))
    found = plan([holder], SERVICES)

    assert (len(found.missing), len(found.extras)) == (len(RESPONDER_ROLES), 1)


def test_an_entra_role_is_wanted_only_by_choice_and_only_for_the_responder() -> None:
    holders = [Holder(who=who, principal=PERSON, wanted=()) for who in ("responder", "worker")]
    without, by_choice = plan(holders, SERVICES), plan(holders, SERVICES, Blocker.USER)

    assert without.items == ()
    assert [(item.who, item.right) for item in by_choice.missing] == [("responder", "User Administrator")]


def test_an_entra_role_that_is_there_is_ours_to_take_back() -> None:
    held = DirectoryRole(id="x", role_id=BLOCKERS[Blocker.PRIVILEGED][0])
    found = plan([Holder(who="responder", principal=PERSON, wanted=(), directory_roles=(held,))], SERVICES)

    assert [item.assignment_id for item in found.granted] == ["x"]


def test_it_gives_everything_and_says_so(directory: Directory) -> None:
    said = directory.run("--yes")

    assert (said.code, directory.rights) == (0, COMPLETE)
    assert said.out.count("granted  ") == len(COMPLETE)
    assert "Read back: 5 granted." in said.out
    assert "bypassctl grant --exchange-script" in said.out


def test_a_second_run_changes_nothing(directory: Directory) -> None:
    directory.run("--yes")
    before = directory.changes
    said = directory.run("--yes")

    assert (said.code, directory.changes, directory.rights) == (0, before, COMPLETE)


def test_what_was_given_is_in_the_next_token(directory: Directory) -> None:
    directory.run("--yes")

    assert set(directory.responder.roles[GRAPH]) == {role.value for role in RESPONDER_ROLES if role.api is Api.GRAPH}


SUBSETS = [subset for size in range(len(OURS) + 1) for subset in itertools.combinations(OURS, size)]


@pytest.mark.parametrize("have", SUBSETS, ids=lambda have: "+".join(role.value for _, role in have) or "nothing")
def test_from_every_partial_state_it_completes(directory: Directory, have: tuple[tuple[str, AppRole], ...]) -> None:
    directory.have(list(have))
    said = directory.run("--yes")

    assert (said.code, directory.rights, directory.changes) == (0, COMPLETE, len(OURS) - len(have))


@pytest.mark.parametrize("have", SUBSETS[::5], ids=lambda have: "+".join(role.value for _, role in have) or "nothing")
def test_from_every_partial_state_it_takes_back(directory: Directory, have: tuple[tuple[str, AppRole], ...]) -> None:
    directory.have(list(have))
    said = directory.run("--revoke", "--yes")

    assert (said.code, directory.rights, directory.changes) == (0, [], len(have))


def test_a_right_that_is_not_ours_is_named_and_left(directory: Directory) -> None:
    directory.responder.roles[GRAPH] = ["Mail.Read"]
    said = directory.run("--yes")
    directory.run("--revoke", "--yes")

    assert "Extra right, kept: responder: 810c84a8-" in said.out
    assert directory.rights == [("responder", "Mail.Read")]


def test_the_console_needs_no_right(directory: Directory) -> None:
    directory.run("--yes")
    said = directory.run("--check", CONSOLE_PRINCIPAL_ID=directory.console.object_id)

    assert said.code == 0
    assert "the console, which needs no right in the directory" in said.out


def test_a_right_of_the_console_is_named_and_not_complete(directory: Directory) -> None:
    directory.run("--yes")
    directory.console.roles[GRAPH] = ["Mail.Read"]
    said = directory.run("--check", CONSOLE_PRINCIPAL_ID=directory.console.object_id)

    assert said.code == 1
    assert "Forbidden right: console: 810c84a8-" in said.out


def test_check_only_looks(directory: Directory) -> None:
    before = directory.run("--check")
    directory.run("--yes")
    changes = directory.changes
    after = directory.run("--check")

    assert (before.code, after.code, changes, directory.changes) == (1, 0, len(OURS), len(OURS))


def test_json_says_what_was_changed_and_what_is_there(directory: Directory) -> None:
    said = directory.run("--yes", "--output", "json")

    assert (said.json["complete"], len(said.json["changed"]), len(said.json["granted"])) == (True, 5, 5)


def test_without_a_terminal_and_without_yes_nothing_is_changed(directory: Directory) -> None:
    said = directory.run()

    assert (said.code, directory.rights) == (2, [])
    assert "run again with --yes" in said.err


def test_revoke_and_check_do_not_go_together(directory: Directory) -> None:
    assert directory.run("--revoke", "--check").code == 2


@pytest.mark.parametrize("choice", Blocker)
def test_the_role_for_administrators_is_given_by_choice_and_taken_back(directory: Directory, choice: Blocker) -> None:
    given_to = directory.run("--yes", "--block-administrators", choice.value)
    held = [each["roleDefinitionId"] for each in directory.tenant.directory_roles]
    again = directory.run("--yes", "--block-administrators", choice.value)
    directory.run("--revoke", "--yes")

    assert (given_to.code, held, again.code) == (0, [BLOCKERS[choice][0]], 0)
    assert (directory.tenant.directory_roles, directory.rights) == ([], [])


def test_without_the_choice_no_entra_role_is_looked_at_or_given(directory: Directory) -> None:
    directory.run("--yes")

    assert directory.tenant.directory_roles == []


IDS = ["TENANT_ID", "RESPONDER_PRINCIPAL_ID", "RESPONDER_CLIENT_ID", "WORKER_PRINCIPAL_ID", "WORKER_CLIENT_ID"]


@pytest.mark.parametrize("name", IDS)
def test_a_missing_or_wrong_id_is_named(directory: Directory, name: str) -> None:
    missing, wrong = directory.run("--yes", **{name: ""}), directory.run("--yes", **{name: "id-bypass-responder"})

    assert (missing.code, wrong.code, lines(missing), lines(wrong)) == (3, 3, 1, 1)
    assert f"{name} is not set; `azd env get-values`" in missing.err
    assert f"{name} must be a GUID" in wrong.err


def test_another_tenant_is_refused_before_anything_is_read(directory: Directory) -> None:
    other = "99999999-9999-4999-8999-999999999999"
    said = directory.run("--yes", TENANT_ID=other)

    assert (said.code, lines(said), directory.rights) == (3, 1, [])
    assert f"az login --tenant {other}" in said.err
    assert directory.tenant.counters["graph.get_rights"] == 0


def test_an_error_without_a_sign_in_names_the_command(directory: Directory) -> None:
    said = directory.run("--yes", IDENTITY_HEADER="wrong", AZURE_TOKEN_CREDENTIALS="ManagedIdentityCredential")

    assert (said.code, lines(said), "az login" in said.err) == (3, 1, True)


def test_without_the_right_to_give_it_says_who_has_it(directory: Directory) -> None:
    directory.tenant.identities[ADMINISTRATOR_SECRET].roles[GRAPH] = ["Application.Read.All"]
    said = directory.run("--yes")

    assert (said.code, lines(said), directory.rights) == (3, 1, [])
    assert "Privileged Role Administrator or Global Administrator" in said.err
    assert "Granted so far: nothing. Not granted: responder: User.Read.All" in said.err


def test_without_the_right_to_read_it_says_who_has_it(directory: Directory) -> None:
    directory.tenant.identities[ADMINISTRATOR_SECRET].roles[GRAPH] = []
    said = directory.run("--check")

    assert (said.code, "Privileged Role Administrator" in said.err) == (3, True)


@pytest.mark.parametrize("secret", [RESPONDER_SECRET, WORKER_SECRET])
def test_a_deleted_identity_is_named(directory: Directory, secret: str) -> None:
    identity: Identity = directory.tenant.identities[secret]
    identity.deleted = True
    said = directory.run("--yes")

    assert (said.code, lines(said)) == (3, 1)
    assert f"has no identity {identity.object_id} ({identity.name.upper()}_PRINCIPAL_ID)" in said.err


def test_rights_never_go_to_the_other_identity(directory: Directory) -> None:
    swapped = directory.run("--yes", RESPONDER_PRINCIPAL_ID=directory.worker.object_id)
    both = {"RESPONDER_PRINCIPAL_ID": directory.worker.object_id, "RESPONDER_CLIENT_ID": directory.worker.client_id}
    as_one = directory.run("--yes", **both)

    assert (swapped.code, as_one.code, directory.rights) == (3, 3, [])
    assert "are the same. The two apps need separate identities" in as_one.err


def test_an_identity_with_ids_of_two_is_refused(directory: Directory) -> None:
    said = directory.run("--yes", RESPONDER_CLIENT_ID=directory.worker.client_id)

    assert (said.code, directory.rights, "RESPONDER_CLIENT_ID is" in said.err) == (3, [], True)


def test_the_plan_names_who_gets_it(directory: Directory) -> None:
    said = directory.run("--check")

    assert f"id-bypass-responder is {directory.responder.object_id}" in said.out
    assert f"id-bypass-worker is {directory.worker.object_id}" in said.out


def test_entra_roles_that_are_not_ours_are_named_and_left(directory: Directory) -> None:
    global_administrator = "62e90394-69f5-4237-9190-012177145e10"
    for holder in (directory.responder, directory.worker):
        role = {"principalId": holder.object_id, "roleDefinitionId": global_administrator, "directoryScopeId": "/"}
        directory.tenant.directory_roles.append(role | {"id": f"role of {holder.name}"})
    said = directory.run("--revoke", "--yes")

    assert said.out.count(f"Entra role {global_administrator}") == 2
    assert len(directory.tenant.directory_roles) == 2


def test_json_wants_a_yes_or_a_check(directory: Directory) -> None:
    assert (directory.run("--output", "json").code, directory.rights) == (2, [])


def test_json_of_taking_back_is_complete_when_nothing_is_left(directory: Directory) -> None:
    directory.have(OURS)
    said = directory.run("--revoke", "--yes", "--output", "json")

    assert (said.json["complete"], said.json["granted"]) == (True, [])


def test_a_page_of_a_proxy_in_graphs_place_is_one_line(directory: Directory) -> None:
    said = directory.run("--check", GRAPH_URL=f"{directory.url}/no")

    assert (said.code, lines(said)) == (3, 1)


@pytest.mark.parametrize("answer", ["<html>sign in to the network</html>", "[]", "{}", '{"value": [{}]}'])
async def test_an_answer_that_is_not_graphs_stays_in_the_error_tree(answer: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=answer))
    async with httpx.AsyncClient(transport=transport) as http:
        rights = EntraRights(http, FakeCredential(), "https://graph.example", scope="s", pause_seconds=0)

        with pytest.raises(RefusedError, match="Is there a proxy in between"):
            await rights.principal("p")
        with pytest.raises(RefusedError):
            await rights.assignments("p")


async def test_a_token_that_graph_does_not_take_wants_a_new_sign_in() -> None:
    body = {"error": {"message": "Lifetime validation failed"}}
    transport = httpx.MockTransport(lambda _: httpx.Response(401, json=body))
    async with httpx.AsyncClient(transport=transport) as http:
        rights = EntraRights(http, FakeCredential(), "https://graph.example", scope="s", pause_seconds=0)

        with pytest.raises(RefusedError, match="Sign in again: az login"):
            await rights.principal("p")


def test_an_id_that_is_no_managed_identity_gets_nothing(directory: Directory) -> None:
    administrator = directory.tenant.identities[ADMINISTRATOR_SECRET]
    said = directory.run("--yes", RESPONDER_PRINCIPAL_ID=administrator.object_id)

    assert (said.code, "is not a managed identity" in said.err) == (3, True)
    assert administrator.roles == Tenant().identities[ADMINISTRATOR_SECRET].roles


def test_the_application_of_another_identity_gets_nothing(directory: Directory) -> None:
    said = directory.run("--yes", WORKER_CLIENT_ID=directory.responder.client_id)

    assert (said.code, directory.rights, "WORKER_CLIENT_ID is" in said.err) == (3, [], True)


@pytest.mark.parametrize("resource", [GRAPH, MANAGEMENT, EXCHANGE])
def test_a_service_that_the_tenant_lacks_is_named_with_the_way_to_make_it(directory: Directory, resource: str) -> None:
    directory.tenant.missing_applications.add(resource)
    said = directory.run("--yes")

    assert (said.code, lines(said), directory.rights) == (3, 1, [])
    assert f"az ad sp create --id {APPLICATIONS[resource][0]}" in said.err


def test_a_right_that_somebody_gave_meanwhile_is_as_good(directory: Directory) -> None:
    directory.fault(kind="drop_after", endpoint="graph.post_rights", times=1)
    said = directory.run("--yes")

    assert (said.code, directory.rights) == (0, COMPLETE)


def test_a_graph_that_is_busy_is_waited_for(directory: Directory) -> None:
    directory.fault(kind="throttle", endpoint="graph.*", times=2, retry_after_seconds=0)
    directory.fault(kind="server_error", endpoint="graph.post_rights", times=2)
    said = directory.run("--yes")

    assert (said.code, directory.rights) == (0, COMPLETE)


def test_a_graph_that_stays_busy_ends_in_one_line_that_says_what_was_given(directory: Directory) -> None:
    directory.fault(kind="throttle", endpoint="graph.post_rights", times=None, skip=2, retry_after_seconds=0)
    said = directory.run("--yes")
    first = directory.rights
    directory.tenant.faults.scripted.clear()
    again = directory.run("--yes")

    assert (said.code, len(first), lines(said)) == (3, 2, 1)
    assert "Granted so far: responder: User.Read.All (Microsoft Graph); responder: User.RevokeSessions.All" in said.err
    assert "Not granted: responder: User.EnableDisableAccount.All" in said.err
    assert "safe to run the command again" in said.err
    assert (again.code, directory.rights) == (0, COMPLETE)


def test_taking_back_that_stops_half_way_says_what_is_left(directory: Directory) -> None:
    directory.have(OURS)
    directory.fault(kind="server_error", endpoint="graph.delete_rights", times=None, skip=1)
    said = directory.run("--revoke", "--yes")

    assert (said.code, len(directory.rights)) == (3, len(OURS) - 1)
    assert "Revoked so far: responder: User.Read.All (Microsoft Graph). Not revoked: " in said.err


def test_a_wait_that_is_too_long_is_named_and_not_made(directory: Directory) -> None:
    directory.fault(kind="throttle", endpoint="graph.post_rights", times=None, retry_after_seconds=61)
    said = directory.run("--yes")

    assert (said.code, lines(said), directory.changes) == (3, 1, 1)
    assert "throttles requests for 61 seconds (429). Run the command again" in said.err


def test_an_identity_that_is_seconds_old_is_tried_again(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [graph_error(400, "Request_BadRequest", "Not a valid reference update.")] * 2
    give = service_principals._give
    monkeypatch.setattr(service_principals, "_give", lambda *given: answers.pop() if answers else give(*given))
    said = directory.run("--yes")

    assert (said.code, directory.rights) == (0, COMPLETE)


@pytest.mark.parametrize("resource", [GRAPH, MANAGEMENT, EXCHANGE])
def test_taking_back_goes_on_without_a_service_that_is_gone(directory: Directory, resource: str) -> None:
    """Its permissions went with it."""
    directory.have([(secret, role) for secret, role in OURS if RESOURCES[role.api] != resource])
    directory.tenant.missing_applications.add(resource)
    said = directory.run("--revoke", "--yes")

    assert (said.code, directory.rights) == (0, [])


def begun(directory: Directory, *arguments: str, **io: Any) -> AbstractContextManager[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bypass_responder.cli", "grant", *arguments]
    environment = directory.environment | {"PYTHONPATH": str(ROOT / "src")}
    return running(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, **io)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_the_question_ends_with_ctrl_c(directory: Directory) -> None:
    import pty

    ours, its = pty.openpty()
    with begun(directory, stdin=its, stdout=subprocess.DEVNULL) as program:
        assert program.stderr is not None
        asked = program.stderr.read(len("Grant these 5 rights? [y/N]:"))
        time.sleep(0.2)  # it reads the answer now
        program.send_signal(signal.SIGINT)
        said = program.stderr.read()
    os.close(ours)
    os.close(its)

    assert (asked, program.returncode, directory.rights) == ("Grant these 5 rights? [y/N]:", 3, [])
    assert "Nothing was changed." in said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one program")
def test_breaking_it_off_says_what_was_given_and_what_not(
    directory: Directory, eventually: Callable[[Callable[[], object]], None]
) -> None:
    directory.fault(kind="latency", endpoint="graph.post_rights", skip=2, seconds=20)
    with begun(directory, "--yes", stdout=subprocess.DEVNULL) as program:
        eventually(lambda: directory.changes == 3)
        program.send_signal(signal.SIGINT)
        _, said = program.communicate()

    assert (program.returncode, len(directory.rights)) == (3, 2)
    assert "Granted so far: responder: User.Read.All (Microsoft Graph); responder: User.RevokeSessions.All" in said
    assert "Not granted: responder: User.EnableDisableAccount.All" in said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one program")
def test_breaking_off_the_look_says_that_nothing_was_changed(
    directory: Directory, eventually: Callable[[Callable[[], object]], None]
) -> None:
    directory.fault(kind="latency", endpoint="graph.get_rights", seconds=20)
    with begun(directory, "--yes", stdout=subprocess.DEVNULL) as program:
        eventually(lambda: directory.tenant.counters["graph.get_rights"])
        program.send_signal(signal.SIGINT)
        _, said = program.communicate()

    assert (program.returncode, said) == (3, "Interrupted. Nothing was changed.\n")


def test_a_connection_that_breaks_for_good_is_one_line(directory: Directory) -> None:
    directory.fault(kind="drop_before", endpoint="graph.get_rights", times=None)
    said = directory.run("--check")

    assert (said.code, lines(said), "Graph is unreachable" in said.err) == (3, 1, True)


def test_the_script_has_the_ids_and_needs_no_directory(directory: Directory) -> None:
    said = directory.run("--exchange-script", GRAPH_URL="https://unreachable.example")

    assert (said.code, "__" in said.out.replace("__init__", "")) == (0, False)
    assert f"[guid]$ObjectId = '{directory.worker.object_id}'" in said.out
    assert f"[guid]$ApplicationId = '{directory.worker.client_id}'" in said.out
    assert json.dumps(WORKER_CMDLETS)[1:-1].replace('"', "'") in said.out
