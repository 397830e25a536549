"""`bypassctl log verify`: what it makes of the file after --against, and of the day after --since."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import typer

from bypass_responder.cli.log import _copy, _day

AA, BB, CC = "aa" * 32, "bb" * 32, "cc" * 32


def written(folder: Path, text: str) -> Path:
    file = folder / "copy.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_copy_is_read_by_chain_and_number(tmp_path: Path) -> None:
    file = written(tmp_path, f"\ufeffchain,seq,hash\ncheckpoints,1,{AA}\ntenant,1,{BB}\ntenant,2,{CC}\n")

    assert _copy(file) == {"checkpoints": {1: AA}, "tenant": {1: BB, 2: CC}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "chain,seq,hash\n",
        f"chain,number,hash\ntenant,1,{AA}\n",
        f"chain,seq,hash\ntenant,one,{AA}\n",
        "\x00",
    ],
)
def test_what_is_no_copy_ends_with_2_and_one_line(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        _copy(written(tmp_path, text))

    assert ended.value.exit_code == 2
    assert str(tmp_path / "copy.csv") in capsys.readouterr().err


@pytest.mark.parametrize("last", ["t", "tenant,2", "tenant,2,", "tenant,2,bbb"])
def test_a_copy_whose_last_line_is_cut_ends_with_2_and_names_the_line(
    tmp_path: Path, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        _copy(written(tmp_path, f"chain,seq,hash\ntenant,1,{AA}\n{last}"))

    assert ended.value.exit_code == 2
    assert "incomplete in line 3" in capsys.readouterr().err


def test_a_field_that_is_too_long_ends_with_2(tmp_path: Path) -> None:
    longest = csv.field_size_limit(100)
    with pytest.raises(typer.Exit) as ended:
        _copy(written(tmp_path, f"chain,seq,hash\n{'x' * 101},1,{AA}\n"))
    csv.field_size_limit(longest)

    assert ended.value.exit_code == 2


def test_a_file_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    with pytest.raises(typer.Exit) as ended:
        _copy(tmp_path / "none.csv")

    assert ended.value.exit_code == 2


def test_a_number_that_was_sent_twice_and_differs_is_bad_news(tmp_path: Path) -> None:
    with pytest.raises(typer.Exit) as ended:
        _copy(written(tmp_path, f"chain,seq,hash\ntenant,1,{AA}\ntenant,1,{AA}\ntenant,1,{BB}\n"))

    assert ended.value.exit_code == 1


@pytest.mark.parametrize("day", ["2026-02-30", "1.2.2026", "9999-01-01", ""])
def test_since_takes_a_day_that_has_begun(day: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        _day(day)

    assert ended.value.exit_code == 2
    assert "--since" in capsys.readouterr().err
