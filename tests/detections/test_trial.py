"""Each rule, on each form of the records, fires for exactly the records that its fixtures name."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from bypass_responder.detection import detect
from bypass_responder.model.change import AuditTampering, BypassChange, Outcome, Switch
from bypass_responder.model.record import AuditRecord
from bypass_responder.sensing.records.reader import read_records
from detections.pack import RULES, query
from detections.shapes import elastic_document, office_activity
from detections.trial import FORMS, Fixture, Form, eql_matches, expected, fired, fixtures, kql_matches


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.target}, {form.name}")
def test_each_rule_fires_for_its_records_and_for_no_other(form: Form) -> None:
    assert fired(form) == {rule: expected(rule) for rule in RULES}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_records_for_which_it_fires_and_others_of_its_cmdlet(rule: str) -> None:
    own = [each for each in fixtures() if each.file == rule]

    assert {each.fires for each in own} == {rule, None}


def test_no_two_records_have_one_name() -> None:
    names = [each.name for each in fixtures()]

    assert len(names) == len(set(names))


def detected(record: dict[str, Any]) -> str | None:
    """The rule of the pack that stands for what the responder detects in the record."""
    found = [
        detect(each)
        for each in read_records(BytesIO(json.dumps([record]).encode()), source="fixture")
        if isinstance(each, AuditRecord)
    ]
    match found:
        case [BypassChange(switch=Switch.ON, outcome=outcome)] if outcome is not Outcome.FAILED:
            return "bypass"
        case [AuditTampering(weakens=True, parameter=parameter, outcome=outcome)] if outcome is not Outcome.FAILED:
            return OF_PARAMETER[parameter]
    return None


OF_PARAMETER = {"AuditDisabled": "organization_off", "UnifiedAuditLogIngestionEnabled": "unified_log_off"}


@pytest.mark.parametrize("fixture", [each for each in fixtures() if each.file != "action_lists"], ids=lambda f: f.name)
def test_the_pack_and_the_responder_agree(fixture: Fixture) -> None:
    assert detected(fixture.record) == fixture.fires


def test_a_query_that_loses_its_value_is_noticed() -> None:
    blind = query("bypass", "sentinel").replace("AuditBypassEnabled in~", "OfficeWorkload !in~")
    found = kql_matches({"blind": blind}, "OfficeActivity", [office_activity(each.record) for each in fixtures()])

    assert len(found["blind"]) > len(expected("bypass"))


def test_an_optional_field_that_no_record_has_matches_nothing() -> None:
    [record] = [each.record for each in fixtures() if each.name == "no value"]

    assert eql_matches({"bypass": query("bypass", "elastic")}, [elastic_document(record)]) == {"bypass": []}
