"""What `bypassctl doctor` concludes about tokens, roles, and what the worker may run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.model.account_read import Section
from bypass_responder.model.organization_read import OrganizationRead, RoleEntry
from bypass_responder.model.self_check import SelfCheck
from bypass_responder.operating.doctor.diagnose import diagnose
from bypass_responder.rights import EVIDENCE_ROLES, EVIDENCE_SETS, EXCHANGE_GRANTS, RESPONDER_ROLES, Api
from tests.fakes.self_check import ISSUED, RESPONDER, a_token
from tests.operating.doctor.installation import (
    GRANTED,
    GRANTS,
    NOW,
    a_check,
    a_standing,
    facts,
    reported,
    ungranted,
    without,
)
from tests.world import TENANT


def test_a_token_from_before_the_grant_is_reported_with_both_times_and_its_expiry() -> None:
    granted = ISSUED + timedelta(minutes=7)
    grants = GRANTS | {RESPONDER: GRANTS[RESPONDER] | {RESPONDER_ROLES[0].id: granted}}
    [problem] = diagnose(facts(stored=without(Api.GRAPH, "User.Read.All"), grants=grants)).problems

    assert "issued at 2026-03-02 03:00:00Z, before the grant at 2026-03-02 03:07:00Z" in problem.what
    assert "valid until 2026-03-03 03:00:00Z" in problem.what
    assert "neither a restart nor a deployment renews it" in problem.fix


def test_a_token_from_after_the_grant_is_reported_as_such() -> None:
    [problem] = diagnose(facts(stored=without(Api.GRAPH, "User.Read.All"))).problems

    assert "issued at 2026-03-02 03:00:00Z, although granted at 2026-02-21 03:00:00Z" in problem.what


def test_a_missing_role_is_reported_with_its_effect_and_who_grants_it() -> None:
    grants = ungranted("User.RevokeSessions.All")
    [problem] = diagnose(facts(stored=without(Api.GRAPH, "User.RevokeSessions.All"), grants=grants)).problems

    assert problem.what == "the app has no User.RevokeSessions.All of Microsoft Graph: sessions cannot be revoked"
    assert problem.fix == "bypassctl grant"


def test_an_unreadable_directory_is_reported_with_the_age_of_the_token() -> None:
    found = diagnose(facts(stored=without(Api.GRAPH, "User.Read.All"), grants=None, grants_problem="403"))

    assert reported(found) == [("role_missing", "User.Read.All")]
    assert "of 2026-03-02 03:00:00Z is valid until 2026-03-03 03:00:00Z" in found.problems[0].fix
    assert any("403" in unchecked.what for unchecked in found.unchecked)


@pytest.mark.parametrize(
    "spoiled",
    [
        without(Api.MANAGEMENT, "ActivityFeed.Read"),
        a_check(subscription="missing"),
        a_check(subscription="", subscription_problem="AF50000"),
    ],
)
def test_a_poll_that_succeeded_since_proves_that_the_feed_works_again(spoiled: SelfCheck) -> None:
    assert reported(diagnose(facts(stored=spoiled, standing=a_standing(polled_at=NOW)))) == []


def test_the_app_s_current_check_overrides_its_stored_self_check() -> None:
    found = diagnose(facts(stored=without(Api.GRAPH, "User.Read.All"), live=a_check(at=NOW)))

    assert reported(found) == []


def may(*entries: tuple[str, str, tuple[str, ...]], error: str | None = None) -> OrganizationRead:
    """The worker's roles as it read them: role, cmdlet, parameters."""
    own = tuple(RoleEntry(role=role, cmdlet=cmdlet, parameters=given) for role, cmdlet, given in entries)
    nothing: dict[str, Any] = {"switches": {}, "admin_audit_log": {}, "assignments": {}, "members": {}}
    return OrganizationRead(**nothing, own_entries=Section[RoleEntry](items=own, error=error))


def test_cmdlets_of_the_sets_are_no_problem() -> None:
    every = [
        ("a role", cmdlet, granted.parameters) for granted in EXCHANGE_GRANTS.values() for cmdlet in granted.cmdlets
    ]
    found = diagnose(facts(worker_may=may(*every)))

    assert reported(found) == []
    assert not any("more than it needs" in unchecked.what for unchecked in found.unchecked)


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "named"),
    [
        ("Remove-Mailbox", ("Identity",), "Remove-Mailbox"),
        ("New-InboxRule", (), "New-InboxRule"),
        ("Set-Mailbox", ("Identity", "AuditOwner", "ForwardingSmtpAddress"), "Set-Mailbox -ForwardingSmtpAddress"),
    ],
)
def test_any_other_cmdlet_or_parameter_is_a_problem(cmdlet: str, parameters: tuple[str, ...], named: str) -> None:
    found = diagnose(facts(worker_may=may(("a role", cmdlet, parameters))))

    assert reported(found) == [("worker_right_extra", f"a role\\{cmdlet}")]
    assert f"may run {named}, which no set grants" in found.problems[0].what


@pytest.mark.parametrize("read", [None, may(), may(error="may not run Get-ManagementRoleEntry")])
def test_rights_that_the_worker_has_not_read_are_not_checked(read: OrganizationRead | None) -> None:
    found = diagnose(facts(worker_may=read))
    [unchecked] = [each for each in found.unchecked if "more than it needs" in each.what]

    assert reported(found) == []
    assert unchecked.how == "bypassctl grant --exchange-script --set reads"


def evidence_lines(*roles: str, **fields: Any) -> list[str]:
    """What is said of evidence when the app's token has these permissions besides the required ones."""
    token = a_token(Api.GRAPH, tenant_id=TENANT)
    token = token.model_copy(update={"roles": (*token.roles, *roles)})
    check = a_check(tokens=(token, a_token(Api.MANAGEMENT, tenant_id=TENANT)))
    found = diagnose(facts(stored=check, **fields))

    assert reported(found) == []
    return [line for line in found.information if line.startswith("evidence:")]


def test_no_permission_for_evidence_is_one_note_with_the_command() -> None:
    lines = evidence_lines()

    assert len(lines) == 1
    assert "bypassctl grant --evidence core" in lines[0]


def test_each_permission_for_evidence_that_is_missing_is_a_note() -> None:
    full = [role.value for role in EVIDENCE_SETS["full"]]
    lines = evidence_lines(*full[1:])

    assert len(lines) == 1
    assert "AuditLog.Read.All is not granted: no sign-ins" in lines[0]


def test_every_permission_for_evidence_is_no_note() -> None:
    assert evidence_lines(*(role.value for role in EVIDENCE_ROLES)) == []


def test_a_permission_for_evidence_that_the_token_lacks_says_until_when() -> None:
    granted = GRANTS[RESPONDER] | {role.id: GRANTED for role in EVIDENCE_ROLES}
    lines = evidence_lines("AuditLogsQuery.Read.All", grants=GRANTS | {RESPONDER: granted})

    assert all("is granted; the app's token has it after" in line for line in lines)
