"""Reports, lists and log commands of bypassctl, on a live storage.

They are `bypassctl incidents report`, `decisions list`, `log verify --attest` and `log show`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from azure.data.tables import UpdateMode

from tests.e2e.ctl import bypassctl
from tests.e2e.live import Live

FILES = ["manifest.json", "report.html", "report.json", "timeline.csv"]


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def test_a_report_is_written_with_the_hash_of_its_manifest(held: Live, tmp_path: Path) -> None:
    incident = await held.incident()
    said = await bypassctl(held.cli_env, "incidents", "report", incident.id, "-o", str(tmp_path / "new"))
    place = tmp_path / "new" / incident.id
    digest = hashlib.sha256((place / "manifest.json").read_bytes()).hexdigest()

    assert (said.code, digest in said.out) == (0, True)
    assert names_in(place) == FILES
    assert json.loads((place / "report.json").read_text(encoding="utf-8"))["verification"]["intact"]


async def test_a_report_is_never_overwritten(held: Live, tmp_path: Path) -> None:
    incident = await held.incident()
    (tmp_path / incident.id).mkdir()
    said = await bypassctl(held.cli_env, "incidents", "report", incident.id, "-o", str(tmp_path))

    assert (said.code, "already exists" in said.err, names_in(tmp_path / incident.id)) == (2, True, [])


async def test_all_of_a_period_are_written_and_finished_by_the_same_command(held: Live, tmp_path: Path) -> None:
    incident = await held.incident()
    every = ("incidents", "report", "--all", "--since", "2020-01-01", "-o", str(tmp_path))
    said = await bypassctl(held.cli_env, *every)
    again = await bypassctl(held.cli_env, *every)

    assert (said.code, "1 reports written." in said.err) == (0, True)
    assert (again.code, "0 reports written, 1 already existed" in again.err) == (0, True)
    assert names_in(tmp_path) == [incident.id]


async def test_a_directory_that_is_a_file_leaves_nothing_half_written(held: Live, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    incident = await held.incident()
    said = await bypassctl(held.cli_env, "incidents", "report", incident.id, "-o", str(tmp_path / "file"))

    assert (said.code, "cannot be written" in said.err, names_in(tmp_path)) == (2, True, ["file"])


async def test_without_an_incident_the_options_are_named(live: Live, tmp_path: Path) -> None:
    said = await bypassctl(live.cli_env, "incidents", "report", "-o", str(tmp_path))

    assert (said.code, said.err.strip()) == (2, "Name one incident, or use --all, with --since for a period.")


async def test_the_attestation_names_the_end_of_each_log(held: Live, tmp_path: Path) -> None:
    file = tmp_path / "attested.json"
    said = await bypassctl(held.cli_env, "log", "verify", "--attest", str(file))
    again = await bypassctl(held.cli_env, "log", "verify", "--attest", str(file))
    attested = json.loads(file.read_text(encoding="utf-8"))

    assert (said.code, attested["intact"], held.id_of("alex") in attested["heads"]) == (0, True, True)
    assert (again.code, "already exists" in again.err) == (2, True)


async def test_a_log_that_was_changed_is_shown_with_a_warning(held: Live) -> None:
    alex = held.id_of("alex")
    async with held.ledger as table:
        rows = [dict(row) async for row in table.query_entities(f"PartitionKey eq '{held.env['TENANT_ID']}_{alex}'")]
        line = next(row for row in rows if row["RowKey"].startswith("log-"))
        body = json.dumps(json.loads(line["Body"]) | {"text": "nothing happened"})
        await table.upsert_entity(line | {"Body": body}, mode=UpdateMode.REPLACE)
    held.tampered = True
    said = await bypassctl(held.cli_env, "log", "show", alex)

    assert (said.code, "This log was changed or cut. Entry 1 does not fit" in said.err) == (1, True)


async def test_decisions_are_listed_with_a_header_in_csv(live: Live) -> None:
    said = await bypassctl(live.cli_env, "decisions", "list", "--since", "2026-01-01", "-o", "csv")

    assert (said.code, said.out.split(",")[:3]) == (0, ["at", "sent_at", "decision"])
