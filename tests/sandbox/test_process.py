"""The tenant as a separate process."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

from sandbox.child import ROOT, free_ports
from sandbox.stage_settings import Ports
from sandbox.tenant.client import SandboxClient
from tests.programs import running


def test_it_announces_where_everything_is(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"accounts": [{"user_principal_name": "only@contoso.example"}]}))
    command = [sys.executable, "-m", "sandbox.tenant", "--state", str(state)]

    with running(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        announced = json.loads(process.stdout.readline())
        with SandboxClient(announced["url"]) as client:
            accounts = client.state()["accounts"]
        process.terminate()

    assert [account["user_principal_name"] for account in accounts] == ["only@contoso.example"]
    assert announced["responder_environment"]["IDENTITY_ENDPOINT"].startswith(announced["url"])


def test_a_second_sandbox_on_the_same_ports_is_refused_before_it_touches_anything(tmp_path: Path) -> None:
    kept = tmp_path / "storage" / "kept"
    kept.parent.mkdir()
    kept.touch()
    (taken,) = free_ports(1)
    first = taken - Ports.from_first(0).tenant
    with socket.create_server(("127.0.0.1", taken)):
        command = [sys.executable, "-m", "sandbox", "serve", "--folder", str(tmp_path)]
        command += ["--first-port", str(first)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    # Other tests may listen on the six ports beside it, and the message names them too.
    assert re.search(rf"port .*\b{taken}\b.* is in use", ended.stderr)
    assert kept.exists()
