"""What a plan changes, and that it never audits less."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.model.mailbox_audit import AuditChange, AuditSettings, LogonType
from bypass_responder.posture.baseline import exchange_rules, measures
from bypass_responder.posture.comparison import compare
from bypass_responder.posture.plan import Goal, Plan, plan
from tests.posture.exports.files import ALEX, as_json
from tests.posture.exports.files import read as exported
from tests.posture.mailboxes import ADMIN, ALL, CASES, CIS_OWNER, DELEGATE, OWNER, Case, a_read, listed, without

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CASE = {case.what: case for case in CASES}
POSSIBLE = measures().possible.actions
DEFAULT = measures().microsoft.actions


def planned(*cases: Case, goal: Goal | None = None) -> Plan:
    found = compare(a_read(cases), measures())
    return plan(found, found.rows, goal or Goal(), made_at=NOW)


def change_of(case: Case, goal: Goal | None = None) -> AuditChange:
    [only] = planned(case, goal=goal).changes
    return only.change


@pytest.mark.parametrize(
    ("what", "logons"),
    [
        ("all lists pinned, equal to the default set", ALL),
        ("the owner does not record reads", ("Owner",)),
        ("folder permissions under their old name", ("Delegate",)),
        ("three empty lists", ALL),
    ],
)
def test_pinned_logon_types_return_to_the_default_set(what: str, logons: tuple[str, ...]) -> None:
    assert change_of(CASE[what]) == AuditChange(default_set=tuple(map(LogonType, logons)))


def test_a_list_with_more_than_the_default_set_gets_what_is_missing_and_stays() -> None:
    more = CASES[0]._replace(default_set=ALL[:2], owner=without(CIS_OWNER, "MailItemsAccessed"))

    assert change_of(more) == AuditChange(owner=("MailItemsAccessed",))


@pytest.mark.parametrize(
    "what",
    [
        "a user with the default set",
        "all that CIS wants",
        "AuditEnabled off for a user",
        "AuditEnabled not read for a room",
        "a group with empty lists: the values are not true",
        "an unknown action in a pinned list",
        "a bypassed user",
    ],
)
def test_nothing_is_planned_where_it_would_change_nothing_or_audit_less(what: str) -> None:
    assert planned(CASE[what]).changes == ()


@pytest.mark.parametrize("what", ["AuditEnabled off for a room", "AuditEnabled off for discovery"])
def test_audit_enabled_is_switched_on_where_it_counts(what: str) -> None:
    assert change_of(CASE[what]) == AuditChange(enable=True)


def test_named_actions_are_added() -> None:
    goal = Goal(actions={LogonType.OWNER: ("MailboxLogin", "Update")})
    made = planned(CASES[0], goal=goal)

    assert made.changes[0].change == AuditChange(owner=("MailboxLogin",))
    assert made.pinning == 1


def test_actions_are_added_to_a_list_with_those_that_the_default_set_has_besides() -> None:
    goal = Goal(actions={LogonType.OWNER: ("MailboxLogin",)})
    made = planned(CASE["the owner does not record reads"], goal=goal)

    assert made.changes[0].change == AuditChange(owner=("MailboxLogin", "MailItemsAccessed"))
    assert made.pinning == 0  # it was pinned before


@pytest.mark.parametrize("lost", ["enabled", "age_limit", "default_set", "admin", "delegate", "owner"])
def test_a_mailbox_of_which_a_setting_was_not_read_is_left(lost: str) -> None:
    case = CASE["the owner does not record reads"]._replace(**{lost: None})  # type: ignore[arg-type]
    made = planned(case)

    assert (made.changes, [each.why for each in made.skipped]) == ((), ["not all of its settings were read"])


@pytest.mark.parametrize("age_limit", ["90", "90.00:00:00.0000000", {"Ticks": 77760000000000}])
def test_the_change_of_an_exported_mailbox_is_meant_for_what_the_worker_reads(age_limit: object) -> None:
    found = compare(exported(as_json(ALEX | {"DefaultAuditSet": [], "AuditLogAgeLimit": age_limit})), measures())
    [only] = plan(found, found.rows, Goal(), made_at=NOW).changes
    read = AuditSettings(enabled=True, age_limit="90.00:00:00", admin=ADMIN, delegate=DELEGATE, owner=OWNER)

    assert only.expected.same_as(read)


def test_the_age_limit_is_only_made_longer() -> None:
    goal = Goal(age_limit_days=180)

    assert change_of(CASES[0], goal) == AuditChange(age_limit_days=180)
    assert planned(CASE["entries kept for a year"], goal=goal).changes == ()


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("without an object id", "no object id"),
        ("without any id", "no object id"),
        ("nothing of the settings read", "not all of its settings"),
    ],
)
def test_a_mailbox_that_cannot_be_changed_is_named(what: str, why: str) -> None:
    [skipped] = planned(CASE[what]).skipped

    assert why in skipped.why


def test_a_list_that_an_undo_could_not_restore_is_left_and_named() -> None:
    """Set-Mailbox refuses MessageBind. The other logon types are changed."""
    case = CASE["MessageBind in the place of MailItemsAccessed"]._replace(default_set=("Owner",))
    made = planned(case)

    assert [each.change for each in made.changes] == [AuditChange(default_set=(LogonType.DELEGATE,))]
    assert [each.why.partition(",")[0] for each in made.skipped] == ["Admin: its list has MessageBind"]
    assert planned(case, goal=Goal(default_set=False)).skipped == ()


def test_a_public_folder_mailbox_that_would_change_is_named() -> None:
    off, on = CASE["AuditEnabled off for public folders"], CASE["AuditEnabled on for public folders"]
    made = planned(off, on)

    assert made.changes == ()
    assert ["-PublicFolder" in each.why for each in made.skipped] == [True]


def test_mailboxes_with_one_id_are_named() -> None:
    read = a_read((CASES[2], CASES[3]))
    listed(read)[1] = read.mailboxes[1]._replace(object_id=read.mailboxes[0].object_id)
    found = compare(read, measures())
    made = plan(found, found.rows, Goal(), made_at=NOW)

    assert made.changes == ()
    assert len(made.skipped) == 2


def test_the_change_is_meant_for_the_settings_that_were_read() -> None:
    [only] = planned(CASE["the owner does not record reads"]).changes

    assert only.expected.owner == without(OWNER, "MailItemsAccessed")
    assert only.expected.default_set == ALL[:2]


def test_a_limited_plan_takes_the_worst_first_although_another_is_shared() -> None:
    shared = CASE["all lists pinned, equal to the default set"]._replace(type="SharedMailbox")
    found = compare(a_read((shared, CASE["three empty lists"])), measures())
    made = plan(found, found.rows, Goal(), made_at=NOW, most=1)

    assert found.rows[0].mailbox.type == "SharedMailbox"
    assert ([each.name for each in made.changes], made.left_out) == ([found.rows[1].mailbox.name], 1)


def test_the_hash_is_of_everything_in_the_file() -> None:
    made = planned(*CASES)
    again = Plan.model_validate(json.loads(made.model_dump_json()))

    assert again.sha256 == again.digest()
    assert again.model_copy(update={"baseline": "another"}).digest() != again.sha256


def lists(logon: LogonType) -> st.SearchStrategy[tuple[str, ...]]:
    known = (*POSSIBLE[logon], *exchange_rules().replaced, "SummarizeItem")
    return st.lists(st.sampled_from(known), unique=True).map(tuple)


@given(
    st.sampled_from(["UserMailbox", "RoomMailbox", "GroupMailbox", "SchedulingMailbox"]),
    st.sampled_from([True, False, None]),
    st.sets(st.sampled_from(ALL)).map(tuple),
    lists(LogonType.ADMIN),
    lists(LogonType.DELEGATE),
    lists(LogonType.OWNER),
    st.sampled_from([Goal(), Goal(actions=POSSIBLE), Goal(default_set=False, actions={LogonType.OWNER: ("Move",)})]),
)
def test_no_change_audits_less(
    type_: str,
    enabled: bool | None,
    default_set: tuple[str, ...],
    admin: tuple[str, ...],
    delegate: tuple[str, ...],
    owner: tuple[str, ...],
    goal: Goal,
) -> None:
    case = Case(
        "any", "", "", "", "", type_, enabled, default_set=default_set, admin=admin, delegate=delegate, owner=owner
    )
    replaced = exchange_rules().replaced
    for each in planned(case, goal=goal).changes:
        for logon in each.change.default_set:
            lost = {*each.expected.actions(logon)} - {*DEFAULT[logon]}

            assert {replaced.get(action, action) for action in lost} <= {*DEFAULT[logon]}


def test_a_plan_of_a_plan_is_empty() -> None:
    """Once the change is made, there is nothing left to do."""
    done = CASE["the admin's list pinned"]._replace(default_set=ALL, admin=ADMIN)

    assert planned(done).changes == ()
