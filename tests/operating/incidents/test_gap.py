"""The blind window, its length, and the statement that records do not exist for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.model.incident import Incident
from bypass_responder.operating.incidents.gap import blind_window_of, duration
from tests import world
from tests.world import START

WHOSE = "Records of mailbox actions by alex@contoso.onmicrosoft.com, in every mailbox it can open, do not exist for"


def an_incident(**fields: Any) -> Incident:
    return world.an_incident(**({"restored_at": START + timedelta(minutes=62)} | fields))


@pytest.mark.parametrize(
    ("fields", "gap"),
    [
        ({}, f"{WHOSE} 2026-03-02 09:00:00Z to 2026-03-02 10:02:00Z (1 h 2 min)."),
        (
            {"blind_from_proven": False},
            f"{WHOSE} an unknown time before 2026-03-02 09:00:00Z to 2026-03-02 10:02:00Z (at least 1 h 2 min).",
        ),
        (
            {"restored_at": None},
            f"{WHOSE} 2026-03-02 09:00:00Z until now, because auditing is not proven restored (2 h so far).",
        ),
        ({"blind_from": None}, f"{WHOSE} the time of the bypass; when it began is unknown."),
    ],
)
def test_the_gap_is_stated_with_its_known_and_unknown_ends(fields: dict[str, Any], gap: str) -> None:
    assert blind_window_of(an_incident(**fields), START + timedelta(hours=2)).gap == gap


def test_the_window_has_its_ends_and_its_length() -> None:
    window = blind_window_of(an_incident(), START)

    assert (window.start, window.end, window.duration_seconds) == (START, START + timedelta(minutes=62), 3720)
    assert window.text == "2026-03-02 09:00:00Z … 2026-03-02 10:02:00Z (1 h 2 min)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3720, "1 h 2 min"),
        (90000, "1 d 1 h"),
        (86460, "1 d"),
        (61, "1 min 1 s"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: int, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text
