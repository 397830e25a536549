"""The entries of the index: what they show, and that each fits into a table's property."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.case.listing import entry_of
from bypass_responder.model.change import Actor
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.listing import IndexEntry
from tests.world import ALEX, START

PROPERTY_BYTES = 64 * 1024
LETTER = "\N{MATHEMATICAL BOLD CAPITAL A}"
"""Outside the BMP: two units of UTF-16."""


def an_incident(*actors: str, **fields: Any) -> Incident:
    given_fields: dict[str, Any] = {
        "id": "20260301-00000001",
        "target": ALEX,
        "status": IncidentStatus.OPEN,
        "verdict": "violation",
        "reason": "not on the allowlist",
        "opened_at": START,
        "actors": tuple(Actor(user_id=actor) for actor in actors),
    }
    return Incident(**(given_fields | fields))


def size(entry: IndexEntry) -> int:
    return len(entry.model_dump_json().encode("utf-16-le"))


def test_fifty_actors_of_512_characters_outside_the_bmp_fit_and_the_rest_is_counted() -> None:
    entry = entry_of(an_incident(*(f"{number:02d}{LETTER * 510}" for number in range(50))))

    assert size(entry) < PROPERTY_BYTES
    assert entry.actor.startswith(f"00{LETTER}")
    assert entry.actor.endswith(", and 48 more")


def test_a_name_that_is_cut_says_how_much() -> None:
    entry = entry_of(an_incident(LETTER * 512))

    assert entry.actor == f"{LETTER * 400}… (112 characters cut)"


def test_names_that_fit_are_all_shown() -> None:
    assert entry_of(an_incident("mallory", "trent")).actor == "mallory, trent"


texts = st.text(max_size=3000) | st.integers(0, 3000).map(lambda number: LETTER * number)


@given(st.lists(texts, max_size=50), texts, texts)
def test_any_entry_fits_into_a_property(actors: list[str], name: str, reason: str) -> None:
    entry = entry_of(an_incident(*actors, names=(name,), reason=reason))

    assert size(entry) < PROPERTY_BYTES
