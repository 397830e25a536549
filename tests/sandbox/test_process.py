"""The tenant as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from sandbox.tenant.client import SandboxClient


def test_it_announces_where_everything_is(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"accounts": [{"user_principal_name": "only@contoso.example"}]}))
    command = [sys.executable, "-m", "sandbox.tenant", "--state", str(state)]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        announced = json.loads(process.stdout.readline())
        with SandboxClient(announced["url"]) as client:
            accounts = client.state()["accounts"]
        process.terminate()

    assert [account["user_principal_name"] for account in accounts] == ["only@contoso.example"]
    assert announced["responder_environment"]["IDENTITY_ENDPOINT"].startswith(announced["url"])
