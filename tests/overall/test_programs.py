"""What the tests promise: a hang ends with a stack, and a failing program shows its output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import report, running

HANGING = """
import time
import pytest

@pytest.mark.timeout(1)
def test_that_hangs():
    time.sleep(60)

def test_after_it():
    assert True
"""


def test_a_test_that_hangs_fails_with_its_stack_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "test_hanging.py").write_text(HANGING, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "-s", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)

    assert "1 failed, 1 passed" in ended.stdout
    assert "time.sleep(60)" in ended.stdout


def test_a_program_without_a_report_shows_its_output() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"(?s)no storage.*Traceback"):
        report("no storage\n", "Traceback")


def test_a_program_does_not_outlive_the_test_that_failed() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(AssertionError), running(command) as program:
        raise AssertionError

    assert program.returncode
