from __future__ import annotations

from typing import Any

import pytest

from bypass_responder.evidence.security_alerts import alerts_of, without_subject
from bypass_responder.model.question import Empty, Found
from tests.evidence.questions import ACCOUNT, a_question, at


def an_alert(about: str | None = ACCOUNT.object_id, **changes: Any) -> dict[str, Any]:
    evidence = [{"userAccount": {"azureAdUserId": about}}]
    return {"title": "Odd rule", "severity": "high", "createdDateTime": at(0.5), "evidence": evidence} | changes


@pytest.mark.parametrize("name", [ACCOUNT.object_id, ACCOUNT.user_principal_name, ACCOUNT.user_principal_name.upper()])
def test_an_alert_that_names_the_account_is_found(name: str) -> None:
    answer = alerts_of([an_alert(name)], a_question())

    assert isinstance(answer, Found)
    assert answer.items[0].notable == "alert of severity high"
    assert answer.items[0].what == 'alert "Odd rule"'


def test_an_alert_about_someone_else_is_not() -> None:
    assert isinstance(alerts_of([an_alert("someone else")], a_question()), Empty)


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("DLP policy match for email with subject 'Salaries'", "DLP policy match for email with subject (removed)"),
        ("DLP rule (Subject: Salaries)", "DLP rule (Subject (removed)"),
        ("Suspicious inbox forwarding", "Suspicious inbox forwarding"),
    ],
)
def test_a_subject_in_a_title_is_removed(title: str, shown: str) -> None:
    assert without_subject(title) == shown


def test_what_messages_of_a_cluster_have_in_common_is_not_kept() -> None:
    cluster = {
        "clusterBy": "Subject;P2SenderDomain",
        "clusterByValue": "Salaries;fabrikam.com",
        "query": '(Subject:"Salaries") AND (P2SenderDomain:"fabrikam.com")',
        "emailCount": 4,
        "primaryAddress": ACCOUNT.user_principal_name,
    }
    answer = alerts_of([an_alert(evidence=[cluster])], a_question())

    assert isinstance(answer, Found)
    assert "Salaries" not in str(answer.raw)
    assert answer.raw[0]["evidence"][0]["emailCount"] == 4
