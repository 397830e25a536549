"""Start the whole sandbox, on the same addresses every time, and keep it running."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from bypass_responder import bootstrap
from bypass_responder.cli import profile_file
from bypass_responder.errors import SettingError
from bypass_responder.operating.status import read_status
from sandbox.child import ROOT, ChildError, listens
from sandbox.stage import Stage
from sandbox.stage_settings import Ports
from sandbox.tenant.account import DOMAIN
from sandbox.tenant.opened import OWNER

WATCHED = f"{OWNER}@{DOMAIN}"
"""The mailbox that others open, so that `bypassctl posture access` shows something."""
HOST = "AzureFunctionsJobHost__"
"""What the name of a setting that overrides a value in host.json begins with."""
SHOWN = (
    *("TENANT_ID", "MODE", "PROTECTED_OBJECT_IDS", "EXCHANGE_WORKER_IDS", "ResponderStorage"),
    *("GRAPH_URL", "MANAGEMENT_API_URL"),
    *("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "NOTIFICATION_WEBHOOK_URL", "NOTIFICATION_WEBHOOK_SECRET"),
)


def main(argv: list[str]) -> int:
    """Run until Ctrl-C or SIGTERM; 1 when a part did not start or ended unexpectedly."""
    parser = argparse.ArgumentParser(prog="python -m sandbox serve", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".sandbox", help="folder of storage and logs")
    parser.add_argument("--keep", action="store_true", help="keep what an earlier run stored")
    parser.add_argument("--mode", choices=("observe", "enforce"), default="enforce")
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        type=_setting,
        metavar="NAME=VALUE",
        help="a setting of docs/settings.md; may be repeated",
    )
    parser.add_argument("--evidence", action="store_true", help="grant the optional permissions of the evidence run")
    parser.add_argument("--hunting", action="store_true", help="grant the optional permission of the hunting sensor")
    parser.add_argument("--seed", help="inject random faults with this seed")
    parser.add_argument("--first-port", type=int, help="first of seven ports, to run beside another sandbox")
    given = parser.parse_args(argv)
    ports = Ports() if given.first_port is None else Ports.from_first(given.first_port)
    if taken := [str(port) for port in astuple(ports) if listens(port)]:
        sys.stderr.write(f"serve: port {', '.join(taken)} is in use. Is another sandbox running? End it first.\n")
        return 1
    if not given.keep:
        shutil.rmtree(given.folder / "storage", ignore_errors=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    optional = ("--evidence",) * given.evidence + ("--hunting",) * given.hunting
    tenant = (*(("--seed", given.seed) if given.seed else ()), *optional)
    settings = {
        "MODE": given.mode,
        "WATCHED_MAILBOXES": WATCHED,
        "CONSOLE_URL": f"http://127.0.0.1:{ports.console}",
        **dict(given.setting),
    }
    profile = "sandbox" if given.first_port is None else f"sandbox-{given.first_port}"
    try:
        with (
            Stage(given.folder, settings=settings, ports=ports, tenant_arguments=tenant, console=True) as stage,
            kept_profile(
                profile, {name: stage.env[name] for name in (*SHOWN, *settings) if name in profile_file.KNOWN}
            ),
        ):
            asyncio.run(_first_runs(stage))
            print(_guide(stage, profile), flush=True)
            while not (ended := stage.ended()):
                time.sleep(0.5)
            sys.stderr.write(f"ended unexpectedly: {', '.join(ended)}; see the logs in {given.folder}\n")
            return 1
    except (ChildError, SettingError) as error:
        sys.stderr.write(f"serve: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 0


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    if name not in _settings() and not name.startswith(HOST):
        near = get_close_matches(name, _settings(), n=1)
        instead = f"did you mean {near[0]}?" if near else "see docs/settings.md"
        raise argparse.ArgumentTypeError(f"{name} is not a setting: {instead}")
    return name, value


@cache
def _settings() -> set[str]:
    """Return the names of all settings of the responder, its console and the worker."""
    examples = [ROOT / folder / "local.settings.example.json" for folder in (".", "src/exchange_worker")]
    values = (json.loads(example.read_text(encoding="utf-8"))["Values"] for example in examples)
    return profile_file.KNOWN.union(*values)


async def _first_runs(stage: Stage) -> None:
    """Wait for poll, sweep and self-check.

    An attack before the poll would count as older than the first start.
    """
    responder = bootstrap.build(stage.env)
    try:
        while not stage.ended():
            status = await read_status(responder.services, responder.self_checks)
            if status.cursor and status.sweep.complete_at and status.self_check:
                return
            await asyncio.sleep(0.3)
    finally:
        await responder.aclose()


@contextmanager
def kept_profile(name: str, settings: dict[str, str]) -> Iterator[None]:
    """Keep a profile of bypassctl while the sandbox runs, unless another run has replaced it by then."""
    profiles = profile_file.load()
    profiles.named[name] = settings
    profile_file.save(profiles)
    try:
        yield
    finally:
        profiles = profile_file.load()
        if profiles.named.get(name) == settings:
            del profiles.named[name]
            profile_file.save(profiles)


def _guide(stage: Stage, profile: str) -> str:
    return f"""\
The sandbox runs. Ctrl-C ends it; what it stored stays in {stage.folder} for `--keep`.

  console        {stage.console_url}   (sign in as one of the made-up people)
  notifications  {stage.notifications_url}   (what the webhook received)
  tenant         {stage.tenant_url}   (audit feed, Graph, Exchange; /sandbox/state shows its true state)
  host           {stage.host_url}/api/health
  storage        blob {stage.ports.blob}, queue {stage.ports.queue}, table {stage.ports.table} on 127.0.0.1 (Azurite)
  logs           {stage.folder}/*.log

Attack, in another terminal (`--help` lists the scenarios):
  {sys.executable} -m sandbox attack bypass --url {stage.tenant_url}

Inspect it with bypassctl, whose profile {profile} ends with the sandbox:
  {Path(sys.executable).with_name("bypassctl")} --profile {profile} status
"""
