"""Attacks on the stand-in tenant: its state changes, and the feed delivers the records that the real service would.

``run`` is the command's function; ``stage`` does it inside the tenant. Without ``target`` and ``actor`` a scenario
takes accounts of the default tenant.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.scenarios import SCENARIOS, Scene, UnknownScenarioError, account_named
from sandbox.tenant.client import SandboxClient

if TYPE_CHECKING:
    from sandbox.tenant.state import Tenant

DEFAULT_URL = "http://127.0.0.1:8025"
"""Where `make serve` puts the tenant."""


def help_lines() -> dict[str, str]:
    """One line for each scenario."""
    return {
        name: f"{(act.__doc__ or '').splitlines()[0]} Default target: {alias}."
        for name, (act, alias) in SCENARIOS.items()
    }


def stage(
    tenant: Tenant,
    scenario: str,
    *,
    target: str | None = None,
    actor: str | None = None,
    feed_delay_seconds: float = 0.0,
    silent: bool = False,
) -> dict[str, Any]:
    """Change the tenant and deliver the records after the delay; ``silent`` creates no record."""
    if scenario not in SCENARIOS:
        msg = f"no scenario {scenario!r}; there are {', '.join(SCENARIOS)}"
        raise UnknownScenarioError(msg)
    act, alias = SCENARIOS[scenario]
    who = actor or f"mallory@{tenant.settings.domain}"
    scene = Scene(tenant, account_named(tenant, target or alias), who, feed_delay_seconds, silent)
    records = act(scene)
    scene.deliver(records)
    return {
        "scenario": scenario,
        "target": scene.target.user_principal_name,
        "object_id": scene.target.object_id,
        "actor": who,
        "records": [] if silent else records,
    }


def run(scenario: str, *, url: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - as SandboxClient.attack has them
    """Stage a scenario in the tenant at ``url``; raises ValueError that names the problem of the request."""
    with SandboxClient(url) as client:
        return client.attack(scenario, **options)


def main(argv: list[str]) -> int:
    """Stage a scenario and print it as JSON; 1 when the tenant does not run, 2 when the request is wrong."""
    scenarios = "\n".join(f"  {name:16} {line}" for name, line in help_lines().items())
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
    parser.add_argument("--silent", action="store_true", help="leave no audit record")
    parser.add_argument("--url", default=DEFAULT_URL, help="address of the tenant (default: %(default)s)")
    given = parser.parse_args(argv)
    try:
        staged = run(**vars(given))
    except ValueError as error:
        sys.stderr.write(f"attack: {error}\n")
        return 2
    except httpx.TransportError:
        sys.stderr.write(f"attack: no stand-in tenant answers at {given.url}; start it with `make serve`\n")
        return 1
    print(json.dumps(staged, indent=2))
    return 0
