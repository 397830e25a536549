"""The files of a report: their hashes, and names that are made to deceive."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile

import pytest

from bypass_responder.model.change import Actor
from bypass_responder.operating.report.files import archive_of, files_of
from tests.operating.incidents import scenes
from tests.operating.report.reports import report_of
from tests.world import ALEX, World, a_hint

DECEIVING = "<script>alert(1)</script>\u202egro.osotnoc\x1b[31m"


async def deceived() -> dict[str, bytes]:
    """The files of an incident whose actor chose a name with markup and control characters."""
    world = World()
    await scenes.bypassed(world, actor=Actor(user_id=DECEIVING, client_ip="203.0.113.7"))
    return files_of(await report_of(world))


async def test_the_manifest_has_the_hash_of_every_other_file() -> None:
    files = files_of(await report_of(await scenes.contained()))
    listed = json.loads(files.pop("manifest.json"))["files"]

    assert {name: each["sha256"] for name, each in listed.items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }


@pytest.mark.parametrize("name", ["report.html", "report.json", "timeline.csv", "manifest.json"])
async def test_no_file_has_control_characters_or_marks_of_direction(name: str) -> None:
    text = (await deceived())[name].decode("utf-8-sig")

    assert not re.search("[\u202e\x1b]", text)


async def test_markup_in_a_name_is_text() -> None:
    page = (await deceived())["report.html"].decode()

    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202egro.osotnoc\\x1b[31m" in page


async def test_the_page_loads_and_runs_nothing() -> None:
    page = files_of(await report_of(await scenes.contained()))["report.html"].decode()

    assert not re.search(r"<(script|img|link|iframe)|\b(src|href|on\w+)=", page)


async def test_the_link_of_an_alert_is_nowhere_to_be_clicked() -> None:
    world = await scenes.contained()
    await world.sees(a_hint(link="https://siem.example/javascript"))

    assert "href" not in files_of(await report_of(world))["report.html"].decode()


@pytest.mark.parametrize("scene", [scenes.held, scenes.failed, scenes.reverted, scenes.released, scenes.observed])
async def test_the_page_begins_with_the_state(scene: scenes.Scene) -> None:
    made = await report_of(await scene())
    page = files_of(made)["report.html"].decode()

    assert f'<p class="state">{made.incident.state}</p>' in page.replace("&#39;", "'")


async def test_the_page_warns_of_a_broken_log() -> None:
    world = await scenes.contained()
    del world.ledger.logs[ALEX][1]

    assert "The response log is not intact." in files_of(await report_of(world))["report.html"].decode()


async def test_the_timeline_has_a_line_for_each_row_and_no_formula() -> None:
    world = World()
    await scenes.bypassed(world, actor=Actor(user_id="=cmd|'/c calc'!A1"))
    made = await report_of(world)
    rows = list(csv.DictReader(io.StringIO(files_of(made)["timeline.csv"].decode("utf-8-sig"))))

    assert len(rows) == len(made.incident.timeline)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


async def test_the_archive_has_all_files_in_one_folder() -> None:
    files = files_of(await report_of(await scenes.contained()))
    with zipfile.ZipFile(io.BytesIO(archive_of(files, "incident-1"))) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}

    assert found == {f"incident-1/{name}": content for name, content in files.items()}
