"""Run the function app of a folder."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

SITE_PACKAGES = Path(".python_packages", "lib", "site-packages")
"""Where Azure's worker looks for the packages of an app, before its own."""


def main() -> int:
    """Run until SIGTERM or SIGINT; 2 when the app cannot be hosted."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.host", description=__doc__)
    parser.add_argument(
        "--app-dir", type=Path, default=Path(), help="folder of function_app.py (or of */function.json) and host.json"
    )
    parser.add_argument("--port", type=int, default=7071, help="port of HTTP triggers, on 127.0.0.1")
    parser.add_argument(
        "--lease-seconds", type=float, default=10.0, help="how long a message of a crashed host stays hidden"
    )
    parser.add_argument("--timer-status", type=Path, help="file with the last run of each timer")
    parser.add_argument(
        "--stand-in",
        action="store_true",
        help="run the Python stand-in for a PowerShell app, even with pwsh on the path",
    )
    parser.add_argument("--seed", type=int, default=0, help="order of a PowerShell function's outputs")
    parser.add_argument(
        "--instances", type=int, help="instances that all functions share; without it, each has its own"
    )
    given = parser.parse_args()
    packages = given.app_dir.resolve() / SITE_PACKAGES
    if packages.is_dir():
        sys.path.insert(0, str(packages))
    # from here on packages are imported, and an app that brings its own gets those
    from sandbox.exchange_online import PowerShellError
    from sandbox.host.app import log_to_stderr, serve
    from sandbox.host.index import HostError

    log_to_stderr()
    try:
        asyncio.run(
            serve(
                given.app_dir,
                port=given.port,
                lease_seconds=given.lease_seconds,
                status_file=given.timer_status,
                stand_in=given.stand_in,
                seed=given.seed,
                instances=given.instances,
            )
        )
    except (HostError, PowerShellError, OSError) as error:
        sys.stderr.write(f"host: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
