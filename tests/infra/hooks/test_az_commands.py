"""Every ``az`` command of the hooks, the workflows and the documents, parsed by the real Azure CLI.

`make az-check` runs it. Nothing is executed, and nobody has to be signed in.
"""

from __future__ import annotations

import itertools
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.infra.hooks.stand_ins import ROOT, Checkout

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHON = ROOT / ".venv-az" / "bin" / "python"
PROGRAM = Path(__file__).with_name("parse_az.py")
ENDS = {"|", "||", "&", "&&", ";", "(", ")", ">"}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not PYTHON.exists(),
        reason="azure-cli is not installed: `python3 -m venv .venv-az` and "
        "`.venv-az/bin/pip install --requirement infra/requirements-az.txt` (733 MB)",
    ),
]


def problems(commands: list[list[str]]) -> dict[str, str]:
    """What the Azure CLI refuses, by command line."""
    ended = subprocess.run(
        [str(PYTHON), str(PROGRAM)], input=json.dumps(commands), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    found = zip(commands, json.loads(ended.stdout), strict=True)
    return {" ".join(["az", *words]): problem for words, problem in found if problem}


def commands_in(text: str) -> Iterator[list[str]]:
    """Return the words of each command in a script, without ``az``.

    A command inside another one is a value of it.
    """
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        for match in re.finditer(r"(?<![\w/`-])az (?=[a-z])", line):
            yield _words(_until_closed(re.sub(r"\$\([^()]*\)", "VALUE", line[match.end() :])))


def _until_closed(text: str) -> str:
    """The text before the parenthesis that closes the one around the command."""
    quote = ""
    for at, character in enumerate(text):
        if character in {quote, "'", '"'} and quote in {"", character}:
            quote = "" if quote else character
        if character == ")" and not quote:
            return text[:at]
    return text


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    return list(itertools.takewhile(lambda word: word not in ENDS, lexer))


def documented() -> list[list[str]]:
    pages = sorted((ROOT / "docs").glob("*.md"))
    blocks = [block for page in pages for block in re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]
    return [words for block in blocks for words in commands_in(block)]


def in_workflows() -> list[list[str]]:
    files = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    return [words for file in files for words in commands_in(file.read_text("utf-8"))]


@pytest.mark.parametrize("shell", ["sh", "pwsh"])
def test_the_hooks_calls_are_ones_that_azure_cli_takes(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not on PATH")
    checkout = Checkout(tmp_path, shell)
    for hook in ("postprovision", "predeploy", "postdeploy", "predown"):
        checkout.run(hook)
    calls = [call[1:] for call in checkout.calls() if call[0] == "az"]

    assert calls
    assert problems(calls) == {}


@pytest.mark.parametrize("found", [documented, in_workflows])
def test_the_commands_of_documents_and_workflows_are_ones_that_azure_cli_takes(found: object) -> None:
    commands = found()  # type: ignore[operator]

    assert commands
    assert problems(commands) == {}


@pytest.mark.parametrize(
    "broken",
    [
        ["deployment", "group", "create", "--resource-grup", "rg", "--template-file", "infra/events.bicep"],
        ["deployment", "group", "make", "--resource-group", "rg"],
        ["storage", "container", "create", "--name", "evidence", "--auth-mode", "entra"],
        ["keyvault", "secret", "set", "--vault-name", "kv"],
    ],
)
def test_a_command_that_azure_cli_refuses_is_named(broken: list[str]) -> None:
    assert problems([broken])
