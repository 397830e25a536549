from __future__ import annotations

from typing import Any

import pytest

from bypass_responder.evidence.directory_changes import changes_of
from bypass_responder.model.question import Found, Item
from tests.evidence.questions import ACCOUNT, a_question, at


def a_record(activity: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": activity,
        "activityDisplayName": activity,
        "activityDateTime": at(0.5),
        "result": "success",
        "initiatedBy": {"user": {"id": "someone", "userPrincipalName": "admin@contoso.onmicrosoft.com"}, "app": None},
        "targetResources": [
            {
                "id": ACCOUNT.object_id,
                "userPrincipalName": ACCOUNT.user_principal_name,
                "modifiedProperties": [{"displayName": "Role.DisplayName", "newValue": '"Global Administrator"'}],
            }
        ],
    } | changes


def item(record: dict[str, Any]) -> Item:
    answer = changes_of([record], a_question())
    assert isinstance(answer, Found)
    return answer.items[0]


@pytest.mark.parametrize(
    ("activity", "reason"),
    [
        ("Add member to role", "role assignment"),
        ("Add eligible member to role in PIM completed (permanent)", "role assignment"),
        ("Consent to application", "consent to an application"),
        ("Add delegated permission grant", "consent to an application"),
        ("Add app role assignment to service principal", "permission of an application"),
        ("Add service principal credentials", "new credential of an application"),
        ("Update application: Certificates and secrets management ", "new credential of an application"),
        ("User registered security info", "change of sign-in methods"),
        ("Reset password (by admin)", "password reset"),
        ("Update conditional access policy", "change of conditional access"),
        ("Update user", None),
    ],
)
def test_what_gives_lasting_access_is_notable(activity: str, reason: str | None) -> None:
    assert item(a_record(activity)).notable == reason


def test_who_changed_what_is_in_the_item() -> None:
    detail = item(a_record("Add member to role")).detail

    assert detail == {
        "by": "admin@contoso.onmicrosoft.com",
        "target": "alex@contoso.onmicrosoft.com",
        "changed": "Role.DisplayName: Global Administrator",
    }


def test_an_application_that_changed_something_is_named() -> None:
    by = {"user": None, "app": {"displayName": "Deploy", "appId": "1"}}

    assert item(a_record("Update user", initiatedBy=by)).detail["by"] == "Deploy"


def test_a_change_on_itself_says_so() -> None:
    by = {"user": {"id": ACCOUNT.object_id, "userPrincipalName": ACCOUNT.user_principal_name}, "app": None}

    assert item(a_record("Add member to role", initiatedBy=by)).notable == "role assignment, on itself"


def test_a_failure_says_so() -> None:
    assert item(a_record("Add member to role", result="failure")).notable == "role assignment (failed)"


def test_a_record_that_was_read_twice_counts_once() -> None:
    answer = changes_of([a_record("Update user")] * 2, a_question())

    assert isinstance(answer, Found)
    assert answer.count == 1


def test_what_the_responder_did_says_so() -> None:
    ours = "77777777-7777-4777-8777-777777777777"
    record = a_record("Disable account", initiatedBy={"app": {"appId": ours, "displayName": "id-bypass-responder"}})
    answers = [changes_of([record], a_question(own_ids=ids)) for ids in (frozenset({ours}), frozenset())]

    assert [answer.items[0].detail.get("note") for answer in answers if isinstance(answer, Found)] == [
        "by the responder",
        None,
    ]
