"""Each row of the family finds its own records, by value, and nothing else."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from bypass_responder.detection import detect
from bypass_responder.model.change import Actor, AuditTampering, Outcome
from bypass_responder.model.notification import Severity
from bypass_responder.model.operation import FAMILY_OPERATIONS
from bypass_responder.model.record import AuditRecord
from bypass_responder.model.technique import SWITCHES, Technique
from bypass_responder.sensing.records.prefilter import may_matter
from bypass_responder.sensing.records.reader import read_records
from bypass_responder.tampering import family
from bypass_responder.tampering.match import Own
from tests.sensing.builders import Json
from tests.tampering.family import FAMILY, GROUP, REMOVED_LICENSE, Fixtures

OWN = Own((GROUP,))
ROWS = pytest.mark.parametrize(
    ("technique", "rows"),
    [*FAMILY.items(), (Technique.LICENSE, REMOVED_LICENSE)],
    ids=[*FAMILY, "license, as a whole"],
)


def found_in(record: Json, own: Own = OWN) -> list[AuditTampering]:
    items = list(read_records(io.BytesIO(json.dumps(record).encode()), source="test"))
    assert all(isinstance(item, AuditRecord) for item in items)
    found = [detect(item, own) for item in items if isinstance(item, AuditRecord)]
    return [each for each in found if isinstance(each, AuditTampering)]


@ROWS
def test_a_positive_record_is_the_row(technique: Technique, rows: Fixtures) -> None:
    [found] = found_in(rows.positive)

    assert (found.technique, found.took_effect) == (technique, True)


@ROWS
def test_a_record_that_weakens_nothing_is_none(technique: Technique, rows: Fixtures) -> None:
    found = found_in(rows.negative)

    assert [each.took_effect for each in found] == [False] * (technique in SWITCHES)


@ROWS
def test_a_failed_record_took_no_effect(technique: Technique, rows: Fixtures) -> None:
    [found] = found_in(rows.failed)

    assert (found.technique, found.outcome, found.took_effect) == (technique, Outcome.FAILED, False)


@ROWS
def test_a_decoy_is_nothing(technique: Technique, rows: Fixtures) -> None:
    assert found_in(rows.decoy) == []


@ROWS
def test_the_prefilter_passes_it(technique: Technique, rows: Fixtures) -> None:
    assert may_matter(json.dumps(rows.positive).encode())


@ROWS
def test_each_row_says_what_it_means_and_how_it_is_undone(technique: Technique, rows: Fixtures) -> None:
    [found] = found_in(rows.positive)
    way = family.FAMILY[technique]

    assert way.title
    assert way.meaning
    assert way.read_by
    assert way.repair(found).command


def test_the_table_has_every_technique() -> None:
    assert set(family.FAMILY) == set(Technique) == {*FAMILY, Technique.GRANT_REMOVED}


def test_the_table_reads_the_operations_that_sensing_keeps() -> None:
    assert {name for way in family.FAMILY.values() for name in way.operations} == set(FAMILY_OPERATIONS)


def test_the_most_severe_rows_come_first() -> None:
    ranks = [way.severity.rank for way in family.FAMILY.values()]

    assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize("technique", [Technique.PRECURSOR, Technique.RESPONDER_REMOVED])
def test_what_prepares_a_bypass_or_disarms_the_responder_is_critical(technique: Technique) -> None:
    [found] = found_in(FAMILY[technique].positive)

    assert family.severity_of(found) is Severity.CRITICAL


def test_a_right_that_a_service_of_microsoft_gives_is_a_warning() -> None:
    [found] = found_in(FAMILY[Technique.PRECURSOR].positive)
    service = Actor(user_id="NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)", user_type="3")

    assert family.severity_of(found.model_copy(update={"actor": service})) is Severity.WARNING


@pytest.mark.parametrize("workload", ["SecurityComplianceCenter", "OneDrive"])
def test_a_cmdlet_of_exchange_in_another_workload_is_nothing(workload: str) -> None:
    assert found_in(FAMILY[Technique.PRECURSOR].positive | {"Workload": workload}) == []


def test_a_record_that_matches_several_rows_is_the_most_severe() -> None:
    parameters: list[dict[str, Any]] = [
        *FAMILY[Technique.AUDIT_ENABLED].positive["Parameters"],
        {"Name": "AuditDelegate", "Value": "Update"},
    ]
    [found] = found_in(FAMILY[Technique.AUDIT_ENABLED].positive | {"Parameters": parameters})

    assert found.technique is Technique.ACTION_LIST
