"""The options of bypassctl itself stand anywhere on the line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Annotated

import pytest
import typer
from typer.testing import CliRunner

from bypass_responder.cli.root import Root, command_in

app = typer.Typer(cls=Root)


@app.callback()
def options(*, local_time: Annotated[bool, typer.Option("--local-time")] = False) -> None:
    typer.echo(f"local {local_time}")


@app.command()
def show(words: list[str]) -> None:
    typer.echo(" ".join(words))


@app.command()
def interrupt() -> None:
    raise KeyboardInterrupt


@app.command()
def fail() -> None:
    raise TypeError("no\nnumber\x1b")


def bypassctl(*arguments: str, stdout: int | IO[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bypass_responder.cli", *arguments]
    return subprocess.run(command, check=False, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60)


@pytest.mark.parametrize("line", ["--local-time show a b", "show --local-time a b", "show a b --local-time"])
def test_an_option_of_bypassctl_stands_anywhere(line: str) -> None:
    assert CliRunner().invoke(app, line.split()).stdout.splitlines() == ["local True", "a b"]


def test_after_two_dashes_nothing_is_an_option() -> None:
    shown = CliRunner().invoke(app, ["show", "a", "--", "--local-time"])

    assert shown.stdout.splitlines() == ["local False", "a --local-time"]


def test_an_unexpected_error_is_one_line_and_never_the_exit_code_that_asks_for_attention() -> None:
    shown = CliRunner().invoke(app, ["fail"])

    assert (shown.exit_code, shown.stdout, shown.stderr.count("\n")) == (3, "local False\n", 1)
    assert shown.stderr.startswith("Unexpected error: TypeError: no number\\x1b. ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_one_line_and_exit_code_3() -> None:
    with Path("/dev/full").open("w") as full:
        ended = bypassctl("--version", stdout=full)

    assert (ended.returncode, ended.stderr.count("\n"), "No space left" in ended.stderr) == (3, 1, True)


def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = bypassctl("--version", stdout=writer)
    os.close(writer)

    assert ended.stderr == ""


def test_a_terminal_without_a_character_shows_its_escape() -> None:
    code = "import sys, typer; from tests.cli.test_root import app; app(['show', 'a…'])"
    command = [sys.executable, "-c", code]
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)

    assert (ended.returncode, ended.stdout.splitlines()[-1], ended.stderr) == (0, "a\\u2026", "")


def test_csv_is_utf_8_whatever_the_terminal_has() -> None:
    code = "from bypass_responder.cli.terminal import show_csv; show_csv(['name'], [['é…']])"
    command = [sys.executable, "-c", code]
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    ended = subprocess.run(command, check=True, capture_output=True, timeout=60, env=environment)

    assert ended.stdout.decode("utf-8") == "name\né…\n"


def test_ctrl_c_ends_with_130() -> None:
    assert CliRunner().invoke(app, ["interrupt"]).exit_code == 130


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("status", "status"),
        ("--profile status incidents list", "incidents"),
        ("--local-time log show --profile x", "log"),
        ("--profile=a doctor", "doctor"),
        ("--version", ""),
        ("incidents list --profile", ""),
        ("", ""),
    ],
)
def test_the_command_is_the_first_word_that_is_no_option_of_bypassctl(line: str, command: str) -> None:
    assert command_in(line.split()) == command
