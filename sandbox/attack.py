"""Attacks on the stand-in tenant: its state changes, and the feed delivers their audit records.

They are the records that the real service would deliver. ``run`` is the command's function. Without ``target`` and
``actor`` a scenario takes accounts of the default tenant.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import httpx

from sandbox.tenant.client import SandboxClient
from sandbox.tenant.scenarios import SCENARIOS

DEFAULT_URL = "http://127.0.0.1:8025"
"""Where `make serve` puts the tenant."""


def help_lines() -> dict[str, str]:
    """One line for each scenario."""
    return {
        name: f"{(act.__doc__ or '').splitlines()[0]} Default target: {alias}."
        for name, (act, alias) in SCENARIOS.items()
    }


def run(scenario: str, *, url: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - as SandboxClient.attack has them
    """Stage a scenario in the tenant at ``url``; raises ValueError that names the problem of the request."""
    with SandboxClient(url) as client:
        return client.attack(scenario, **options)


def main(argv: list[str]) -> int:
    """Stage a scenario and print it as JSON; 1 when the tenant does not run, 2 when the request is wrong."""
    scenarios = "\n".join(f"  {name:20} {line}" for name, line in help_lines().items())
    parser = argparse.ArgumentParser(
        prog="python -m sandbox attack",
        description="Stage an attack in a running stand-in tenant.",
        epilog=f"scenarios:\n{scenarios}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", choices=SCENARIOS, metavar="SCENARIO")
    parser.add_argument("--target", help="object id, UPN, or the part of it before the @")
    parser.add_argument("--actor", help="UPN of the account that runs the cmdlet")
    parser.add_argument(
        "--feed-delay-seconds",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="delay of its audit records in the feed",
    )
    parser.add_argument(
        "--traces",
        action="store_true",
        help="leave one trace of every kind in the logs, which `serve --evidence` reads",
    )
    parser.add_argument(
        "--hunting-delay-seconds",
        type=float,
        metavar="SECONDS",
        help="delay of its audit records in advanced hunting, which `serve --hunting` lets the responder read",
    )
    parser.add_argument("--silent", action="store_true", help="leave no audit record")
    parser.add_argument("--url", default=DEFAULT_URL, help="address of the tenant (default: %(default)s)")
    given = parser.parse_args(argv)
    try:
        staged = run(**vars(given))
    except json.JSONDecodeError:
        sys.stderr.write(f"attack: {given.url} is not the address of a stand-in tenant; `make serve` prints it\n")
        return 2
    except ValueError as error:
        sys.stderr.write(f"attack: {error}\n")
        return 2
    except httpx.TransportError:
        sys.stderr.write(f"attack: no stand-in tenant answers at {given.url}; start it with `make serve`\n")
        return 1
    print(json.dumps(staged, indent=2))
    return 0
