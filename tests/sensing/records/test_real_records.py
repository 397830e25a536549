"""Real audit records, copied as published beside the repository: what is in them, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bypass_responder.cli.app import app
from bypass_responder.detection import detect
from bypass_responder.model.change import AuditTampering, BypassChange, Outcome, Switch
from bypass_responder.model.record import AuditRecord, Unreadable
from bypass_responder.model.technique import Technique
from bypass_responder.sensing.records.prefilter import may_matter
from bypass_responder.sensing.records.reader import read_records

DATA = Path(__file__).parents[4] / "shared" / "data"
FILES = sorted(path for path in DATA.rglob("*") if path.is_file())
BYPASSES = {"t1562-Set-MailboxAuditBypassAssociation.json", "t1562.008_Set-MailboxAuditBypassAssociation.csv"}
TAMPERINGS = {
    "t1562-UnifiedAuditlogIngestion-Stopped.json": Technique.UNIFIED_LOG_OFF,
    "t1562.008_Disable UAL ingestion.csv": Technique.UNIFIED_LOG_OFF,
    "t1562_Set-Mailbox-AuditLogAgeLimitoZero.json": Technique.AGE_LIMIT,
    "t1562.001_Set-Mailbox-AuditLogAgeLimitoZero.csv": Technique.AGE_LIMIT,
    "t1562.008_Advanced Auditing policy removed from a user.csv": Technique.LICENSE,
}
NO_EXPORTS = {"README.md", "LICENSE"}

pytestmark = pytest.mark.skipif(not FILES, reason="the real records are not beside the repository (../shared/data)")


def read(path: Path) -> list[AuditRecord | Unreadable]:
    with path.open("rb") as stream:
        return list(read_records(stream, source=path.name))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_says_what_it_is_known_to_say(path: Path) -> None:
    found = read(path)
    every = [detect(record) if isinstance(record, AuditRecord) else record for record in found]
    said = [each for each in every if each is not None]
    expected = (
        [BypassChange] * (path.name in BYPASSES)
        + [AuditTampering] * (path.name in TAMPERINGS)
        + [Unreadable] * (path.name in NO_EXPORTS)
    )

    assert [type(finding) for finding in said] == expected


@pytest.mark.parametrize("name", sorted(BYPASSES))
def test_the_one_real_bypass(name: str) -> None:
    (path,) = DATA.rglob(name)
    (record,) = read(path)
    assert isinstance(record, AuditRecord)
    change = detect(record)

    assert isinstance(change, BypassChange)
    assert (change.record_id, change.switch, change.outcome, change.object_id_text, change.identity_text) == (
        "20fd5006-645b-42be-e9de-08db592255ac",
        Switch.ON,
        Outcome.SUCCESS,
        "a88ae17c-f562-4c1f-a377-8910b6847d76",
        "Alex@contoso.onmicrosoft.com",
    )


@pytest.mark.parametrize(("name", "technique"), TAMPERINGS.items())
def test_each_real_tampering_is_found_by_detect(name: str, technique: Technique) -> None:
    (path,) = DATA.rglob(name)
    result = CliRunner().invoke(app, ["detect", "--family", "--output", "json", str(path)])

    assert [json.loads(line)["technique"] for line in result.stdout.splitlines()] == [technique]


def test_detect_finds_nothing_else_in_all_of_the_files() -> None:
    exports = [str(path) for path in FILES if path.name not in NO_EXPORTS]
    result = CliRunner().invoke(app, ["detect", "--family", "--output", "json", *exports])
    found = [json.loads(line) for line in result.stdout.splitlines()]

    assert {Path(each["source"]).name for each in found} == BYPASSES | set(TAMPERINGS)
    assert len(found) == len(BYPASSES) + len(TAMPERINGS)


def test_the_prefilter_passes_the_files_that_hold_a_record_of_interest() -> None:
    passed = {path.name for path in FILES if may_matter(path.read_bytes())}

    assert passed >= BYPASSES | set(TAMPERINGS)
