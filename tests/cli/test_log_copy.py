"""`bypassctl log verify`: what it makes of the file after --against, and of the day after --since."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from bypass_responder.cli.log import _copy, _day


def written(folder: Path, text: str) -> Path:
    file = folder / "copy.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_copy_is_read_by_chain_and_number(tmp_path: Path) -> None:
    file = written(tmp_path, "\ufeffchain,seq,hash\ncheckpoints,1,aa\ntenant,1,bb\ntenant,2,cc\n")

    assert _copy(file) == {"checkpoints": {1: "aa"}, "tenant": {1: "bb", 2: "cc"}}


@pytest.mark.parametrize(
    "text", ["", "chain,seq,hash\n", "chain,number,hash\ntenant,1,aa\n", "chain,seq,hash\ntenant,one,aa\n", "\x00"]
)
def test_what_is_no_copy_ends_with_2_and_one_line(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        _copy(written(tmp_path, text))

    assert ended.value.exit_code == 2
    assert str(tmp_path / "copy.csv") in capsys.readouterr().err


def test_a_file_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    with pytest.raises(typer.Exit) as ended:
        _copy(tmp_path / "none.csv")

    assert ended.value.exit_code == 2


def test_a_number_that_was_sent_twice_and_differs_is_bad_news(tmp_path: Path) -> None:
    with pytest.raises(typer.Exit) as ended:
        _copy(written(tmp_path, "chain,seq,hash\ntenant,1,aa\ntenant,1,aa\ntenant,1,bb\n"))

    assert ended.value.exit_code == 1


@pytest.mark.parametrize("day", ["2026-02-30", "1.2.2026", "9999-01-01", ""])
def test_since_takes_a_day_that_has_begun(day: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        _day(day)

    assert ended.value.exit_code == 2
    assert "--since" in capsys.readouterr().err
