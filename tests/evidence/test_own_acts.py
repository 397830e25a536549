"""What the responder itself does is shown, and is no follow-on activity."""

from __future__ import annotations

from typing import Any

import pytest

from bypass_responder.evidence.exchange_changes import changes_of
from bypass_responder.evidence.role_changes import changes_of as role_changes_of
from bypass_responder.model.question import Empty, Found, Item, Question
from bypass_responder.rights import EXCHANGE_ROLE_GROUP as GROUP
from tests.evidence.questions import a_question, at

WORKER = "66666666-6666-4666-8666-666666666666"
QUESTION = a_question(own_ids=frozenset({WORKER}))
RESTORED = ("Set-MailboxAuditBypassAssociation", {"Identity": "alex", "AuditBypassEnabled": "False"})
PLANNED = ("Set-Mailbox", {"Identity": "alex", "AuditOwner": "Update;MoveToDeletedItems", "Confirm": "False"})


def a_record(operation: str, parameters: dict[str, str], **fields: Any) -> dict[str, Any]:
    listed = [{"Name": name, "Value": value} for name, value in parameters.items()]
    ours = {"AppId": WORKER, "UserId": "NT AUTHORITY"}
    return {"Operation": operation, "CreationTime": at(0.5), "Parameters": listed} | ours | fields


def item(record: dict[str, Any], question: Question = QUESTION) -> Item:
    answer = changes_of([record], question)
    assert isinstance(answer, Found)
    return answer.items[0]


@pytest.mark.parametrize("change", [RESTORED, PLANNED])
@pytest.mark.parametrize(
    "ids",
    [{}, {"AppId": f"{{{WORKER.upper()}}}"}, {"AppId": None, "TokenObjectId": WORKER}],
    ids=["app", "other", "oid"],
)
def test_our_own_change_is_shown_as_ours(change: tuple[str, dict[str, str]], ids: dict[str, Any]) -> None:
    found = item(a_record(*change, **ids))

    assert (found.notable, found.detail["note"]) == (None, "by the responder")


@pytest.mark.parametrize("change", [RESTORED, PLANNED])
def test_the_same_by_anybody_else_is_notable(change: tuple[str, dict[str, str]]) -> None:
    others = [a_record(*change, AppId="x"), a_record(*change, AppId=None, UserId=WORKER)]

    assert [item(each).notable for each in others] == ["changes auditing"] * 2
    assert item(a_record(*change), a_question()).notable == "changes auditing"


@pytest.mark.parametrize(
    "change",
    [
        ("Set-MailboxAuditBypassAssociation", {"Identity": "alex", "AuditBypassEnabled": "True"}),
        ("Set-MailboxAuditBypassAssociation", {"Identity": "alex", "AuditBypassEnabled": "maybe"}),
        ("Set-Mailbox", {"AuditOwner": "Update", "ForwardingSmtpAddress": "x@fabrikam.com"}),
        ("Set-OrganizationConfig", {"AuditDisabled": "False"}),
    ],
)
def test_what_the_responder_never_does_is_notable_under_its_id(change: tuple[str, dict[str, str]]) -> None:
    assert item(a_record(*change)).notable


INSTALLATION = [
    ("New-ManagementRole", {"Name": f"{GROUP} - Audit Logs", "Parent": "Audit Logs"}),
    ("New-RoleGroup", {"Name": GROUP, "Roles": f"{GROUP} - Audit Logs"}),
    ("New-ManagementRoleAssignment", {"SecurityGroup": GROUP, "Role": f"{GROUP} - Audit Logs"}),
]


@pytest.mark.parametrize("change", INSTALLATION)
def test_the_installation_of_the_responder_gives_nobody_a_right(change: tuple[str, dict[str, str]]) -> None:
    assert isinstance(role_changes_of([a_record(*change)], QUESTION), Empty)


@pytest.mark.parametrize(
    "change",
    [
        ("New-ManagementRole", {"Name": f"{GROUP} - Tools", "Parent": "Audit Logs"}),
        ("New-RoleGroup", {"Name": GROUP, "Roles": f"{GROUP} - Audit Logs", "Members": "mallory"}),
        ("New-ManagementRoleAssignment", {"User": "mallory", "Role": f"{GROUP} - Audit Logs"}),
        ("New-ManagementRoleAssignment", {"Name": f"{GROUP} - x", "User": "mallory", "Role": "Audit Logs"}),
        ("Set-ManagementRoleAssignment", {"Identity": f"{GROUP} - Audit Logs-x", "Enabled": "True"}),
    ],
)
def test_a_right_that_only_bears_our_name_is_one(change: tuple[str, dict[str, str]]) -> None:
    assert isinstance(role_changes_of([a_record(*change)], QUESTION), Found)
