"""The timeline of an incident: rows in, moments in order of time out."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.case.evidence import OWN
from bypass_responder.cli.incident_format import print_timeline
from bypass_responder.model.base import iso
from bypass_responder.model.change import Actor, Outcome, Switch
from bypass_responder.model.finding import Check, Finding, Source
from bypass_responder.model.hunting import Arrival
from bypass_responder.model.log import LogEntry
from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.step import Step, StepKind, StepState
from bypass_responder.operating.incidents.chronology import rows
from bypass_responder.operating.timeline import Cost, Kind, Moment, costs, latency_text, timeline
from tests.world import ALEX, BLAKE, START, World, a_finding, a_hint, an_incident

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "bypassctl.md"


def a_record(**fields: Any) -> Finding:
    return a_finding(**({"effective_at": START, "received_at": START + 62 * MINUTE} | fields))


def an_alert(**fields: Any) -> Finding:
    return a_hint(**({"claimed_at": START, "received_at": START + 3 * SECOND} | fields))


def a_listing(**fields: Any) -> Finding:
    """Of a sweep that began to read seven minutes after the account went dark."""
    read = START + 7 * MINUTE
    defaults: dict[str, Any] = {
        "source": Source.SWEEP,
        "switch": Switch.UNKNOWN,
        "outcome": Outcome.UNKNOWN,
        "effective_at": read,
        "available_at": read,
        "received_at": read + MINUTE,
        "actor": Actor(),
    }
    return a_finding(**(defaults | fields))


def a_check(**fields: Any) -> Check:
    defaults: dict[str, Any] = {
        "name": "",
        "outcome": ExchangeOutcome.CHECKED,
        "object_id": ALEX,
        "bypass_on": True,
        "read_at": START + 5 * SECOND,
    }
    return Check(**(defaults | fields))


def a_line(event: str, text: str = "why", **fields: Any) -> LogEntry:
    defaults: dict[str, Any] = {
        "target": ALEX,
        "seq": 1,
        "at": START + 6 * SECOND,
        "incident_id": "20260302-00000001",
        "previous": "",
    }
    return LogEntry(event=event, text=text, **(defaults | fields))


def a_step(**fields: Any) -> Step:
    defaults: dict[str, Any] = {
        "incident_id": "20260302-00000001",
        "step": StepKind.BLOCK_SIGN_IN,
        "state": StepState.DONE,
        "first_attempt_at": START + 6 * SECOND,
        "acted_at": START + 7 * SECOND,
    }
    return Step(**(defaults | fields))


def line(
    *findings: Finding, steps: tuple[Step, ...] = (), log: tuple[LogEntry, ...] = (), **incident: Any
) -> list[Moment]:
    return timeline(an_incident(**incident), findings, steps, log)


def whats(moments: list[Moment], kind: Kind) -> list[str]:
    return [moment.what for moment in moments if moment.kind is kind]


def late(moments: list[Moment]) -> list[float | None]:
    return [moment.latency_seconds for moment in moments if moment.kind is Kind.REPORTED]


# ---- when it happened ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "bypass switched on by mallory@contoso.onmicrosoft.com from 203.0.113.7:4711"),
        ({"switch": Switch.OFF, "actor": Actor(user_id="eve")}, "bypass switched off by eve"),
        ({"outcome": Outcome.FAILED, "actor": Actor()}, "failed attempt to switch the bypass on by unknown"),
        ({"outcome": Outcome.UNKNOWN, "actor": Actor()}, "bypass switched on by unknown, result unknown"),
        ({"switch": Switch.UNKNOWN, "actor": Actor()}, "bypass set to an unknown value by unknown"),
        ({"switch": Switch.OFF, "reason": OWN, "actor": Actor(app_id="w")}, "bypass switched off by the responder (w)"),
        ({"source": Source.ACTOR, "actor": Actor()}, "bypass of another account switched on by unknown"),
    ],
)
def test_a_record_says_what_happened_at_its_own_time(fields: dict[str, Any], said: str) -> None:
    moments = line(a_record(**fields))

    assert [(it.at, it.what) for it in moments if it.kind is Kind.HAPPENED] == [(START, said)]


def test_what_an_alert_says_is_a_claim_and_nothing_that_happened() -> None:
    claim, report = line(an_alert(actor=Actor(user_id="eve")))

    assert (claim.at, claim.kind, claim.what) == (START, Kind.CLAIMED, "bypass claimed by an alert, actor eve")
    assert report.kind is Kind.REPORTED


def test_an_alert_without_a_time_claims_none() -> None:
    moments = line(an_alert(claimed_at=None))

    assert [moment.kind for moment in moments] == [Kind.REPORTED]


def test_what_was_derived_from_an_alert_is_a_claim_too() -> None:
    moments = line(an_alert(source=Source.ACTOR))

    assert [(moment.kind, moment.source) for moment in moments] == [(Kind.CLAIMED, None), (Kind.REPORTED, "hint")]


def test_a_sweep_says_that_it_was_on_when_it_began_to_read() -> None:
    """``effective_at`` has moved to the read that confirmed it."""
    moments = line(a_listing(effective_at=START + 9 * MINUTE))

    assert [(it.at, it.what, it.source) for it in moments if it.kind is Kind.STATE] == [
        (START + 7 * MINUTE, "bypass on when read", "sweep")
    ]


def test_an_answer_of_exchange_is_there_once_however_many_findings_waited_for_it() -> None:
    moments = line(an_alert(checks=(a_check(),)), an_alert(checks=(a_check(),)))

    assert whats(moments, Kind.STATE) == ["bypass on when read"]


def test_an_off_of_exchange_is_said() -> None:
    moments = line(an_alert(checks=(a_check(bypass_on=False),)))

    assert whats(moments, Kind.STATE) == ["bypass off when read"]


def test_an_answer_about_another_account_is_left_out() -> None:
    moments = line(an_alert(checks=(a_check(object_id=BLAKE),)))

    assert whats(moments, Kind.STATE) == []


def test_an_account_that_a_sweep_did_not_list_is_not_said_to_be_on() -> None:
    moments = line(a_listing(switch=Switch.OFF))

    assert (whats(moments, Kind.STATE), whats(moments, Kind.REPORTED)) == ([], ["no longer listed as bypassed"])


# ---- when each source reported ---------------------------------------------------------------------------------------


def test_a_hint_names_its_sender_and_its_link() -> None:
    [report] = [it for it in line(an_alert(link="https://siem.example/17")) if it.kind is Kind.REPORTED]

    assert (report.source, report.sender, report.link) == ("hint", "a SIEM", "https://siem.example/17")


def test_a_hint_that_was_not_borne_out_says_so() -> None:
    moments = line(an_alert(verdict="unconfirmed", reason="Exchange says off"))

    assert whats(moments, Kind.REPORTED) == ["alert from a SIEM (unconfirmed: Exchange says off)"]


def test_every_source_is_held_against_the_proven_start() -> None:
    moments = line(a_record(), an_alert(claimed_at=START - MINUTE), a_listing())

    assert late(moments) == [3, 480, 3720]


def test_without_a_proven_start_each_is_held_against_its_own_time() -> None:
    moments = line(an_alert(claimed_at=START - MINUTE), a_listing(), blind_from_proven=False)

    assert late(moments) == [63, 60]


def test_a_record_of_a_later_time_is_held_against_that_time() -> None:
    moments = line(a_record(switch=Switch.OFF, effective_at=START + 60 * MINUTE))

    assert late(moments) == [120]


def test_a_hint_from_before_the_start_is_held_against_what_it_claims() -> None:
    moments = line(an_alert(claimed_at=START - 9 * SECOND, received_at=START - 5 * SECOND))

    assert late(moments) == [4]


def test_a_latency_below_zero_is_not_known() -> None:
    moments = line(an_alert(claimed_at=START + MINUTE), blind_from_proven=False)

    assert late(moments) == [None]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.2, "+0 s"),
        (3, "+3 s"),
        (119, "+119 s"),
        (120, "+2 min"),
        (3720, "+62 min"),
        (5 * 3600, "+5 h"),
        (7 * 86400, "+7 d"),
    ],
)
def test_a_latency_is_written_in_the_unit_that_fits(seconds: float | None, text: str) -> None:
    assert latency_text(seconds) == text


# ---- what we did -----------------------------------------------------------------------------------------------------


def test_a_step_has_its_first_attempt_and_its_act() -> None:
    moments = line(steps=(a_step(),))

    assert [(it.at, it.what) for it in moments] == [
        (START + 6 * SECOND, "block_sign_in: first attempt"),
        (START + 7 * SECOND, "block_sign_in: accepted by the service"),
    ]


def test_a_step_that_was_never_tried_did_nothing() -> None:
    assert line(steps=(a_step(first_attempt_at=None),)) == []


def test_the_log_says_who_did_it() -> None:
    [moment] = line(log=(a_line("dismissed", "a drill", who="ops"),))

    assert (moment.kind, moment.what, moment.who) == (Kind.ACTION, "dismissed: a drill", "ops")


def test_lines_about_another_incident_are_left_out() -> None:
    assert line(log=(a_line("decided", incident_id="20260301-00000009"), a_line("decided", incident_id=None))) == []


def test_auditing_was_back_when_it_was_read_and_not_when_we_heard_of_it() -> None:
    [moment] = line(log=(a_line("restored", at=START + MINUTE),), restored_at=START + 8 * SECOND)

    assert moment.at == START + 8 * SECOND


def test_at_the_same_second_the_cause_comes_before_what_followed() -> None:
    moments = line(
        a_record(received_at=START),
        steps=(a_step(first_attempt_at=START, acted_at=START),),
        log=(a_line("effect", "block_sign_in: effective", at=START), a_line("decided", at=START)),
    )

    assert [it.what.split()[0] for it in moments] == [
        "bypass",
        "audit",
        "decided:",
        "block_sign_in:",
        "block_sign_in:",
        "block_sign_in:",
    ]


@given(st.permutations([a_record(), an_alert(checks=(a_check(),)), a_listing(), a_record(switch=Switch.OFF)]))
def test_the_order_of_the_rows_changes_nothing(findings: list[Finding]) -> None:
    moments = line(*findings)

    assert [it.at for it in moments] == sorted(it.at for it in moments)
    assert {it.as_json()["at"] for it in moments} == {
        iso(START + late) for late in (0 * SECOND, 3 * SECOND, 5 * SECOND, 7 * MINUTE, 8 * MINUTE, 62 * MINUTE)
    }


def test_the_json_twin_holds_what_is_known_and_no_more() -> None:
    [_, report] = line(an_alert(id="hint-1-00"))

    assert report.as_json() == {
        "at": "2026-03-02T09:00:03Z",
        "kind": "reported",
        "what": "alert from a SIEM",
        "source": "hint",
        "latency_seconds": 3.0,
        "sender": "a SIEM",
        "evidence": "hint-1-00",
    }


# ---- what a source costs ---------------------------------------------------------------------------------------------


def test_the_cost_of_a_source_is_the_median_over_incidents_of_its_first_report() -> None:
    reports = [
        (an_incident(), [a_record(received_at=START + minutes * MINUTE), a_record(received_at=START + 900 * MINUTE)])
        for minutes in (10, 60, 20)
    ]

    assert costs(reports) == {"feed": Cost(median_minutes=20.0, incidents=3)}


@pytest.mark.parametrize(
    "finding",
    [
        a_record(first_run=True),
        a_record(switch=Switch.OFF),
        a_record(outcome=Outcome.FAILED),
        an_alert(received_at=START - SECOND),
        a_finding(source=Source.RECHECK),
    ],
    ids=["first run", "off", "attempt", "before the start", "re-check"],
)
def test_a_finding_without_a_start_costs_nothing(finding: Finding) -> None:
    assert costs([(an_incident(), [finding])]) == {}


@pytest.mark.parametrize("start", [{"blind_from": None}, {"blind_from_proven": False}])
def test_an_incident_without_a_proven_start_has_no_costs(start: dict[str, Any]) -> None:
    assert costs([(an_incident(**start), [a_record()])]) == {}


# ---- on the page -----------------------------------------------------------------------------------------------------


async def an_episode() -> list[Moment]:
    """A hint after three seconds, contained on Exchange's word; the feed has the record an hour later."""
    world = World()
    world.now = START - 10 * MINUTE
    await world.sweep()
    world.bypassed[ALEX] = True
    world.now = START + 3 * SECOND
    await world.sees(an_alert(id="hint-4711-00", sender="contoso-siem", link="https://siem.example/4711"))
    world.now += 2 * SECOND
    await world.answer()
    await world.passes(seconds=5)
    world.now = START + 62 * MINUTE
    await world.sees(a_record(id="5f3c9d0e"))
    case = await world.case()
    [incident] = await world.incidents()
    return timeline(
        incident,
        [row for row in case.by_key.values() if isinstance(row, Finding)],
        list((await world.steps()).values()),
        [entry async for entry in world.ledger.log(ALEX)],
    )


async def test_the_example_of_the_docs_is_what_the_code_prints(capsys: pytest.CaptureFixture[str]) -> None:
    print_timeline(rows(await an_episode()), readable=True)
    printed = [line.rstrip() for line in capsys.readouterr().out.strip().splitlines()]
    [documented] = re.findall(r"```\n(Timeline.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)

    assert documented.splitlines() == printed


def test_a_log_that_cannot_be_read_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    print_timeline([], readable=False)

    assert "run bypassctl log verify" in capsys.readouterr().out


def test_nothing_raw_from_an_alert_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = an_alert(sender="\x1b[2J", link="https://\u202e", actor=Actor(user_id="\x07"))
    print_timeline(rows(line(hostile)), readable=True)
    out = capsys.readouterr().out

    assert [raw for raw in ("\x1b[2J", "\u202e", "\x07") if raw in out] == []


def test_a_record_that_two_sensors_brought_has_the_report_of_each() -> None:
    finding = a_finding(source=Source.HUNTING, effective_at=START, received_at=START + 5 * MINUTE)
    arrived: dict[str, Any] = {"record_id": finding.id, "occurred_at": START}
    arrivals = [
        Arrival(sensor="hunting", arrived_at=START + 5 * MINUTE, **arrived),
        Arrival(sensor="feed", arrived_at=START + 62 * MINUTE, **arrived),
    ]
    shown = rows(timeline(an_incident(), [finding], [], [], arrivals))

    assert [(row.source, row.delay_seconds) for row in shown if row.reported_at] == [("hunting", 300), ("feed", 3720)]
