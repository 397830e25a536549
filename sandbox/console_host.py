"""`python -m sandbox.console_host`: the console under uvicorn, behind a stand-in sign-in page.

The people who can sign in are made up.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys

import uvicorn

from bypass_responder import bootstrap
from bypass_responder.console.app import create_app
from sandbox.sign_in import SignIn


def main() -> int:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.console_host", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    console = bootstrap.build_console(os.environ)
    app = SignIn(create_app(console, secrets.token_bytes(32)), tenant_id=console.services.settings.tenant_id)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", server_header=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
