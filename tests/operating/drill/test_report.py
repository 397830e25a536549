"""The report of a drill."""

from __future__ import annotations

from pathlib import Path

import pytest

from bypass_responder.errors import InputError
from bypass_responder.operating.drill.fixes import FIXES
from bypass_responder.operating.drill.report import Drill, Result, load, markdown, save
from tests.operating.drill.test_walk import a_drill
from tests.world import START


def with_detail(detail: str) -> Drill:
    return a_drill(results={"doctor": Result(answer="failed", detail=detail, by="bypassctl", at=START)})


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    drill = with_detail("feed_silent")
    save(drill, tmp_path / "new")

    assert load(tmp_path / "new") == drill


def test_there_may_be_none(tmp_path: Path) -> None:
    assert load(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[1]"])
def test_another_file_is_not_overwritten(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "drill.json").write_bytes(content)

    with pytest.raises(InputError, match="is not a drill"):
        load(tmp_path)


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(InputError, match="cannot be written"):
        save(a_drill(), tmp_path / "file")


def test_a_detail_is_no_markup_and_ends_no_cell() -> None:
    assert "<b>" not in markdown(with_detail("a|b <b>\nnext"))
    assert r"a\|b \<b\> next" in markdown(with_detail("a|b <b>\nnext"))


def test_the_first_line_has_the_state() -> None:
    assert markdown(with_detail("x")).startswith("# Drill: failed\n")
    assert markdown(a_drill()).startswith("# Drill: not finished\n")


def test_a_line_that_failed_has_its_fix_and_no_other_has() -> None:
    report = markdown(with_detail("feed_silent"))

    assert [fix for fix in FIXES.values() if f"| {fix} |" in report] == [FIXES["doctor"]]
