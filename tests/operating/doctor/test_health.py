"""What `bypassctl doctor` concludes about timers that stopped."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bypass_responder.operating.doctor.diagnose import diagnose
from bypass_responder.operating.timer_runs import SCHEDULES
from tests.operating.doctor.installation import NAMES, NOW, a_check, a_standing, facts, reported


@pytest.mark.parametrize("timer", SCHEDULES)
@pytest.mark.parametrize(("ran_at", "says"), [(NOW - timedelta(minutes=46), "last ran well at"), (None, "never run")])
def test_another_timer_that_stopped_is_reported(timer: str, ran_at: datetime | None, says: str) -> None:
    found = diagnose(facts(standing=a_standing(ran={timer: ran_at})))

    assert reported(found) == [("timer_late", timer)]
    assert says in found.problems[0].what
    assert "a-timer-that-stopped" in found.problems[0].fix


@pytest.mark.parametrize("first_at", [NOW - timedelta(minutes=20), None])
def test_a_timer_may_not_have_run_yet_after_the_installation(first_at: datetime | None) -> None:
    standing = a_standing(first_at=first_at, ran=dict.fromkeys(SCHEDULES))

    assert reported(diagnose(facts(standing=standing))) == []


def test_a_sweep_timer_that_stopped_is_reported_with_the_way_to_replace_the_app() -> None:
    standing = a_standing("sweep_overdue", doubt="overdue", sweep_requested_at=NOW - timedelta(minutes=46))
    found = diagnose(facts(standing=standing))

    assert reported(found) == [("sweep_late", "sweep_bypass_state")]
    assert "a-timer-that-stopped" in found.problems[0].fix


@pytest.mark.parametrize("requested_at", [NOW - timedelta(minutes=44), None])
def test_a_sweep_timer_within_three_runs_or_with_a_sweep_under_way_is_none(requested_at: datetime | None) -> None:
    assert reported(diagnose(facts(standing=a_standing(sweep_requested_at=requested_at)))) == []


def test_a_scheduler_that_stopped_while_the_feed_is_polled_is_reported_by_its_name() -> None:
    stored = a_check(at=NOW - timedelta(hours=5))
    found = diagnose(facts(stored=stored, standing=a_standing(polled_at=NOW)))

    assert reported(found) == [("resume_late", "resume_responses")]


def test_an_app_of_which_nothing_runs_is_silent() -> None:
    old = NOW - timedelta(hours=5)
    found = diagnose(facts(stored=a_check(at=old), standing=a_standing(polled_at=old, sweep_requested_at=old)))

    assert reported(found) == [("app_silent", NAMES.app)]
