"""The roles that Bicep predicts for an installation are the documented ones, each as narrow as it can be."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
OPERATORS, READERS = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
SENDER = "33333333-3333-4333-8333-333333333333"
SOMEBODY = "66666666-6666-4666-8666-666666666666"
PARAMETERS = f"""using 'main.bicep'
param environmentName = 'contoso'
param location = 'westeurope'
param exchangeOrganization = 'contoso.onmicrosoft.com'
param alertEmail = 'soc@contoso.com'
param networkIsolation = true
param notificationWebhookUrl = 'https://hooks.contoso.com/bypass'
param operatorsGroupId = '{OPERATORS}'
param readersGroupId = '{READERS}'
param alertSenderPrincipalIds = '{SENDER}, {SENDER}'
"""
WHO = {OPERATORS: "operators", READERS: "readers", SENDER: "sender"}
MODULES = {"responderIdentity": "responder", "workerIdentity": "worker", "topic": "topic"}
WORDS = {
    "Storage Table Data Contributor": "write",
    "Storage Blob Data Contributor": "write",
    "Storage Table Data Reader": "read",
    "Storage Blob Data Reader": "read",
    "Storage Queue Data Reader": "look",
    "Storage Queue Data Message Sender": "send",
    "Storage Queue Data Message Processor": "drain",
    "Storage Queue Data Contributor": "take",
}
"""As docs/infrastructure.md explains them."""

pytestmark = pytest.mark.skipif(shutil.which("bicep") is None, reason="Bicep is not on the path")


def role_names() -> dict[str, str]:
    """GUID to the name that stands beside it."""
    text = (ROOT / "infra" / "modules" / "roles.bicep").read_text(encoding="utf-8")
    return dict(re.findall(r"^  \w+: '([0-9a-f-]{36})' // (.+)$", text, re.MULTILINE))


def given(assignment: dict[str, Any]) -> tuple[str, str, str]:
    """Who, the role's name, and the id of what it is on."""
    principal = assignment["properties"]["principalId"]
    who = WHO.get(principal) or MODULES[re.findall(r"uniqueString\('(\w+)'", principal)[0]]
    role = role_names()[assignment["properties"]["roleDefinitionId"].rpartition("/")[2]]
    scope = re.findall(
        r"^(?:\[extensionResourceId\(')?(/.+?)(?:'|/providers/Microsoft\.Authorization)", assignment["id"]
    )
    return who, role, scope[0]


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    folder = tmp_path_factory.mktemp("snapshot") / "infra"
    shutil.copytree(ROOT / "infra", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "checks", "hooks"))
    (folder / "all.bicepparam").write_text(PARAMETERS, encoding="utf-8")
    place = ["--subscription-id", SOMEBODY, "--tenant-id", SOMEBODY, "--location", "westeurope"]
    command = ["bicep", "snapshot", str(folder / "all.bicepparam"), "--mode", "overwrite", *place]
    subprocess.run(command, check=True, capture_output=True)
    found = json.loads((folder / "all.snapshot.json").read_text(encoding="utf-8"))["predictedResources"]
    return [given(each) for each in found if each["type"].endswith("/roleAssignments")]


def in_data_account(scope: str) -> bool:
    return "/storageAccounts/stbypass" in scope


def documented() -> dict[tuple[str, str], set[str]]:
    """Thing and who, to the words of the cell."""
    text = (ROOT / "docs" / "infrastructure.md").read_text(encoding="utf-8")
    table = text.split("## Who may do what in the data account\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]
    head, _, *lines = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    cells = {
        (thing, who.strip()): set(re.findall(r"write|read|look|send|drain|take", cell))
        for line in lines
        for thing in re.findall(r"`([^`]+)`", line[0])
        for who, cell in zip(head[1:], line[1:], strict=True)
    }
    return {key: words for key, words in cells.items() if words}


def test_the_table_says_what_the_template_gives(roles: list[tuple[str, str, str]]) -> None:
    really = defaultdict[tuple[str, str], set[str]](set)
    for who, role, scope in roles:
        if in_data_account(scope):
            really[scope.rpartition("/")[2], who].add(WORDS[role])

    assert documented() == really


def test_no_role_is_on_the_whole_data_account_nor_on_a_group_of_resources(roles: list[tuple[str, str, str]]) -> None:
    narrow = re.compile(r"/(tables|queues|containers)/[\w-]+$")
    wide = [each for each in roles if in_data_account(each[2]) and not narrow.search(each[2])]

    assert wide + [each for each in roles if "/providers/" not in each[2]] == []


def test_each_app_has_a_role_on_its_own_host_account_only(roles: list[tuple[str, str, str]]) -> None:
    hosts = {(who, scope.rpartition("/")[2][:10]) for who, _, scope in roles if "/storageAccounts/sthost" in scope}

    assert hosts == {("responder", "sthostresp"), ("worker", "sthostexch")}


def test_what_else_is_given_is_this(roles: list[tuple[str, str, str]]) -> None:
    others = {(who, role) for who, role, scope in roles if "/storageAccounts/" not in scope}

    assert others == {
        ("responder", "Monitoring Metrics Publisher"),
        ("worker", "Monitoring Metrics Publisher"),
        ("responder", "Key Vault Secrets User"),
        ("operators", "Key Vault Secrets Officer"),
        ("operators", "Log Analytics Reader"),
        ("readers", "Log Analytics Reader"),
        ("sender", "EventGrid Data Sender"),
    }


def test_no_role_is_given_twice(roles: list[tuple[str, str, str]]) -> None:
    assert len(roles) == len(set(roles))
