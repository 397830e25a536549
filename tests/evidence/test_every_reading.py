"""Every reading of records is total, counts what it was given, and shows no subject or body."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bypass_responder.evidence.directory_changes import changes_of as directory_changes
from bypass_responder.evidence.ediscovery import searches_of
from bypass_responder.evidence.exchange_changes import changes_of as exchange_changes
from bypass_responder.evidence.graph_calls import calls_of
from bypass_responder.evidence.mail_access import answer_of as mail_access
from bypass_responder.evidence.mail_flow import flow_of
from bypass_responder.evidence.other_workloads import activity_of
from bypass_responder.evidence.redaction import redacted
from bypass_responder.evidence.risk import risks_of
from bypass_responder.evidence.role_changes import changes_of as role_changes
from bypass_responder.evidence.security_alerts import alerts_of
from bypass_responder.model.question import Empty, Found
from tests.evidence.questions import ACCOUNT, APPLICATION, a_question, at

READINGS: dict[str, Callable[..., Found | Empty]] = {
    "directory_changes": directory_changes,
    "ediscovery": searches_of,
    "exchange_changes": exchange_changes,
    "graph_activity": calls_of,
    "mail_items_accessed": mail_access,
    "message_trace": partial(flow_of, time="receivedDateTime"),
    "files_and_teams": activity_of,
    "risk_detections": risks_of,
    "role_changes": role_changes,
    "security_alerts": alerts_of,
}
NAMES = (
    "Operation", "CreationTime", "UserId", "Parameters", "OperationProperties", "ObjectId", "Workload", "ResultStatus",
    "id", "initiatedBy", "targetResources", "activityDisplayName", "activityDateTime", "title", "evidence", "severity",
    "Timestamp", "RequestUri", "RequestMethod", "senderAddress", "recipientAddress", "receivedDateTime", "riskState",
    "location", "subject", "body",
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.sampled_from([at(0.5), ACCOUNT.object_id])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(("Name", "Value", "id", "user")), inner, max_size=3),
    ),
    max_leaves=6,
)
RECORDS = st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5), max_size=3)
SECRET = "Salaries of 2026"
COMMON = {
    "id": "1",
    "Operation": "Add-RoleGroupMember",
    "CreationTime": at(0.5),
    "Parameters": [
        {"Name": "Member", "Value": ACCOUNT.user_principal_name},
        {"Name": "Subject", "Value": SECRET},
    ],
}
SECRETS: dict[str, dict[str, Any]] = {
    "security_alerts": {
        "evidence": [{"subject": SECRET, "userAccount": {"azureAdUserId": ACCOUNT.object_id}}],
        "description": SECRET,
        "title": f"DLP policy match for email with subject '{SECRET}'",
    },
    "graph_activity": {"RequestUri": f"https://graph.microsoft.com/v1.0/me/messages?$search=%22subject:{SECRET}%22"},
}
"""Where a source hides a subject in a field of another name."""


@pytest.mark.parametrize("name", READINGS)
@settings(max_examples=40)
@given(records=RECORDS, account=st.sampled_from([ACCOUNT, APPLICATION]))
def test_a_record_of_any_shape_is_read(name: str, records: list[dict[str, Any]], account: Any) -> None:
    answer = READINGS[name](records, a_question(source=name, account=account))

    assert isinstance(answer, Found | Empty)
    assert isinstance(answer, Empty) or answer.count <= len(records)


@pytest.mark.parametrize("name", READINGS)
def test_nothing_is_empty(name: str) -> None:
    assert isinstance(READINGS[name]([], a_question(source=name)), Empty)


HIDDEN: dict[str, dict[str, Any]] = {
    "subject": {"subject": SECRET},
    "Subject": {"Subject": SECRET},
    "body": {"body": SECRET},
    "bodyPreview": {"bodyPreview": SECRET},
    "another spelling": {"e-Mail_SUBJECT": SECRET},
    "a list": {"AffectedItems": [{"Id": "1", "Subject": [SECRET]}]},
    "an unknown field": {"Item.Subject": SECRET},
    "JSON as text": {"AuditData": json.dumps({"Item": json.dumps({"Subject": SECRET})})},
    "cut JSON": {"AuditData": json.dumps({"Item": {"Subject": SECRET}})[:-4]},
    "a pair": {"ExtendedProperties": [{"Name": "MessageSubject", "Value": SECRET}]},
    "pairs as text": {"OperationProperties": json.dumps([{"Name": "Subject", "Value": SECRET}])},
    "a modified property": {
        "targetResources": [{"modifiedProperties": [{"displayName": "Subject", "newValue": json.dumps(SECRET)}]}]
    },
    "a text": {"Details": f"@{{Id=1; Subject={SECRET}}}"},
}


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_neither_item_nor_raw_record_has_a_subject_or_body(name: str, hidden: dict[str, Any]) -> None:
    record = COMMON | hidden | SECRETS.get(name, {})
    answer = READINGS[name]([record], a_question(source=name))

    assert isinstance(answer, Found)
    assert SECRET not in answer.model_dump_json()
    assert SECRET not in str(redacted(list(answer.raw)))
