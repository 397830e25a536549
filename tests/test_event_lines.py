"""What Application Insights receives: one line per event, with the fields that an alert needs.

No line has anybody's name.
"""

from __future__ import annotations

import ast
import logging
from pathlib import Path
from typing import Any

import pytest

from bypass_responder.errors import ConflictError, TransientError
from bypass_responder.event_lines import FIELDS, LARGEST, WORDS, write_checkpoint_lines
from bypass_responder.model.log import ABOUTS, EVENTS, Checkpoint, LogEntry
from bypass_responder.model.notification import Notification
from bypass_responder.session import change, raise_health
from bypass_responder.triggers.poll_audit_feed import poll_audit_feed
from tests.world import ALEX, BLAKE, START, World, a_finding

LINES = "bypass_responder.event_lines"
SOURCE = Path(__file__).resolve().parents[1] / "src" / "bypass_responder"
STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger=LINES)


def lines(caplog: pytest.LogCaptureFixture, *words: str) -> list[dict[str, Any]]:
    """The fields of the lines with these words, of all without."""
    logged = [record for record in caplog.records if record.name == LINES]
    return [
        {name: value for name, value in vars(record).items() if name not in STANDARD}
        for record in logged
        if not words or record.getMessage() in words
    ]


async def contained() -> World:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    await world.passes(minutes=1)
    return world


async def a_long_day() -> World:
    """Much of what may happen: contained and released, held and dismissed, failed, an alert, a sweep."""
    world = await contained()
    world.directory.fail("revoke_sessions", TransientError("later"), about=BLAKE)
    await world.sees(a_finding(object_id_text=BLAKE, identity_text="blake@contoso.onmicrosoft.com"))
    await world.passes(hours=2)
    for incident in await world.incidents():
        await world.decides("release", incident.id)
    world.bypassed[BLAKE] = True
    await world.sweep()
    await poll_audit_feed(world.services)
    await world.passes(hours=2)
    return world


async def test_each_entry_of_the_response_log_is_exactly_one_line(caplog: pytest.LogCaptureFixture) -> None:
    world = await a_long_day()
    stored = {(entry.target, entry.seq, entry.event, entry.hash) for entry in await all_entries(world)}
    logged = [(it["target"], it["seq"], it["event"], it["hash"]) for it in lines(caplog, *EVENTS)]

    assert len(stored) > 20
    assert sorted(logged) == sorted(stored)


async def test_each_note_is_exactly_one_line(caplog: pytest.LogCaptureFixture) -> None:
    world = await a_long_day()
    cases = [await world.case(target) for target in await world.ledger.targets()]
    noted = [row for case in cases for row in case.by_key.values() if isinstance(row, Notification)]

    assert len(noted) > 2
    assert sorted(it["notification"] for it in lines(caplog, "notification")) == sorted(
        notification.id for notification in noted
    )


async def test_a_transaction_repeated_after_a_conflict_writes_one_line(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.ledger.fail("commit", ConflictError("changed"))

    await change(ALEX, lambda draft: draft.log("resolved", "written once"), world.services)

    assert [it["seq"] for it in lines(caplog, "resolved")] == [1]


async def test_a_transaction_that_was_not_stored_writes_no_line(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.ledger.fail("commit", TransientError("storage is away"))

    with pytest.raises(TransientError):
        await change(ALEX, lambda draft: draft.log("resolved", "never stored"), world.services)

    assert lines(caplog, "resolved") == []


async def test_a_containment_is_logged_with_its_incident_and_since_when(caplog: pytest.LogCaptureFixture) -> None:
    world = await contained()
    (incident,) = await world.incidents()
    (logged,) = [it for it in lines(caplog, "notification") if it["about"] == "contained"]

    assert (logged["incident_id"], logged["target"], logged["severity"]) == (incident.id, ALEX, "critical")
    assert logged["opened_at"] == START.isoformat()


async def test_no_line_names_a_person(caplog: pytest.LogCaptureFixture) -> None:
    await a_long_day()

    assert [it for it in lines(caplog) if "@" in str(it) or "ops" in str(it.values())] == []


async def test_the_decision_of_a_person_is_logged_as_such(caplog: pytest.LogCaptureFixture) -> None:
    world = await contained()
    (incident,) = await world.incidents()
    await world.decides("release", incident.id)

    assert [it["author"] for it in lines(caplog, "release_planned", "released")] == ["person", "responder"]


async def test_lines_hold_declared_words_and_fields_only(caplog: pytest.LogCaptureFixture) -> None:
    await a_long_day()

    assert {it["event"] for it in lines(caplog)} <= WORDS
    assert {field for it in lines(caplog) for field in it} <= FIELDS


async def test_fields_are_flat(caplog: pytest.LogCaptureFixture) -> None:
    await a_long_day()

    assert [it for it in lines(caplog) for value in it.values() if not isinstance(value, str | int | bool)] == []


def test_no_field_has_a_name_that_logging_keeps_for_itself() -> None:
    assert set() == FIELDS & STANDARD


async def test_a_health_alert_is_logged_when_it_begins_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    await raise_health("poison", "a message", world.services)
    await world.sweep()
    await world.passes(hours=25)
    await world.sweep()
    logged = [(it["event"], it["alert"]) for it in lines(caplog, "alert", "recovered") if it["alert"] == "poison"]

    assert logged == [("alert", "poison"), ("recovered", "poison")]


async def test_the_notes_of_a_health_alert_name_it(caplog: pytest.LogCaptureFixture) -> None:
    await raise_health("feed_silent", "nothing came", World().services)
    (logged,) = lines(caplog, "notification")

    assert (logged["about"], logged["alert"], logged["severity"]) == ("health", "feed_silent", "critical")


async def test_a_poll_writes_a_line_for_every_ongoing_alert(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    await raise_health("sweep_overdue", "none for an hour", world.services)
    await poll_audit_feed(world.services)

    assert [it["alert"] for it in lines(caplog, "ongoing")] == ["sweep_overdue"]


async def test_every_run_of_the_scheduler_says_that_it_ran(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    await world.passes(minutes=1)
    await world.passes(minutes=1)

    assert [(it["targets"], it["problems"]) for it in lines(caplog, "resumed")] == [(0, 0), (0, 0)]


async def test_a_complete_sweep_is_logged_with_its_counts(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sweep(scanned=1000)
    (logged,) = lines(caplog, "swept")

    assert (logged["scanned"], logged["on"], logged["covered"]) == (1000, 1, 0)


async def test_a_checkpoint_is_logged_with_its_heads(caplog: pytest.LogCaptureFixture) -> None:
    world = await contained()
    (held,) = world.checkpoints.held
    (logged,) = lines(caplog, "checkpoint")

    assert (logged["seq"], logged["hash"], logged["previous"], logged["count"]) == (1, held.hash, "", 1)
    assert logged["heads"] == f"{ALEX}:{held.heads[ALEX][0]}:{held.heads[ALEX][1]}"


def test_a_large_checkpoint_takes_several_lines_that_hold_every_head(caplog: pytest.LogCaptureFixture) -> None:
    heads = {f"name-{number:064x}": (number, f"{number:064x}") for number in range(200)}
    write_checkpoint_lines(Checkpoint(seq=3, at=START, heads=heads, previous="p", hash="h"))
    logged = lines(caplog, "checkpoint")

    assert [(it["part"], it["parts"]) for it in logged] == [(number + 1, len(logged)) for number in range(len(logged))]
    assert max(len(it["heads"]) for it in logged) <= LARGEST
    assert [head.split(":")[0] for it in logged for head in it["heads"].split()] == sorted(heads)


@pytest.fixture(scope="module")
def written() -> set[str]:
    """Every text in the sources, except in the modules that declare the words and write the lines."""
    return {
        node.value
        for path in SOURCE.rglob("*.py")
        if path.name not in {"event.py", "lines.py"}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.mark.parametrize("word", sorted((WORDS | ABOUTS) - {"notification", "ongoing", "checkpoint"}))
def test_every_declared_word_is_written_somewhere(word: str, written: set[str]) -> None:
    assert word in written


async def all_entries(world: World) -> list[LogEntry]:
    return [entry for target in await world.ledger.targets() async for entry in world.ledger.log(target)]
