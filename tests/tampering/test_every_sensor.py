"""Each row of the family, and the bypass, is found through each sensor, and nothing else is.

Generated from the rows of ``tests/tampering/family.py``, which must be those of the table in the code.
"""

from __future__ import annotations

import pytest

from bypass_responder.model.technique import SWITCHES
from bypass_responder.tampering.family import FAMILY as TABLE
from tests.sensing.builders import Json, a_bypass, named
from tests.tampering.family import FAMILY, GROUP, Fixtures, ran
from tests.tampering.sensors import BYPASS, SENSORS
from tests.world import ALEX

ON, OFF = ({"AuditBypassEnabled": value, "Identity": ALEX} for value in ("True", "False"))
BYPASSED = Fixtures(
    positive=a_bypass(ObjectId=ALEX, Parameters=named(**ON)),
    negative=a_bypass(ObjectId=ALEX, Parameters=named(**OFF)),
    decoy=a_bypass(ObjectId=ALEX, Operation="Set-User", Parameters=named(Identity=ALEX, Office="AuditBypassEnabled")),
)
ONE_RECORD = [technique.value for technique, way in TABLE.items() if way.operations]
"""Rows that need one record only; for the others see ``tests/triggers/test_store_permissions.py``."""
EVERY = {BYPASS: BYPASSED, **{technique.value: rows for technique, rows in FAMILY.items()}}
ROLE = f"{GROUP} - Audit Logs"
ENTRY = f"{ROLE}\\Set-MailboxAuditBypassAssociation"
LIMITED = {
    "Remove-ManagementRole": {"Identity": ROLE},
    "Remove-ManagementRoleEntry": {"Identity": ENTRY},
    "Set-ManagementRoleEntry": {"Identity": ENTRY, "Parameters": "Identity"},
    "Set-ManagementRoleAssignment": {"Identity": f"{ROLE}-{GROUP}", "Enabled": "False"},
    "Set-RoleGroup": {"Identity": GROUP, "Name": "Tools"},
}
ROWS = pytest.mark.parametrize("row", [BYPASS, *ONE_RECORD])
EACH_SENSOR = pytest.mark.parametrize("sensor", SENSORS)


@EACH_SENSOR
@pytest.mark.parametrize("row", ONE_RECORD)
async def test_a_positive_record_is_recorded_and_notified_once_and_blocks_nobody(sensor: str, row: str) -> None:
    seen = await SENSORS[sensor](EVERY[row].positive, is_on=False)

    assert (seen.recorded, seen.notified) == ([(row, True, sensor)], [row])
    assert not seen.blocked


@EACH_SENSOR
@pytest.mark.parametrize(("operation", "parameters"), LIMITED.items())
async def test_a_right_of_ours_that_is_lost_otherwise_is_recorded_and_notified_once(
    sensor: str, operation: str, parameters: dict[str, str]
) -> None:
    seen = await SENSORS[sensor](ran(operation, **parameters), is_on=False)

    assert (seen.recorded, seen.notified) == ([("responder_removed", True, sensor)], ["responder_removed"])


@EACH_SENSOR
async def test_the_positive_record_of_a_bypass_is_acted_upon(sensor: str) -> None:
    seen = await SENSORS[sensor](BYPASSED.positive, is_on=True)

    assert (seen.blocked, seen.recorded) == (True, [])


@EACH_SENSOR
@ROWS
async def test_a_record_that_weakens_nothing_notifies_of_nothing(sensor: str, row: str) -> None:
    seen = await SENSORS[sensor](EVERY[row].negative, is_on=False)

    restored = [(row, False, sensor)] if row in SWITCHES and sensor != "detect" else []
    assert (seen.recorded, seen.notified, seen.blocked) == (restored, [], False)


@EACH_SENSOR
@ROWS
async def test_a_failed_record_is_kept_and_notifies_of_no_tampering(sensor: str, row: str) -> None:
    seen = await SENSORS[sensor](EVERY[row].failed, is_on=False)

    kept = [] if row == BYPASS or sensor == "detect" else [(row, False, sensor)]
    assert (seen.recorded, seen.notified, seen.blocked) == (kept, [], False)


@EACH_SENSOR
@ROWS
async def test_a_decoy_is_nothing(sensor: str, row: str) -> None:
    seen = await SENSORS[sensor](EVERY[row].decoy, is_on=False)

    assert (seen.recorded, seen.notified, seen.blocked) == ([], [], False)


@pytest.mark.parametrize("sensor", ["feed", "hunting"])
@pytest.mark.parametrize("kind", ["negative", "decoy"])
@pytest.mark.parametrize("row", ONE_RECORD)
async def test_of_a_harmless_record_people_are_notified_in_no_other_way(sensor: str, kind: str, row: str) -> None:
    seen = await SENSORS[sensor](getattr(EVERY[row], kind), is_on=False)

    assert seen.others == []


def test_the_four_records_of_a_row_differ() -> None:
    alike = {row: len({str(sorted(map(str, each.items()))) for each in four(rows)}) for row, rows in EVERY.items()}

    assert alike == dict.fromkeys(EVERY, 4)


def four(rows: Fixtures) -> tuple[Json, ...]:
    return (rows.positive, rows.negative, rows.failed, rows.decoy)
