"""Who gets which role on what: exactly what docs/infrastructure.md and the table below say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.checks import predicted
from infra.checks.predicted import OPERATORS, READERS, SENDER, of_type
from infra.checks.unreadable import UnreadableError, reported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Given = tuple[str, str, str]
"""Who, the role by its name, and what it is on: ``tables/Ledger`` is of the data account."""

ROLES = {
    "d5a91429-5739-47e2-a06b-3470a27159e7": "EventGrid Data Sender",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "73c42c96-874c-492b-b04d-ab87d138a893": "Log Analytics Reader",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "19e7f393-937e-4f77-808e-94535e297925": "Storage Queue Data Reader",
    "8a0f0c08-91a1-4084-bc3d-661d67233fed": "Storage Queue Data Message Processor",
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "76199698-9eea-4c19-bc75-cec21354c6b6": "Storage Table Data Reader",
}
"""Every role that may be given, by Microsoft's own id. None of them gives roles, changes resources or reads keys."""
PEOPLE = {OPERATORS: "operators", READERS: "readers", SENDER: "sender"}
MODULES = {"responderIdentity": "responder", "workerIdentity": "worker", "consoleIdentity": "console", "topic": "topic"}
DATA = "stbypass"
HOSTS = {
    "sthostresp": "host account of the responder",
    "sthostexch": "host account of the worker",
    "sthostcons": "host account of the console",
}
SCOPE = re.compile(
    r"(?:\[extensionResourceId\(')?(/[^']+?)(?:', '|/providers/)Microsoft\.Authorization/roleAssignments"
)
"""Of the id of an assignment to one thing. That of a resource group or subscription is written otherwise."""
EVERYTHING = "all of the resource group or more"
OF_ACCOUNT = re.compile(
    r"Microsoft\.Storage/storageAccounts/(?P<account>stbypass|sthostresp|sthostexch|sthostcons)\w*(?:/\w+/default/(?P<thing>\w+/[\w-]+))?"
)
OWNER, TABLES = "Storage Blob Data Owner", "Storage Table Data Contributor"
ALWAYS: set[Given] = {
    ("responder", OWNER, HOSTS["sthostresp"]),
    ("responder", TABLES, HOSTS["sthostresp"]),
    ("worker", OWNER, HOSTS["sthostexch"]),
    ("worker", TABLES, HOSTS["sthostexch"]),
    ("responder", "Monitoring Metrics Publisher", "Microsoft.Insights/components"),
    ("worker", "Monitoring Metrics Publisher", "Microsoft.Insights/components"),
}
"""Outside of the data account. Who may write to a host account chooses the code that runs with the app's rights."""
ON_REQUEST: set[Given] = {
    ("operators", "Log Analytics Reader", "Microsoft.OperationalInsights/workspaces"),
    ("readers", "Log Analytics Reader", "Microsoft.OperationalInsights/workspaces"),
    ("sender", "EventGrid Data Sender", "Microsoft.EventGrid/topics"),
    ("responder", "Key Vault Secrets User", "Microsoft.KeyVault/vaults"),
    ("operators", "Key Vault Secrets Officer", "Microsoft.KeyVault/vaults"),
    ("console", OWNER, HOSTS["sthostcons"]),
    ("console", TABLES, HOSTS["sthostcons"]),
    ("console", "Monitoring Metrics Publisher", "Microsoft.Insights/components"),
}
"""Only where a group or sender is named, or notifications or the console are enabled."""
PAGE, HEADING = "docs/infrastructure.md", "## Who may do what in the data account\n"
OF_WORD = {
    ("tables", "write"): "Storage Table Data Contributor",
    ("tables", "read"): "Storage Table Data Reader",
    ("containers", "write"): "Storage Blob Data Contributor",
    ("containers", "read"): "Storage Blob Data Reader",
    ("queues", "look"): "Storage Queue Data Reader",
    ("queues", "send"): "Storage Queue Data Message Sender",
    ("queues", "drain"): "Storage Queue Data Message Processor",
    ("queues", "take"): "Storage Queue Data Contributor",
}
"""Role by what a thing is and the word in the table, as the page explains it."""


@reported
def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    if "Microsoft.Authorization/" in str(predicted.compiled(root, "events.bicep").get("resources")):
        yield "events.bicep gives a role; all stand in modules/roles.bicep"
    always, on_request = _documented(root)
    for variant in predicted.VARIANTS:
        found = list(assignments(root, variant))
        expected = ALWAYS | always | (ON_REQUEST | on_request if variant == "everything" else set())
        for who, role, thing in sorted(set(found) - expected):
            yield f"{variant}: {who} has {role} on {thing}: {_why_not(role, thing)}"
        for who, role, thing in sorted(expected - set(found)):
            yield f"{variant}: {who} lacks {role} on {thing}"
        for given in sorted({each for each in found if found.count(each) > 1}):
            yield f"{variant}: {given} stands twice"


def _why_not(role: str, thing: str) -> str:
    if role not in ROLES.values():
        return "that role is on no list"
    if thing.startswith("all of "):
        return "name the one table, queue, container or resource"
    return f"{PAGE} and infra/checks/access.py do not say so"


def _documented(root: Path) -> tuple[set[Given], set[Given]]:
    """The table of the data account: what always applies, and what is optional."""
    text = (root / PAGE).read_text(encoding="utf-8").partition(HEADING)[2].split("\n## ", maxsplit=1)[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    if len(rows) < 3:  # noqa: PLR2004 - a head, a rule, and something
        raise UnreadableError(f"{PAGE} has no table under {HEADING.strip()!r}")
    always, on_request = set[Given](), set[Given]()
    for row in rows[2:]:
        kind = row[0].split()[0].rstrip("s") + "s"
        for who, cell in zip(rows[0][1:], row[1:], strict=True):
            asked_for = who.strip() in {*PEOPLE.values(), "console"} or "private" in cell
            for word in re.findall(r"write|read|look|send|drain|take", cell):
                if (kind, word) not in OF_WORD:
                    raise UnreadableError(f"{PAGE}: what does {word} mean for {kind}?")
                names = re.findall(r"`([^`]+)`", row[0])
                given = {(who.strip(), OF_WORD[kind, word], f"{kind}/{name}") for name in names}
                (on_request if asked_for else always).update(given)
    return always, on_request


def assignments(root: Path, variant: str) -> Iterator[Given]:
    """Every role assignment of a variant.

    A role or a principal that is not known stands as it is written.
    """
    for each in of_type(predicted.resources(root, variant), "Microsoft.Authorization/roleAssignments"):
        principal = str(each["properties"]["principalId"])
        module = re.search(r"uniqueString\('(\w+)'", principal)
        who = PEOPLE.get(principal) or MODULES.get(module[1] if module else "", principal)
        role = str(each["properties"]["roleDefinitionId"]).rpartition("/")[2]
        scope = SCOPE.match(str(each["id"]))
        yield who, ROLES.get(role, role), _thing(scope[1]) if scope else EVERYTHING


def _thing(scope: str) -> str:
    """Return the table, queue or container of the data account, or the type of another resource.

    A host account is named as such; a scope without a resource covers all of it.
    """
    what = scope.rpartition("/providers/")[2]
    if "/providers/" not in scope:
        return f"all of {scope}"
    if not (match := OF_ACCOUNT.fullmatch(what)):
        return "/".join(what.split("/")[:2])
    if match["account"] == DATA and match["thing"]:
        return match["thing"]
    host = HOSTS.get(match["account"]) if not match["thing"] else None
    return host or f"all of {what}"
