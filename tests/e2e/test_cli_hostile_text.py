"""Nothing raw from a record, or from an argument, reaches the output of bypassctl."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Mapping

import pytest

from sandbox.azurite import missing
from sandbox.child import ROOT
from tests.e2e.ctl import bypassctl, bypassctl_program
from tests.e2e.live import Live

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")

EVIL = "\x1b]0;owned\x07\x1b[2J\u202e[red]evil[/red]@contoso.onmicrosoft.com"
RAW = ("\x1b]0;", "\x07", "\x1b[2J", "\u202e")


@pytest.fixture
async def hostile(live: Live) -> Live:
    """The actor's name, and what an unreadable record says, are made to be shown on a terminal."""
    live.attack("bypass", target="alex", actor=EVIL)
    live.client.publish_raw(f'[{{"Operation":"Set-MailboxAuditBypassAssociation","{EVIL}":17}}]'.encode())
    live.client.publish([{"Operation": "Set-MailboxAuditBypassAssociation", "Id": EVIL, EVIL: EVIL}])
    await live.runs()
    return live


@pytest.mark.parametrize(
    "command",
    [("incidents", "list", "--findings"), ("incidents", "show"), ("log", "show"), ("status",)],
    ids=" ".join,
)
@pytest.mark.parametrize("output", ["table", "json"])
async def test_nothing_raw_from_a_record_reaches_the_output(
    hostile: Live, command: tuple[str, ...], output: str
) -> None:
    subject = [(await hostile.incident()).id] if "show" in command else []
    said = await bypassctl(hostile.cli_env, *command, *subject, "--output", output)

    assert [raw for raw in RAW if raw in said.out + said.err] == []
    assert said.code in {0, 1}


@pytest.mark.slow
async def test_markup_in_a_name_is_shown_and_not_obeyed(hostile: Live) -> None:
    incident = await hostile.incident()
    said = await bypassctl(hostile.cli_env, "incidents", "show", incident.id)

    assert "[red]evil[/red]" in said.out


@pytest.mark.slow
async def test_nothing_raw_reaches_a_terminal(hostile: Live) -> None:
    incident = await hostile.incident()
    shown = await asyncio.to_thread(on_a_terminal, hostile.cli_env, "incidents", "show", incident.id)

    assert (incident.id in shown, [raw for raw in RAW if raw in shown]) == (True, [])


def on_a_terminal(env: Mapping[str, str], *arguments: str) -> str:
    """What a terminal is sent."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bypass_responder.cli", *arguments]
    environment = {"PYTHONPATH": str(ROOT / "src"), "TERM": "xterm-256color", "COLUMNS": "200"} | dict(env)
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:
        pass  # the other end was closed: that is how a terminal ends
    process.wait(timeout=30)
    os.close(ours)
    return shown.decode(errors="replace")


@pytest.mark.slow
async def test_a_hostile_argument_is_shown_printable(live: Live) -> None:
    said = await asyncio.to_thread(bypassctl_program, live.cli_env, "incidents", "show", EVIL)

    assert (said.code, [raw for raw in RAW if raw in said.out + said.err]) == (3, [])
