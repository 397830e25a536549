"""The timeline with the two times of each row."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.operating.incidents.chronology import rows
from bypass_responder.operating.timeline import Kind, Moment
from tests.operating.incidents import scenes
from tests.world import START


def test_an_event_and_its_report_are_one_row() -> None:
    event = Moment(START, Kind.HAPPENED, "bypass switched on", evidence="r1")
    report = Moment(
        START + timedelta(hours=1), Kind.REPORTED, "audit record r1", source="feed", latency_seconds=3600, evidence="r1"
    )
    [row] = rows([event, report])

    assert (row.happened_at, row.reported_at) == (START, START + timedelta(hours=1))
    assert (row.kind, row.source, row.delay_seconds) == (Kind.HAPPENED, "feed", 3600)
    assert (row.what, row.evidence) == ("bypass switched on", "r1")


def test_a_report_without_an_event_happened_at_an_unknown_time() -> None:
    [row] = rows([Moment(START, Kind.REPORTED, "listed as bypassed", source="sweep", evidence="s1")])

    assert (row.happened_at, row.reported_at, row.at) == (None, START, START)


def test_a_control_has_its_name() -> None:
    [row] = rows([Moment(START, Kind.ACTION, "block_sign_in: first attempt")])

    assert row.what == "Block sign-in: first attempt"


def test_an_action_was_reported_by_nobody() -> None:
    [row] = rows([Moment(START, Kind.ACTION, "decided", who="responder")])

    assert (row.happened_at, row.reported_at, row.who) == (START, None, "responder")


async def test_the_rows_of_an_incident_are_in_order_of_time() -> None:
    timeline = (await scenes.view(await scenes.contained())).timeline

    assert [row.at for row in timeline] == sorted(row.at for row in timeline)
    assert timeline[0].kind is Kind.HAPPENED
