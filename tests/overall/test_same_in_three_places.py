"""Pages, API and bypassctl do the same.

One table in docs/console.md is compared with the routes and the commands.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from fastapi.routing import APIRoute, iter_route_contexts

from bypass_responder.cli.app import app
from bypass_responder.console.access import API
from bypass_responder.console.app import description_of_api, routed

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "console.md"
NOT_A_TASK = {"GET /", "GET /welcome", "GET /allowlist/add", "GET /allowlist/import"}
"""Pages that lead to others."""
GROUPS = ("accounts", "allowlist", "incidents", "log", "posture")
ALONE = ("status", "window")
"""Commands and groups of bypassctl that the console must cover."""
ONLY_ON_A_MACHINE = {
    *("incidents watch", "posture check", "posture compare", "posture plan", "posture read"),
    *("posture apply", "posture undo", "posture stop"),
}
"""A page is loaded again instead; pipelines and files are of a machine."""


def table() -> list[list[set[str]]]:
    """For each line, what its page, its API and its command are."""
    text = DOCUMENT.read_text(encoding="utf-8").split("## The same in three places", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    cells = [line.strip("|").split("|")[1:] for line in lines]
    return [[set(re.findall(r"`([^`]+)`", cell)) for cell in line] for line in cells]


def column(number: int) -> set[str]:
    return set().union(*(line[number] for line in table()))


def pages() -> set[str]:
    routes = [each for each in iter_route_contexts(routed().routes) if isinstance(each.route, APIRoute)]
    every = {f"{method} {each.path}" for each in routes for method in each.methods or ()}
    return {each for each in every if API not in each} - NOT_A_TASK


def operations() -> set[str]:
    paths = description_of_api()["paths"]
    return {f"{method.upper()} {path.removeprefix(API)}" for path, those in paths.items() for method in those}


def commands() -> Iterator[str]:
    root = typer.main.get_command(app)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        if name in GROUPS:
            yield from (f"{name} {each}" for each in command.commands)
        elif name in ALONE:
            yield name


def test_every_page_is_in_the_table() -> None:
    assert column(0) == pages()


def test_every_operation_of_the_api_is_in_the_table() -> None:
    assert column(1) == operations()


def test_every_command_is_in_the_table() -> None:
    named = {each.partition(" --")[0] for each in column(2)}

    assert named == set(commands()) - ONLY_ON_A_MACHINE


@pytest.mark.parametrize("line", table(), ids=lambda line: " ".join(sorted(line[0])))
def test_what_one_can_do_all_can(line: list[set[str]]) -> None:
    assert all(line)
