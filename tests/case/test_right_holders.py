"""What the daily read of the organization means: who is new, who is gone, and what was not read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.case.draft import Draft
from bypass_responder.case.right_holders import holders_of, new_since, record_holders
from bypass_responder.model.account_read import Section
from bypass_responder.model.case import TENANT_TARGET, Case
from bypass_responder.model.notification import Notification
from bypass_responder.model.organization_read import (
    AdminAuditLog,
    OrganizationRead,
    RoleAssignment,
    RoleMember,
    Switches,
)
from bypass_responder.model.right_holders import RightHolders
from tests.world import START

GROUP = "Mailbox Audit Bypass Responder"
OWN = RoleAssignment(name="o", role=f"{GROUP} - Audit Logs", assignee=GROUP, assignee_type="RoleGroup", can_bypass=True)
MANAGEMENT = RoleAssignment(
    name="m", role="Audit Logs", assignee="Organization Management", assignee_type="RoleGroup", can_bypass=True
)
DAY = timedelta(days=1)


def an_answer(
    *assignments: RoleAssignment, members: tuple[str, ...] = (), group: str = "Organization Management", **sections: Any
) -> OrganizationRead:
    given_members = tuple(RoleMember(group=group, member=name) for name in members)
    defaults: dict[str, Any] = {
        "switches": Section[Switches](),
        "admin_audit_log": Section[AdminAuditLog](),
        "assignments": Section[RoleAssignment](items=assignments, total=len(assignments)),
        "members": Section[RoleMember](items=given_members, total=len(members)),
        "own_entries": Section(),
    }
    return OrganizationRead(**defaults | sections)


def an_assignment(assignee: str, **fields: Any) -> RoleAssignment:
    defaults = {"name": assignee, "role": "Tools", "assignee": assignee, "assignee_type": "User", "can_bypass": True}
    return RoleAssignment(**defaults | fields)


def looked(*answers: OrganizationRead) -> Case:
    """The tenant's case after these daily looks."""
    case = Case(target=TENANT_TARGET)
    for day, answer in enumerate(answers):
        draft = Draft(case, now=START + day * DAY)
        record_holders(draft, answer, read_at=START + day * DAY, own_group=GROUP, reads_group=f"{GROUP} Reads")
        case = draft.case
    return case


def titles(case: Case) -> list[str]:
    return [each.title for each in case.rows(Notification)]


def test_the_first_look_only_begins_the_comparison() -> None:
    assert titles(looked(an_answer(OWN, MANAGEMENT, members=("admin",)))) == []


def test_a_new_holder_is_reported_once() -> None:
    first, later = an_answer(OWN, MANAGEMENT), an_answer(OWN, MANAGEMENT, an_assignment("mallory"))

    assert titles(looked(first, later, later)) == ["The right to set bypasses has 1 new holder"]


def test_a_new_member_of_a_group_that_has_the_right_is_a_holder() -> None:
    first, later = an_answer(OWN, MANAGEMENT), an_answer(OWN, MANAGEMENT, members=("mallory",))

    assert titles(looked(first, later)) == ["The right to set bypasses has 1 new holder"]


def test_who_may_only_give_the_right_is_a_holder_too() -> None:
    found = holders_of(an_answer(an_assignment("mallory", delegating=True)))

    assert found == {"mallory (User) may give the role Tools"}


def test_a_role_that_cannot_bypass_or_is_off_is_none() -> None:
    answer = an_answer(an_assignment("a", can_bypass=False), an_assignment("b", enabled=False))

    assert holders_of(answer) == frozenset()


def test_a_holder_that_is_gone_is_no_alarm() -> None:
    assert titles(looked(an_answer(OWN, MANAGEMENT), an_answer(OWN))) == []


def test_a_holder_that_comes_back_is_reported() -> None:
    both, own = an_answer(OWN, MANAGEMENT), an_answer(OWN)

    assert titles(looked(both, own, both)) == ["The right to set bypasses has 1 new holder"]


def test_what_was_not_read_is_not_gone() -> None:
    both, nothing = an_answer(OWN, MANAGEMENT), an_answer(assignments=Section(error="no permission"))

    assert titles(looked(both, nothing, both)) == []


def test_a_list_that_is_cut_off_takes_nobody_away() -> None:
    both, part = an_answer(OWN, MANAGEMENT), an_answer(assignments=Section(items=(MANAGEMENT,), total=2))

    assert titles(looked(both, part, both)) == []


def test_the_loss_of_our_own_right_is_reported() -> None:
    assert titles(looked(an_answer(OWN, MANAGEMENT), an_answer(MANAGEMENT))) == ["Rights of the responder were removed"]


def test_an_answer_that_is_older_changes_nothing() -> None:
    case = looked(an_answer(OWN), an_answer(OWN))
    draft = Draft(case, now=START + 2 * DAY)
    record_holders(draft, an_answer(OWN, MANAGEMENT), read_at=START, own_group=GROUP, reads_group=f"{GROUP} Reads")

    assert draft.changed == {}


def since_of(*answers: OrganizationRead) -> list[str]:
    """Who is new since the second look."""
    return new_since(looked(*answers).rows(RightHolders)[0], START + DAY - timedelta(hours=2))


def test_a_holder_is_new_since_the_first_look_that_has_it() -> None:
    first, later = an_answer(OWN), an_answer(OWN, MANAGEMENT)

    assert since_of(first, later, later) == ["Organization Management (RoleGroup) has the role Audit Logs"]
    assert since_of(later, later, later) == []
    assert since_of(later, first, later) == ["Organization Management (RoleGroup) has the role Audit Logs"]


def test_of_the_row_of_a_version_before_all_are_new_until_its_look() -> None:
    [row] = looked(an_answer(OWN)).rows(RightHolders)
    old = row.model_copy(update={"since": ()})

    assert (len(new_since(old, START)), len(new_since(old, START + DAY))) == (1, 0)


@given(st.lists(st.text(min_size=1, max_size=300), max_size=300))
def test_the_row_is_bounded(names: list[str]) -> None:
    found = holders_of(an_answer(*map(an_assignment, names)))

    assert len(found) <= 200
    assert all(len(each) <= 160 for each in found)
