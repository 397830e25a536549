"""Whether a change is still in effect, or why that is unknown.

The sources are the sweep, the daily read of the roles and the alerts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bypass_responder.case.draft import Draft
from bypass_responder.case.health_alerts import raise_alert
from bypass_responder.case.right_holders import record_holders
from bypass_responder.case.sweep_row import current, plan, take_answer
from bypass_responder.case.tampering_state import NOT_READABLE, read_back_of
from bypass_responder.model.case import TENANT_TARGET, Case
from bypass_responder.model.change import Actor, AuditTampering, Outcome
from bypass_responder.model.finding import Evidence
from bypass_responder.model.health import Tampering
from bypass_responder.model.message import CommandKind
from bypass_responder.model.organization_read import OrganizationRead
from bypass_responder.model.read_back import Persists, ReadBack
from bypass_responder.model.sweep import SweepResult
from bypass_responder.model.technique import Technique
from tests.case.test_right_holders import GROUP, MANAGEMENT, OWN, an_answer, an_assignment
from tests.sensing.builders import Json
from tests.tampering.family import ALEX, FAMILY, WORKER_ID, in_entra, ran
from tests.tampering.test_family import found_in
from tests.world import START, TENANT

READS, CHANGES = f"{GROUP} Reads", f"{GROUP} Changes"
HOUR = timedelta(hours=1)
LATER = START + 2 * HOUR
STILL, UNDONE, UNKNOWN = Persists.STILL_SO, Persists.UNDONE, Persists.UNKNOWN
EMPTY = Case(target=TENANT_TARGET)


def changed(record: Json, **fields: Any) -> Tampering:
    """The stored change of a record, at the start."""
    [found] = found_in(record)
    names = AuditTampering.model_fields.keys() & Tampering.model_fields.keys() - {"occurred_at"}
    about = {name: getattr(found, name) for name in names}
    defaults = about | {"id": "t", "occurred_at": START, "evidence": Evidence(length_bytes=0, sha256="")}
    return Tampering(**defaults | fields)


def swept(case: Case = EMPTY, **fields: Any) -> Case:
    """The case after a sweep has read the switches."""
    draft = Draft(case, now=LATER)
    plan(draft, command_id="c", timeout_seconds=60)
    answer: dict[str, Any] = {
        "command_id": "c",
        "kind": CommandKind.LIST_BYPASSED,
        "tenant_id": TENANT,
        "outcome": "listed",
        "complete": True,
        "started_at": LATER,
        "scanned": 1,
        "bypassed": 0,
        "blob": "b",
        "sha256": "0" * 64,
        "audit_disabled": False,
        "unified_audit_log_ingestion_enabled": True,
    }
    take_answer(draft, SweepResult(**answer | fields))
    return draft.case


def looked(answer: OrganizationRead, *, case: Case = EMPTY, at: datetime = LATER) -> Case:
    """The case after a look the day before the change, and one after it."""
    draft = Draft(case, now=at)
    for read_at, each in ((START - 24 * HOUR, an_answer(OWN, MANAGEMENT)), (at, answer)):
        record_holders(draft, each, read_at=read_at, own_group=GROUP, reads_group=READS)
    return draft.case


def complete(at: Any) -> Case:
    draft = Draft(EMPTY, now=at)
    draft.put(current(EMPTY).model_copy(update={"complete_at": at}))
    return draft.case


def state_of(record: Json, case: Case) -> Persists:
    shown = read_back_of(changed(record), case)
    assert shown is not None
    return shown.state


ORGANIZATION = FAMILY[Technique.ORGANIZATION_OFF].positive
UNIFIED = FAMILY[Technique.UNIFIED_LOG_OFF].positive
SWITCHED = [
    (ORGANIZATION, {"audit_disabled": True}, STILL),
    (ORGANIZATION, {}, UNDONE),
    (UNIFIED, {"unified_audit_log_ingestion_enabled": False}, STILL),
    (UNIFIED, {}, UNDONE),
    (UNIFIED, {"unified_audit_log_ingestion_enabled": None}, UNKNOWN),
    (ORGANIZATION, {"started_at": START}, UNKNOWN),
]


@pytest.mark.parametrize(("record", "answer", "state"), SWITCHED)
def test_a_switch_is_what_the_last_sweep_read(record: Json, answer: dict[str, Any], state: Persists) -> None:
    assert state_of(record, swept(**answer)) is state


def test_a_sweep_that_is_planned_leaves_what_the_one_before_read() -> None:
    draft = Draft(swept(audit_disabled=True), now=LATER)
    draft.put(current(draft.case).model_copy(update={"state": "idle"}))
    plan(draft, command_id="next", timeout_seconds=60)

    assert state_of(ORGANIZATION, draft.case) is STILL


GROUP_OF_OURS = an_assignment("Tools", assignee_type="RoleGroup", role="Audit Logs")
ASSIGNED = ran("New-ManagementRoleAssignment", Name="x", Role="Audit Logs", User=ALEX)
ENABLED = ran("Set-ManagementRoleAssignment", Identity="Audit Logs-alex", Enabled="True")
NAMELESS = ran("New-ManagementRoleAssignment", Role="Audit Logs", User=ALEX)
MEMBER = ran("Add-RoleGroupMember", Identity="Organization Management", Member=ALEX)
ENTRY = ran("Add-ManagementRoleEntry", Identity="Desk\\Set-MailboxAuditBypassAssociation")
ROLE = ran("New-ManagementRole", Name="Desk", Parent="Audit Logs")
IN_GROUP = an_answer(OWN, MANAGEMENT, members=("alex",))
RIGHTS = {
    "the group has the role": (FAMILY[Technique.PRECURSOR].positive, an_answer(OWN, GROUP_OF_OURS), STILL),
    "the group is gone": (FAMILY[Technique.PRECURSOR].positive, an_answer(OWN, MANAGEMENT), UNDONE),
    "the assignment is there": (ASSIGNED, an_answer(OWN, an_assignment("alex", name="X")), STILL),
    "the assignment is gone": (ASSIGNED, an_answer(OWN), UNDONE),
    "the assignment that was enabled is gone": (ENABLED, an_answer(OWN), UNDONE),
    "the assignment that was enabled is there": (
        ENABLED,
        an_answer(OWN, an_assignment("alex", name="Audit Logs-alex")),
        STILL,
    ),
    "the assignment has another name": (
        ASSIGNED,
        an_answer(OWN, an_assignment("alex", name="Audit Logs-alex")),
        UNKNOWN,
    ),
    "the group has another name": (
        FAMILY[Technique.PRECURSOR].positive,
        an_answer(OWN, an_assignment("Renamed", assignee_type="RoleGroup", role="Audit Logs")),
        UNKNOWN,
    ),
    "the role has another name": (ROLE, an_answer(OWN, an_assignment("eve", role="Renamed")), UNKNOWN),
    "the group of the member has another name": (
        MEMBER,
        an_answer(OWN, members=("alex",), group="Renamed"),
        UNKNOWN,
    ),
    "an assignment without a name": (NAMELESS, an_answer(OWN), UNKNOWN),
    "the role is held": (ROLE, an_answer(OWN, an_assignment("eve", role="Desk")), STILL),
    "nobody has the role": (ROLE, an_answer(OWN), UNDONE),
    "the role with the entry is held": (ENTRY, an_answer(OWN, an_assignment("eve", role="desk")), STILL),
    "the member is there": (MEMBER, IN_GROUP, STILL),
    "no member is there": (MEMBER, an_answer(OWN, MANAGEMENT), UNDONE),
    "another member is there": (MEMBER, an_answer(OWN, MANAGEMENT, members=("Alexandra",)), UNKNOWN),
}


@pytest.mark.parametrize(("record", "answer", "state"), RIGHTS.values(), ids=RIGHTS)
def test_a_right_is_what_the_daily_look_read(record: Json, answer: OrganizationRead, state: Persists) -> None:
    assert state_of(record, looked(answer)) is state


@pytest.mark.parametrize("record", [FAMILY[Technique.PRECURSOR].positive, MEMBER])
def test_what_was_not_read_whole_is_never_undone(record: Json) -> None:
    partly = an_answer(OWN, assignments=an_answer(OWN).assignments.model_copy(update={"total": 5}))

    assert state_of(record, looked(partly)) is UNKNOWN


def test_a_look_with_a_name_that_was_cut_is_not_certain() -> None:
    assert state_of(ROLE, looked(an_answer(OWN, an_assignment("m" * 200, role="Desk")))) is UNKNOWN


def test_a_look_before_the_change_shows_nothing() -> None:
    shown = read_back_of(changed(ROLE, occurred_at=LATER), looked(an_answer(OWN)))

    assert shown == ReadBack(state=UNKNOWN, detail="the roles of the organization were not read since")


REMOVED = FAMILY[Technique.RESPONDER_REMOVED].positive
PERMISSION = in_entra(
    "Remove app role assignment from service principal.",
    ModifiedProperties=[{"Name": "ServicePrincipal.AppId", "OldValue": WORKER_ID, "NewValue": ""}],
)


def test_a_worker_that_lost_its_role_is_still_without_it() -> None:
    assert state_of(REMOVED, looked(an_answer(MANAGEMENT), case=complete(LATER))) is STILL


def removed(operation: str, name: str) -> Json:
    return ran(operation, Identity=name, Member=WORKER_ID)


BOTH = [(2 * HOUR, 2 * HOUR, UNDONE), (2 * HOUR, HOUR, UNKNOWN), (HOUR, 2 * HOUR, UNKNOWN), (-HOUR, 2 * HOUR, UNKNOWN)]


@pytest.mark.parametrize(("read", "swept", "state"), BOTH)
@pytest.mark.parametrize(
    "record",
    [
        REMOVED,
        removed("Remove-RoleGroupMember", GROUP),
        removed("Remove-ManagementRoleAssignment", f"{GROUP} - Audit Logs-{GROUP}"),
        removed("Remove-ServicePrincipal", f"{GROUP} worker"),
        removed("Remove-ManagementRole", f"{GROUP} - Audit Logs"),
        ran("Set-ManagementRoleAssignment", Identity=f"{GROUP} - Audit Logs-{GROUP}", Enabled="False"),
    ],
)
def test_the_right_to_remove_a_bypass_is_proved_by_a_look_and_a_sweep_once_no_session_is_left(
    record: Json, read: timedelta, swept: timedelta, state: Persists
) -> None:
    row = changed(record, target=record["Parameters"][0]["Value"])
    shown = read_back_of(row, looked(an_answer(OWN), case=complete(START + swept), at=START + read))

    assert shown is not None
    assert shown.state is state


NOT_SHOWN = {
    "an entry": ran("Remove-ManagementRoleEntry", Identity=f"{GROUP} - Audit Logs\\Get-User"),
    "parameters": ran("Set-ManagementRoleEntry", Identity=f"{GROUP} - Audit Logs\\Get-User", Parameters="x"),
    "a scope": ran("Set-ManagementRoleAssignment", Identity=f"{GROUP} - x-{GROUP}", CustomRecipientWriteScope="x"),
    "a manager": ran("Set-RoleGroup", Identity=GROUP, ManagedBy=ALEX),
}


@pytest.mark.parametrize("record", NOT_SHOWN.values(), ids=NOT_SHOWN)
def test_what_no_read_shows_is_never_proved_undone(record: Json) -> None:
    after = START + 2 * HOUR

    assert state_of(record, looked(an_answer(OWN), case=complete(after), at=after)) is UNKNOWN


def test_a_sweep_alone_proves_no_right_to_remove_a_bypass() -> None:
    assert state_of(REMOVED, complete(START + 9 * HOUR)) is UNKNOWN


@pytest.mark.parametrize(("group", "state"), [(READS, UNDONE), (f"{READS} - View-Only-x", UNKNOWN), (CHANGES, UNKNOWN)])
def test_a_look_proves_the_group_with_which_it_was_read(group: str, state: Persists) -> None:
    row = changed(REMOVED, target=group)
    after = START + 2 * HOUR
    shown = [read_back_of(row, looked(an_answer(OWN), case=complete(after), at=at)) for at in (after, START + HOUR)]

    assert [each.state for each in shown if each] == [state, UNKNOWN]


def test_a_look_that_was_not_whole_proves_nothing_about_the_worker() -> None:
    partly = an_answer(assignments=an_answer(OWN).assignments.model_copy(update={"total": 5}))

    assert state_of(REMOVED, looked(partly, case=complete(START + 2 * HOUR), at=START + 2 * HOUR)) is UNKNOWN


@pytest.mark.parametrize(("alert", "state"), [("permission_lost", STILL), ("feed_silent", UNKNOWN)])
def test_a_permission_in_entra_is_known_by_the_calls_that_fail(alert: str, state: Persists) -> None:
    draft = Draft(EMPTY, now=LATER)
    raise_alert(draft, alert, "User.Read.All is missing.")
    row = changed(REMOVED, operation="Remove app role assignment from service principal.")
    shown = read_back_of(row, draft.case)

    assert shown is not None
    assert shown.state is state


@pytest.mark.parametrize("technique", NOT_READABLE)
def test_what_nothing_can_read_says_why(technique: Technique) -> None:
    shown = read_back_of(changed(FAMILY[technique].positive), swept())

    assert str(shown) == f"Unknown whether still in effect: {NOT_READABLE[technique]}."


@pytest.mark.parametrize("technique", FAMILY)
def test_each_row_says_something_before_anything_was_read(technique: Technique) -> None:
    shown = read_back_of(changed(FAMILY[technique].positive), EMPTY)

    assert shown is not None
    assert (shown.state, shown.read_at) == (UNKNOWN, None)


@pytest.mark.parametrize("fields", [{"outcome": Outcome.FAILED}, {"weakens": False}])
def test_what_weakened_nothing_is_not_read_back(fields: dict[str, Any]) -> None:
    assert read_back_of(changed(ORGANIZATION, actor=Actor(), **fields), swept(audit_disabled=True)) is None
