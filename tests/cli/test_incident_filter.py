"""Days, times and times ago; which incidents are asked for; ids that are completed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer

from bypass_responder.cli.incident_filter import filter_of, moment_of
from tests.e2e.ctl import bypassctl_program

NOW = datetime(2026, 11, 28, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", None),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T06:00Z", datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("2026-11-01 06:00:00+02:00", datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ("30m", NOW - timedelta(minutes=30)),
        ("24h", NOW - timedelta(days=1)),
        ("7d", NOW - timedelta(days=7)),
    ],
)
def test_a_day_a_time_or_a_time_ago_is_a_moment(text: str, at: datetime | None) -> None:
    assert moment_of(text, NOW, "--since") == at


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30", "7", "d", "-1d", "0001-01-01T00:00:00+14:00", "7 d"])
def test_any_other_text_ends_with_2_and_says_what_is_one(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        moment_of(text, NOW, "--since")

    assert (ended.value.exit_code, "--since" in capsys.readouterr().err) == (2, True)


def test_a_time_that_ends_before_it_begins_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        filter_of([], account="", actor="", since="2026-11-02", until="2026-11-01", findings=False)

    assert "ince must be before until." in capsys.readouterr().err


def test_without_settings_no_id_is_completed_and_nothing_is_said() -> None:
    env = {"_BYPASSCTL_COMPLETE": "complete_bash", "COMP_WORDS": "bypassctl incidents show 2", "COMP_CWORD": "3"}
    said = bypassctl_program(env)

    assert (said.out.strip(), said.err) == ("", "")
