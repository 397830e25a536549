"""What a record says happened, by value."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.detection import detect
from bypass_responder.model.change import AuditTampering, BypassChange, Outcome, Switch
from bypass_responder.model.record import AuditRecord

BYPASS = "Set-MailboxAuditBypassAssociation"


def a_record(**fields: Any) -> AuditRecord:
    defaults: dict[str, Any] = {
        "id": "1c0f2d3e-0000-4000-8000-0000000000aa",
        "creation_time": datetime(2026, 3, 2, 9, tzinfo=UTC),
        "operation": BYPASS,
        "workload": "Exchange",
        "result_status": "True",
        "object_id": "Adele",
        "parameters": {"AuditBypassEnabled": "True", "Identity": "adele@contoso.onmicrosoft.com"},
        "raw": "{}",
    }
    return AuditRecord(**(defaults | fields))


def a_change(**fields: Any) -> BypassChange:
    change = detect(a_record(**fields))
    assert isinstance(change, BypassChange)
    return change


@pytest.mark.parametrize("value", ["True", "true", "$true", "$TRUE", "1", " True "])
def test_bypass_is_on(value: str) -> None:
    assert a_change(parameters={"AuditBypassEnabled": value}).switch is Switch.ON


@pytest.mark.parametrize("value", ["False", "false", "$false", "0"])
def test_bypass_is_off(value: str) -> None:
    assert a_change(parameters={"AuditBypassEnabled": value}).switch is Switch.OFF


@pytest.mark.parametrize("parameters", [{}, {"AuditBypassEnabled": ""}, {"AuditBypassEnabled": "yes"}])
def test_any_other_value_is_unknown(parameters: dict[str, str]) -> None:
    assert a_change(parameters=parameters).switch is Switch.UNKNOWN


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("True", Outcome.SUCCESS),
        ("TRUE", Outcome.SUCCESS),
        ("Succeeded", Outcome.SUCCESS),
        ("success", Outcome.SUCCESS),
        ("False", Outcome.FAILED),
        ("Failed", Outcome.FAILED),
        ("failure", Outcome.FAILED),
        ("PartiallySucceeded", Outcome.UNKNOWN),
        (None, Outcome.UNKNOWN),
    ],
)
def test_outcome(status: str | None, outcome: Outcome) -> None:
    assert a_change(result_status=status).outcome is outcome


def test_the_alternative_spelling_is_the_same_parameter() -> None:
    assert a_change(parameters={"AuditByPassEnabled": "True"}).switch is Switch.ON


def test_one_parameter_with_two_values_is_unknown() -> None:
    said = {"AuditBypassEnabled": "True", "auditbypassenabled": "False", "Identity": "a", "identity": "b"}
    change = a_change(parameters=said)

    assert (change.switch, change.identity_text) == (Switch.UNKNOWN, "")


def test_target_is_what_the_record_and_the_caller_say() -> None:
    change = a_change()

    assert (change.object_id_text, change.identity_text) == ("Adele", "adele@contoso.onmicrosoft.com")


def test_actor_is_taken_from_the_actors_fields() -> None:
    actor = a_change(user_id="mallory", token_object_id="oid", app_id="", client_ip="192.0.2.1", user_type="2").actor

    assert actor.model_dump() == {
        "user_id": "mallory",
        "object_id": "oid",
        "app_id": None,
        "client_ip": "192.0.2.1",
        "user_type": "2",
        "external": False,
    }


def test_a_record_without_organization_gives_an_empty_one() -> None:
    assert a_change(organization_id=None).organization_id == ""


@pytest.mark.parametrize("workload", ["Exchange", "exchange", None])
def test_exchange_or_no_workload_counts(workload: str | None) -> None:
    assert isinstance(detect(a_record(workload=workload)), BypassChange)


def test_another_workload_does_not_count() -> None:
    assert detect(a_record(workload="SecurityComplianceCenter")) is None


@pytest.mark.parametrize("operation", ["Get-MailboxAuditBypassAssociation", "Set-Mailbox", BYPASS + "s", "x" + BYPASS])
def test_another_operation_is_nothing(operation: str) -> None:
    assert detect(a_record(operation=operation)) is None


@pytest.mark.parametrize(
    ("operation", "parameter", "value", "weakens"),
    [
        ("Set-OrganizationConfig", "AuditDisabled", "True", True),
        ("Set-OrganizationConfig", "AuditDisabled", "False", False),
        ("Set-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", "$false", True),
        ("Set-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", "True", False),
        ("Set-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", "?", False),
    ],
)
def test_audit_switches(operation: str, parameter: str, value: str, *, weakens: bool) -> None:
    found = detect(a_record(operation=operation.upper(), parameters={parameter.upper(): value}))

    assert isinstance(found, AuditTampering)
    assert (found.operation, found.parameter, found.value, found.weakens) == (operation, parameter, value, weakens)


def test_the_services_own_configuration_is_no_tampering() -> None:
    said = {"AdminAuditLogEnabled": "True"}

    assert detect(a_record(operation="Set-AdminAuditLogConfig", parameters=said)) is None


_CASES = st.lists(st.sampled_from((str.upper, str.lower, str.swapcase, str.title, str)), min_size=3, max_size=3)
_OTHERS = st.dictionaries(st.text(max_size=8).map("x{}".format), st.text(max_size=8), max_size=4)


@given(value=st.sampled_from(["True", "False", "?"]), cases=_CASES, others=_OTHERS, order=st.randoms())
def test_order_case_and_unrelated_parameters_never_change_the_result(
    value: str, cases: list[Any], others: dict[str, str], order: Any
) -> None:
    plain = a_change(parameters={"AuditBypassEnabled": value, "Identity": "adele"})
    said = [(cases[0]("AuditBypassEnabled"), value), (cases[1]("Identity"), "adele"), *others.items()]
    order.shuffle(said)

    assert a_change(operation=cases[2](BYPASS), parameters=dict(said)) == plain
