"""The options of bypassctl itself stand anywhere on the line."""

from __future__ import annotations

from typing import Annotated

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


@pytest.mark.parametrize("line", ["--local-time show a b", "show --local-time a b", "show a b --local-time"])
def test_an_option_of_bypassctl_stands_anywhere(line: str) -> None:
    assert CliRunner().invoke(app, line.split()).stdout.splitlines() == ["local True", "a b"]


def test_after_two_dashes_nothing_is_an_option() -> None:
    shown = CliRunner().invoke(app, ["show", "a", "--", "--local-time"])

    assert shown.stdout.splitlines() == ["local False", "a --local-time"]


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
        ("", ""),
    ],
)
def test_the_command_is_the_first_word_that_is_no_option_of_bypassctl(line: str, command: str) -> None:
    assert command_in(line.split()) == command
