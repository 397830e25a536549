"""What docs/evidence.md assigns to each published question exists.

Checked are its fields, settings, sources and notifications.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from bypass_responder.evidence.sources import SOURCES
from bypass_responder.model.log import ABOUTS
from bypass_responder.operating.report.incident_report import IncidentReport
from bypass_responder.settings import Settings

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", TEXT, re.MULTILINE)]
ASSIGNED = {cells[0]: cells for cells in ROWS if re.fullmatch(r"S[01]-\d\d", cells[0])}


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def named(column: int) -> set[str]:
    return {word for cells in ASSIGNED.values() for word in words(cells[column])}


def test_every_published_question_is_assigned() -> None:
    assert list(ASSIGNED) == [f"S0-{number:02}" for number in range(1, 23)] + [
        f"S1-{number:02}" for number in range(1, 13)
    ]


@pytest.mark.parametrize("cells", ASSIGNED.values(), ids=ASSIGNED.keys())
def test_each_question_leads_somewhere(cells: list[str]) -> None:
    assert any(cells[2:])


def field_of(model: Any, path: str) -> bool:
    """True when a dotted path names a field of a model, through optional ones."""
    name, _, rest = path.partition(".")
    models = [each for each in (model, *get_args(model)) if isinstance(each, type) and issubclass(each, BaseModel)]
    there = [each.model_fields[name].annotation for each in models if name in each.model_fields]
    return bool(there) and (not rest or field_of(there[0], rest))


@pytest.mark.parametrize("path", sorted(named(2)))
def test_a_named_field_is_in_the_report(path: str) -> None:
    assert field_of(IncidentReport, path)


def test_every_named_setting_exists() -> None:
    assert named(3) - {name.upper() for name in Settings.model_fields} == set()


def test_every_named_source_exists() -> None:
    assert named(4) - {source.name for source in SOURCES} == set()


def test_every_named_notification_exists() -> None:
    assert named(5) - ABOUTS == set()


def test_every_source_is_documented_as_it_is() -> None:
    names = {each.name for each in SOURCES}
    documented = {cells[0].strip("`"): cells[1:] for cells in ROWS if cells[0].strip("`") in names}

    assert documented == {each.name: [", ".join(each.roles), each.question, each.permission] for each in SOURCES}
