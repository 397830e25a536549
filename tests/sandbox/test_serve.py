"""`make serve` keeps a profile of bypassctl for as long as it runs, and refuses a setting that does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from bypass_responder.cli import profile_file
from bypass_responder.cli.profile_file import Profiles, load, save
from sandbox.serve import kept_profile, main

SETTINGS = {"TENANT_ID": "5f0c9b6e-3d3a-4a54-9e0d-2b7c1c0f7a10"}
PROD = {"TENANT_ID": "11111111-3d3a-4a54-9e0d-2b7c1c0f7a10"}


@pytest.fixture(autouse=True)
def with_a_profile_in_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(profile_file, "place", lambda: tmp_path / "config.toml")
    save(Profiles("prod", {"prod": PROD}))


def test_the_profile_is_there_while_it_runs_and_the_one_in_use_stays() -> None:
    with kept_profile("sandbox", SETTINGS):
        meanwhile = load()

    assert meanwhile == Profiles("prod", {"prod": PROD, "sandbox": SETTINGS})
    assert load() == Profiles("prod", {"prod": PROD})


def test_the_profile_of_a_later_run_is_kept() -> None:
    with kept_profile("sandbox", SETTINGS):
        save(Profiles("prod", {"prod": PROD, "sandbox": PROD}))

    assert load().named["sandbox"] == PROD


def test_a_setting_with_a_typo_is_refused_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--setting", "SWEEP_SCEDULE=0 0 * * * *"])

    assert ended.value.code == 2
    assert "SWEEP_SCEDULE is not a setting: did you mean SWEEP_SCHEDULE?" in capsys.readouterr().err
