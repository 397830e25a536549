"""Checks that exactly the permissions that docstrings name are granted.

Graph and feed permissions come from rights.py, Azure roles from roles.bicep.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from infra.checks import access, app_code
from infra.checks.unreadable import reported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAID = re.compile(r"Permissions?: (?P<text>[^\n]+(?:\n[^\n]+)*?)(?=\.(?:\s|\Z)|\n\n|\Z)")
APP_ROLE = re.compile(r"\b(?:[A-Z][\w-]+\.)+(?:All|Read|ReadWrite|ManageAsApp)\b")
CMDLET = re.compile(
    r"\b(?:Get|Set|New|Remove|Enable|Disable)-(?:User|(?:EXO)?Mailbox\w*|OrganizationConfig|AdminAuditLogConfig|"
    r"Recipient\w*|InboxRule|ManagementRole\w*|RoleGroup\w*)\b"
)
OF_PEOPLE = {"src/bypass_responder/adapters/entra_rights.py", "src/bypass_responder/operating/grant.py"}
"""What these name is of the administrator who runs `bypassctl grant`."""
OF_AZURE = {
    "Key Vault Secrets User": "App Service puts the secret into the setting",
    "Storage Queue Data Contributor": "the host takes the message of a trigger",
}
"""What the responder's identity needs, and code of ours does not ask for: who does."""


@reported
def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    code = app_code.declared(root)
    named = set(_docstrings(root))
    app_roles = {word for text in named for word in APP_ROLE.findall(text)}
    yield from _compared(app_roles, set(code.responder_roles), "rights.RESPONDER_ROLES or EVIDENCE_ROLES")
    worker = _worker(root)
    yield from _compared(set(CMDLET.findall(worker)), set(code.worker_cmdlets), "rights.EXCHANGE_GRANTS")
    if code.worker_roles != ["Exchange.ManageAsApp"]:
        yield "rights.WORKER_ROLES: the worker connects to Exchange with Exchange.ManageAsApp and needs nothing else"
    roles = {role for text in named for role in access.ROLES.values() if role in text}
    found = access.assignments(root, "everything")
    given = {role for who, role, thing in found if who == "responder" and thing not in access.HOSTS.values()}
    yield from _compared(roles - set(OF_AZURE), given - set(OF_AZURE), "roles.bicep, for the responder")


def _compared(named: set[str], given: set[str], where: str) -> Iterator[str]:
    yield from (f"{word} is named in code and not given by {where}" for word in sorted(named - given))
    yield from (f"{word} is given by {where} and named nowhere in code" for word in sorted(given - named))


def _docstrings(root: Path) -> Iterator[str]:
    """What stands after the word Permission in each docstring of the app."""
    for path in sorted((root / "src" / "bypass_responder").rglob("*.py")):
        if path.relative_to(root).as_posix() in OF_PEOPLE:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield from (match["text"] for match in SAID.finditer(ast.get_docstring(node) or ""))


def _worker(root: Path) -> str:
    """The worker's code, without its comments."""
    scripts = sorted((root / "src" / "exchange_worker").glob("Exchange*/**/*.ps1"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in scripts)
    return re.sub(r"(?s:<#.*?#>)|^[ \t]*#.*$", "", text, flags=re.MULTILINE)
