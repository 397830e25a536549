"""Who gets which role on what: only these roles, on nothing wider than what they are for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.checks import predicted
from infra.checks.predicted import OPERATORS, READERS, SENDER, UnreadableTemplateError, of_type

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Given = tuple[str, str, str]
"""Who, the role by its name, and the id of what it is on."""

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
MODULES = {"responderIdentity": "responder", "workerIdentity": "worker", "topic": "topic"}
OWN_HOST = {"responder": "sthostresp", "worker": "sthostexch"}
HOST_ROLES = {"Storage Blob Data Owner", "Storage Table Data Contributor"}
NARROW = re.compile(r"/storageAccounts/stbypass\w*/\w+/default/(?:tables|queues|containers)/[\w-]+")
ELSEWHERE = {
    "Microsoft.Insights/components": {
        ("responder", "Monitoring Metrics Publisher"),
        ("worker", "Monitoring Metrics Publisher"),
    },
    "Microsoft.OperationalInsights/workspaces": {
        ("operators", "Log Analytics Reader"),
        ("readers", "Log Analytics Reader"),
    },
    "Microsoft.EventGrid/topics": {("sender", "EventGrid Data Sender")},
    "Microsoft.KeyVault/vaults": {("responder", "Key Vault Secrets User"), ("operators", "Key Vault Secrets Officer")},
}
"""Besides storage: who may have what on a thing of this type."""


def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    try:
        for variant in predicted.VARIANTS:
            found = list(assignments(root, variant))
            if not found:
                yield f"{variant}: nobody has a role"
            yield from (f"{variant}: {problem}" for each in found for problem in _judged(*each))
            yield from (
                f"{variant}: {each} stands twice" for each in sorted({it for it in found if found.count(it) > 1})
            )
    except UnreadableTemplateError as error:
        yield str(error)


def assignments(root: Path, variant: str) -> Iterator[Given]:
    """Every role assignment of a variant; a role or a principal that is not known stands as it is written."""
    for each in of_type(predicted.resources(root, variant), "Microsoft.Authorization/roleAssignments"):
        principal = str(each["properties"]["principalId"])
        module = re.search(r"uniqueString\('(\w+)'", principal)
        who = PEOPLE.get(principal) or MODULES.get(module[1] if module else "", principal)
        role = str(each["properties"]["roleDefinitionId"]).rpartition("/")[2]
        scope = re.match(
            r"(?:\[extensionResourceId\(')?(/.+?)(?:'|/providers/Microsoft\.Authorization)", str(each["id"])
        )
        yield who, ROLES.get(role, role), scope[1] if scope else str(each["id"])


def _judged(who: str, role: str, scope: str) -> Iterator[str]:
    what = scope.rpartition("/providers/")[2]
    if role not in ROLES.values():
        yield f"{who} has {role} on {what}: that role is on no list"
    elif "/providers/" not in scope:
        yield f"{who} has {role} on all of {scope.rpartition('/')[2]}: name the one resource"
    elif what.startswith("Microsoft.Storage/"):
        yield from _on_storage(who, role, what)
    elif (who, role) not in ELSEWHERE.get("/".join(what.split("/")[:2]), set()):
        yield f"{who} has {role} on {what}: that is not expected"


def _on_storage(who: str, role: str, what: str) -> Iterator[str]:
    if NARROW.fullmatch(what.removeprefix("Microsoft.Storage")):
        return
    account = what.rpartition("/")[2]
    if not account.startswith(OWN_HOST.get(who, "-")):
        yield f"{who} has {role} on {account}: name one table, queue or container; of hosts, only its own"
    elif role not in HOST_ROLES:
        yield f"{who} has {role} on its host account, where the host wants {' and '.join(sorted(HOST_ROLES))}"
