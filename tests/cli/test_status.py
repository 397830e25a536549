"""What `bypassctl status` reports, and when it exits with 1.

It reports on the organization's switches, the sweep, hints and costs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.case.health_alerts import end_alert
from bypass_responder.cli.status import as_json, show
from bypass_responder.errors import InputError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.change import Actor, Outcome, Switch
from bypass_responder.model.feed import FeedCursor
from bypass_responder.model.finding import Evidence
from bypass_responder.model.health import Tampering
from bypass_responder.model.hunting import Arrival, HuntingState
from bypass_responder.model.technique import Technique
from bypass_responder.operating.self_check import SelfChecks
from bypass_responder.operating.status import MOST_TAMPERING, Status, read_status
from bypass_responder.operating.timeline import Cost
from bypass_responder.posture.run import begin
from bypass_responder.session import change_health, open_session, raise_health
from bypass_responder.triggers.receive_alert import receive_alert
from bypass_responder.triggers.sweep_bypass_state import plan_sweep
from tests.fakes.self_check import FakeProbe, FakeSelfCheckStore, FakeTokens
from tests.world import ALEX, BLAKE, START, TENANT, World, a_finding, a_hint, an_entry

MINUTE = timedelta(minutes=1)
DISABLED = "AuditDisabled is on: no mailbox of the organization is audited."
UNKNOWN = "UNKNOWN"


async def watched() -> World:
    """A world whose first poll and first sweep, of nobody, are behind it."""
    world = World()
    await world.sweep()
    cursor = FeedCursor(first_start=START, listed_through=START, last_success_at=START)
    await world.feed_store.save_cursor(cursor)
    return world


async def reads(world: World) -> Status:
    return await read_status(world.services)


async def tampered(world: World, **fields: Any) -> None:
    """A record says that somebody changed AuditDisabled."""
    defaults: dict[str, Any] = {
        "id": f"t{fields.get('occurred_at', START):%H%M}",
        "occurred_at": START,
        "operation": "Set-OrganizationConfig",
        "parameter": "AuditDisabled",
        "value": "True",
        "weakens": True,
        "outcome": Outcome.SUCCESS,
        "actor": Actor(user_id="mallory"),
        "evidence": Evidence(length_bytes=0, sha256=""),
    }
    session = await open_session(TENANT_TARGET, world.services)
    await session.apply(lambda draft: draft.put(Tampering(**(defaults | fields))))


async def who(world: World) -> str:
    await raise_health("audit_disabled", DISABLED, world.services)
    [switch] = as_json(await reads(world))["organization_switches"]
    return str(switch["who"])


def shown(found: Status, capsys: pytest.CaptureFixture[str]) -> str:
    show(found)
    return capsys.readouterr().out


async def test_an_unknown_warning_is_shown_with_the_command_that_accepts_it(capsys: pytest.CaptureFixture[str]) -> None:
    world = await watched()
    await world.sweep(complete=False, warnings=("Something new about 'Room 1'.",))

    said = shown(await reads(world), capsys)

    assert "bypassctl sweeps accept-warning 'Something new about ….' --reason …" in said


@pytest.mark.parametrize("warning", ["There are more results available.", "Micro delay applied."])
async def test_a_warning_that_nobody_can_or_need_accept_is_not_shown(warning: str) -> None:
    world = await watched()
    await world.sweep(complete=False, warnings=(warning,))

    assert (await reads(world)).warnings == []


async def test_an_accepted_warning_is_not_shown_any_more() -> None:
    world = await watched()
    await world.sweep(complete=False, warnings=("Something new about 'Room 1'.",))
    await world.delivers(await world.an_acceptance("Something new about 'Room 1'."))

    assert (await reads(world)).warnings == []


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"specversion": "1.0", "source": "siem/soc", "id": "a-1", "data": {"target": ', "siem/soc event a-1"),
        (b'{"target": "alex@', 'unknown sender, the event: {"target": "alex@'),
    ],
)
async def test_an_unreadable_alert_is_shown_with_its_sender_or_its_beginning(
    body: bytes, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world = await watched()
    await receive_alert(body, world.services)

    assert where in " ".join(shown(await reads(world), capsys).split())


# ---- the exit status -------------------------------------------------------------------------------------------------


async def test_nothing_to_do_is_no_bad_news() -> None:
    assert not (await reads(await watched())).bad_news


async def test_a_feed_that_was_never_polled_is_bad_news() -> None:
    world = World()
    await world.sweep()

    assert (await reads(world)).bad_news


async def test_a_feed_whose_polls_all_failed_is_bad_news() -> None:
    world = World()
    await world.feed_store.save_cursor(FeedCursor(first_start=START, listed_through=START))

    assert (await reads(world)).bad_news


async def test_an_alert_is_bad_news_and_its_end_is_none() -> None:
    world = await watched()
    await raise_health("feed_silent", "nothing came", world.services)
    on = (await reads(world)).bad_news
    await change_health(lambda draft: end_alert(draft, "feed_silent"), world.services)

    assert (on, (await reads(world)).bad_news) == (True, False)


async def test_an_incident_that_waits_is_bad_news() -> None:
    world = await watched()
    await world.sees(a_finding(first_run=True))

    assert (await reads(world)).bad_news


# ---- the organization's switches -------------------------------------------------------------------------------------


@pytest.mark.parametrize("alert", ["audit_disabled", "ingestion_disabled"])
async def test_a_switch_of_the_organization_comes_first(alert: str, capsys: pytest.CaptureFixture[str]) -> None:
    world = await watched()
    await raise_health("feed_silent", "nothing came", world.services)
    await raise_health(alert, DISABLED, world.services)

    assert shown(await reads(world), capsys).startswith(f"ORGANIZATION: {DISABLED} Seen since 2026-03-02 09:00:00Z")


async def test_the_newest_record_says_who_weakened_it() -> None:
    world = await watched()
    await tampered(world)
    await tampered(world, occurred_at=START + MINUTE, actor=Actor(user_id="eve"))

    assert await who(world) == "eve changed it at 2026-03-02 09:01:00Z"


@pytest.mark.parametrize(
    "fields",
    [{"weakens": False}, {"outcome": Outcome.FAILED}, {"parameter": "UnifiedAuditLogIngestionEnabled"}],
    ids=["strengthened", "failed", "another switch"],
)
async def test_a_record_that_did_not_weaken_this_switch_accuses_nobody(fields: dict[str, Any]) -> None:
    world = await watched()
    await tampered(world, **fields)

    assert await who(world) == "no record names the actor"


async def test_a_weakening_that_was_undone_is_not_taken_for_the_present_one() -> None:
    world = await watched()
    await tampered(world)
    await tampered(world, occurred_at=START + MINUTE, weakens=False, actor=Actor(user_id="ops"))

    assert await who(world) == (
        "mallory changed it at 2026-03-02 09:00:00Z, ops restored it at 2026-03-02 09:01:00Z, "
        "and no record names a later actor"
    )


async def test_a_flood_of_other_changes_does_not_hide_who_weakened_it() -> None:
    world = await watched()
    await tampered(world)
    for number in range(MOST_TAMPERING):
        other = {"id": f"flood-{number}", "technique": Technique.AUDIT_ENABLED, "parameter": "AuditEnabled"}
        await tampered(world, occurred_at=START + MINUTE, **other)

    assert await who(world) == "mallory changed it at 2026-03-02 09:00:00Z"


# ---- health alerts ---------------------------------------------------------------------------------------------------


async def test_critical_alerts_come_first() -> None:
    world = await watched()
    await raise_health("hints_waiting", "many", world.services)
    world.now += MINUTE
    await raise_health("feed_silent", "nothing came", world.services)

    assert [alert.id for alert in (await reads(world)).alerts] == ["feed_silent", "hints_waiting"]


async def test_what_recovered_within_a_day_is_listed_and_no_longer() -> None:
    world = await watched()
    await raise_health("feed_silent", "nothing came", world.services)
    await change_health(lambda draft: end_alert(draft, "feed_silent"), world.services)
    recovered = [alert.id for alert in (await reads(world)).recovered]
    world.now += timedelta(days=1)

    assert (recovered, (await reads(world)).recovered) == (["feed_silent"], [])


# ---- the sweep -------------------------------------------------------------------------------------------------------


async def test_a_complete_sweep_says_how_many_are_on_and_covered(capsys: pytest.CaptureFixture[str]) -> None:
    world = await watched()
    world.bypassed |= {ALEX: True, BLAKE: True}
    await world.services.allowlist.put(an_entry())
    world.now += MINUTE
    await world.sweep()
    out = shown(await reads(world), capsys)

    assert "2026-03-02 09:01:00Z: 1,000 objects scanned, 2 on, 1 of them covered by the allowlist" in out
    assert UNKNOWN not in out


async def test_without_any_sweep_it_is_not_known_who_is_bypassed(capsys: pytest.CaptureFixture[str]) -> None:
    found = await reads(World())

    assert "UNKNOWN: no sweep was requested yet" in shown(found, capsys)
    assert "on" not in as_json(found)["sweep"]


async def test_before_the_first_complete_sweep_it_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    await world.sweep(complete=False)
    out = shown(await reads(world), capsys)

    assert "UNKNOWN: no sweep has completed yet; the last sweep was not complete: " in out


async def test_after_a_sweep_that_was_not_complete_it_is_not_known_and_the_reason_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = await watched()
    world.now += MINUTE
    await world.sweep(outcome="failed", error="Exchange said no")
    found = await reads(world)
    out = shown(found, capsys)

    assert "UNKNOWN: the last sweep was not complete: " in out
    assert "Exchange said no" in out
    assert as_json(found)["sweep"]["complete_at"] == "2026-03-02T09:00:00Z"


async def test_it_says_how_long_the_last_complete_sweep_took(capsys: pytest.CaptureFixture[str]) -> None:
    """Cost and SWEEP_OVERDUE_MINUTES hang on it; one that was not complete says nothing of it."""
    world = await watched()
    world.now += MINUTE
    await world.sweep(duration_seconds=83.6)
    world.now += MINUTE
    await world.sweep(complete=False, duration_seconds=2)
    found = await reads(world)

    assert "; took 84 s" in shown(found, capsys)
    assert as_json(found)["sweep"]["took_seconds"] == 83.6


async def test_an_old_sweep_says_nothing_of_now() -> None:
    world = await watched()
    world.now += timedelta(minutes=61)

    assert (await reads(world)).doubt == "the last complete sweep is older than SWEEP_OVERDUE_MINUTES"


async def test_a_sweep_without_an_answer_is_doubted_once_its_time_is_over() -> None:
    world = await watched()
    world.deploy(sweep_timeout_seconds=600)
    await plan_sweep(world.services)
    before = (await reads(world)).doubt
    world.now += 11 * MINUTE

    assert (before, (await reads(world)).doubt) == ("", "1 sweeps in a row were not answered")


async def test_an_outstanding_sweep_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    world = await watched()
    world.now += MINUTE
    await plan_sweep(world.services)

    assert "sweep outstanding           since 2026-03-02 09:01:00Z" in shown(await reads(world), capsys)


# ---- hints and costs -------------------------------------------------------------------------------------------------


async def test_hints_that_exchange_denied_are_counted_and_the_newest_five_listed() -> None:
    world = await watched()
    world.bypassed[ALEX] = False
    for number in range(6):
        world.now += MINUTE
        await world.sees(a_hint(id=f"hint-{number}", received_at=world.now))
        await world.answer()
    said = as_json(await reads(world))["unconfirmed"]

    assert (said["count"], said["of"]) == (6, 6)
    assert [entry["id"] for entry in said["newest"]] == [f"hint-{number}" for number in (5, 4, 3, 2, 1)]


async def test_the_costs_are_left_out_while_nothing_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    found = await reads(await watched())

    assert (found.costs, "detection delay" in shown(found, capsys)) == ({}, False)


async def test_each_source_says_what_it_costs(capsys: pytest.CaptureFixture[str]) -> None:
    world = await watched()
    world.bypassed[ALEX] = True
    await world.sees(a_hint(received_at=START, claimed_at=START - MINUTE))
    await world.answer()
    await world.sees(a_finding(effective_at=START - MINUTE, received_at=START + 62 * MINUTE))
    found = await reads(world)

    assert found.costs == {"feed": Cost(63.0, 1), "hint": Cost(1.0, 1)}
    assert "feed 63.0 min (1), hint 1.0 min (1)" in shown(found, capsys)


async def test_a_case_that_cannot_be_read_is_missing_in_the_costs_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await watched()
    await world.sees(a_finding(first_run=True))
    load = world.ledger.load

    async def broken(target: str, *, history: bool = False) -> Any:
        if target == ALEX:
            raise InputError("corrupt_row", "a row was changed by hand")
        return await load(target, history=history)

    monkeypatch.setattr(world.ledger, "load", broken)
    found = await reads(world)

    assert ([entry.target for entry in found.waiting], found.costs) == ([ALEX], {})


# ---- what is printed -------------------------------------------------------------------------------------------------


async def test_the_mode_is_that_of_the_app(capsys: pytest.CaptureFixture[str]) -> None:
    world = await watched()
    await world.passes(minutes=1)
    world.deploy(mode="observe")
    found = await reads(world)

    assert shown(found, capsys).startswith("mode                        enforce: acts; 0 protected accounts")
    assert as_json(found)["mode"] == "enforce"


async def test_before_its_first_run_the_mode_of_the_app_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    found = await reads(await watched())

    assert shown(found, capsys).startswith("mode                        unknown: the app has not run yet")


async def test_nothing_raw_from_a_hint_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    world = await watched()
    evil = "\x1b[2J\u202e\x07"
    await tampered(world, actor=Actor(user_id=evil))
    await raise_health("audit_disabled", DISABLED, world.services)
    await world.sees(a_hint(object_id_text="", identity_text=evil, switch=Switch.UNKNOWN))
    await world.answer()
    out = shown(await reads(world), capsys)

    assert "\\x1b[2J" in out
    assert [raw for raw in evil if raw in out and not raw.isprintable()] == []


async def test_evidence_that_waits_for_a_check_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    world = await watched()
    await world.sees(a_hint(target="alex@contoso.onmicrosoft.com"))
    found = await reads(world)
    show(found)

    assert as_json(found)["undecided"][0]["source"] == "hint"
    assert "Evidence that waits for a check" in capsys.readouterr().out


# ---- what the app's self-check counts --------------------------------------------------------------------------------


async def counted(**held: int) -> Status:
    """The status after a self-check that found these."""
    world = await watched()
    checks = SelfChecks(tokens=FakeTokens(TENANT), storage=FakeProbe(), store=FakeSelfCheckStore())
    checks.storage.held = {name.replace("_", "-"): count for name, count in held.items()}  # type: ignore[attr-defined]
    world.self_checks = checks
    await world.passes(minutes=1)
    return await read_status(world.services, checks)


async def test_dead_letters_and_poison_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    found = await counted(dead_letters=3, alerts_poison=2)
    text = " ".join(shown(found, capsys).split())

    assert "3 files within 7 days (container dead-letters)" in text
    assert "2 in alerts-poison" in text
    assert as_json(found)["poison_messages"] == {"alerts-poison": 2}
    assert found.bad_news


async def test_without_a_self_check_the_counts_are_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    found = await reads(await watched())

    assert shown(found, capsys).count("unknown: no self-check of the app counted them") == 2
    assert as_json(found)["dead_letters"] is None


# ---- the hunting sensor ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (HuntingState(), "has not run yet"),
        (HuntingState(off_because="403.", off_since=START), "off since 2026-03-02 09:00:00Z: 403."),
        (HuntingState(last_success_at=START, failing_since=START, failure="500"), "failing since"),
        (HuntingState(last_success_at=START, empty_since=START), "an empty answer proves nothing"),
        (HuntingState(last_success_at=START), "read at 2026-03-02 09:00:00Z"),
    ],
)
async def test_the_hunting_sensor_says_whether_it_works(
    state: HuntingState, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world = await watched()
    world.hunting_store.saved = state

    assert said in shown(await reads(world), capsys)


async def test_the_delays_of_feed_and_hunting_are_side_by_side() -> None:
    world = await watched()
    world.hunting_store.saved = HuntingState(first_success_at=START, last_success_at=START)
    arrived: dict[str, Any] = {"record_id": "one", "occurred_at": START}
    await world.hunting_store.note(
        [
            Arrival(sensor="feed", arrived_at=START + 62 * MINUTE, **arrived),
            Arrival(sensor="hunting", arrived_at=START + 7 * MINUTE, **arrived),
        ]
    )
    world.now += 90 * MINUTE

    delays = as_json(await reads(world))["sensor_delays"]

    assert [(each["sensor"], each["median_minutes"]) for each in delays] == [("feed", 62), ("hunting", 7)]


async def test_a_partial_read_of_the_mailboxes_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Its parts were all read; the comparison found that something is missing."""
    world = await watched()
    compared = {"ended_at": START, "compared_at": START, "partial": "1 mailbox was read twice"}
    world.posture_runs.row = begin("run", START, None).model_copy(update=compared)
    found = await reads(world)

    assert "PARTIAL: 1 mailbox was read twice" in shown(found, capsys)
    assert as_json(found)["posture_read"]["partial"] == "1 mailbox was read twice"
