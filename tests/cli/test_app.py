"""bypassctl itself, before any command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import typer
from typer.testing import CliRunner

from bypass_responder import __version__
from bypass_responder.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.testing import Result

COMPLETE = {"_BYPASSCTL_COMPLETE": "complete_bash"}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def every_command() -> Iterator[tuple[str, ...]]:
    def walk(command: object, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield words
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*words, name))

    yield from walk(typer.main.get_command(app), ())


def completed(line: str) -> list[str]:
    words = line.split(" ")
    env = COMPLETE | {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    return CliRunner().invoke(app, [], env=env, prog_name="bypassctl").stdout.split()


def test_the_version_is_printed() -> None:
    shown = run("--version")

    assert (shown.output, shown.exit_code) == (f"bypassctl {__version__}\n", 0)


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_every_command_is_explained_by_h(words: tuple[str, ...]) -> None:
    shown = run(*words, "-h")

    assert (shown.exit_code, "Usage:" in shown.stdout) == (0, True)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("incidents", "approve", "x"), "Missing option '--reason'. See: bypassctl incidents approve --help"),
        (("incidents", "list", "--limit", "0"), "Invalid value for '--limit': must be greater than or equal to 1"),
        (("status", "-o", "xml"), "'xml' is not one of 'table', 'json', 'csv'. See: bypassctl status --help"),
        (("statsu",), "No such command 'statsu'. Did you mean 'status'"),
        (("status", "--formt", "json"), "No such option: --formt"),
        (("log", "show"), "Missing argument"),
        (("incidents", "list", "--profile"), "Option '--profile' requires an argument."),
    ],
)
def test_an_invalid_argument_is_one_line_with_the_fix(words: tuple[str, ...], error: str) -> None:
    shown = CliRunner().invoke(app, words, prog_name="bypassctl")

    assert (shown.exit_code, shown.stdout, shown.stderr.count("\n")) == (2, "", 1)
    assert error in shown.stderr


def test_no_command_at_all_shows_what_there_is() -> None:
    shown = run()

    assert (shown.exit_code, "incidents" in shown.output) == (2, True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bypassctl status -o ", ["table", "json", "csv"]),
        ("bypassctl grant --block-administrators p", ["privileged"]),
        ("bypassctl inc", ["incidents"]),
    ],
)
def test_commands_and_enumerated_values_are_completed(line: str, words: list[str]) -> None:
    assert completed(line) == words


def test_a_data_command_loads_only_what_it_needs(azurite: str, tmp_path: Path) -> None:
    code = """
import sys
sys.argv = ["bypassctl", "incidents", "list"]
from bypass_responder.cli.main import main
try:
    main()
except SystemExit:
    heavy = {"aiohttp.connector", "httpx", "msal", "rich.console", "azure.storage.blob", "bypass_responder.model.case"}
    print(sorted(heavy & set(sys.modules)), "requests" in sys.modules)
"""
    settings = {"TENANT_ID": str(uuid4()), "ResponderStorage": azurite, "XDG_CONFIG_HOME": str(tmp_path)}
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, check=True, text=True, env=os.environ | settings, timeout=60)

    assert ended.stdout.splitlines()[-1] == "[] True"
