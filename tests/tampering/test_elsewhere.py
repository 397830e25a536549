"""Retention policies, licenses and diagnostic settings, by value."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bypass_responder.model.technique import Technique
from tests.sensing.builders import TARGET, Json
from tests.tampering.family import (
    E3,
    E5,
    OFFICE_E5,
    PREMIUM,
    RESOURCE,
    SETTING,
    SKU,
    a_license,
    in_azure,
    in_entra,
    in_purview,
)
from tests.tampering.test_family import found_in

WITH, WITHOUT = f"{E5}, DisabledPlans=[]", f"{E5}, DisabledPlans=[{PREMIUM}]"
WHEN = "2026-03-02T09:15:30Z"
MODIFIED = in_entra(
    "Update user.",
    ModifiedProperties=[
        {"Name": "AssignedLicense", "NewValue": f'[\r\n  "[{WITHOUT}]"\r\n]', "OldValue": f'[\r\n  "[{WITH}]"\r\n]'}
    ],
)


@pytest.mark.parametrize(
    ("duration", "is_short"),
    [
        ("SevenDays", True),
        ("OneMonth", True),
        ("ThreeMonths", True),
        ("sixmonths", True),
        ("NineMonths", True),
        ("TwelveMonths", False),
        ("TenYears", False),
    ],
)
@pytest.mark.parametrize("verb", ["New", "Set"])
def test_a_policy_of_less_than_a_year_is_short(verb: str, duration: str, *, is_short: bool) -> None:
    record = in_purview(f"{verb}-UnifiedAuditLogRetentionPolicy", f'-Identity "p" -RetentionDuration {duration}')

    assert bool(found_in(record)) is is_short


def test_a_time_that_is_not_known_is_reported_as_unknown() -> None:
    [found] = found_in(in_purview("New-UnifiedAuditLogRetentionPolicy", "-Name p -RetentionDuration TwoDays"))

    assert (found.value, found.extent) == ("TwoDays", "for an unknown time")


def test_a_removed_policy_is_found_by_its_operation() -> None:
    [found] = found_in(in_purview("Remove-UnifiedAuditLogRetentionPolicy", '-Identity "exchange for ten years"'))

    assert (found.target, found.extent) == ("exchange for ten years", "removed")


def test_a_policy_whose_time_is_not_changed_is_nothing() -> None:
    assert found_in(in_purview("Set-UnifiedAuditLogRetentionPolicy", '-Identity "p" -Priority 1')) == []


def test_a_license_names_the_account_by_its_object_id() -> None:
    [found] = found_in(a_license(WITH, WITHOUT))

    assert (found.target, found.value) == (TARGET, PREMIUM)


def test_a_license_is_read_although_the_service_cuts_the_details_off() -> None:
    assert [each.technique for each in found_in(a_license(WITH, WITHOUT, cut=20))] == [Technique.LICENSE]


def test_a_license_is_read_from_modified_properties() -> None:
    assert [each.technique for each in found_in(MODIFIED)] == [Technique.LICENSE]


@pytest.mark.parametrize(
    "record",
    [
        a_license(WITHOUT, WITHOUT),
        a_license(f"{E3}, DisabledPlans=[]", WITHOUT),
        a_license(WITH, f"{E5}, DisabledPlans=[ADALLOM_S_O365]", Note=PREMIUM),
        in_entra("Update user.", Note=f"AssignedLicense {PREMIUM}"),
    ],
    ids=["as before", "a new license", "another plan", "no license"],
)
def test_a_license_that_keeps_the_plan_is_nothing(record: Json) -> None:
    assert found_in(record) == []


LICENSE = '[\r\n  "[{}, DisabledPlans=[]]"\r\n]'
"""As a real record of a removal has it in ModifiedProperties."""


@pytest.mark.parametrize(
    "name", ["SPE_E5", "ENTERPRISEPREMIUM_GOV", "M365EDU_A5_FACULTY", "MICROSOFT_365_E5_(NO_TEAMS)"]
)
@pytest.mark.parametrize("left", ["[]", LICENSE.format(E3)])
def test_a_license_that_is_taken_away_takes_the_plan_with_it(name: str, left: str) -> None:
    held = LICENSE.format(SKU.format(name, 9))
    [found] = found_in(
        in_entra("Update user.", ModifiedProperties=[{"Name": "AssignedLicense", "NewValue": left, "OldValue": held}])
    )

    assert (found.parameter, found.value, found.target) == ("AssignedLicense", name, TARGET)
    assert found.extent == "removed, and M365_ADVANCED_AUDITING with it"


@pytest.mark.parametrize(
    "record",
    [
        a_license(f"{E3}, DisabledPlans=[]", []),
        a_license(WITHOUT, []),
        a_license(WITH, [f"{OFFICE_E5}, DisabledPlans=[]", f"{E3}, DisabledPlans=[]"]),
        a_license([], WITH),
        a_license(f"{SKU.format('IDENTITY_THREAT_PROTECTION_FOR_EMS_E5', 9)}, DisabledPlans=[]", []),
        a_license(f"{SKU.format('WIN10_VDA_E5', 9)}, DisabledPlans=[]", []),
        a_license(WITH, f"{E3}, DisabledPlans=[]", cut=60),
    ],
    ids=["E3", "had not the plan", "another E5", "given", "another product", "another E5 of Windows", "cut off"],
)
def test_a_license_without_the_plan_or_with_a_successor_is_nothing(record: Json) -> None:
    assert found_in(record) == []


@pytest.mark.parametrize("provider", ["Microsoft.Insights", "microsoft.aadiam"])
def test_a_setting_that_is_deleted_is_found(provider: str) -> None:
    [found] = found_in(in_azure(f"{provider}/diagnosticSettings/delete"))

    assert (found.target, found.extent) == (SETTING, "deleted")


NO_POLICY = {"enabled": False, "days": 0}
ON, OFF = ({"category": "AuditEvent", "enabled": on, "retentionPolicy": NO_POLICY} for on in (True, False))
ALL_OFF = {"retentionPolicy": {"days": 0, "enabled": True}, "enabled": "False", "categoryGroup": "allLogs"}
METRICS = [{"category": "AllMetrics", "enabled": False, "retentionPolicy": NO_POLICY}]


def as_object(logs: list[Json]) -> Any:
    return {"properties": {"logs": logs, "metrics": METRICS, "workspaceId": "/subscriptions/x"}}


def as_text(logs: list[Json]) -> Any:
    return json.dumps(as_object(logs))


def in_request(logs: list[Json]) -> Any:
    return {"requestbody": json.dumps(as_object(logs), indent=2)}


def in_request_as_text(logs: list[Json]) -> Any:
    return json.dumps({"requestbody": as_text(logs), "hierarchy": "[x]"})


def bare(logs: list[Json]) -> Any:
    return {"metrics": METRICS, "logs": logs}


BODIES = pytest.mark.parametrize("body", [as_object, as_text, in_request, in_request_as_text, bare])


@BODIES
@pytest.mark.parametrize("logs", [[OFF], [ON, OFF], [ON, ALL_OFF]])
def test_a_setting_that_is_written_with_a_log_off_is_found(body: Callable[..., Any], logs: list[Json]) -> None:
    assert len(found_in(in_azure("Microsoft.Insights/diagnosticSettings/write", Properties=body(logs)))) == 1


@BODIES
@pytest.mark.parametrize("logs", [[], [ON], [ON, ALL_OFF | {"enabled": True, "retentionPolicy": NO_POLICY}]])
def test_a_setting_whose_logs_are_on_is_nothing(body: Callable[..., Any], logs: list[Json]) -> None:
    assert found_in(in_azure("Microsoft.Insights/diagnosticSettings/write", Properties=body(logs))) == []


def test_the_beginning_of_the_operation_is_nothing() -> None:
    assert found_in(in_azure("Microsoft.Insights/diagnosticSettings/delete", ResultStatus="Start")) == []


@pytest.mark.parametrize(
    "row",
    [
        {"operationName": "Microsoft.Insights/diagnosticSettings/delete", "resultType": "Success", "time": WHEN},
        {"OperationNameValue": "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE", "ActivityStatusValue": "Success"}
        | {"TimeGenerated": WHEN},
    ],
    ids=["activity log", "Log Analytics"],
)
def test_the_activity_log_is_read_in_its_own_form(row: Json) -> None:
    common = {"resourceId": SETTING, "correlationId": "c", "caller": "mallory@contoso.onmicrosoft.com"}
    [found] = found_in(common | row)

    assert (found.target.startswith(RESOURCE), found.actor.user_id) == (True, "mallory@contoso.onmicrosoft.com")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("part", [" ", "\\", f"{E5} ", f"{E5}, DisabledPlans=[", '"Target":[', '"AssignedLicense"'])
def test_a_long_record_is_read_in_linear_time(part: str) -> None:
    record = a_license(WITH, WITHOUT, Note=part * (300_000 // len(part)))

    assert [each.technique for each in found_in(record)] == [Technique.LICENSE]
