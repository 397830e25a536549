"""The script of `bypassctl grant`, for an administrator who has nothing but the Azure CLI."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from bypass_responder.rights import EVIDENCE_SETS
from sandbox.tenant.identity import ADMINISTRATOR_SECRET
from tests.cli.granting import COMPLETE, OURS, Directory, evidence_of

AZ = """#!{python}
import json, sys, urllib.error, urllib.request
words = sys.argv[1:]
option = lambda name: words[words.index(name) + 1]
query = option("--query") if "--query" in words else None
if words[:2] == ["account", "show"]:
    found = {{"tenantId": {tenant!r}}}
else:
    asked = urllib.request.Request(option("--url"), method=option("--method").upper())
    asked.add_header("Authorization", "Bearer " + {token!r})
    if "--body" in words:
        asked.data = json.dumps(json.loads(option("--body"))).encode()
        asked.add_header(*option("--headers").split("="))
    try:
        with urllib.request.urlopen(asked) as answer:
            found = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        sys.exit("ERROR: " + error.read().decode())
if query:
    print(found[query])
"""
"""The Azure CLI as far as the script uses it, signed in as an administrator, on the stand-in Graph."""


@pytest.fixture
def administrator(directory: Directory, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a script with nothing but the Azure CLI."""
    identity = httpx.get(
        f"{directory.url}/identity/token",
        params={"resource": "https://graph.microsoft.com", "api-version": "2019-08-01"},
        headers={"X-IDENTITY-HEADER": ADMINISTRATOR_SECRET},
    )

    def ran(script: str, tenant: str = directory.tenant.settings.tenant_id) -> subprocess.CompletedProcess[str]:
        az = tmp_path / "az"
        az.write_text(AZ.format(python=sys.executable, tenant=tenant, token=identity.json()["access_token"]))
        az.chmod(0o755)
        return subprocess.run(
            ["/bin/sh", "-s"],
            input=script,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": str(tmp_path)},
        )

    return ran


def test_the_script_grants_the_same(
    directory: Directory, administrator: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    ended = administrator(directory.run("--script").out)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert directory.rights == COMPLETE
    assert directory.run("--check").code == 0


def test_the_script_skips_what_is_granted(
    directory: Directory, administrator: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    directory.have(OURS)
    ended = administrator(directory.run("--script").out)

    assert ended.stdout.count("already granted: ") == len(OURS)
    assert (ended.returncode, directory.rights) == (0, COMPLETE)


def test_the_script_grants_nothing_in_another_tenant(
    directory: Directory, administrator: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    ended = administrator(directory.run("--script").out, tenant="another")

    assert (ended.returncode, directory.changes) == (1, 0)
    assert "az login --tenant" in ended.stderr


def test_the_script_grants_nothing_to_ids_of_two_identities(
    directory: Directory, administrator: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    script = directory.run("--script", WORKER_CLIENT_ID=directory.responder.client_id).out
    ended = administrator(script)

    assert (ended.returncode, directory.changes) == (1, 0)
    assert "Nothing was granted" in ended.stderr


def test_the_script_stops_at_what_is_refused(
    directory: Directory, administrator: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    script = directory.run("--script").out
    directory.fault(kind="server_error", endpoint="graph.post_rights")
    ended = administrator(script)

    assert (ended.returncode, directory.rights) == (1, [])
    assert "Not granted: responder: User.Read.All" in ended.stderr


def test_the_script_needs_no_directory(directory: Directory) -> None:
    said = directory.run("--script", GRAPH_URL="https://unreachable.example")

    assert (said.code, "__" in said.out) == (0, False)


def test_the_script_goes_with_no_other_option(directory: Directory) -> None:
    assert directory.run("--script", "--revoke").code == 2


def test_the_script_grants_for_evidence_too(
    directory: Directory, administrator: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    ended = administrator(directory.run("--script", "--evidence", "core").out)

    assert (ended.returncode, len(evidence_of(directory))) == (0, len(EVIDENCE_SETS["core"]))
