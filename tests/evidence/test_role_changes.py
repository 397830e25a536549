from __future__ import annotations

from typing import Any

from bypass_responder.evidence.role_changes import changes_of
from bypass_responder.model.question import Empty, Found
from tests.evidence.questions import ACCOUNT, APPLICATION, a_question, at

ADMIN = "admin@contoso.onmicrosoft.com"


def a_record(operation: str = "Add-RoleGroupMember", *, by: str = ADMIN, **parameters: str) -> Any:
    listed = [{"Name": name, "Value": value} for name, value in parameters.items()]
    return {"Operation": operation, "CreationTime": at(-5), "UserId": by, "ObjectId": "Group", "Parameters": listed}


def test_a_role_for_the_account_names_who_gave_it() -> None:
    answer = changes_of([a_record(Member=ACCOUNT.user_principal_name.upper())], a_question())

    assert isinstance(answer, Found)
    assert (answer.items[0].notable, answer.items[0].detail["by"]) == (
        "gives the account a role",
        ADMIN,
    )


def test_a_member_among_many_is_found() -> None:
    record = a_record("New-RoleGroup", Members="bob; alex", Roles="Audit Logs")

    assert isinstance(changes_of([record], a_question()), Found)


def test_an_application_is_found_by_its_id() -> None:
    record = a_record("New-ManagementRoleAssignment", App=str(APPLICATION.app_id), Role="Audit Logs")

    assert isinstance(changes_of([record], a_question(account=APPLICATION)), Found)


def test_a_right_to_set_a_bypass_for_someone_else_is_shown() -> None:
    record = a_record("Add-ManagementRoleEntry", Identity="Custom\\Set-MailboxAuditBypassAssociation")
    answer = changes_of([record], a_question())

    assert isinstance(answer, Found)
    assert answer.items[0].notable == "gives a right to set a bypass"


def test_a_role_for_someone_else_is_no_answer() -> None:
    records = [a_record(Member="bob@contoso.onmicrosoft.com"), a_record(Member="alexandra@contoso.onmicrosoft.com")]

    answer = changes_of(records, a_question())

    assert isinstance(answer, Empty)
    assert f"since {a_question().known_from:%Y-%m-%d}" in answer.note


def test_the_beginning_of_another_name_is_not_the_account() -> None:
    account = ACCOUNT.model_copy(update={"user_principal_name": "al@contoso.onmicrosoft.com"})

    assert isinstance(changes_of([a_record(Member="alex")], a_question(account=account)), Empty)
